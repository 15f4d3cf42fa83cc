//! Leases of webhooks: one instance sends at a time, and an instance that lost the lease writes
//! nothing.

use crate::entity::{webhook, webhook_delivery};
use crate::error::{Result, StoreError};
use crate::lease::{Lease, Leasing, SKEW, is_over};
use crate::transaction::Transaction;
use crate::webhook::delivery::Deliveries;
use crate::webhook::state::{Delivery, Webhook};
use crate::webhook::{Webhooks, keep_webhook, locked_webhook, on_webhook};
use chrono::{DateTime, TimeDelta, Utc};
use domain::base::vocabulary::Coded;
use domain::exchange::webhook::{DeliveryState, DisabledReason, WebhookState};
use sea_orm::{
    ActiveModelTrait, ColumnTrait, Condition, EntityTrait, IntoActiveModel, QueryFilter,
    QueryOrder, QuerySelect, QueryTrait,
};
use uuid::Uuid;

/// Time after which a silent instance is considered dead: longer than an attempt.
const LEASE: TimeDelta = TimeDelta::minutes(1);

const MAX_ERROR: usize = 500;

const LEASING: Leasing<webhook::Column> = Leasing {
    fence: webhook::Column::Fence,
    leased_until: webhook::Column::LeasedUntil,
    failed_at: webhook::Column::FailedAt,
    retry_at: webhook::Column::RetryAt,
    lasts: LEASE,
};

#[derive(Debug, Clone)]
pub struct Attempt {
    pub status: Option<u16>,
    pub error: Option<String>,
    /// When the delivery is retried; never if absent.
    pub retry_at: Option<DateTime<Utc>>,
    /// Whether the receiver rejected it, as opposed to being unreachable.
    pub refused: bool,
    pub pause_until: DateTime<Utc>,
    pub gone: bool,
}

fn due(now: DateTime<Utc>) -> Condition {
    use webhook_delivery::Column::{AttemptedAt, NextAttemptAt, State};
    Condition::all()
        .add(State.eq(DeliveryState::Pending.code()))
        .add(
            is_over(NextAttemptAt, now)
                .add(AttemptedAt.is_null())
                .add(AttemptedAt.gt(now + SKEW)),
        )
}

fn free(now: DateTime<Utc>) -> Condition {
    let active = webhook::Column::State.eq(WebhookState::Active.code());
    LEASING.is_free(now).add(active)
}

impl Webhooks<'_> {
    pub async fn due(self) -> Result<Vec<Uuid>> {
        let now = self.store.clock().now();
        let waiting = webhook_delivery::Entity::find()
            .select_only()
            .column(webhook_delivery::Column::WebhookId)
            .filter(due(now));
        Ok(webhook::Entity::find()
            .select_only()
            .column(webhook::Column::Id)
            .filter(free(now))
            .filter(webhook::Column::Id.in_subquery(waiting.into_query()))
            .order_by_asc(webhook::Column::Id)
            .into_tuple()
            .all(self.store.db().reader())
            .await?)
    }

    /// Takes the lease of a webhook; `None` if another instance has it or it is not due.
    pub async fn lease(self, id: Uuid) -> Result<Option<Lease>> {
        on_webhook(self.store, async |tx| {
            let query = webhook::Entity::find_by_id(id).filter(free(tx.now));
            let Some(mut row) = locked_webhook(tx, query).await? else {
                return Ok(None);
            };
            let marks = (&mut row.fence, &mut row.leased_until);
            let lease = LEASING.take(id, marks, tx.now);
            keep_webhook(tx, row).await?;
            Ok(Some(lease))
        })
        .await
    }

    pub async fn release(self, lease: &Lease) -> Result<()> {
        on_webhook(self.store, async |tx| {
            let mut row = leased_webhook(tx, lease).await?;
            row.leased_until = None;
            keep_webhook(tx, row).await
        })
        .await
    }
}

impl Deliveries<'_> {
    /// The webhook of a valid lease and the first `limit` due deliveries, in log order.
    pub async fn due(self, lease: &Lease, limit: u64) -> Result<(Webhook, Vec<Delivery>)> {
        let reader = self.store.db().reader();
        let row = webhook::Entity::find_by_id(lease.id)
            .filter(good(lease))
            .into_model()
            .one(reader)
            .await?;
        let row = row.ok_or(StoreError::LeaseLost)?;
        let deliveries = webhook_delivery::Entity::find()
            .filter(webhook_delivery::Column::WebhookId.eq(lease.id))
            .filter(due(self.store.clock().now()))
            .order_by_asc(webhook_delivery::Column::Seq)
            .limit(limit)
            .into_model()
            .all(reader)
            .await?;
        Ok((row, deliveries))
    }

    /// Records an attempt and renews the lease; returns whether more may be sent.
    pub async fn note_attempt(
        self,
        lease: &Lease,
        delivery: Uuid,
        attempt: &Attempt,
    ) -> Result<bool> {
        on_webhook(self.store, async |tx| {
            let mut webhook = leased_webhook(tx, lease).await?;
            let row = webhook_delivery::Entity::find_by_id(delivery)
                .into_model::<Delivery>()
                .one(&tx.sql)
                .await?;
            // It may have been removed meanwhile.
            let Some(mut row) = row else {
                return Ok(true);
            };
            note(&mut row, attempt, tx.now);
            let good = attempt.error.is_none();
            if good {
                webhook.succeeded_at = Some(tx.now);
                webhook.failures = 0;
                webhook.last_error = None;
                webhook.failed_at = None;
                webhook.retry_at = None;
            } else {
                webhook.failures = webhook.failures.saturating_add(1);
                webhook.last_error.clone_from(&row.error);
                webhook.failed_at = Some(tx.now);
                webhook.retry_at = Some(attempt.pause_until);
                disable_if_in_vain(tx, &mut webhook, &row, attempt);
            }
            webhook.leased_until = good.then_some(tx.now + LEASE);
            keep_webhook(tx, webhook).await?;
            row.into_active_model().reset_all().update(&tx.sql).await?;
            Ok(good)
        })
        .await
    }
}

fn good(lease: &Lease) -> Condition {
    let active = webhook::Column::State.eq(WebhookState::Active.code());
    LEASING.is_held_by(lease).add(active)
}

fn note(row: &mut Delivery, attempt: &Attempt, now: DateTime<Utc>) {
    row.attempts = row.attempts.saturating_add(1);
    row.refusals = row.refusals.saturating_add(attempt.refused.into());
    row.attempted_at = Some(now);
    row.first_attempted_at = row.first_attempted_at.or(Some(now));
    row.status = attempt.status.map(i32::from);
    let error = attempt.error.as_ref();
    row.error = error.map(|why| why.chars().take(MAX_ERROR).collect());
    row.next_attempt_at = attempt.retry_at;
    row.state = match (&row.error, row.next_attempt_at) {
        (None, _) => DeliveryState::Delivered,
        (Some(_), Some(_)) => DeliveryState::Pending,
        (Some(_), None) => DeliveryState::Failed,
    };
    row.finished_at = (row.state != DeliveryState::Pending).then_some(now);
}

async fn leased_webhook(tx: &Transaction<'_>, lease: &Lease) -> Result<Webhook> {
    let query = webhook::Entity::find_by_id(lease.id).filter(good(lease));
    let row = locked_webhook(tx, query).await?;
    row.ok_or(StoreError::LeaseLost)
}

/// Disables a webhook that asked for it, or without any success for as long as a delivery is tried.
fn disable_if_in_vain(
    tx: &Transaction<'_>,
    webhook: &mut Webhook,
    delivery: &Delivery,
    attempt: &Attempt,
) {
    let given_up = delivery.next_attempt_at.is_none();
    let in_vain = given_up && webhook.succeeded_at < delivery.first_attempted_at;
    let reason = match (attempt.gone, in_vain) {
        (true, _) => DisabledReason::Gone,
        (false, true) => DisabledReason::Failing,
        (false, false) => return,
    };
    webhook.disable(reason, tx);
    tracing::warn!(
        webhook = webhook.name,
        reason = reason.code(),
        "webhook disabled"
    );
}
