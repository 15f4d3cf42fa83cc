//! Importing many records: the program's reference data, the seed pages, and imports.

use crate::entity::{node, record, tombstone};
use crate::error::{Result, StoreError};
use crate::record::Record;
use crate::store::{REFERENCE_ORIGIN, Store};
use crate::transaction::{Transaction, WriteOptions};
use crate::write::conflict::writable;
use crate::write::{Edit, Precondition, Saved};
use domain::access::rules::{Action, Caller};
use domain::base::fault::{Fault, FaultCode, FieldError};
use domain::base::json;
use domain::base::kind::Kind;
use domain::base::vocabulary::Coded;
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter};
use serde_json::Value;
use uuid::Uuid;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LoadMode {
    /// Leave them unchanged, deleted ones too.
    CreateMissing,
    Upsert,
}

#[derive(Debug)]
pub enum Loaded {
    Created(Box<Saved>),
    /// A changed one; `overwritten` if the line gave no version to compare.
    Updated {
        saved: Box<Saved>,
        overwritten: bool,
    },
    Unchanged(Uuid),
    Refused(StoreError),
}

pub const CHUNK: usize = 200;

/// Room of imports.
#[derive(Debug, Clone, Copy)]
pub struct Imports<'a> {
    pub(crate) store: &'a Store,
}

/// Room for importing in a transaction.
#[derive(Debug)]
pub struct ImportsMut<'t, 's> {
    pub(crate) tx: &'t mut Transaction<'s>,
}

impl Store {
    #[must_use]
    pub fn imports(&self) -> Imports<'_> {
        Imports { store: self }
    }
}

impl<'s> Transaction<'s> {
    #[must_use]
    pub fn imports(&mut self) -> ImportsMut<'_, 's> {
        ImportsMut { tx: self }
    }
}

impl Imports<'_> {
    /// Imports up to [`CHUNK`] lines of NDJSON in one transaction; lines are independent, so a
    /// rejected one does not affect the others.
    pub async fn load(
        self,
        caller: &Caller,
        lines: &[&str],
        mode: LoadMode,
        options: &WriteOptions,
    ) -> Result<Vec<Loaded>> {
        let origin = self.store.node().origin.clone();
        load_as(self.store, &origin, caller, lines, mode, options).await
    }
}

async fn load_as(
    store: &Store,
    origin: &str,
    caller: &Caller,
    lines: &[&str],
    mode: LoadMode,
    options: &WriteOptions,
) -> Result<Vec<Loaded>> {
    store
        .write_as(origin, caller, options, async |tx| {
            let mut outcomes = Vec::with_capacity(lines.len());
            for line in lines {
                outcomes.push(settled(load_line(tx, line, mode).await)?);
            }
            Ok(outcomes)
        })
        .await
}

/// Updates the reference data to this release, if needed.
pub(crate) async fn load_reference_data(store: &Store) -> Result<()> {
    let release = json::hash(&domain::data::REFERENCE.concat());
    let node = node::Entity::find_by_id(1).one(store.db().reader()).await?;
    if node.is_some_and(|node| node.reference_hash.as_ref() == Some(&release)) {
        return Ok(());
    }
    let options = WriteOptions {
        bulk: true,
        ..WriteOptions::default()
    };
    let caller = Caller::node();
    for file in domain::data::REFERENCE {
        let lines: Vec<&str> = file.lines().collect();
        for chunk in lines.chunks(CHUNK) {
            let outcomes = load_as(
                store,
                REFERENCE_ORIGIN,
                &caller,
                chunk,
                LoadMode::Upsert,
                &options,
            )
            .await?;
            for (line, outcome) in chunk.iter().zip(outcomes) {
                if let Loaded::Refused(why) = outcome {
                    let why = format!("reference data: {why:?} in {line}");
                    return Err(StoreError::Corrupt(why));
                }
            }
        }
    }
    store
        .write(&caller, &options, async |tx| {
            let sql = "UPDATE sync_state SET reference_hash = $1 WHERE id = 1";
            tx.execute(sql, [release.clone().into()]).await
        })
        .await
}

struct Keys {
    kind: Kind,
    id: Option<Uuid>,
    version: Option<i64>,
    external: Option<(String, String)>,
}

impl ImportsMut<'_, '_> {
    /// Imports independent records, so a rejected one does not affect the others.
    pub async fn load(self, records: Vec<Value>, mode: LoadMode) -> Result<Vec<Loaded>> {
        let mut outcomes = Vec::with_capacity(records.len());
        for record in records {
            outcomes.push(settled(load_one(self.tx, record, mode).await)?);
        }
        Ok(outcomes)
    }
}

async fn load_line(tx: &mut Transaction<'_>, line: &str, mode: LoadMode) -> Result<Loaded> {
    let value = json::parse(line.as_bytes())
        .map_err(|why| invalid("", Fault::new(FaultCode::InvalidValue).with("why", why)))?;
    load_one(tx, value, mode).await
}

async fn load_one(tx: &mut Transaction<'_>, value: Value, mode: LoadMode) -> Result<Loaded> {
    let keys = keys(tx, &value)?;
    let Some(found) = find_by_keys(tx, &keys).await? else {
        if mode == LoadMode::CreateMissing && was_deleted(tx, &keys).await? {
            return Ok(Loaded::Unchanged(keys.id.unwrap_or_default()));
        }
        refuse_new_id(tx, &keys).await?;
        let id = fresh_id(tx, &keys).await?;
        let saved = tx.records().create(keys.kind, id, value).await?;
        return Ok(Loaded::Created(Box::new(saved)));
    };
    if mode == LoadMode::CreateMissing {
        return Ok(Loaded::Unchanged(found.id));
    }
    if keys.id.is_none() && !tx.caller.can_read(&tx.subject(&found)) {
        // To this caller it is a key that is taken, not a record.
        writable(tx, &found)?;
    }
    let expected = keys.version.map_or(Precondition::Any, |version| {
        Precondition::Versions(vec![version])
    });
    let old = tx.records().lock(keys.kind, found.id, &expected).await?;
    let saved = tx.records().update(old, Edit::Replace(value)).await?;
    Ok(if saved.changed {
        Loaded::Updated {
            saved: Box::new(saved),
            overwritten: keys.version.is_none(),
        }
    } else {
        Loaded::Unchanged(saved.row.id)
    })
}

fn keys(tx: &Transaction<'_>, line: &Value) -> Result<Keys> {
    let text = |pointer: &str| line.pointer(pointer).and_then(Value::as_str);
    let kind = text("/kind").unwrap_or_default();
    let kind = Kind::parse(kind).ok_or_else(|| {
        let known: Vec<_> = Kind::ALL.iter().map(|kind| kind.code()).collect();
        let fault = Fault::new(FaultCode::UnknownCode)
            .with("given", kind)
            .with(
                "nearest",
                domain::base::nearest::nearest(kind, known.iter().copied()).unwrap_or_default(),
            )
            .with("known", known.join(", "));
        invalid("/kind", fault)
    })?;
    if let Some(origin) = text("/origin")
        && origin != tx.origin
    {
        let fault = Fault::new(FaultCode::NotAllowed).with(
            "why",
            format!("records of {origin} are written at {origin} only"),
        );
        return Err(invalid("/origin", fault));
    }
    let id = match line.get("id") {
        None | Some(Value::Null) => None,
        Some(id) => {
            let id = id.as_str().and_then(|id| Uuid::try_parse(id).ok());
            Some(id.ok_or_else(|| invalid("/id", Fault::new(FaultCode::Reference)))?)
        }
    };
    let external = text("/external_id/system").zip(text("/external_id/id"));
    Ok(Keys {
        kind,
        id,
        version: line.get("version").and_then(Value::as_i64),
        external: external.map(|(system, id)| (system.to_owned(), id.to_owned())),
    })
}

/// Only an admin of the node brings new ids; others may use those of records that they had deleted.
/// Unknown and invisible ones are answered alike.
async fn refuse_new_id(tx: &Transaction<'_>, keys: &Keys) -> Result<()> {
    let Some(id) = keys.id.filter(|_| !tx.caller.is_node_admin()) else {
        return Ok(());
    };
    let dead = tombstone::Entity::find_by_id(id)
        .filter(tombstone::Column::Kind.eq(keys.kind.code()))
        .one(&tx.sql)
        .await?;
    let theirs = dead.is_some_and(|dead| {
        let subject = crate::record::tombstone_subject(&dead, keys.kind, &tx.origin);
        tx.caller.is_allowed(Action::Write, &subject)
    });
    theirs.then_some(()).ok_or(StoreError::NotFound)
}

/// The id of a line whose record does not exist yet.
async fn fresh_id(tx: &Transaction<'_>, keys: &Keys) -> Result<Uuid> {
    let Some(id) = keys.id else {
        return Ok(domain::base::id::new());
    };
    match record::Entity::find_by_id(id)
        .into_model::<Record>()
        .one(&tx.sql)
        .await?
    {
        None => Ok(id),
        Some(other) => {
            let why = format!("it is the id of a {} of {}", other.kind, other.origin);
            Err(invalid(
                "/id",
                Fault::new(FaultCode::NotAllowed).with("why", why),
            ))
        }
    }
}

async fn find_by_keys(tx: &Transaction<'_>, keys: &Keys) -> Result<Option<Record>> {
    let rows = record::Entity::find()
        .filter(record::Column::Kind.eq(keys.kind.code()))
        .filter(record::Column::Origin.eq(&tx.origin));
    let rows = match (keys.id, &keys.external) {
        (Some(id), _) => rows.filter(record::Column::Id.eq(id)),
        (None, Some((system, key))) => rows
            .filter(record::Column::System.eq(system))
            .filter(record::Column::ExternalId.eq(key)),
        (None, None) => return Ok(None),
    };
    Ok(rows.into_model::<Record>().one(&tx.sql).await?)
}

async fn was_deleted(tx: &Transaction<'_>, keys: &Keys) -> Result<bool> {
    let tombstones = tombstone::Entity::find()
        .filter(tombstone::Column::Kind.eq(keys.kind.code()))
        .filter(tombstone::Column::Origin.eq(&tx.origin));
    let tombstones = match (keys.id, &keys.external) {
        (Some(id), _) => tombstones.filter(tombstone::Column::Id.eq(id)),
        (None, Some((system, key))) => tombstones
            .filter(tombstone::Column::System.eq(system))
            .filter(tombstone::Column::ExternalId.eq(key)),
        (None, None) => return Ok(false),
    };
    Ok(tombstones.one(&tx.sql).await?.is_some())
}

/// The outcome, unless it ends the transaction; the others have no effect.
fn settled(outcome: Result<Loaded>) -> Result<Loaded> {
    match outcome {
        Err(error) if error.is_of_database() => Err(error),
        Err(refused) => Ok(Loaded::Refused(refused)),
        done => done,
    }
}

fn invalid(pointer: &str, fault: Fault) -> StoreError {
    StoreError::Invalid(vec![FieldError::new(pointer, fault)])
}
