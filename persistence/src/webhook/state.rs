//! Webhooks and their deliveries.

pub use crate::entity::webhook::Secret;

use crate::entity::{stored, webhook, webhook_delivery};
use crate::feed::FeedFilter;
use crate::transaction::Transaction;
use chrono::{DateTime, Utc};
use domain::base::kind::Kind;
use domain::exchange::sync::FeedOp;
use domain::exchange::webhook::{DeliveryState, DisabledReason, Happening, WebhookState};
use uuid::Uuid;

/// A receiver of change notifications.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Webhook {
    pub id: Uuid,
    pub name: String,
    pub version: i64,
    pub url: String,
    /// The kinds to report; all if empty.
    pub kinds: Vec<Kind>,
    /// The home regions to report; all if empty.
    pub home_regions: Vec<Uuid>,
    pub secret: Secret,
    pub former_secret: Option<Secret>,
    pub former_until: Option<DateTime<Utc>>,
    pub state: WebhookState,
    pub disabled_reason: Option<DisabledReason>,
    pub disabled_at: Option<DateTime<Utc>>,
    pub told_after: i64,
    pub failures: i32,
    pub last_error: Option<String>,
    /// Time of the last successful delivery.
    pub succeeded_at: Option<DateTime<Utc>>,
    /// Time of the last failure, if it has not succeeded since.
    pub failed_at: Option<DateTime<Utc>>,
    pub retry_at: Option<DateTime<Utc>>,
    /// Rises with every lease: the holder of an older one writes nothing any more.
    pub fence: i64,
    /// Until when one instance has the exclusive right to send to it.
    pub leased_until: Option<DateTime<Utc>>,
    pub created_at: DateTime<Utc>,
}

stored!(Webhook in webhook {
    same: id, name, version, url, secret, former_secret, former_until, disabled_at, told_after,
        failures, last_error, succeeded_at, failed_at, retry_at, fence, leased_until, created_at;
    code: state;
    optional_code: disabled_reason;
    kinds: kinds; ids: home_regions;
});

impl Webhook {
    #[must_use]
    pub fn filter(&self) -> FeedFilter {
        FeedFilter::new(self.kinds.clone(), self.home_regions.clone())
    }

    pub(super) fn disable(&mut self, reason: DisabledReason, tx: &Transaction<'_>) {
        self.state = WebhookState::Disabled;
        self.disabled_reason = Some(reason);
        self.disabled_at = Some(tx.now);
    }
}

/// A webhook with the number of its deliveries.
#[derive(Debug)]
pub struct WebhookStatus {
    pub webhook: Webhook,
    pub pending: u64,
    /// Number of abandoned deliveries that are not removed yet.
    pub failed: u64,
}

impl WebhookStatus {
    /// A webhook without deliveries.
    #[must_use]
    pub const fn fresh(webhook: Webhook) -> Self {
        Self {
            webhook,
            pending: 0,
            failed: 0,
        }
    }
}

/// The delivery of a log entry to a webhook: ids and numbers only, no content of records.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Delivery {
    pub id: Uuid,
    pub webhook_id: Uuid,
    /// The entry of the log; it is reported to a webhook once.
    pub seq: i64,
    pub happening: Happening,
    pub kind: Kind,
    pub record_id: Uuid,
    pub op: FeedOp,
    /// The version of the record afterwards; absent if the receiver no longer sees it.
    pub version: Option<i64>,
    pub origin: String,
    pub at: DateTime<Utc>,
    pub state: DeliveryState,
    pub attempts: i32,
    /// Number of attempts that were rejected; others do not count towards the last one.
    pub refusals: i32,
    pub first_attempted_at: Option<DateTime<Utc>>,
    pub attempted_at: Option<DateTime<Utc>>,
    /// The code that the receiver answered with.
    pub status: Option<i32>,
    pub error: Option<String>,
    pub next_attempt_at: Option<DateTime<Utc>>,
    pub finished_at: Option<DateTime<Utc>>,
}

stored!(Delivery in webhook_delivery {
    same: id, webhook_id, seq, record_id, version, origin, at, attempts, refusals,
        first_attempted_at, attempted_at, status, error, next_attempt_at, finished_at;
    code: happening, kind, op, state;
});
