//! The one write path: a transaction whose last statement takes the sequence numbers of its log
//! entries, and their time.
//!
//! Taken last, the counter row is locked only while the entries are inserted and committed, so the
//! order of the numbers is the order of the commits, without gaps, on both databases. So is the
//! order of the times: a client that asks for what came after a time misses no slow transaction.

pub(crate) mod digests;
pub(crate) mod log;
mod parts;

use crate::db::{Db, SqlTransaction};
use crate::entity::change;
use crate::error::{Denied, Result, StoreError};
use crate::record::Record;
use crate::store::Store;
use chrono::{DateTime, Utc};
use digests::DigestChanges;
use domain::access::rules::{Action, Caller, Subject};
use domain::base::kind::Kind;
use domain::base::vocabulary::Coded;
use domain::exchange::change::{Cause, Op};
use domain::validation::upgrade::body_format;
use log::Entry;
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
pub struct Transaction<'a> {
    pub(crate) store: &'a Store,
    pub(crate) sql: SqlTransaction,
    pub(crate) caller: &'a Caller,
    pub(crate) options: &'a WriteOptions,
    /// When it began; records and tombstones get the time of their log entries instead.
    pub(crate) now: DateTime<Utc>,
    /// The origin of its records: this node, except for the reference data of the program.
    pub(crate) origin: String,
    /// Why the node itself writes, if it does.
    pub(crate) cause: Option<Cause>,
    /// The deletion of a record whose relationships are deleted with it.
    pub(crate) deletion: Option<Uuid>,
    entries: Vec<Entry>,
    digests: DigestChanges,
    /// The visibility to outsiders of the relationships touched in it.
    touched: BTreeMap<Uuid, bool>,
    discarded: bool,
    /// The last number and the time of the entries that are in the log.
    logged: Option<(i64, DateTime<Utc>)>,
}

/// What a transaction takes for its log entries.
struct Numbers {
    /// The last number.
    head: i64,
    at: DateTime<Utc>,
    /// Whether the digests were up to date.
    digested: bool,
}

impl Store {
    /// Does `work` in one transaction, retrying if the database asks for it, and logs its changes.
    pub async fn write<T>(
        &self,
        caller: &Caller,
        options: &WriteOptions,
        work: impl AsyncFn(&mut Transaction<'_>) -> Result<T>,
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
        work: impl AsyncFn(&mut Transaction<'_>) -> Result<T>,
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
        work: &impl AsyncFn(&mut Transaction<'_>) -> Result<T>,
    ) -> Result<T> {
        let mut tx = Transaction {
            store: self,
            sql: self.db().begin_write().await?,
            caller,
            options,
            now: self.clock().now(),
            origin: origin.to_owned(),
            deletion: None,
            cause: None,
            entries: Vec::new(),
            digests: DigestChanges::default(),
            touched: BTreeMap::new(),
            discarded: false,
            logged: None,
        };
        let outcome = work(&mut tx).await?;
        tx.commit().await?;
        Ok(outcome)
    }
}

impl Transaction<'_> {
    pub(crate) fn db(&self) -> &Db {
        self.store.db()
    }

    /// Updates a row that was read before other writes in this transaction: their merges and
    /// withdrawals may have changed its visibility.
    pub(crate) fn refresh(&self, row: &mut Record) {
        if let Some(is_public) = self.touched.get(&row.id) {
            row.is_public = *is_public;
        }
    }

    pub(crate) fn subject<'a>(&self, row: &'a Record) -> Subject<'a> {
        row.subject(&self.origin)
    }

    /// Rejects an action without permission, with the reason.
    pub(crate) fn authorise(&self, action: Action, subject: &Subject<'_>) -> Result<()> {
        if self.caller.is_allowed(action, subject) {
            return Ok(());
        }
        Err(StoreError::Forbidden(if !subject.own {
            Denied::Copy
        } else if action == Action::ShapeTree {
            Denied::RegionTree
        } else if subject.home_region.is_none() {
            Denied::Homeless
        } else if action == Action::Publish {
            Denied::Publish
        } else {
            Denied::Region
        }))
    }

    /// Runs a statement with `$1`, `$2` … for its values.
    pub(crate) async fn execute(
        &self,
        sql: &str,
        values: impl IntoIterator<Item = sea_orm::Value>,
    ) -> Result<()> {
        let statement =
            Statement::from_sql_and_values(self.sql.get_database_backend(), sql, values);
        self.sql.execute_raw(statement).await?;
        Ok(())
    }

    /// Notes that a row of this node was replaced, created or deleted.
    fn note_digest(&mut self, before: Option<&Record>, after: Option<&Record>) {
        let own = self.store.node().origin.as_str();
        let counts = |row: &&Record| row.is_public && row.origin == own;
        if let Some(row) = before.filter(counts) {
            self.digests.remove(row);
        }
        if let Some(row) = after.filter(counts) {
            self.digests.add(row);
        }
    }

    pub(crate) fn discard(&mut self) {
        self.discarded = true;
    }

    /// Forgets the entries of a dry run, which nothing will read.
    pub(crate) fn forget_entries(&mut self) {
        if self.options.dry_run {
            self.entries.clear();
            self.digests = DigestChanges::default();
        }
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

    /// Writes what is to be logged, and gives a record that was changed the time of its entry: for
    /// callers that show it. Nothing but its response should be written afterwards, because the
    /// counter is locked until the commit.
    pub(crate) async fn finish(&mut self, row: &mut Record) -> Result<()> {
        if self.options.dry_run {
            return Ok(());
        }
        self.write_log().await?;
        if let Some((_, at)) = self.logged {
            row.updated_at = at;
            if row.created_at == self.now {
                row.created_at = at;
            }
        }
        Ok(())
    }

    async fn commit(mut self) -> Result<()> {
        if self.options.dry_run || self.discarded {
            self.sql.rollback().await?;
            return Ok(());
        }
        self.write_log().await?;
        self.sql.commit().await?;
        if let Some((head, _)) = self.logged {
            self.store.log().announce(head, self.options.bulk);
        }
        Ok(())
    }

    /// Writes the entries that are not in the log yet.
    async fn write_log(&mut self) -> Result<()> {
        let entries = std::mem::take(&mut self.entries);
        if entries.is_empty() {
            return Ok(());
        }
        let count = i64::try_from(entries.len()).unwrap_or(i64::MAX);
        let Numbers { head, at, digested } = self.take_numbers(count).await?;
        if digested {
            std::mem::take(&mut self.digests).save(&self.sql).await?;
        }
        let first = head - count + 1;
        let deletes = entries.iter().any(|entry| entry.op == Op::Delete);
        let begins = beginnings(entries.iter().map(|entry| entry.size));
        let rows: Vec<_> = (first..)
            .zip(begins.into_iter().zip(entries))
            .map(|(seq, (begins, entry))| {
                let tx = first + i64::try_from(begins).unwrap_or_default();
                self.numbered(seq, tx, at, entry)
            })
            .collect();
        for chunk in rows.chunks(200) {
            change::Entity::insert_many(chunk.to_vec())
                .exec_without_returning(&self.sql)
                .await?;
        }
        self.number_records((first, head), at, deletes).await?;
        self.logged = Some((head, at));
        Ok(())
    }

    /// Gives records and tombstones the numbers and the time of their entries. A rewrite leaves the
    /// times as they are, and `updated_at` of a copy is its origin's.
    async fn number_records(
        &self,
        (first, head): (i64, i64),
        at: DateTime<Utc>,
        deletes: bool,
    ) -> Result<()> {
        let now = if self.cause == Some(Cause::Schema) {
            None
        } else {
            Some(self.now)
        };
        self.execute(
            "UPDATE record SET seq = change.seq, \
             created_at = CASE WHEN created_at = $3 AND synced_at IS NULL THEN $4 ELSE created_at END, \
             updated_at = CASE WHEN updated_at = $3 AND synced_at IS NULL THEN $4 ELSE updated_at END, \
             synced_at = CASE WHEN synced_at = $3 THEN $4 ELSE synced_at END \
             FROM change WHERE change.record_id = record.id AND change.newest \
             AND change.seq >= $1 AND change.seq <= $2",
            [first.into(), head.into(), now.into(), at.into()],
        )
        .await?;
        if !deletes {
            return Ok(());
        }
        self.execute(
            "UPDATE tombstone SET deleted_at = $4 \
             FROM change WHERE change.record_id = tombstone.id AND change.newest \
             AND change.seq >= $1 AND change.seq <= $2 AND deleted_at = $3",
            [first.into(), head.into(), self.now.into(), at.into()],
        )
        .await
    }

    /// Takes the next `count` numbers, exclusively until the commit, and a time after all earlier
    /// ones; no release but the one that last rewrote bodies gets any.
    async fn take_numbers(&self, count: i64) -> Result<Numbers> {
        let now = self.store.clock().now().timestamp_micros();
        let statement = Statement::from_sql_and_values(
            self.sql.get_database_backend(),
            "UPDATE sync_state SET head = head + $1, \
             digest_seq = CASE WHEN digest_seq = head THEN head + $1 ELSE digest_seq END, \
             logged_micros = CASE WHEN logged_micros >= $3 THEN logged_micros + 1 ELSE $3 END \
             WHERE id = 1 AND body_format = $2 RETURNING head, digest_seq, logged_micros",
            [count.into(), body_format().into(), now.into()],
        );
        let row = self.sql.query_one_raw(statement).await?;
        let row = row.ok_or(StoreError::Outdated)?;
        let head: i64 = row.try_get_by_index(0)?;
        let digested: i64 = row.try_get_by_index(1)?;
        let at = DateTime::from_timestamp_micros(row.try_get_by_index(2)?);
        Ok(Numbers {
            head,
            at: at.ok_or_else(|| StoreError::Corrupt("the time of the log".to_owned()))?,
            digested: head == digested,
        })
    }

    fn numbered(&self, seq: i64, tx: i64, at: DateTime<Utc>, entry: Entry) -> change::ActiveModel {
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
            cause: Set(self.cause.map(|cause| cause.code().to_owned())),
            deletion_id: Set(entry.deletion),
            at: Set(at),
            erased: Set(entry.erased),
            bulk: Set(self.options.bulk),
        }
    }
}
