//! The log consumer that queues deliveries for webhooks.

use crate::consumers::{Entry, LogConsumer};
use crate::entity::{webhook, webhook_delivery};
use crate::error::{Result, StoreError};
use crate::feed::FeedFilter;
use crate::store::Store;
use crate::transaction::{Transaction, WriteOptions};
use crate::webhook::state::Webhook;
use chrono::{DateTime, Utc};
use domain::access::rules::Caller;
use domain::base::kind::Kind;
use domain::base::vocabulary::Coded;
use domain::exchange::change::Op;
use domain::exchange::sync::FeedOp;
use domain::exchange::webhook::{DeliveryState, WebhookState, news};
use sea_orm::sea_query::{LockType, OnConflict};
use sea_orm::{ActiveValue::Set, ColumnTrait, EntityTrait, QueryFilter, QuerySelect, Select};

const NAME: &str = "webhooks";

/// Number of entries without deliveries after which the cursor is saved without effect.
const FAR: i64 = 1000;

pub(super) const CHUNK: usize = 200;

pub(super) struct Recipient {
    pub(super) webhook: Webhook,
    filter: FeedFilter,
}

impl From<Webhook> for Recipient {
    fn from(webhook: Webhook) -> Self {
        let filter = webhook.filter();
        Self { webhook, filter }
    }
}

impl Recipient {
    /// The delivery of an entry; `None` if it means nothing to the receiver.
    fn delivery(
        &self,
        entry: &Entry,
        now: DateTime<Utc>,
    ) -> Result<Option<webhook_delivery::ActiveModel>> {
        if entry.only_renames() {
            return Ok(None);
        }
        let op = Op::parse(&entry.op);
        let op = op.ok_or_else(|| StoreError::Corrupt(format!("op {}", entry.op)))?;
        let wanted =
            Kind::parse(&entry.kind).is_some_and(|kind| self.filter.kinds().contains(&kind));
        let sees = |audience: &Option<String>| wanted && self.filter.wants(audience.as_deref());
        let news = news(
            op,
            sees(&entry.audience_before),
            sees(&entry.audience_after),
        );
        Ok(news.map(|(happening, op)| webhook_delivery::ActiveModel {
            id: Set(domain::base::id::new()),
            webhook_id: Set(self.webhook.id),
            seq: Set(entry.seq),
            happening: Set(happening.code().to_owned()),
            kind: Set(entry.kind.clone()),
            record_id: Set(entry.record_id),
            op: Set(op.code().to_owned()),
            // The version of an invisible record is not revealed.
            version: Set((op != FeedOp::Withdraw).then_some(entry.version)),
            origin: Set(entry.origin.clone()),
            at: Set(entry.at),
            state: Set(DeliveryState::Pending.code().to_owned()),
            attempts: Set(0),
            refusals: Set(0),
            first_attempted_at: Set(None),
            attempted_at: Set(None),
            status: Set(None),
            error: Set(None),
            next_attempt_at: Set(Some(now)),
            finished_at: Set(None),
        }))
    }

    fn deliveries(
        &self,
        entries: &[Entry],
        after: i64,
        now: DateTime<Utc>,
    ) -> Result<Vec<webhook_delivery::ActiveModel>> {
        let after = after.max(self.webhook.told_after);
        let new = entries.iter().filter(|entry| entry.seq > after);
        self.rows(new, now)
    }

    pub(super) fn rows<'a>(
        &self,
        entries: impl Iterator<Item = &'a Entry>,
        now: DateTime<Utc>,
    ) -> Result<Vec<webhook_delivery::ActiveModel>> {
        let rows = entries.map(|entry| self.delivery(entry, now));
        rows.filter_map(Result::transpose).collect()
    }
}

#[derive(Debug)]
pub struct DeliveryEnqueuer {
    store: Store,
    /// The cursor as last saved here, or the start of the first webhook.
    saved: i64,
}

impl DeliveryEnqueuer {
    #[must_use]
    pub fn new(store: Store) -> Self {
        Self { store, saved: 0 }
    }

    /// Queues the deliveries of the entries, in one transaction with the cursor.
    async fn enqueue(&self, entries: &[Entry], last: i64) -> Result<()> {
        let options = WriteOptions::default();
        self.store
            .write(&Caller::node(), &options, async |tx| {
                let cursor = tx.cursors().lock(NAME).await?;
                if cursor >= last {
                    return Ok(());
                }
                for recipient in locked_webhooks(tx).await? {
                    let rows = recipient.deliveries(entries, cursor, tx.now)?;
                    insert_deliveries(tx, rows, &untouched()).await?;
                }
                tx.cursors().update(NAME, last).await
            })
            .await
    }
}

fn active() -> Select<webhook::Entity> {
    webhook::Entity::find().filter(webhook::Column::State.eq(WebhookState::Active.code()))
}

async fn active_webhooks(store: &Store) -> Result<Vec<Recipient>> {
    let rows = active()
        .into_model::<Webhook>()
        .all(store.db().reader())
        .await?;
    Ok(rows.into_iter().map(Recipient::from).collect())
}

pub(super) fn untouched() -> OnConflict {
    OnConflict::new().do_nothing().to_owned()
}

/// The active webhooks; none of them can be removed before the end of the transaction.
async fn locked_webhooks(tx: &Transaction<'_>) -> Result<Vec<Recipient>> {
    let mut rows = active();
    if tx.db().is_postgres() {
        rows = rows.lock(LockType::KeyShare);
    }
    let rows = rows.into_model::<Webhook>().all(&tx.sql).await?;
    Ok(rows.into_iter().map(Recipient::from).collect())
}

pub(super) async fn insert_deliveries(
    tx: &Transaction<'_>,
    rows: Vec<webhook_delivery::ActiveModel>,
    on_conflict: &OnConflict,
) -> Result<u64> {
    let mut written = 0;
    for chunk in rows.chunks(CHUNK) {
        written += webhook_delivery::Entity::insert_many(chunk.to_vec())
            .on_conflict(on_conflict.clone())
            .exec_without_returning(&tx.sql)
            .await?;
    }
    Ok(written)
}

impl LogConsumer for DeliveryEnqueuer {
    fn name(&self) -> &'static str {
        NAME
    }

    async fn cursor(&mut self) -> Result<i64> {
        let head = self.store.log().head().await?;
        let saved = self.store.cursors().get(NAME).await?;
        // Entries before every webhook need not be read.
        let recipients = active_webhooks(&self.store).await?;
        let first = recipients.iter().map(|one| one.webhook.told_after).min();
        self.saved = saved.max(first.unwrap_or(head));
        Ok(self.saved)
    }

    async fn apply(&mut self, entries: &[Entry]) -> Result<()> {
        let Some(last) = entries.last().map(|entry| entry.seq) else {
            return Ok(());
        };
        let now = self.store.clock().now();
        let mut concerned = false;
        for recipient in active_webhooks(&self.store).await? {
            concerned |= !recipient.deliveries(entries, self.saved, now)?.is_empty();
        }
        if concerned || last - self.saved >= FAR {
            self.enqueue(entries, last).await?;
            self.saved = last;
        }
        Ok(())
    }
}
