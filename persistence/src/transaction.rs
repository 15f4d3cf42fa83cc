//! The one write path: a transaction whose last statement takes the sequence numbers of its log
//! entries.
//!
//! Taken last, the counter row is locked only while the entries are inserted and committed, so the
//! order of the numbers is the order of the commits, without gaps, on both databases.

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
use domain::exchange::change::Cause;
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

    async fn commit(mut self) -> Result<()> {
        if self.options.dry_run || self.discarded {
            self.sql.rollback().await?;
            return Ok(());
        }
        let entries = std::mem::take(&mut self.entries);
        if entries.is_empty() {
            self.sql.commit().await?;
            return Ok(());
        }
        let count = i64::try_from(entries.len()).unwrap_or(i64::MAX);
        let (head, digested) = self.take_numbers(count).await?;
        if digested {
            std::mem::take(&mut self.digests).save(&self.sql).await?;
        }
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
                .exec_without_returning(&self.sql)
                .await?;
        }
        self.execute(
            "UPDATE record SET seq = change.seq FROM change \
             WHERE change.record_id = record.id AND change.newest \
             AND change.seq >= $1 AND change.seq <= $2",
            [first.into(), head.into()],
        )
        .await?;
        self.sql.commit().await?;
        self.store.log().announce(head, self.options.bulk);
        Ok(())
    }

    /// Takes the next `count` numbers, exclusively until the commit; no release but the one that
    /// last rewrote bodies gets any. Returns the last one, and whether the digests were up to date.
    async fn take_numbers(&self, count: i64) -> Result<(i64, bool)> {
        let statement = Statement::from_sql_and_values(
            self.sql.get_database_backend(),
            "UPDATE sync_state SET head = head + $1, \
             digest_seq = CASE WHEN digest_seq = head THEN head + $1 ELSE digest_seq END \
             WHERE id = 1 AND body_format = $2 RETURNING head, digest_seq",
            [count.into(), body_format().into()],
        );
        let row = self.sql.query_one_raw(statement).await?;
        let row = row.ok_or(StoreError::Outdated)?;
        let (head, digested): (i64, i64) = (row.try_get_by_index(0)?, row.try_get_by_index(1)?);
        Ok((head, head == digested))
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
            cause: Set(self.cause.map(|cause| cause.code().to_owned())),
            deletion_id: Set(entry.deletion),
            at: Set(self.now),
            erased: Set(entry.erased),
            bulk: Set(self.options.bulk),
        }
    }
}
