//! The one write path: a transaction whose last statement takes the sequence numbers of its log
//! entries.
//!
//! Taken last, the counter row is locked only while the entries are inserted and committed, so the
//! order of the numbers is the order of the commits, without gaps, on both databases.

mod parts;

use crate::db::{Db, SqlTransaction};
use crate::entity::{change, record, tombstone};
use crate::error::{Result, StoreError};
use crate::store::Store;
use chrono::{DateTime, Utc};
use domain::access::rules::Caller;
use domain::base::kind::Kind;
use domain::base::vocabulary::Coded;
use domain::exchange::change::Op;
pub(crate) use parts::MAX_ENTRIES;
use parts::beginnings;
use rand::Rng;
use sea_orm::{ActiveValue::Set, ConnectionTrait, EntityTrait, Statement};
use std::collections::BTreeMap;
use std::time::{Duration, Instant};
use uuid::Uuid;

#[derive(Debug, Clone, Default)]
pub struct WriteOptions {
    pub dry_run: bool,
    pub reason: Option<String>,
    /// Whether readers need not wait until it is searchable.
    pub bulk: bool,
}

/// Maximum number of attempts if the database asks for a retry.
const ATTEMPTS: u32 = 6;

#[derive(Debug)]
pub struct Unit<'a> {
    pub(crate) store: &'a Store,
    pub(crate) tx: SqlTransaction,
    pub(crate) caller: &'a Caller,
    pub(crate) options: &'a WriteOptions,
    pub(crate) now: DateTime<Utc>,
    /// The origin of its records: this node, except for the reference data of the program.
    pub(crate) origin: String,
    entries: Vec<Entry>,
    /// The visibility to outsiders of the relationships touched in it.
    touched: BTreeMap<Uuid, bool>,
    discarded: bool,
}

/// A log entry without its number.
#[derive(Debug)]
struct Entry {
    op: Op,
    kind: String,
    record_id: Uuid,
    origin: String,
    system: Option<String>,
    version: i64,
    newest: bool,
    before: Option<String>,
    after: Option<String>,
    body: Option<String>,
    erased: bool,
    size: usize,
}

impl Store {
    /// Does `work` in one transaction, retrying if the database asks for it, and logs its changes.
    pub async fn write<T>(
        &self,
        caller: &Caller,
        options: &WriteOptions,
        work: impl AsyncFn(&mut Unit<'_>) -> Result<T>,
    ) -> Result<T> {
        self.write_as(&self.node().origin, caller, options, work)
            .await
    }

    /// [`Store::write`] for the records of `origin`.
    pub(crate) async fn write_as<T>(
        &self,
        origin: &str,
        caller: &Caller,
        options: &WriteOptions,
        work: impl AsyncFn(&mut Unit<'_>) -> Result<T>,
    ) -> Result<T> {
        let mut attempt = 1;
        let begun = Instant::now();
        loop {
            let outcome = self.attempt(origin, caller, options, &work).await;
            self.db().health().note(&outcome);
            match outcome {
                // A caller that has waited long already gets the error instead of another wait.
                Err(StoreError::Busy(cause))
                    if attempt < ATTEMPTS && begun.elapsed() < self.db().timeouts().acquire =>
                {
                    tracing::debug!(attempt, error = %cause, "retrying a transaction");
                    let jitter = rand::rng().random_range(1..=20 * u64::from(attempt));
                    tokio::time::sleep(Duration::from_millis(jitter)).await;
                    attempt += 1;
                }
                outcome => return outcome,
            }
        }
    }

    async fn attempt<T>(
        &self,
        origin: &str,
        caller: &Caller,
        options: &WriteOptions,
        work: &impl AsyncFn(&mut Unit<'_>) -> Result<T>,
    ) -> Result<T> {
        let mut unit = Unit {
            store: self,
            tx: self.db().begin_write().await?,
            caller,
            options,
            now: self.clock().now(),
            origin: origin.to_owned(),
            entries: Vec::new(),
            touched: BTreeMap::new(),
            discarded: false,
        };
        let outcome = work(&mut unit).await?;
        unit.commit().await?;
        Ok(outcome)
    }
}

impl Unit<'_> {
    pub(crate) fn db(&self) -> &Db {
        self.store.db()
    }

    /// Logs that a record was created or changed; `before` is its previous row.
    pub(crate) async fn log_upsert(
        &mut self,
        before: Option<&record::Model>,
        after: &record::Model,
    ) -> Result<()> {
        if let Some(before) = before {
            // Earlier versions of copies belong to their origin, to keep and to erase.
            let keeps = before.synced_at.is_none();
            self.supersede(before, keeps).await?;
        }
        self.entries.push(Entry {
            op: Op::Upsert,
            kind: after.kind.clone(),
            record_id: after.id,
            origin: after.origin.clone(),
            system: after.system.clone(),
            version: after.version,
            newest: true,
            before: before.and_then(audience),
            after: audience(after),
            body: None,
            erased: false,
            size: after.body.len(),
        });
        Ok(())
    }

    /// Logs that a record was deleted, in version `version`; its last body stays in the log if it
    /// is one of this node's own, or `merged`.
    pub(crate) async fn log_delete(
        &mut self,
        before: &record::Model,
        version: i64,
        merged: bool,
    ) -> Result<()> {
        let keeps = merged || before.synced_at.is_none();
        self.supersede(before, keeps).await?;
        self.entries.push(Entry {
            op: Op::Delete,
            kind: before.kind.clone(),
            record_id: before.id,
            origin: before.origin.clone(),
            system: before.system.clone(),
            version,
            newest: true,
            before: audience(before),
            after: None,
            body: None,
            erased: false,
            size: 0,
        });
        Ok(())
    }

    /// Logs a change of visibility without a new version; `before` is the previous row, `shown` the
    /// new visibility to outsiders.
    pub(crate) fn log_touch(&mut self, before: &record::Model, shown: bool) {
        let after = record::Model {
            shown,
            ..before.clone()
        };
        self.touched.insert(before.id, shown);
        self.entries.push(Entry {
            op: Op::Touch,
            kind: before.kind.clone(),
            record_id: before.id,
            origin: before.origin.clone(),
            system: before.system.clone(),
            version: before.version,
            newest: false,
            before: audience(before),
            after: audience(&after),
            body: None,
            erased: false,
            size: before.body.len(),
        });
    }

    /// Logs that a restored record is hidden: outsiders knew that it was merged.
    pub(crate) fn log_withdrawal(&mut self, row: &record::Model) {
        let known = audience(&record::Model {
            shown: true,
            ..row.clone()
        });
        let mut entries = self.entries.iter_mut();
        if let Some(entry) = entries.rfind(|entry| entry.record_id == row.id) {
            entry.before = known;
        }
    }

    /// Logs the merge of a record that is not here, as reported by its origin.
    pub(crate) async fn log_merged_elsewhere(&mut self, grave: &tombstone::Model) -> Result<()> {
        self.log_revival(grave.id).await?;
        self.entries.push(Entry {
            newest: true,
            version: grave.version,
            erased: false,
            ..erasure(Op::Delete, &grave.kind, grave.id, &grave.origin)
        });
        Ok(())
    }

    /// Updates a row that was read before other writes in this transaction: their merges and
    /// withdrawals may have changed its visibility.
    pub(crate) fn refresh(&self, row: &mut record::Model) {
        if let Some(shown) = self.touched.get(&row.id) {
            row.shown = *shown;
        }
    }

    /// Logs that the remains of a deleted record were erased; `grave` has the new version.
    pub(crate) async fn log_erasure(&mut self, grave: &tombstone::Model) -> Result<()> {
        self.log_revival(grave.id).await?;
        self.entries.push(Entry {
            newest: true,
            version: grave.version,
            ..erasure(Op::Delete, &grave.kind, grave.id, &grave.origin)
        });
        Ok(())
    }

    /// Logs that a record was deleted without a trace, in version `version`: unlike in
    /// [`Self::log_delete`], the body is not moved into the log first.
    pub(crate) async fn log_living_erasure(
        &mut self,
        before: &record::Model,
        version: i64,
    ) -> Result<()> {
        self.log_revival(before.id).await?;
        self.entries.push(Entry {
            newest: true,
            version,
            before: audience(before),
            ..erasure(Op::Delete, &before.kind, before.id, &before.origin)
        });
        Ok(())
    }

    pub(crate) fn log_version_erased(&mut self, row: &record::Model) {
        self.entries.push(Entry {
            version: row.version,
            before: audience(row),
            after: audience(row),
            ..erasure(Op::Touch, &row.kind, row.id, &row.origin)
        });
    }

    /// Logs that an earlier version of a deleted record was erased.
    pub(crate) fn log_dead_version_erased(&mut self, grave: &tombstone::Model) {
        self.entries.push(Entry {
            version: grave.version,
            ..erasure(Op::Touch, &grave.kind, grave.id, &grave.origin)
        });
    }

    /// Marks the newest entry as superseded without keeping its body: a deleted record is created
    /// again, or a record is erased.
    pub(crate) async fn log_revival(&mut self, id: Uuid) -> Result<()> {
        for entry in &mut self.entries {
            entry.newest &= entry.record_id != id;
        }
        let sql = "UPDATE change SET newest = false WHERE record_id = $1 AND newest";
        self.execute(sql, [id.into()]).await
    }

    /// Once a newer version replaces it in `record`, the body is either moved to the log or
    /// dropped.
    async fn supersede(&mut self, before: &record::Model, keeps: bool) -> Result<()> {
        let body = keeps.then(|| before.body.clone());
        let mut pending = self.entries.iter_mut().filter(|entry| entry.newest);
        if let Some(entry) = pending.find(|entry| entry.record_id == before.id) {
            entry.newest = false;
            entry.body = body;
            return Ok(());
        }
        let sql = "UPDATE change SET body = $1, newest = false WHERE record_id = $2 AND newest";
        let values = [body.into(), before.id.into()];
        self.execute(sql, values).await
    }

    /// Runs a statement with `$1`, `$2` … for its values.
    pub(crate) async fn execute(
        &self,
        sql: &str,
        values: impl IntoIterator<Item = sea_orm::Value>,
    ) -> Result<()> {
        let statement = Statement::from_sql_and_values(self.tx.get_database_backend(), sql, values);
        self.tx.execute_raw(statement).await?;
        Ok(())
    }

    pub(crate) fn discard(&mut self) {
        self.discarded = true;
    }

    pub(crate) fn entries(&self) -> usize {
        self.entries.len()
    }

    /// The relationships in the entries after the first `after`: id, version, and the system that
    /// supplies them.
    pub(crate) fn relationships_after(
        &self,
        after: usize,
    ) -> impl Iterator<Item = (Uuid, i64, Option<&str>)> {
        let entries = self.entries.iter().skip(after);
        entries
            .filter(|entry| entry.kind == Kind::Relationship.code())
            .map(|entry| (entry.record_id, entry.version, entry.system.as_deref()))
    }

    async fn commit(mut self) -> Result<()> {
        if self.options.dry_run || self.discarded {
            self.tx.rollback().await?;
            return Ok(());
        }
        let entries = std::mem::take(&mut self.entries);
        if entries.is_empty() {
            self.tx.commit().await?;
            return Ok(());
        }
        let count = i64::try_from(entries.len()).unwrap_or(i64::MAX);
        let head = self.take_numbers(count).await?;
        let first = head - count + 1;
        let begins = beginnings(entries.iter().map(|entry| entry.size));
        let rows: Vec<_> = (first..)
            .zip(begins.into_iter().zip(entries))
            .map(|(seq, (at, entry))| {
                let tx = first + i64::try_from(at).unwrap_or_default();
                self.numbered(seq, tx, entry)
            })
            .collect();
        for chunk in rows.chunks(200) {
            change::Entity::insert_many(chunk.to_vec())
                .exec_without_returning(&self.tx)
                .await?;
        }
        self.execute(
            "UPDATE record SET seq = change.seq FROM change \
             WHERE change.record_id = record.id AND change.newest \
             AND change.seq >= $1 AND change.seq <= $2",
            [first.into(), head.into()],
        )
        .await?;
        self.tx.commit().await?;
        self.store.announce(head, self.options.bulk);
        Ok(())
    }

    /// Takes the next `count` numbers, exclusively until the commit.
    async fn take_numbers(&self, count: i64) -> Result<i64> {
        let statement = Statement::from_sql_and_values(
            self.tx.get_database_backend(),
            "UPDATE sync_state SET head_seq = head_seq + $1 WHERE id = 1 RETURNING head_seq",
            [count.into()],
        );
        let row = self.tx.query_one_raw(statement).await?;
        let row = row.ok_or_else(|| StoreError::Corrupt("sync_state is empty".to_owned()))?;
        Ok(row.try_get_by_index(0)?)
    }

    fn numbered(&self, seq: i64, tx: i64, entry: Entry) -> change::ActiveModel {
        change::ActiveModel {
            seq: Set(seq),
            nonce: Set(rand::rng().random()),
            tx: Set(tx),
            kind: Set(entry.kind),
            record_id: Set(entry.record_id),
            origin: Set(entry.origin),
            op: Set(entry.op.code().to_owned()),
            version: Set(entry.version),
            newest: Set(entry.newest),
            audience_before: Set(entry.before),
            audience_after: Set(entry.after),
            body: Set(entry.body),
            by: Set(self.caller.account),
            reason: Set(self.options.reason.clone()),
            at: Set(self.now),
            erased: Set(entry.erased),
            bulk: Set(self.options.bulk),
        }
    }
}

fn erasure(op: Op, kind: &str, record_id: Uuid, origin: &str) -> Entry {
    Entry {
        op,
        kind: kind.to_owned(),
        record_id,
        origin: origin.to_owned(),
        system: None,
        version: 0,
        newest: false,
        before: None,
        after: None,
        body: None,
        erased: true,
        size: 0,
    }
}

/// The outside audience of a row: its home region if it is shown (`-` if it has none), otherwise
/// none.
fn audience(row: &record::Model) -> Option<String> {
    row.shown.then(|| {
        row.home_region
            .map_or_else(|| "-".to_owned(), |region| region.to_string())
    })
}
