//! What supplying systems push: records by the keys of their systems, so that sending them again
//! changes nothing.

mod key;
mod plan;
mod snapshot;
mod supplied;

pub use plan::{Plan, Sample};
pub use snapshot::{Decision, Line, Snapshot};

use crate::entity::{record, supply};
use crate::error::{Result, StoreError, Unique};
use crate::store::Store;
use crate::unit::{Unit, WriteOptions};
use crate::write::{Edit, Precondition, parse_body};
use domain::access::rules::{Action, Caller};
use domain::base::fault::{Fault, FieldError};
use domain::base::kind::Kind;
use domain::base::vocabulary::Coded;
use domain::exchange::sync::{PushMode, PushOp, PushStatus, SystemVersion};
use key::Sent;
use sea_orm::DbErr;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use supplied::{Here, newest};
use uuid::Uuid;

/// How many items are pushed at once.
pub const MAX_ITEMS: usize = 500;

/// What is to be done with the record of a key.
#[derive(Debug, Clone)]
pub struct Item {
    /// What.
    pub op: PushOp,
    /// The kind of the record.
    pub kind: Kind,
    /// Its key in the system.
    pub external_id: String,
    /// Which state of it the system sends.
    pub system_version: Option<SystemVersion>,
    /// The record, if it is to be there.
    pub record: Value,
}

/// What became of an item.
#[derive(Debug)]
pub struct Pushed(pub Result<Applied>);

/// What an item did.
#[derive(Debug, Default)]
pub struct Applied {
    /// What it did; absent if it changed nothing.
    pub change: Option<Change>,
    /// The record, if there is or was one.
    pub id: Option<Uuid>,
    /// Its version now.
    pub version: i64,
    /// Its version before; 0 if it was not there.
    pub before: i64,
    /// What is likely wrong but accepted.
    pub warnings: Vec<FieldError>,
}

/// What an item changed.
#[derive(Debug)]
pub enum Change {
    /// The record is new, or back again.
    Created,
    /// The record is another one.
    Updated {
        /// The members that are.
        members: Vec<String>,
        /// Whether somebody else had changed it since the system sent it last, and no version was
        /// sent that would have told.
        overwritten: bool,
    },
    /// The record is gone.
    Deleted {
        /// The relationships that went along.
        along: Vec<Along>,
    },
}

/// A relationship that went along with a record that was deleted.
#[derive(Debug)]
pub struct Along {
    /// The relationship.
    id: Uuid,
    /// The version that its deletion made.
    version: i64,
    /// Whether the same system supplies it.
    supplied: bool,
}

impl Pushed {
    /// In a word. An item that contradicts what is here may be right at another time; one that is
    /// invalid never is.
    #[must_use]
    pub fn status(&self) -> PushStatus {
        match &self.0 {
            Ok(applied) => match applied.change {
                None => PushStatus::Unchanged,
                Some(Change::Created) => PushStatus::Created,
                Some(Change::Updated { .. }) => PushStatus::Updated,
                Some(Change::Deleted { .. }) => PushStatus::Deleted,
            },
            Err(
                StoreError::Conflict(_)
                | StoreError::PreconditionFailed { .. }
                | StoreError::OutOfOrder { .. }
                | StoreError::StillReferenced { .. }
                | StoreError::HasRelationships(_)
                | StoreError::Gone(_),
            ) => PushStatus::Conflict,
            Err(_) => PushStatus::Invalid,
        }
    }
}

/// The keys of the items of a batch.
type Key = (Kind, String);

impl Store {
    /// Does up to [`MAX_ITEMS`] items in one transaction; `None` if they stand together and one of
    /// them was refused, so that nothing was done.
    ///
    /// What an item names may come after it: records come before what may name them, and what is
    /// deleted comes last.
    ///
    /// # Errors
    /// The database's; what is wrong with an item is in its [`Pushed`].
    pub async fn push(
        &self,
        caller: &Caller,
        system: &str,
        mode: PushMode,
        items: &[Item],
        options: &WriteOptions,
    ) -> Result<(Vec<Pushed>, bool)> {
        self.write(caller, options, async |unit| {
            unit.take_turns_for_system(system).await?;
            let pushed = unit.push(system, items).await?;
            let refused = pushed.iter().any(|one| one.0.is_err());
            let applied = mode == PushMode::Each || !refused;
            if !applied {
                unit.discard();
            }
            Ok((pushed, applied))
        })
        .await
    }
}

impl Unit<'_> {
    /// What a system sends later must come later.
    async fn take_turns_for_system(&self, system: &str) -> Result<()> {
        if !self.db().is_postgres() {
            return Ok(());
        }
        let what = format!("supply/{system}");
        let sql = "SELECT pg_advisory_xact_lock(hashtextextended($1, 0))";
        self.execute(sql, [what.into()]).await
    }

    /// Does a batch: three queries tell what is here and keep what was sent, whatever the number
    /// of items; only those that change something take more.
    async fn push(&mut self, system: &str, items: &[Item]) -> Result<Vec<Pushed>> {
        let here = self.here(system, items).await?;
        let mut order: Vec<usize> = (0..items.len()).collect();
        order.sort_by_key(|index| items.get(*index).map(place));
        let mut seen = BTreeSet::new();
        let mut outcomes: BTreeMap<usize, Pushed> = BTreeMap::new();
        let mut supplies = Vec::new();
        for index in order {
            let Some(item) = items.get(index) else {
                continue;
            };
            let key = (item.kind, item.external_id.clone());
            let outcome = if seen.insert(key) {
                self.push_one(system, item, &here, &mut supplies).await
            } else {
                Err(repeated())
            };
            outcomes.insert(index, settled(outcome)?);
        }
        self.keep_supplies(supplies).await?;
        Ok(outcomes.into_values().collect())
    }

    async fn push_one(
        &mut self,
        system: &str,
        item: &Item,
        here: &Here,
        supplies: &mut Vec<supply::Model>,
    ) -> Result<Applied> {
        let key = (item.kind, item.external_id.clone());
        let (row, supply) = (here.records.get(&key), here.supplies.get(&key));
        let newest = newest(item, supply)?;
        let (applied, sent_hash) = match item.op {
            PushOp::Upsert => self.supply(system, item, row, supply).await?,
            PushOp::Delete => (self.withdraw(system, item.kind, row).await?, String::new()),
        };
        let now = supply::Model {
            system: system.to_owned(),
            kind: item.kind.code().to_owned(),
            external_id: item.external_id.clone(),
            record_id: applied.id.or(supply.and_then(|one| one.record_id)),
            version: applied.version,
            sent_hash,
            system_version: newest,
        };
        // Of what never was here only its order must be known.
        let tells = applied.id.is_some() || now.system_version.is_some();
        if tells && supply != Some(&now) {
            supplies.push(now);
        }
        Ok(applied)
    }

    /// Makes a record as the system sent it, and answers the hash of that.
    async fn supply(
        &mut self,
        system: &str,
        item: &Item,
        row: Option<&record::Model>,
        supply: Option<&supply::Model>,
    ) -> Result<(Applied, String)> {
        let sent = Sent::read(system, &self.origin, item)?;
        let Some(row) = row else {
            let id = self.id_of_new(item, &sent).await?;
            let hash = sent.hash;
            let saved = self.create(item.kind, id, sent.body).await?;
            let applied = Applied {
                change: Some(Change::Created),
                id: Some(saved.row.id),
                version: saved.row.version,
                before: 0,
                warnings: saved.warnings,
            };
            return Ok((applied, hash));
        };
        self.writable(row)?;
        sent.is_of(row)?;
        let last = supply.filter(|one| one.record_id == Some(row.id) && one.version == row.version);
        if last.is_some_and(|last| last.sent_hash == sent.hash) {
            return Ok((unchanged(row), sent.hash));
        }
        // What the system itself made of it since is no reason to refuse.
        let known = last.is_some() || sent.version == Some(row.version);
        if !known && sent.version.is_some() {
            let current = row.version;
            return Err(StoreError::PreconditionFailed { current });
        }
        let old = self.locked_still(item.kind, row).await?;
        let saved = self.modify(old, Edit::Replace(sent.body)).await?;
        let mut applied = unchanged(row);
        applied.warnings = saved.warnings;
        applied.version = saved.row.version;
        if saved.changed {
            applied.change = Some(Change::Updated {
                members: differing(row, &saved.row)?,
                overwritten: !known,
            });
        }
        Ok((applied, sent.hash))
    }

    /// Deletes what is under a key, if anything is.
    async fn withdraw(
        &mut self,
        system: &str,
        kind: Kind,
        row: Option<&record::Model>,
    ) -> Result<Applied> {
        let Some(row) = row else {
            return Ok(Applied::default());
        };
        self.writable(row)?;
        let old = self.locked_still(kind, row).await?;
        let entries = self.entries();
        self.delete(old).await?;
        let along = self.relationships_after(entries);
        let along = along.filter(|(id, ..)| *id != row.id);
        let along = along.map(|(id, version, supplied)| Along {
            id,
            version,
            supplied: supplied == Some(system),
        });
        let along = along.collect();
        let mut applied = unchanged(row);
        applied.change = Some(Change::Deleted { along });
        applied.version = row.version + 1;
        Ok(applied)
    }

    /// A key that is taken by a record which the caller may not write is taken; which record it
    /// is, is told only to those who see it.
    pub(crate) fn writable(&self, row: &record::Model) -> Result<()> {
        if self.caller.may(Action::Write, &self.subject(row)?) {
            return Ok(());
        }
        let key = row.system.iter().chain(&row.external_id).cloned();
        let key: Vec<String> = key.collect();
        let field = "/external_id".to_owned();
        Err(self.conflict(field, Unique::ExternalId, key.join("|"), row)?)
    }

    /// The row, locked; if somebody was faster, everything is looked at again.
    async fn locked_still(&self, kind: Kind, row: &record::Model) -> Result<record::Model> {
        let again = || StoreError::Busy(DbErr::Custom("the record has changed".to_owned()));
        match self.for_update(kind, row.id, &Precondition::Any).await {
            Ok(now) if now.version == row.version => Ok(now),
            Ok(_) | Err(StoreError::NotFound) => Err(again()),
            Err(other) => Err(other),
        }
    }
}

/// What is named comes before what names it; what is deleted comes last, in the other direction.
fn place(item: &Item) -> (bool, usize) {
    let at = Kind::ALL.iter().position(|kind| *kind == item.kind);
    let at = at.unwrap_or_default();
    match item.op {
        PushOp::Upsert => (false, at),
        PushOp::Delete => (true, Kind::ALL.len() - at),
    }
}

/// An outcome, unless it ends the transaction; the others have not touched it.
fn settled(outcome: Result<Applied>) -> Result<Pushed> {
    match outcome {
        Err(error) if error.is_of_database() => Err(error),
        Err(error @ (StoreError::Corrupt(_) | StoreError::Search(_) | StoreError::Setup(_))) => {
            Err(error)
        }
        outcome => Ok(Pushed(outcome)),
    }
}

fn repeated() -> StoreError {
    StoreError::Invalid(vec![FieldError::new(
        "/external_id",
        Fault::new("repeated-key"),
    )])
}

fn unchanged(row: &record::Model) -> Applied {
    Applied {
        id: Some(row.id),
        version: row.version,
        before: row.version,
        ..Applied::default()
    }
}

/// The members in which two states of a record differ.
fn differing(old: &record::Model, new: &record::Model) -> Result<Vec<String>> {
    let (old, new) = (parse_body(old)?, parse_body(new)?);
    let members = |body: &Value| -> BTreeSet<String> {
        body.as_object()
            .map(|members| members.keys().cloned().collect())
            .unwrap_or_default()
    };
    let all = &members(&old) | &members(&new);
    let differ = |name: &String| old.get(name) != new.get(name);
    Ok(all.into_iter().filter(differ).collect())
}
