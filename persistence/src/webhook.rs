//! Webhooks: receivers that are told of changes as they happen.
//!
//! A follower of the log writes down what each is to be told, in one transaction with its cursor;
//! whoever holds a webhook's lease sends it.

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

/// For how many hours a secret still signs after it was replaced.
pub const FORMER_HOURS: i64 = 24;

/// A webhook that is to be made.
#[derive(Debug, Clone)]
pub struct NewWebhook {
    /// What it is called here.
    pub name: String,
    /// Where deliveries go.
    pub url: String,
    /// The kinds of records; all if empty.
    pub kinds: Vec<Kind>,
    /// Their home regions; all if empty.
    pub home_regions: Vec<Uuid>,
    /// Signs deliveries.
    pub secret: Secret,
}

/// What is to be changed; absent members stay.
#[derive(Debug, Clone, Default)]
pub struct WebhookChange {
    /// What it is called here.
    pub name: Option<String>,
    /// Where deliveries go.
    pub url: Option<String>,
    /// The kinds of records.
    pub kinds: Option<Vec<Kind>>,
    /// Their home regions.
    pub home_regions: Option<Vec<Uuid>>,
    /// Whether it is told of changes.
    pub active: Option<bool>,
}

/// A webhook and how many deliveries it has.
#[derive(Debug)]
pub struct Webhook {
    /// The row.
    pub row: webhook::Model,
    /// How many deliveries are to be made still.
    pub pending: u64,
    /// How many were given up and are not forgotten yet.
    pub failed: u64,
}

impl Webhook {
    /// One that was told of nothing yet.
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
    /// Its state.
    ///
    /// # Errors
    /// [`StoreError::Corrupt`].
    pub fn state(&self) -> Result<WebhookState> {
        let state = WebhookState::parse(&self.state);
        state.ok_or_else(|| StoreError::Corrupt(format!("state {}", self.state)))
    }

    /// What it is told of.
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
    /// Makes a webhook.
    ///
    /// # Errors
    /// As [`Unit::create_webhook`].
    pub async fn create_webhook(&self, by: &Caller, new: &NewWebhook) -> Result<webhook::Model> {
        self.write(by, &WriteOptions::default(), async |unit| {
            unit.create_webhook(new).await
        })
        .await
    }

    /// Every webhook by name.
    ///
    /// # Errors
    /// The database's.
    pub async fn webhooks(&self) -> Result<Vec<Webhook>> {
        let rows = webhook::Entity::find()
            .order_by_asc(webhook::Column::Name)
            .all(self.db().reader())
            .await?;
        self.counted(rows, None).await
    }

    /// A webhook.
    ///
    /// # Errors
    /// [`StoreError::NotFound`].
    pub async fn webhook(&self, id: Uuid) -> Result<Webhook> {
        let row = webhook::Entity::find_by_id(id)
            .one(self.db().reader())
            .await?;
        let counted = self.counted(row.into_iter().collect(), Some(id)).await?;
        counted.into_iter().next().ok_or(StoreError::NotFound)
    }

    /// A webhook by its name.
    ///
    /// # Errors
    /// [`StoreError::NotFound`].
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

    /// Changes a webhook. One that is switched on again is told of what happens from then on.
    ///
    /// # Errors
    /// [`StoreError::NotFound`], [`StoreError::PreconditionFailed`], [`StoreError::Conflict`].
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

    /// Lets another secret sign.
    ///
    /// # Errors
    /// As [`Unit::rotate_webhook`].
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

    /// Removes a webhook with its deliveries.
    ///
    /// # Errors
    /// [`StoreError::NotFound`], [`StoreError::PreconditionFailed`].
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

    /// Does something to webhooks that concerns no record.
    async fn on_webhook<T>(&self, work: impl AsyncFn(&mut Unit<'_>) -> Result<T>) -> Result<T> {
        let options = WriteOptions::default();
        self.write(&Caller::node(), &options, work).await
    }
}

impl Unit<'_> {
    /// Makes a webhook; it is told of what happens from now on.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] if another one has the name.
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

    /// Lets another secret sign; the one so far still signs too for [`FORMER_HOURS`].
    ///
    /// # Errors
    /// [`StoreError::NotFound`], [`StoreError::PreconditionFailed`].
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

    /// The newest entry of the log.
    async fn head(&self) -> Result<i64> {
        let node = node::Entity::find_by_id(1).one(&self.tx).await?;
        Ok(node.map_or(0, |node| node.head_seq))
    }

    async fn locked_webhook(
        &self,
        mut query: Select<webhook::Entity>,
    ) -> Result<Option<webhook::Model>> {
        if self.db().is_postgres() {
            // Not the key, so that deliveries can be written down meanwhile.
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

    /// Whoever sends to it begins again with what is wanted now.
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
