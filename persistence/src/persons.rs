//! Contact persons of records. Everyone reads those with a valid consent; the others are for the
//! editors of the record. Changes are in the audit, without their content.

pub mod personal_data;

use crate::cursor;
use crate::entity::{contact_person, record};
use crate::error::{Denied, Result, StoreError};
use crate::merge_targets::{merge_targets, with_losers};
use crate::read::can_read;
use crate::record::Record;
use crate::store::Store;
use crate::transaction::{Transaction, WriteOptions};
use crate::write::Precondition;
use crate::write::idempotency::blank_responses;
use chrono::{DateTime, SubsecRound, Utc};
use domain::access::rules::{Action, Caller};
use domain::base::kind::Kind;
use domain::base::vocabulary::Coded;
use domain::statements::contact_person::{
    Consent, ContactPerson, ContactPersonInput, PersonVisibility,
};
use domain::value::reference::RecordRef;
use sea_orm::sea_query::LockType;
use sea_orm::{
    ActiveModelTrait, ColumnTrait, Condition, ConnectionTrait, EntityTrait, IntoActiveModel,
    QueryFilter, QueryOrder, QuerySelect,
};
use serde_json::{Value, json};
use std::collections::BTreeSet;
use uuid::Uuid;

/// A page of contact persons in the order of creation.
#[derive(Debug)]
pub struct PersonPage {
    pub items: Vec<ContactPerson>,
    pub next: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PersonChange {
    Created,
    Changed,
    Erased,
}

/// The options of a change: the audit gets the id, and nothing else.
#[must_use]
pub fn options(change: PersonChange, id: Uuid, dry_run: bool) -> WriteOptions {
    let what = match change {
        PersonChange::Created => "created",
        PersonChange::Changed => "changed",
        PersonChange::Erased => "erased",
    };
    WriteOptions {
        dry_run,
        reason: Some(format!("contact person {id} {what}")),
        bulk: false,
    }
}

/// Room of contact persons.
#[derive(Debug, Clone, Copy)]
pub struct ContactPersons<'a> {
    pub(crate) store: &'a Store,
}

/// Room for writing contact persons.
#[derive(Debug)]
pub struct ContactPersonsMut<'t, 's> {
    pub(crate) tx: &'t mut Transaction<'s>,
}

impl Store {
    #[must_use]
    pub fn contact_persons(&self) -> ContactPersons<'_> {
        ContactPersons { store: self }
    }
}

impl<'s> Transaction<'s> {
    #[must_use]
    pub fn contact_persons(&mut self) -> ContactPersonsMut<'_, 's> {
        ContactPersonsMut { tx: self }
    }
}

impl ContactPersons<'_> {
    /// The contact persons of a record that the caller may see.
    ///
    /// # Errors
    /// [`StoreError::BadCursor`], and as [`crate::records::Records::get`].
    pub async fn list(
        self,
        caller: &Caller,
        (kind, key): (Kind, &str),
        (limit, at): (u64, Option<&str>),
        query: &str,
    ) -> Result<PersonPage> {
        let record = self.store.records().get(caller, kind, key).await?;
        let within = caller.is_allowed(Action::Write, &self.store.subject(&record));
        // Those of a record that was merged into this one belong to it now.
        let records = with_losers(self.store.db().reader(), [record.id]).await?;
        let secret = &self.store.node().secret;
        let mut rows = contact_person::Entity::find()
            .filter(contact_person::Column::RecordId.is_in(records))
            .order_by_asc(contact_person::Column::Id)
            .limit(limit + 1);
        if !within {
            rows = rows.filter(is_public(self.store.clock().now()));
        }
        if let Some(text) = at {
            let after: Uuid = cursor::decode(secret, query, text)?;
            rows = rows.filter(contact_person::Column::Id.gt(after));
        }
        let mut rows = rows.all(self.store.db().reader()).await?;
        let more = rows.len() as u64 > limit;
        if more {
            rows.pop();
        }
        let last = rows.last().filter(|_| more);
        let next = last.map(|row| cursor::encode(secret, query, &row.id));
        let items = rows.into_iter().map(|row| shown(row, &record, within));
        Ok(PersonPage {
            items: items.collect::<Result<_>>()?,
            next,
        })
    }

    /// A contact person, as far as the caller may see.
    pub async fn get(self, caller: &Caller, id: Uuid) -> Result<ContactPerson> {
        let row = contact_person::Entity::find_by_id(id)
            .one(self.store.db().reader())
            .await?
            .ok_or(StoreError::NotFound)?;
        let record = record_of(self.store.db().reader(), &row).await?;
        let within = caller.is_allowed(Action::Write, &self.store.subject(&record));
        let seen = within
            || shows(&row, self.store.clock().now())
                && can_read(self.store, caller, &record).await?;
        if !seen {
            return Err(StoreError::NotFound);
        }
        shown(row, &record, within)
    }
}

impl ContactPersonsMut<'_, '_> {
    /// Creates a contact person of a record; see [`options`].
    pub async fn create(
        self,
        id: Uuid,
        (kind, record): (Kind, Uuid),
        sent: Value,
    ) -> Result<ContactPerson> {
        let record = self
            .tx
            .records()
            .lock(kind, record, &Precondition::Any)
            .await?;
        let input = ContactPersonInput::read(sent).map_err(StoreError::Invalid)?;
        let row = contact_person::Model {
            version: 1,
            created_at: self.tx.now,
            updated_at: self.tx.now,
            ..person_row(self.tx, id, record.id, input)
        };
        contact_person::Entity::insert(row.clone().into_active_model())
            .exec_without_returning(&self.tx.sql)
            .await?;
        self.tx.log().visibility(&record, record.is_public);
        shown(row, &record, true)
    }

    /// Changes a contact person by a merge patch (RFC 7396); see [`options`].
    pub async fn update(
        self,
        id: Uuid,
        expected: &Precondition,
        patch: &Value,
    ) -> Result<ContactPerson> {
        let (old, record) = person_for_update(self.tx, id, expected).await?;
        let body = ContactPersonInput::patched(json!(input_of(&old)?), patch);
        let input = ContactPersonInput::read(body).map_err(StoreError::Invalid)?;
        let mut row = contact_person::Model {
            version: old.version,
            created_at: old.created_at,
            updated_at: old.updated_at,
            ..person_row(self.tx, id, old.record_id, input)
        };
        if row != old {
            row.version += 1;
            row.updated_at = self.tx.now;
            row.clone()
                .into_active_model()
                .reset_all()
                .update(&self.tx.sql)
                .await?;
            self.tx.log().visibility(&record, record.is_public);
        }
        shown(row, &record, true)
    }

    /// Removes a contact person permanently; see [`options`].
    pub async fn delete(self, id: Uuid, expected: &Precondition) -> Result<()> {
        let (_, record) = person_for_update(self.tx, id, expected).await?;
        contact_person::Entity::delete_by_id(id)
            .exec(&self.tx.sql)
            .await?;
        blank_responses(self.tx, &[id]).await?;
        self.tx.log().visibility(&record, record.is_public);
        Ok(())
    }
}

/// A contact person that the caller may change, locked, and the record.
async fn person_for_update(
    tx: &Transaction<'_>,
    id: Uuid,
    expected: &Precondition,
) -> Result<(contact_person::Model, Record)> {
    let mut query = contact_person::Entity::find_by_id(id);
    if tx.db().is_postgres() {
        query = query.lock(LockType::NoKeyUpdate);
    }
    let row = query.one(&tx.sql).await?.ok_or(StoreError::NotFound)?;
    let record = record_of(&tx.sql, &row).await?;
    let subject = tx.subject(&record);
    if !tx.caller.is_allowed(Action::Write, &subject) {
        return Err(StoreError::Forbidden(match subject.home_region {
            Some(_) => Denied::Region,
            None => Denied::Homeless,
        }));
    }
    expected.met_by(row.version)?;
    Ok((row, record))
}

fn person_row(
    tx: &Transaction<'_>,
    id: Uuid,
    record_id: Uuid,
    input: ContactPersonInput,
) -> contact_person::Model {
    let consent = input.consent;
    let micros = |at: DateTime<Utc>| at.trunc_subsecs(6);
    contact_person::Model {
        id,
        record_id,
        version: 0,
        name: input.name,
        role: input.role,
        email: input.email,
        phone: input.phone,
        language: input.language,
        purpose: input.purpose,
        consent_from: consent.as_ref().map(|one| micros(one.from)),
        consent_until: consent.as_ref().and_then(|one| one.until).map(micros),
        consent_proof: consent.and_then(|one| one.proof),
        visibility: input
            .visibility
            .unwrap_or(PersonVisibility::Editors)
            .code()
            .to_owned(),
        created_at: tx.now,
        updated_at: tx.now,
    }
}

/// The record of a contact person, or its merge target.
async fn record_of(db: &impl ConnectionTrait, row: &contact_person::Model) -> Result<Record> {
    let standing = merge_targets(db, [row.record_id]).await?;
    let id = standing.get(&row.record_id).unwrap_or(&row.record_id);
    let record = record::Entity::find_by_id(*id)
        .into_model::<Record>()
        .one(db)
        .await?;
    record.ok_or(StoreError::NotFound)
}

fn shows(row: &contact_person::Model, now: DateTime<Utc>) -> bool {
    row.visibility == PersonVisibility::Public.code()
        && consent(row).is_some_and(|consent| consent.is_valid_at(now))
}

/// The same in SQL.
fn is_public(now: DateTime<Utc>) -> Condition {
    let until = contact_person::Column::ConsentUntil;
    Condition::all()
        .add(contact_person::Column::Visibility.eq(PersonVisibility::Public.code()))
        .add(contact_person::Column::ConsentFrom.lte(now))
        .add(Condition::any().add(until.is_null()).add(until.gt(now)))
}

fn consent(row: &contact_person::Model) -> Option<Consent> {
    Some(Consent {
        from: row.consent_from?,
        until: row.consent_until,
        proof: row.consent_proof.clone(),
    })
}

fn visibility(row: &contact_person::Model) -> Result<PersonVisibility> {
    let known = PersonVisibility::parse(&row.visibility);
    known.ok_or_else(|| StoreError::Corrupt(format!("visibility {}", row.visibility)))
}

fn input_of(row: &contact_person::Model) -> Result<ContactPersonInput> {
    Ok(ContactPersonInput {
        name: row.name.clone(),
        role: row.role.clone(),
        email: row.email.clone(),
        phone: row.phone.clone(),
        language: row.language.clone(),
        purpose: row.purpose.clone(),
        consent: consent(row),
        visibility: Some(visibility(row)?),
    })
}

/// A row for reading; complete for editors of the record.
fn shown(row: contact_person::Model, record: &Record, within: bool) -> Result<ContactPerson> {
    let record = RecordRef {
        kind: record.kind,
        id: record.id,
    };
    let consent = consent(&row);
    let visibility = visibility(&row)?;
    Ok(ContactPerson {
        id: row.id,
        record,
        name: row.name,
        role: row.role,
        email: row.email,
        phone: row.phone,
        language: row.language,
        version: within.then_some(row.version),
        created_at: within.then_some(row.created_at),
        updated_at: within.then_some(row.updated_at),
        purpose: within.then_some(row.purpose),
        consent: consent.filter(|_| within),
        visibility: within.then_some(visibility),
    })
}

/// Rows with their records as the holders see them, for any caller.
pub(crate) async fn all_shown(
    db: &impl ConnectionTrait,
    rows: Vec<contact_person::Model>,
) -> Result<Vec<ContactPerson>> {
    let ids: BTreeSet<Uuid> = rows.iter().map(|row| row.record_id).collect();
    let standing = merge_targets(db, ids.iter().copied()).await?;
    let stands = |id: &Uuid| standing.get(id).copied().unwrap_or(*id);
    let records = record::Entity::find()
        .filter(record::Column::Id.is_in(ids.iter().map(stands)))
        .into_model::<Record>()
        .all(db)
        .await?;
    let shown = rows.into_iter().filter_map(|row| {
        let id = stands(&row.record_id);
        let record = records.iter().find(|record| record.id == id)?;
        Some(shown(row, record, true))
    });
    shown.collect()
}
