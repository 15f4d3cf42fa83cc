//! What supplying systems push: records by the keys of their systems, so that sending them again
//! changes nothing.

mod key;
mod plan;
mod snapshot;

pub use plan::{Plan, Sample};
pub use snapshot::{Decision, Line, Snapshot};

use crate::entity::{account, account_grant, record, supply};
use crate::error::{Denied, Result, StoreError, Unique};
use crate::store::Store;
use crate::unit::{Unit, WriteOptions};
use crate::write::{Edit, Precondition, parse_body};
use domain::access::{Action, Caller, Role};
use domain::fault::{Fault, FieldError};
use domain::resource::Kind;
use domain::sync::{PushMode, PushOp, PushStatus, SystemVersion};
use domain::vocabulary::Coded;
use key::Sent;
use sea_orm::sea_query::OnConflict;
use sea_orm::{
    ActiveValue::Set, ColumnTrait, Condition, DbErr, EntityTrait, JoinType, QueryFilter,
    QuerySelect,
};
use serde_json::Value;
use std::cmp::Ordering;
use std::collections::{BTreeMap, BTreeSet};
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
        /// How many relationships went along.
        relationships: usize,
    },
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

/// What is here under the keys of a batch.
#[derive(Default)]
struct Here {
    records: BTreeMap<Key, record::Model>,
    supplies: BTreeMap<Key, supply::Model>,
}

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

    /// The records of this node under the keys, and what was sent of them last.
    async fn here(&self, system: &str, items: &[Item]) -> Result<Here> {
        let mut keys: BTreeMap<Kind, Vec<&str>> = BTreeMap::new();
        for item in items {
            keys.entry(item.kind).or_default().push(&item.external_id);
        }
        let (mut records, mut supplies) = (Condition::any(), Condition::any());
        for (kind, ids) in keys {
            records = records.add(
                Condition::all()
                    .add(record::Column::Kind.eq(kind.code()))
                    .add(record::Column::ExternalId.is_in(ids.iter().copied())),
            );
            supplies = supplies.add(
                Condition::all()
                    .add(supply::Column::Kind.eq(kind.code()))
                    .add(supply::Column::ExternalId.is_in(ids)),
            );
        }
        if records.is_empty() {
            return Ok(Here::default());
        }
        let records = record::Entity::find()
            .filter(record::Column::Origin.eq(&self.origin))
            .filter(record::Column::System.eq(system))
            .filter(records)
            .all(&self.tx)
            .await?;
        let supplies = supply::Entity::find()
            .filter(supply::Column::System.eq(system))
            .filter(supplies)
            .all(&self.tx)
            .await?;
        let key = |kind: &str, id: Option<String>| Some((Kind::parse(kind)?, id?));
        Ok(Here {
            records: (records.into_iter())
                .filter_map(|row| Some((key(&row.kind, row.external_id.clone())?, row)))
                .collect(),
            supplies: (supplies.into_iter())
                .filter_map(|row| Some((key(&row.kind, Some(row.external_id.clone()))?, row)))
                .collect(),
        })
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
            PushOp::Delete => (self.withdraw(item.kind, row).await?, String::new()),
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
    async fn withdraw(&mut self, kind: Kind, row: Option<&record::Model>) -> Result<Applied> {
        let Some(row) = row else {
            return Ok(Applied::default());
        };
        self.writable(row)?;
        let old = self.locked_still(kind, row).await?;
        let entries = self.entries();
        self.delete(old).await?;
        let relationships = (self.entries() - entries).saturating_sub(1);
        let mut applied = unchanged(row);
        applied.change = Some(Change::Deleted { relationships });
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

    /// Refuses to write a record of a system that a feeder pushes: the next push would undo it.
    /// An admin of the node may, and releases the system's records by taking the grant away.
    pub(crate) async fn refuse_supplied(&self, system: Option<&str>) -> Result<()> {
        let Some(system) = system else {
            return Ok(());
        };
        if self.caller.pushes(system) || self.caller.is_node_admin() {
            return Ok(());
        }
        let feeder = account_grant::Entity::find()
            .join(
                JoinType::InnerJoin,
                account_grant::Entity::belongs_to(account::Entity)
                    .from(account_grant::Column::AccountId)
                    .to(account::Column::Id)
                    .into(),
            )
            .filter(account_grant::Column::Role.eq(Role::Feeder.code()))
            .filter(account_grant::Column::System.eq(system))
            .filter(account::Column::DisabledAt.is_null())
            .one(&self.tx)
            .await?;
        match feeder {
            None => Ok(()),
            Some(_) => Err(StoreError::Forbidden(Denied::OwnedBySystem)),
        }
    }

    async fn keep_supplies(&self, mut supplies: Vec<supply::Model>) -> Result<()> {
        supplies.sort_by(|a, b| (&a.kind, &a.external_id).cmp(&(&b.kind, &b.external_id)));
        let of_key = [
            supply::Column::System,
            supply::Column::Kind,
            supply::Column::ExternalId,
        ];
        let newer = OnConflict::columns(of_key)
            .update_columns([
                supply::Column::RecordId,
                supply::Column::Version,
                supply::Column::SentHash,
                supply::Column::SystemVersion,
            ])
            .to_owned();
        for chunk in supplies.chunks(MAX_ITEMS) {
            let rows = chunk.iter().cloned().map(|row| supply::ActiveModel {
                system: Set(row.system),
                kind: Set(row.kind),
                external_id: Set(row.external_id),
                record_id: Set(row.record_id),
                version: Set(row.version),
                sent_hash: Set(row.sent_hash),
                system_version: Set(row.system_version),
            });
            supply::Entity::insert_many(rows)
                .on_conflict(newer.clone())
                .exec_without_returning(&self.tx)
                .await?;
        }
        Ok(())
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
        Err(
            error @ (StoreError::Busy(_)
            | StoreError::Database(_)
            | StoreError::Corrupt(_)
            | StoreError::Search(_)
            | StoreError::Setup(_)),
        ) => Err(error),
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

/// The newest version of the system, as JSON, if the item is not older than it.
fn newest(item: &Item, supply: Option<&supply::Model>) -> Result<Option<String>> {
    let stored = supply.and_then(|one| one.system_version.clone());
    let Some(given) = &item.system_version else {
        return Ok(stored);
    };
    let corrupt = |why: serde_json::Error| StoreError::Corrupt(why.to_string());
    if let Some(stored) = &stored {
        let stored: SystemVersion = serde_json::from_str(stored).map_err(corrupt)?;
        match given.compare(&stored) {
            Some(Ordering::Less) => {
                let given = given.clone();
                return Err(StoreError::OutOfOrder { given, stored });
            }
            Some(Ordering::Equal | Ordering::Greater) => {}
            None => {
                let fault = Fault::new("system-version").with("stored", stored);
                let error = FieldError::new("/system_version", fault);
                return Err(StoreError::Invalid(vec![error]));
            }
        }
    }
    serde_json::to_string(given).map(Some).map_err(corrupt)
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
