//! The delivery log: states, replays, removal.

use super::enqueue::{Recipient, untouched};
use crate::consumers::{Entry, PAGE, entries};
use crate::cursor;
use crate::entity::{change, webhook, webhook_delivery};
use crate::error::{Result, StoreError};
use crate::feed::prune::MARGIN;
use crate::store::Store;
use crate::transaction::{Transaction, WriteOptions};
use crate::webhook::enqueue::insert_deliveries;
use crate::webhook::state::Delivery;
use crate::webhook::{on_webhook, webhook_for_update};
use crate::write::Precondition;
use chrono::{DateTime, TimeDelta, Utc};
use domain::access::rules::Caller;
use domain::base::vocabulary::Coded;
use domain::exchange::webhook::DeliveryState;
use sea_orm::sea_query::{Expr, OnConflict};
use sea_orm::{
    ActiveModelTrait, ColumnTrait, Condition, EntityTrait, IntoActiveModel, QueryFilter,
    QueryOrder, QuerySelect, QueryTrait,
};
use uuid::Uuid;

const KEPT_DAYS: i64 = 30;

const BATCH: u64 = 1000;

/// Number of log entries per replay, up to a transaction more or less.
pub const REPLAYED: usize = 10_000;

#[derive(Debug)]
pub struct DeliveryPage {
    pub items: Vec<Delivery>,
    pub next: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Since {
    Entry(i64),
    /// From the first entry that is not older, including recent earlier ones without a delivery.
    Moment(DateTime<Utc>),
}

#[derive(Debug)]
pub struct Again {
    since: Since,
    entries: Vec<Entry>,
    /// Of the entries up to this one, which are older than requested, only those without a delivery
    /// are replayed.
    gaps: i64,
    through: i64,
    complete: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Replayed {
    pub deliveries: u64,
    /// The last log entry that was covered.
    pub through: i64,
    pub complete: bool,
}

/// Room of deliveries.
#[derive(Debug, Clone, Copy)]
pub struct Deliveries<'a> {
    pub(crate) store: &'a Store,
}

/// Room for writing deliveries.
#[derive(Debug)]
pub struct DeliveriesMut<'t, 's> {
    pub(crate) tx: &'t mut Transaction<'s>,
}

impl Store {
    #[must_use]
    pub fn deliveries(&self) -> Deliveries<'_> {
        Deliveries { store: self }
    }
}

impl<'s> Transaction<'s> {
    #[must_use]
    pub fn deliveries(&mut self) -> DeliveriesMut<'_, 's> {
        DeliveriesMut { tx: self }
    }
}

impl Deliveries<'_> {
    /// A page of the deliveries to a webhook; `bound` is the query of its cursors.
    pub async fn list(
        self,
        id: Uuid,
        states: &[DeliveryState],
        (limit, from): (u64, Option<&str>),
        bound: &str,
    ) -> Result<DeliveryPage> {
        let secret = &self.store.node().secret;
        let before = from.map(|text| cursor::decode::<i64>(secret, bound, text));
        let before = before.transpose()?;
        let reader = self.store.db().reader();
        let known = webhook::Entity::find_by_id(id).one(reader).await?;
        known.ok_or(StoreError::NotFound)?;
        let states = states.iter().map(|state| state.code());
        let wanted = (states.len() > 0).then(|| webhook_delivery::Column::State.is_in(states));
        let earlier = before.map(|seq| webhook_delivery::Column::Seq.lt(seq));
        let mut items = webhook_delivery::Entity::find()
            .filter(webhook_delivery::Column::WebhookId.eq(id))
            .filter(Condition::all().add_option(wanted).add_option(earlier))
            .order_by_desc(webhook_delivery::Column::Seq)
            .limit(limit + 1)
            .into_model::<Delivery>()
            .all(reader)
            .await?;
        let more = items.len() as u64 > limit;
        items.truncate(usize::try_from(limit).unwrap_or(usize::MAX));
        let last = items.last().filter(|_| more);
        let next = last.map(|row| cursor::encode(secret, bound, &row.seq));
        Ok(DeliveryPage { items, next })
    }

    /// The log entries since a moment, up to about [`REPLAYED`], to be replayed.
    pub async fn to_replay(self, since: Since) -> Result<Again> {
        let (through, gaps) = match since {
            Since::Entry(seq) => (seq, seq),
            // Recent entries may not have been consumed then.
            Since::Moment(at) => (
                entry_before(self.store, at - MARGIN).await?,
                entry_before(self.store, at).await?,
            ),
        };
        let mut again = Again {
            since,
            entries: Vec::new(),
            gaps,
            through,
            complete: false,
        };
        while !again.complete && again.entries.len() < REPLAYED {
            let page = entries(self.store, again.through, PAGE).await?;
            again.complete = page.is_empty();
            again.through = page.last().map_or(again.through, |entry| entry.seq);
            again.entries.extend(page);
        }
        Ok(again)
    }

    pub async fn replay_one(self, by: &Caller, webhook: Uuid, delivery: Uuid) -> Result<Delivery> {
        self.store
            .write(by, &WriteOptions::default(), async |tx| {
                tx.deliveries().replay_one(webhook, delivery).await
            })
            .await
    }

    pub async fn replay(self, by: &Caller, id: Uuid, since: Since) -> Result<Replayed> {
        let again = self.store.deliveries().to_replay(since).await?;
        self.store
            .write(by, &WriteOptions::default(), async |tx| {
                tx.deliveries().replay(id, &again).await
            })
            .await
    }

    /// Removes deliveries that were finished long ago, and those that are pending for a disabled
    /// webhook for as long; returns their number.
    pub async fn prune(self) -> Result<u64> {
        let limit = self.store.clock().now() - TimeDelta::days(KEPT_DAYS);
        let old = Condition::any()
            .add(webhook_delivery::Column::FinishedAt.lte(limit))
            .add(
                Condition::all()
                    .add(webhook_delivery::Column::State.eq(DeliveryState::Pending.code()))
                    .add(webhook_delivery::Column::NextAttemptAt.lte(limit)),
            );
        let batch = webhook_delivery::Entity::find()
            .select_only()
            .column(webhook_delivery::Column::Id)
            .filter(old)
            .limit(BATCH);
        let mut forgotten = 0;
        // Usually there is none, and no lock is needed for that.
        while batch
            .clone()
            .into_tuple::<Uuid>()
            .one(self.store.db().reader())
            .await?
            .is_some()
        {
            forgotten += on_webhook(self.store, async |tx| {
                let ids = batch.clone().into_query();
                let removed = webhook_delivery::Entity::delete_many()
                    .filter(webhook_delivery::Column::Id.in_subquery(ids))
                    .exec(&tx.sql)
                    .await?;
                Ok(removed.rows_affected)
            })
            .await?;
        }
        Ok(forgotten)
    }
}

/// The last entry that is older than a moment.
async fn entry_before(store: &Store, moment: DateTime<Utc>) -> Result<i64> {
    let first = change::Entity::find()
        .select_only()
        .column(change::Column::Seq)
        .filter(change::Column::At.gte(moment))
        .order_by_asc(change::Column::Seq)
        .into_tuple::<i64>()
        .one(store.db().reader())
        .await?;
    match first {
        Some(first) => Ok(first - 1),
        None => store.log().head().await,
    }
}

impl DeliveriesMut<'_, '_> {
    /// Queues a delivery again, under the same id and with all its attempts.
    pub async fn replay_one(self, webhook: Uuid, delivery: Uuid) -> Result<Delivery> {
        webhook_for_update(self.tx, webhook, &Precondition::Any).await?;
        let row = webhook_delivery::Entity::find_by_id(delivery)
            .filter(webhook_delivery::Column::WebhookId.eq(webhook))
            .into_model::<Delivery>()
            .one(&self.tx.sql)
            .await?;
        let mut row = row.ok_or(StoreError::NotFound)?;
        row.state = DeliveryState::Pending;
        row.attempts = 0;
        row.refusals = 0;
        row.first_attempted_at = None;
        row.next_attempt_at = Some(self.tx.now);
        row.finished_at = None;
        let active = row.clone().into_active_model().reset_all();
        active.update(&self.tx.sql).await?;
        Ok(row)
    }

    pub async fn replay(self, id: Uuid, again: &Again) -> Result<Replayed> {
        let row = webhook_for_update(self.tx, id, &Precondition::Any).await?;
        let recipient = Recipient::from(row);
        let made = recipient.webhook.created_at;
        let (gaps, asked): (Vec<&Entry>, Vec<&Entry>) = again
            .entries
            .iter()
            .partition(|entry| entry.seq <= again.gaps);
        let gaps = gaps.into_iter().filter(|entry| entry.at >= made);
        let gaps = recipient.rows(gaps, self.tx.now)?;
        let asked = recipient.rows(asked.into_iter(), self.tx.now)?;
        let filled = insert_deliveries(self.tx, gaps, &untouched()).await?;
        let asked = insert_deliveries(self.tx, asked, &reset_delivery()).await?;
        let failed = match again.since {
            Since::Moment(at) => retry_failed(self.tx, id, at).await?,
            Since::Entry(_) => 0,
        };
        Ok(Replayed {
            deliveries: filled + asked + failed,
            through: again.through,
            complete: again.complete,
        })
    }
}

/// Queues the deliveries to a webhook again that were abandoned since a moment, however long ago
/// they began; returns their number.
async fn retry_failed(tx: &Transaction<'_>, webhook: Uuid, since: DateTime<Utc>) -> Result<u64> {
    use webhook_delivery::Column::{
        Attempts, FinishedAt, FirstAttemptedAt, NextAttemptAt, Refusals, State, WebhookId,
    };
    let none = Option::<DateTime<Utc>>::None;
    let retried = webhook_delivery::Entity::update_many()
        .col_expr(State, Expr::value(DeliveryState::Pending.code()))
        .col_expr(Attempts, Expr::value(0))
        .col_expr(Refusals, Expr::value(0))
        .col_expr(FirstAttemptedAt, Expr::value(none))
        .col_expr(FinishedAt, Expr::value(none))
        .col_expr(NextAttemptAt, Expr::value(tx.now))
        .filter(WebhookId.eq(webhook))
        .filter(State.eq(DeliveryState::Failed.code()))
        .filter(FinishedAt.gte(since))
        .exec(&tx.sql)
        .await?;
    Ok(retried.rows_affected)
}

fn reset_delivery() -> OnConflict {
    use webhook_delivery::Column::{
        Attempts, FinishedAt, FirstAttemptedAt, NextAttemptAt, Refusals, Seq, State, WebhookId,
    };
    OnConflict::columns([WebhookId, Seq])
        .update_columns([
            Attempts,
            Refusals,
            FinishedAt,
            FirstAttemptedAt,
            NextAttemptAt,
            State,
        ])
        .to_owned()
}
