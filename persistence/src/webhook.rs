//! Webhooks: receivers that are notified of changes as they happen.
//!
//! A log consumer queues the deliveries, in one transaction with its cursor; the holder of a
//! webhook's lease sends them.

mod delivery;
mod lease;
mod tell;

pub(crate) use delivery::forget_deliveries;
pub use delivery::{Again, Deliveries, REPLAYED, Replayed, Since};
pub use lease::{Attempt, WebhookLease};
pub use tell::Tell;

use crate::entity::webhook::Secret;
use crate::entity::{node, webhook, webhook_delivery};
use crate::error::{Conflict, Result, StoreError, Unique};
use crate::feed::FeedFilter;
use crate::partner::{codes, ids};
use crate::store::Store;
use crate::unit::{Unit, WriteOptions};
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

/// Hours for which a replaced secret still signs.
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

#[derive(Debug)]
pub struct Webhook {
    pub row: webhook::Model,
    pub pending: u64,
    /// Number of abandoned deliveries that are not removed yet.
    pub failed: u64,
}

impl Webhook {
    /// A webhook without deliveries.
    #[must_use]
    pub const fn fresh(row: webhook::Model) -> Self {
        Self {
            row,
            pending: 0,
            failed: 0,
        }
    }
}

impl webhook::Model {
    pub fn state(&self) -> Result<WebhookState> {
        let state = WebhookState::parse(&self.state);
        state.ok_or_else(|| StoreError::Corrupt(format!("state {}", self.state)))
    }

    #[must_use]
    pub fn filter(&self) -> FeedFilter {
        FeedFilter::kept(&self.kinds, &self.home_regions)
    }

    fn disable(&mut self, reason: DisabledReason, unit: &Unit<'_>) {
        WebhookState::Disabled.code().clone_into(&mut self.state);
        self.disabled_reason = Some(reason.code().to_owned());
        self.disabled_at = Some(unit.now);
    }
}

impl Store {
    pub async fn create_webhook(&self, by: &Caller, new: &NewWebhook) -> Result<webhook::Model> {
        self.write(by, &WriteOptions::default(), async |unit| {
            unit.create_webhook(new).await
        })
        .await
    }

    pub async fn webhooks(&self) -> Result<Vec<Webhook>> {
        let rows = webhook::Entity::find()
            .order_by_asc(webhook::Column::Name)
            .all(self.db().reader())
            .await?;
        self.counted(rows, None).await
    }

    pub async fn webhook(&self, id: Uuid) -> Result<Webhook> {
        let row = webhook::Entity::find_by_id(id)
            .one(self.db().reader())
            .await?;
        let counted = self.counted(row.into_iter().collect(), Some(id)).await?;
        counted.into_iter().next().ok_or(StoreError::NotFound)
    }

    pub async fn webhook_named(&self, name: &str) -> Result<webhook::Model> {
        let found = webhook::Entity::find().filter(webhook::Column::Name.eq(name));
        let found = found.one(self.db().reader()).await?;
        found.ok_or(StoreError::NotFound)
    }

    async fn counted(&self, rows: Vec<webhook::Model>, one: Option<Uuid>) -> Result<Vec<Webhook>> {
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
        let counts: Vec<(Uuid, String, i64)> = counts.into_tuple().all(self.db().reader()).await?;
        let counts: BTreeMap<(Uuid, String), i64> = counts
            .into_iter()
            .map(|(id, state, count)| ((id, state), count))
            .collect();
        let count = |id: Uuid, state: DeliveryState| {
            let count = counts.get(&(id, state.code().to_owned()));
            count.map_or(0, |count| count.unsigned_abs())
        };
        let webhooks = rows.into_iter().map(|row| Webhook {
            pending: count(row.id, DeliveryState::Pending),
            failed: count(row.id, DeliveryState::Failed),
            row,
        });
        Ok(webhooks.collect())
    }

    /// Changes a webhook. An enabled one is notified of future changes.
    pub async fn change_webhook(
        &self,
        by: &Caller,
        id: Uuid,
        expected: &Precondition,
        change: &WebhookChange,
    ) -> Result<webhook::Model> {
        self.write(by, &WriteOptions::default(), async |unit| {
            let mut row = unit.webhook_for_update(id, expected).await?;
            if let Some(name) = &change.name {
                unit.refuse_webhook_name(name, Some(id)).await?;
                row.name.clone_from(name);
            }
            row.url = change.url.clone().unwrap_or(row.url);
            row.kinds = change.kinds.as_deref().map_or(row.kinds, codes);
            row.home_regions = change.home_regions.as_deref().map_or(row.home_regions, ids);
            match (change.active, row.state()?) {
                (Some(true), WebhookState::Disabled) => {
                    WebhookState::Active.code().clone_into(&mut row.state);
                    row.disabled_reason = None;
                    row.disabled_at = None;
                    row.failures = 0;
                    row.last_error = None;
                    row.failed_at = None;
                    row.retry_at = None;
                    row.told_after = unit.head().await?;
                }
                (Some(false), WebhookState::Active) => row.disable(DisabledReason::Admin, unit),
                (Some(true), WebhookState::Active)
                | (Some(false), WebhookState::Disabled)
                | (None, _) => {}
            }
            unit.changed_webhook(row).await
        })
        .await
    }

    pub async fn rotate_webhook(
        &self,
        by: &Caller,
        id: Uuid,
        secret: &Secret,
    ) -> Result<webhook::Model> {
        self.write(by, &WriteOptions::default(), async |unit| {
            unit.rotate_webhook(id, &Precondition::Any, secret).await
        })
        .await
    }

    pub async fn remove_webhook(
        &self,
        by: &Caller,
        id: Uuid,
        expected: &Precondition,
    ) -> Result<()> {
        self.write(by, &WriteOptions::default(), async |unit| {
            unit.webhook_for_update(id, expected).await?;
            webhook::Entity::delete_by_id(id).exec(&unit.tx).await?;
            Ok(())
        })
        .await?;
        tracing::info!(webhook_id = %id, by = ?by.account, "webhook removed");
        Ok(())
    }

    /// Changes webhooks without any record.
    async fn on_webhook<T>(&self, work: impl AsyncFn(&mut Unit<'_>) -> Result<T>) -> Result<T> {
        let options = WriteOptions::default();
        self.write(&Caller::node(), &options, work).await
    }
}

impl Unit<'_> {
    /// Creates a webhook; it is notified of future changes.
    pub async fn create_webhook(&mut self, new: &NewWebhook) -> Result<webhook::Model> {
        self.refuse_webhook_name(&new.name, None).await?;
        let row = webhook::Model {
            id: domain::base::id::new(),
            name: new.name.clone(),
            version: 1,
            url: new.url.clone(),
            kinds: codes(&new.kinds),
            home_regions: ids(&new.home_regions),
            secret: new.secret.clone(),
            former_secret: None,
            former_until: None,
            state: WebhookState::Active.code().to_owned(),
            disabled_reason: None,
            disabled_at: None,
            told_after: self.head().await?,
            failures: 0,
            last_error: None,
            succeeded_at: None,
            failed_at: None,
            retry_at: None,
            fence: 0,
            leased_until: None,
            created_at: self.now,
        };
        webhook::Entity::insert(row.clone().into_active_model())
            .exec_without_returning(&self.tx)
            .await?;
        Ok(row)
    }

    /// Replaces the secret; the previous one still signs for [`FORMER_HOURS`].
    pub async fn rotate_webhook(
        &mut self,
        id: Uuid,
        expected: &Precondition,
        secret: &Secret,
    ) -> Result<webhook::Model> {
        let mut row = self.webhook_for_update(id, expected).await?;
        row.former_secret = Some(std::mem::replace(&mut row.secret, secret.clone()));
        row.former_until = Some(self.now + TimeDelta::hours(FORMER_HOURS));
        self.changed_webhook(row).await
    }

    async fn head(&self) -> Result<i64> {
        let node = node::Entity::find_by_id(1).one(&self.tx).await?;
        Ok(node.map_or(0, |node| node.head_seq))
    }

    async fn locked_webhook(
        &self,
        mut query: Select<webhook::Entity>,
    ) -> Result<Option<webhook::Model>> {
        if self.db().is_postgres() {
            // Not the key, so that deliveries can be queued meanwhile.
            query = query.lock(LockType::NoKeyUpdate);
        }
        Ok(query.one(&self.tx).await?)
    }

    async fn webhook_for_update(
        &self,
        id: Uuid,
        expected: &Precondition,
    ) -> Result<webhook::Model> {
        let row = self.locked_webhook(webhook::Entity::find_by_id(id)).await?;
        let row = row.ok_or(StoreError::NotFound)?;
        expected.met_by(row.version)?;
        Ok(row)
    }

    async fn keep_webhook(&self, row: webhook::Model) -> Result<()> {
        let row = row.into_active_model().reset_all();
        row.update(&self.tx).await?;
        Ok(())
    }

    /// Senders to the webhook start again with the new settings.
    async fn changed_webhook(&self, mut row: webhook::Model) -> Result<webhook::Model> {
        row.version += 1;
        row.fence += 1;
        row.leased_until = None;
        self.keep_webhook(row.clone()).await?;
        Ok(row)
    }

    async fn refuse_webhook_name(&self, name: &str, except: Option<Uuid>) -> Result<()> {
        let taken = webhook::Entity::find()
            .filter(webhook::Column::Name.eq(name))
            .one(&self.tx)
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
}
