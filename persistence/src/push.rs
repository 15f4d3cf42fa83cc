//! Pushes of supplying systems: records by the keys of their systems, so that a repeated push
//! changes nothing.

mod columns;
mod item;
mod key;
mod plan;
mod rekeyed;
mod snapshot;
mod supplied;

pub use item::{Item, MAX_ITEMS};
pub use plan::{Example, Plan};
pub use rekeyed::Rekeyed;
pub use snapshot::{Confirmed, Decision, Snapshot};

use crate::entity::source_key;
use crate::error::{Result, StoreError};
use crate::push::key::id_of_new;
use crate::push::supplied::{here, store_source_keys};
use crate::record::Record;
use crate::store::Store;
use crate::transaction::{Transaction, WriteOptions};
use crate::write::conflict::writable;
use crate::write::outcome::{Along, Applied, Change, Outcome};
use crate::write::{Edit, Precondition};
use domain::access::rules::Caller;
use domain::base::fault::{Fault, FaultCode, FieldError};
use domain::base::kind::Kind;
use domain::base::vocabulary::Coded;
use domain::exchange::sync::{PushMode, PushOp};
use key::Sent;
use sea_orm::DbErr;
use std::collections::{BTreeMap, BTreeSet};
use supplied::{Here, newest};

/// Room of pushes of supplying systems.
#[derive(Debug, Clone, Copy)]
pub struct Push<'a> {
    pub(crate) store: &'a Store,
}

impl Store {
    #[must_use]
    pub fn push(&self) -> Push<'_> {
        Push { store: self }
    }
}

impl Push<'_> {
    /// Applies up to [`MAX_ITEMS`] items in one transaction; `None` if they belong together and one
    /// of them was rejected, so that nothing was done.
    ///
    /// Items may reference later ones: records come before their possible references, and deletions
    /// come last.
    pub async fn batch(
        self,
        caller: &Caller,
        system: &str,
        mode: PushMode,
        items: &[Item],
        options: &WriteOptions,
    ) -> Result<(Vec<Outcome>, bool)> {
        self.store
            .write(caller, options, async |tx| {
                take_turns_for_system(tx, system).await?;
                let pushed = push(tx, system, items).await?;
                let refused = pushed.iter().any(|one| one.0.is_err());
                let applied = mode == PushMode::Each || !refused;
                if !applied {
                    tx.discard();
                }
                Ok((pushed, applied))
            })
            .await
    }
}

async fn take_turns_for_system(tx: &Transaction<'_>, system: &str) -> Result<()> {
    if !tx.db().is_postgres() {
        return Ok(());
    }
    let what = format!("source_key/{system}");
    let sql = "SELECT pg_advisory_xact_lock(hashtextextended($1, 0))";
    tx.execute(sql, [what.into()]).await
}

/// Applies a batch: three queries read the state and store the items, whatever their number; only
/// changes take more.
async fn push(tx: &mut Transaction<'_>, system: &str, items: &[Item]) -> Result<Vec<Outcome>> {
    let here = here(tx, system, items).await?;
    let mut order: Vec<usize> = (0..items.len()).collect();
    order.sort_by_key(|index| items.get(*index).map(place));
    let mut seen = BTreeSet::new();
    let mut outcomes: BTreeMap<usize, Outcome> = BTreeMap::new();
    let mut source_keys = Vec::new();
    for index in order {
        let Some(item) = items.get(index) else {
            continue;
        };
        let key = (item.kind, item.external_id.clone());
        let mut outcome = if seen.insert(key) {
            push_one(tx, system, item, &here, &mut source_keys).await
        } else {
            Err(repeated(None))
        };
        let mut rest = item.clone();
        while let Err(StoreError::Invalid(errors)) = &outcome
            && let Some((statement, record)) = rest.statement.without(errors)
        {
            (rest.statement, rest.record) = (statement, record);
            outcome = push_one(tx, system, &rest, &here, &mut source_keys).await;
        }
        let outcome = Outcome::settled(outcome)?.located(&rest.statement);
        outcomes.insert(index, outcome);
    }
    store_source_keys(tx, source_keys).await?;
    Ok(outcomes.into_values().collect())
}

async fn push_one(
    tx: &mut Transaction<'_>,
    system: &str,
    item: &Item,
    here: &Here,
    source_keys: &mut Vec<source_key::Model>,
) -> Result<Applied> {
    let key = (item.kind, item.external_id.clone());
    let (row, source_key) = (here.records.get(&key), here.source_keys.get(&key));
    let newest = newest(item, source_key)?;
    let (applied, sent_hash) = match item.op {
        PushOp::Upsert => upsert(tx, system, item, row, source_key).await?,
        PushOp::Delete => (withdraw(tx, system, item.kind, row).await?, String::new()),
    };
    let now = source_key::Model {
        system: system.to_owned(),
        kind: item.kind.code().to_owned(),
        external_id: item.external_id.clone(),
        record_id: applied.id.or(source_key.and_then(|one| one.record_id)),
        version: applied.version,
        sent_hash,
        system_version: newest,
    };
    // For an unknown record only its order must be stored.
    let tells = applied.id.is_some() || now.system_version.is_some();
    if tells && source_key != Some(&now) {
        source_keys.push(now);
    }
    Ok(applied)
}

/// Writes a record as the system sent it, and returns the hash of that.
async fn upsert(
    tx: &mut Transaction<'_>,
    system: &str,
    item: &Item,
    row: Option<&Record>,
    source_key: Option<&source_key::Model>,
) -> Result<(Applied, String)> {
    let sent = Sent::read(system, &tx.origin, item)?;
    let Some(row) = row else {
        let id = id_of_new(tx, item, &sent).await?;
        let hash = sent.hash;
        let saved = tx.records().create(item.kind, id, sent.body).await?;
        return Ok((Applied::created(saved), hash));
    };
    writable(tx, row)?;
    sent.is_of(row)?;
    let last = source_key.filter(|one| one.record_id == Some(row.id) && one.version == row.version);
    if last.is_some_and(|last| last.sent_hash == sent.hash) {
        return Ok((Applied::unchanged(row), sent.hash));
    }
    // The system's own changes are no reason to reject it.
    let known = last.is_some() || sent.version == Some(row.version);
    if !known && sent.version.is_some() {
        let current = row.version;
        return Err(StoreError::PreconditionFailed { current });
    }
    let old = locked_still(tx, item.kind, row).await?;
    let edit = Edit::stated(sent.body, &item.statement, row)?;
    let saved = tx.records().update(old, edit).await?;
    Ok((Applied::updated(row, saved, !known)?, sent.hash))
}

/// Deletes the record of a key, if there is one.
async fn withdraw(
    tx: &mut Transaction<'_>,
    system: &str,
    kind: Kind,
    row: Option<&Record>,
) -> Result<Applied> {
    let Some(row) = row else {
        return Ok(Applied::default());
    };
    writable(tx, row)?;
    let old = locked_still(tx, kind, row).await?;
    let entries = tx.entries();
    tx.records().delete(old).await?;
    let along = tx.relationships_after(entries);
    let along = along.filter(|(id, ..)| *id != row.id);
    let along = along.map(|(id, version, supplied)| Along {
        id,
        version,
        supplied: supplied == Some(system),
    });
    let along = along.collect();
    let mut applied = Applied::unchanged(row);
    applied.change = Some(Change::Deleted { along });
    applied.version = row.version + 1;
    Ok(applied)
}

/// The row, locked; after a concurrent change, everything is read again.
async fn locked_still(tx: &mut Transaction<'_>, kind: Kind, row: &Record) -> Result<Record> {
    let again = || StoreError::Busy(DbErr::Custom("the record has changed".to_owned()));
    match tx.records().lock(kind, row.id, &Precondition::Any).await {
        Ok(now) if now.version == row.version => Ok(now),
        Ok(_) | Err(StoreError::NotFound) => Err(again()),
        Err(other) => Err(other),
    }
}

/// Referenced kinds come before their references; deletions come last, in the opposite order.
fn place(item: &Item) -> (bool, usize) {
    let at = Kind::ALL.iter().position(|kind| *kind == item.kind);
    let at = at.unwrap_or_default();
    match item.op {
        PushOp::Upsert => (false, at),
        PushOp::Delete => (true, Kind::ALL.len() - at),
    }
}

/// The violation of an item whose record another one has already, in a snapshot that of a line.
fn repeated(line: Option<u64>) -> StoreError {
    let line = line.map_or(String::new(), |line| line.to_string());
    let fault = Fault::new(FaultCode::RepeatedKey).with("line", line);
    StoreError::Invalid(vec![FieldError::new("/external_id", fault)])
}
