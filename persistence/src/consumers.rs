//! Consumers of the log: everything derived from the records, each updated at its own pace.
//!
//! A consumer gets the entries of the log in order, in whole transactions, and saves its position
//! together with the effect. An entry may be repeated, after an error or a crash, so the effect
//! must be idempotent.

use crate::entity::{change, log_consumer};
use crate::error::{Result, StoreError};
use crate::store::Store;
use crate::transaction::Transaction;
use chrono::{DateTime, Utc};
use domain::base::vocabulary::Coded;
use domain::exchange::change::{Cause, Op};
use sea_orm::{
    ColumnTrait, ConnectionTrait, DerivePartialModel, EntityTrait, QueryFilter, QueryOrder,
    QuerySelect, Statement,
};
use std::time::Duration;
use tokio::sync::watch;
use uuid::Uuid;

pub(crate) const PAGE: usize = 1000;

/// Interval in which the log is checked for entries of other processes.
const POLL: Duration = Duration::from_millis(250);

const MAX_PAUSE: Duration = Duration::from_secs(15);

/// An entry of the log for consumers: without the body, which only the record has.
#[derive(Debug, Clone, PartialEq, Eq, DerivePartialModel)]
#[sea_orm(entity = "change::Entity")]
pub struct Entry {
    pub seq: i64,
    pub tx: i64,
    pub kind: String,
    pub record_id: Uuid,
    pub origin: String,
    pub op: String,
    pub version: i64,
    pub audience_before: Option<String>,
    pub audience_after: Option<String>,
    pub cause: Option<String>,
    pub deletion_id: Option<Uuid>,
    pub at: DateTime<Utc>,
    pub erased: bool,
    /// Whether readers need not wait until it is searchable.
    pub bulk: bool,
}

impl Entry {
    #[must_use]
    pub fn flips(&self) -> bool {
        self.audience_before.is_none() != self.audience_after.is_none()
    }

    /// Whether nothing but the names of members has changed.
    #[must_use]
    pub fn only_renames(&self) -> bool {
        self.cause.as_deref() == Some(Cause::Schema.code())
    }

    #[must_use]
    pub fn is(&self, op: Op) -> bool {
        self.op == op.code()
    }
}

pub trait LogConsumer: 'static {
    /// Its name, in messages and in the table of cursors.
    fn name(&self) -> &'static str;

    /// The last entry whose effect is saved; asked at the start and after an error.
    fn cursor(&mut self) -> impl Future<Output = Result<i64>>;

    /// Waits until what it builds on contains the entry `seq`. Only meanwhile can it be stopped
    /// between entries that it has read and their effect.
    fn ready(&mut self, seq: i64) -> impl Future<Output = ()> {
        let _ = seq;
        std::future::ready(())
    }

    /// Applies the entries and saves the last of their numbers.
    ///
    /// They end where a transaction ends, follow the cursor without a gap, and are never empty.
    fn apply(&mut self, entries: &[Entry]) -> impl Future<Output = Result<()>>;

    /// Fails if the derived data is lost, so that the consumer starts again.
    fn check(&self) -> Result<()> {
        Ok(())
    }

    /// The number of entries that it applies at once, if there are as many.
    fn page(&self) -> usize {
        PAGE
    }

    /// A pause after entries were applied, in which more may accumulate. None unless applying many
    /// costs little more than applying one.
    fn rest(&mut self) -> impl Future<Output = ()> {
        std::future::ready(())
    }
}

/// Consumes the log until stopped.
///
/// `reached` is updated with the position. A transaction under way is finished first.
pub async fn run(
    store: &Store,
    mut consumer: impl LogConsumer,
    mut stop: watch::Receiver<bool>,
    reached: &watch::Sender<i64>,
) {
    let name = consumer.name();
    let mut written = store.log().watch();
    let mut at = None;
    let mut failures = 0;
    while !*stop.borrow() && stop.has_changed().is_ok() {
        let pause = match advance(store, &mut consumer, &mut at, reached, &mut stop).await {
            Ok(more) => {
                if failures > 0 {
                    tracing::info!(consumer = name, failures, "log consumer resumed");
                }
                failures = 0;
                if more {
                    tokio::select! {
                        _ = stop.changed() => {}
                        () = consumer.rest() => {}
                    }
                    continue;
                }
                POLL
            }
            Err(error) => {
                if failures == 0 {
                    tracing::error!(consumer = name, error = ?error, "log consumer failed; will retry");
                }
                at = None;
                failures += 1;
                MAX_PAUSE.min(POLL * 2_u32.saturating_pow(failures.min(16)))
            }
        };
        tokio::select! {
            _ = stop.changed() => {}
            _ = written.changed(), if failures == 0 => {}
            () = tokio::time::sleep(pause) => {}
        }
    }
}

/// Applies the next entries; returns whether there were any.
async fn advance(
    store: &Store,
    consumer: &mut impl LogConsumer,
    at: &mut Option<i64>,
    reached: &watch::Sender<i64>,
    stop: &mut watch::Receiver<bool>,
) -> Result<bool> {
    let cursor = match *at {
        Some(cursor) => {
            consumer.check()?;
            cursor
        }
        None => consumer.cursor().await?,
    };
    *at = Some(cursor);
    reached.send_replace(cursor);
    if store.log().head().await? <= cursor {
        return Ok(false);
    }
    let entries = entries(store, cursor, consumer.page()).await?;
    let Some(last) = entries.last().map(|entry| entry.seq) else {
        return Ok(false);
    };
    tokio::select! {
        _ = stop.wait_for(|stopped| *stopped) => return Ok(false),
        () = consumer.ready(last) => {}
    }
    consumer.apply(&entries).await?;
    *at = Some(last);
    reached.send_replace(last);
    Ok(true)
}

/// Some `most` entries after `cursor`, up to the end of a transaction.
pub(crate) async fn entries(store: &Store, cursor: i64, most: usize) -> Result<Vec<Entry>> {
    let mut entries: Vec<Entry> = Vec::new();
    loop {
        let after = entries.last().map_or(cursor, |entry| entry.seq);
        let page = change::Entity::find()
            .filter(change::Column::Seq.gt(after))
            .order_by_asc(change::Column::Seq)
            .limit(PAGE as u64)
            .into_partial_model::<Entry>()
            .all(store.db().reader())
            .await?;
        // Transactions appear whole, so a page that reaches the head ends with one.
        let to_the_head = page.len() < PAGE;
        entries.extend(page);
        if to_the_head {
            return Ok(entries);
        }
        if entries.len() < most {
            continue;
        }
        let open = entries.last().map(|entry| entry.tx);
        let end = entries.iter().rposition(|entry| Some(entry.tx) != open);
        if let Some(end) = end {
            entries.truncate(end + 1);
            return Ok(entries);
        }
    }
}

/// Room of the positions of log consumers.
#[derive(Debug, Clone, Copy)]
pub struct Cursors<'a> {
    pub(crate) store: &'a Store,
}

/// Room for moving them.
#[derive(Debug)]
pub struct CursorsMut<'t, 's> {
    pub(crate) tx: &'t mut Transaction<'s>,
}

impl Store {
    #[must_use]
    pub fn cursors(&self) -> Cursors<'_> {
        Cursors { store: self }
    }
}

impl<'s> Transaction<'s> {
    #[must_use]
    pub fn cursors(&mut self) -> CursorsMut<'_, 's> {
        CursorsMut { tx: self }
    }
}

impl Cursors<'_> {
    /// The position of a consumer that keeps its cursor in the database.
    pub async fn get(self, name: &str) -> Result<i64> {
        let row = log_consumer::Entity::find_by_id(name)
            .one(self.store.db().reader())
            .await?;
        Ok(row.map_or(0, |row| row.seq))
    }
}

impl CursorsMut<'_, '_> {
    /// Reads a consumer's cursor and locks out other instances until the end of the transaction.
    pub async fn lock(self, name: &str) -> Result<i64> {
        let statement = Statement::from_sql_and_values(
            self.tx.sql.get_database_backend(),
            "INSERT INTO log_consumer (name, seq) VALUES ($1, 0) \
             ON CONFLICT (name) DO UPDATE SET seq = log_consumer.seq RETURNING seq",
            [name.into()],
        );
        let row = self.tx.sql.query_one_raw(statement).await?;
        let row = row.ok_or_else(|| StoreError::Corrupt(format!("no cursor of {name}")))?;
        Ok(row.try_get_by_index(0)?)
    }

    /// Saves a consumer's cursor in the transaction.
    pub async fn update(self, name: &str, seq: i64) -> Result<()> {
        let sql = "UPDATE log_consumer SET seq = $1 WHERE name = $2";
        self.tx.execute(sql, [seq.into(), name.into()]).await
    }
}
