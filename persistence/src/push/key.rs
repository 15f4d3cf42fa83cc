//! The record of an item: its key, its version, and its hash.

use super::item::Item;
use crate::entity::{record, tombstone};
use crate::error::{Result, StoreError};
use crate::record::Record;
use crate::transaction::Transaction;
use crate::write::revive::dead;
use domain::access::rules::Action;
use domain::base::fault::{Fault, FaultCode, FieldError};
use domain::base::json::{canonical, hash};
use domain::base::kind::Kind;
use domain::base::record::ENVELOPE;
use domain::base::vocabulary::Coded;
use domain::validation::body::KindSchema;
use domain::value::text::fold_key;
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter};
use serde_json::{Map, Value, json};
use uuid::Uuid;

pub(super) struct Sent {
    pub(super) body: Value,
    pub(super) hash: String,
    /// The version that it is based on, if stated.
    pub(super) version: Option<i64>,
    id: Option<Uuid>,
}

impl Sent {
    /// Parses the record of an item.
    ///
    /// # Errors
    /// [`StoreError::Invalid`] if it claims to be another one, with all other violations.
    pub(super) fn read(system: &str, origin: &str, item: &Item) -> Result<Self> {
        let mut record = item.record.clone();
        let definition = KindSchema::of(item.kind);
        let Some(members) = record.as_object_mut() else {
            return Err(StoreError::Invalid(definition.check(record).errors));
        };
        let mut errors = Vec::new();
        let expected = [("kind", json!(item.kind)), ("origin", json!(origin))];
        for (member, expected) in expected {
            if let Some(given) = members
                .get(member)
                .filter(|given| !given.is_null() && **given != expected)
            {
                errors.push(mismatch(&format!("/{member}"), given, &expected));
            }
        }
        errors.extend(complete_key(members, system, &item.external_id));
        let id = members.get("id").filter(|id| !id.is_null());
        let id = id.map(|id| {
            let id = id.as_str().and_then(|id| Uuid::try_parse(id).ok());
            id.ok_or_else(|| FieldError::new("/id", Fault::new(FaultCode::Reference)))
        });
        let id = id.transpose().unwrap_or_else(|error| {
            errors.push(error);
            None
        });
        let version = members.get("version").and_then(Value::as_i64);
        if !errors.is_empty() {
            // All at once: other violations of the record are reported too.
            errors.extend(definition.check(record).errors);
            return Err(StoreError::Invalid(errors));
        }
        members.retain(|member, _| !ENVELOPE.contains(&member.as_str()));
        let content = item.statement.fingerprint();
        Ok(Self {
            hash: hash(&format!("{}{content}", canonical(&record))),
            body: record,
            version,
            id,
        })
    }

    /// Rejects another id than that of the record with the key.
    pub(super) fn is_of(&self, row: &Record) -> Result<()> {
        match self.id {
            Some(id) if id != row.id => {
                let error = mismatch("/id", &json!(id), &json!(row.id));
                Err(StoreError::Invalid(vec![error]))
            }
            Some(_) | None => Ok(()),
        }
    }
}

/// Fills in the key where the record leaves it out; the system is that of the request.
fn complete_key(members: &mut Map<String, Value>, system: &str, id: &str) -> Vec<FieldError> {
    if members.get("external_id").is_some_and(Value::is_null) {
        members.shift_remove("external_id");
    }
    let key = members.entry("external_id").or_insert_with(|| json!({}));
    let Some(key) = key.as_object_mut() else {
        // The schema reports it.
        return Vec::new();
    };
    let mut errors = Vec::new();
    for (member, expected) in [("system", json!(system)), ("id", json!(id))] {
        let given = key.entry(member).or_insert_with(|| expected.clone());
        if given.is_null() {
            *given = expected;
        } else if *given != expected {
            errors.push(mismatch(
                &format!("/external_id/{member}"),
                given,
                &expected,
            ));
        }
    }
    errors
}

fn mismatch(pointer: &str, given: &Value, expected: &Value) -> FieldError {
    let fault = Fault::new(FaultCode::ItemMismatch)
        .with("given", given)
        .with("expected", expected);
    FieldError::new(pointer, fault)
}

/// The id of a record that is not here yet: a new one, since only a deleted record has its own.
pub(super) async fn id_of_new(tx: &Transaction<'_>, item: &Item, sent: &Sent) -> Result<Uuid> {
    let Some(id) = sent.id else {
        return Ok(domain::base::id::new());
    };
    let dead = dead(tx, item.kind, id, &sent.body).await?;
    let same = |dead: &tombstone::Model| {
        dead.id == id && dead.external_id.as_ref() == Some(&item.external_id)
    };
    if dead.as_ref().is_some_and(same) {
        return Ok(id);
    }
    let (pointer, fault) = match key_of(tx, item.kind, id, &sent.body).await? {
        Some(key) if fold_key(&key) == fold_key(&item.external_id) => {
            let fault = Fault::new(FaultCode::KeySpelling)
                .with("given", &item.external_id)
                .with("expected", key);
            ("/external_id/id", fault)
        }
        Some(_) | None => {
            let why = "no record with this id has the key; leave it out";
            ("/id", Fault::new(FaultCode::NotAllowed).with("why", why))
        }
    };
    Err(StoreError::Invalid(vec![FieldError::new(pointer, fault)]))
}

/// The key of a record that the caller may write, in the system of a body.
async fn key_of(
    tx: &Transaction<'_>,
    kind: Kind,
    id: Uuid,
    body: &Value,
) -> Result<Option<String>> {
    let system = body.pointer("/external_id/system").and_then(Value::as_str);
    let row = record::Entity::find_by_id(id)
        .filter(record::Column::Kind.eq(kind.code()))
        .filter(record::Column::System.eq(system))
        .into_model::<Record>()
        .one(&tx.sql)
        .await?;
    let Some(row) = row else {
        return Ok(None);
    };
    let theirs = tx.caller.is_allowed(Action::Write, &tx.subject(&row));
    Ok(row.external_id.filter(|_| theirs))
}
