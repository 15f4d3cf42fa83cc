//! The record of a line: found by its keys, created or changed.

use crate::entity::{record, tombstone};
use crate::error::{Result, StoreError};
use crate::record::Record;
use crate::transaction::Transaction;
use crate::write::conflict::writable;
use crate::write::outcome::Applied;
use crate::write::{Edit, Precondition};
use domain::access::rules::Action;
use domain::base::fault::{Fault, FaultCode, FieldError};
use domain::base::kind::Kind;
use domain::base::nearest::nearest;
use domain::base::vocabulary::Coded;
use domain::exchange::line::Line;
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter};
use serde_json::Value;
use uuid::Uuid;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LoadMode {
    /// Leave them unchanged, deleted ones too.
    CreateMissing,
    Upsert,
}

/// What a line says of the identity of its record.
pub(super) struct Keys {
    pub(super) kind: Kind,
    pub(super) id: Option<Uuid>,
    version: Option<i64>,
    pub(super) external: Option<(String, String)>,
}

/// Creates or changes the record of a line.
pub(super) async fn load_line(
    tx: &mut Transaction<'_>,
    line: &Line,
    keys: &Keys,
    mode: LoadMode,
    first_line: impl Fn(Uuid) -> Option<u64>,
) -> Result<Applied> {
    let Some(found) = find_by_keys(tx, keys).await? else {
        if mode == LoadMode::CreateMissing && was_deleted(tx, keys).await? {
            return Ok(Applied {
                id: keys.id,
                ..Applied::default()
            });
        }
        refuse_new_id(tx, keys).await?;
        let id = fresh_id(tx, keys).await?;
        let saved = tx.records().create(keys.kind, id, line.record.clone());
        return Ok(Applied::created(saved.await?));
    };
    if mode == LoadMode::CreateMissing {
        return Ok(Applied::unchanged(&found));
    }
    if keys.id.is_none() && !tx.caller.can_read(&tx.subject(&found)) {
        // To this caller it is a key that is taken, not a record.
        writable(tx, &found)?;
    }
    if let Some(first) = first_line(found.id) {
        return Err(repeated(keys, first));
    }
    let expected = keys.version.map_or(Precondition::Any, |version| {
        Precondition::Versions(vec![version])
    });
    let old = tx.records().lock(keys.kind, found.id, &expected).await?;
    let before = old.clone();
    let edit = Edit::stated(line.record.clone(), &line.statement, &before)?;
    let saved = tx.records().update(old, edit);
    Applied::updated(&before, saved.await?, keys.version.is_none())
}

pub(super) fn keys(tx: &Transaction<'_>, line: &Value) -> Result<Keys> {
    let text = |pointer: &str| line.pointer(pointer).and_then(Value::as_str);
    let kind = text("/kind").unwrap_or_default();
    let kind = Kind::parse(kind).ok_or_else(|| {
        let known: Vec<_> = Kind::ALL.iter().map(|kind| kind.code()).collect();
        let fault = Fault::new(FaultCode::UnknownCode)
            .with("given", kind)
            .with(
                "nearest",
                nearest(kind, known.iter().copied()).unwrap_or_default(),
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
    let other = record::Entity::find_by_id(id).into_model::<Record>();
    match other.one(&tx.sql).await? {
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

pub(super) async fn find_by_keys(tx: &Transaction<'_>, keys: &Keys) -> Result<Option<Record>> {
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

/// The violation of a line whose record another line has already.
pub(super) fn repeated(keys: &Keys, first: u64) -> StoreError {
    let pointer = match keys.external {
        Some(_) => "/external_id",
        None => "/id",
    };
    invalid(
        pointer,
        Fault::new(FaultCode::RepeatedKey).with("line", first),
    )
}

fn invalid(pointer: &str, fault: Fault) -> StoreError {
    StoreError::Invalid(vec![FieldError::new(pointer, fault)])
}
