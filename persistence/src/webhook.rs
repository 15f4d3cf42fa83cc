//! Webhooks: receivers that are notified of changes as they happen.
//!
//! A log consumer queues the deliveries, in one transaction with its cursor; the holder of a
//! webhook's lease sends them.

mod delivery;
mod enqueue;
mod lease;
mod state;

pub use delivery::{Again, Deliveries, DeliveriesMut, DeliveryPage, REPLAYED, Replayed, Since};
pub use enqueue::DeliveryEnqueuer;
pub use lease::Attempt;
pub use state::{Delivery, Secret, Webhook, WebhookStatus};

use crate::entity::{node, webhook, webhook_delivery};
use crate::error::{Conflict, Result, StoreError, Unique};
use crate::store::Store;
use crate::transaction::{Transaction, WriteOptions};
use crate::write::Precondition;
use chrono::TimeDelta;
use domain::access::rules::Caller;
use domain::base::kind::Kind;
use domain::base::vocabulary::Coded;
use domain::exchange::webhook::{DeliveryState, DisabledReason, WebhookState};
use sea_orm::sea_query::LockType;
use sea_orm::{
    ActiveModelTrait, ColumnTrait, EntityTrait, IntoActiveModel, QueryFilter, QueryOrder,
    QuerySelect, Select,
};
use std::collections::BTreeMap;
use uuid::Uuid;

pub const FORMER_HOURS: i64 = 24;

#[derive(Debug, Clone)]
pub struct NewWebhook {
    pub name: String,
    pub url: String,
    /// The kinds of records; all if empty.
    pub kinds: Vec<Kind>,
    /// Their home regions; all if empty.
    pub home_regions: Vec<Uuid>,
    pub secret: Secret,
}

/// Changes of a webhook; absent members stay.
#[derive(Debug, Clone, Default)]
pub struct WebhookChange {
    pub name: Option<String>,
    pub url: Option<String>,
    pub kinds: Option<Vec<Kind>>,
    pub home_regions: Option<Vec<Uuid>>,
    pub active: Option<bool>,
}

/// Room of webhooks.
#[derive(Debug, Clone, Copy)]
pub struct Webhooks<'a> {
    pub(crate) store: &'a Store,
}

/// Room for writing webhooks.
#[derive(Debug)]
pub struct WebhooksMut<'t, 's> {
    pub(crate) tx: &'t mut Transaction<'s>,
}

impl Store {
    #[must_use]
    pub fn webhooks(&self) -> Webhooks<'_> {
        Webhooks { store: self }
    }
}

impl<'s> Transaction<'s> {
    #[must_use]
    pub fn webhooks(&mut self) -> WebhooksMut<'_, 's> {
        WebhooksMut { tx: self }
    }
}

impl Webhooks<'_> {
    pub async fn create(self, by: &Caller, new: &NewWebhook) -> Result<Webhook> {
        self.store
            .write(by, &WriteOptions::default(), async |tx| {
                tx.webhooks().create(new).await
            })
            .await
    }

    pub async fn list(self) -> Result<Vec<WebhookStatus>> {
        let rows = webhook::Entity::find()
            .order_by_asc(webhook::Column::Name)
            .into_model()
            .all(self.store.db().reader())
            .await?;
        counted(self.store, rows, None).await
    }

    pub async fn get(self, id: Uuid) -> Result<WebhookStatus> {
        let row = webhook::Entity::find_by_id(id)
            .into_model()
            .one(self.store.db().reader())
            .await?;
        let counted = counted(self.store, row.into_iter().collect(), Some(id)).await?;
        counted.into_iter().next().ok_or(StoreError::NotFound)
    }

    pub async fn find_by_name(self, name: &str) -> Result<Webhook> {
        let found = webhook::Entity::find().filter(webhook::Column::Name.eq(name));
        let found = found.into_model().one(self.store.db().reader()).await?;
        found.ok_or(StoreError::NotFound)
    }

    /// Changes a webhook. An enabled one is notified of future changes.
    pub async fn update(
        self,
        by: &Caller,
        id: Uuid,
        expected: &Precondition,
        change: &WebhookChange,
    ) -> Result<Webhook> {
        self.store
            .write(by, &WriteOptions::default(), async |tx| {
                let mut row = webhook_for_update(tx, id, expected).await?;
                if let Some(name) = &change.name {
                    refuse_webhook_name(tx, name, Some(id)).await?;
                    row.name.clone_from(name);
                }
                row.url = change.url.clone().unwrap_or(row.url);
                row.kinds = change.kinds.clone().unwrap_or(row.kinds);
                row.home_regions = change.home_regions.clone().unwrap_or(row.home_regions);
                match (change.active, row.state) {
                    (Some(true), WebhookState::Disabled) => {
                        row.state = WebhookState::Active;
                        row.disabled_reason = None;
                        row.disabled_at = None;
                        row.failures = 0;
                        row.last_error = None;
                        row.failed_at = None;
                        row.retry_at = None;
                        row.told_after = head(tx).await?;
                    }
                    (Some(false), WebhookState::Active) => row.disable(DisabledReason::Admin, tx),
                    (Some(true), WebhookState::Active)
                    | (Some(false), WebhookState::Disabled)
                    | (None, _) => {}
                }
                changed_webhook(tx, row).await
            })
            .await
    }

    pub async fn rotate_secret(self, by: &Caller, id: Uuid, secret: &Secret) -> Result<Webhook> {
        self.store
            .write(by, &WriteOptions::default(), async |tx| {
                tx.webhooks()
                    .rotate_secret(id, &Precondition::Any, secret)
                    .await
            })
            .await
    }

    pub async fn delete(self, by: &Caller, id: Uuid, expected: &Precondition) -> Result<()> {
        self.store
            .write(by, &WriteOptions::default(), async |tx| {
                webhook_for_update(tx, id, expected).await?;
                webhook::Entity::delete_by_id(id).exec(&tx.sql).await?;
                Ok(())
            })
            .await?;
        tracing::info!(webhook_id = %id, by = by.account.map(tracing::field::display), "webhook removed");
        Ok(())
    }
}

async fn counted(
    store: &Store,
    rows: Vec<Webhook>,
    one: Option<Uuid>,
) -> Result<Vec<WebhookStatus>> {
    let mut counts = webhook_delivery::Entity::find()
        .select_only()
        .column(webhook_delivery::Column::WebhookId)
        .column(webhook_delivery::Column::State)
        .column_as(webhook_delivery::Column::Id.count(), "count")
        .filter(webhook_delivery::Column::State.ne(DeliveryState::Delivered.code()))
        .group_by(webhook_delivery::Column::WebhookId)
        .group_by(webhook_delivery::Column::State);
    if let Some(id) = one {
        counts = counts.filter(webhook_delivery::Column::WebhookId.eq(id));
    }
    let counts: Vec<(Uuid, String, i64)> = counts.into_tuple().all(store.db().reader()).await?;
    let counts: BTreeMap<(Uuid, String), i64> = counts
        .into_iter()
        .map(|(id, state, count)| ((id, state), count))
        .collect();
    let count = |id: Uuid, state: DeliveryState| {
        let count = counts.get(&(id, state.code().to_owned()));
        count.map_or(0, |count| count.unsigned_abs())
    };
    let webhooks = rows.into_iter().map(|row| WebhookStatus {
        pending: count(row.id, DeliveryState::Pending),
        failed: count(row.id, DeliveryState::Failed),
        webhook: row,
    });
    Ok(webhooks.collect())
}

/// Changes webhooks without any record.
async fn on_webhook<T>(
    store: &Store,
    work: impl AsyncFn(&mut Transaction<'_>) -> Result<T>,
) -> Result<T> {
    let options = WriteOptions::default();
    store.write(&Caller::node(), &options, work).await
}

impl WebhooksMut<'_, '_> {
    /// Creates a webhook; it is notified of future changes.
    pub async fn create(self, new: &NewWebhook) -> Result<Webhook> {
        refuse_webhook_name(self.tx, &new.name, None).await?;
        let row = Webhook {
            id: domain::base::id::new(),
            name: new.name.clone(),
            version: 1,
            url: new.url.clone(),
            kinds: new.kinds.clone(),
            home_regions: new.home_regions.clone(),
            secret: new.secret.clone(),
            former_secret: None,
            former_until: None,
            state: WebhookState::Active,
            disabled_reason: None,
            disabled_at: None,
            told_after: head(self.tx).await?,
            failures: 0,
            last_error: None,
            succeeded_at: None,
            failed_at: None,
            retry_at: None,
            fence: 0,
            leased_until: None,
            created_at: self.tx.now,
        };
        webhook::Entity::insert(row.clone().into_active_model())
            .exec_without_returning(&self.tx.sql)
            .await?;
        Ok(row)
    }

    /// Replaces the secret; the previous one still signs for [`FORMER_HOURS`].
    pub async fn rotate_secret(
        self,
        id: Uuid,
        expected: &Precondition,
        secret: &Secret,
    ) -> Result<Webhook> {
        let mut row = webhook_for_update(self.tx, id, expected).await?;
        row.former_secret = Some(std::mem::replace(&mut row.secret, secret.clone()));
        row.former_until = Some(self.tx.now + TimeDelta::hours(FORMER_HOURS));
        changed_webhook(self.tx, row).await
    }
}

async fn head(tx: &Transaction<'_>) -> Result<i64> {
    let node = node::Entity::find_by_id(1).one(&tx.sql).await?;
    Ok(node.map_or(0, |node| node.head))
}

async fn locked_webhook(
    tx: &Transaction<'_>,
    mut query: Select<webhook::Entity>,
) -> Result<Option<Webhook>> {
    if tx.db().is_postgres() {
        // Not the key, so that deliveries can be queued meanwhile.
        query = query.lock(LockType::NoKeyUpdate);
    }
    Ok(query.into_model().one(&tx.sql).await?)
}

async fn webhook_for_update(
    tx: &Transaction<'_>,
    id: Uuid,
    expected: &Precondition,
) -> Result<Webhook> {
    let row = locked_webhook(tx, webhook::Entity::find_by_id(id)).await?;
    let row = row.ok_or(StoreError::NotFound)?;
    expected.met_by(row.version)?;
    Ok(row)
}

async fn keep_webhook(tx: &Transaction<'_>, row: Webhook) -> Result<()> {
    let row = row.into_active_model().reset_all();
    row.update(&tx.sql).await?;
    Ok(())
}

/// Senders to the webhook start again with the new settings.
async fn changed_webhook(tx: &Transaction<'_>, mut row: Webhook) -> Result<Webhook> {
    row.version += 1;
    row.fence += 1;
    row.leased_until = None;
    keep_webhook(tx, row.clone()).await?;
    Ok(row)
}

async fn refuse_webhook_name(tx: &Transaction<'_>, name: &str, except: Option<Uuid>) -> Result<()> {
    let taken = webhook::Entity::find()
        .filter(webhook::Column::Name.eq(name))
        .one(&tx.sql)
        .await?;
    if taken.is_none_or(|other| Some(other.id) == except) {
        return Ok(());
    }
    Err(StoreError::Conflict(Conflict {
        field: "/name".to_owned(),
        what: Unique::WebhookName,
        value: name.to_owned(),
        other: None,
    }))
}
