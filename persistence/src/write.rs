//! Creating, changing and deleting records: the only write path.

pub mod idempotency;
pub mod outcome;
pub mod readings;
pub mod removals;

pub(crate) mod conflict;
pub(crate) mod delete;
pub(crate) mod derived_rows;
pub(crate) mod edges;
pub(crate) mod names;
pub(crate) mod prepare;
pub(crate) mod resolve;
pub(crate) mod revive;
pub(crate) mod supplied;

pub use delete::Deletion;

use crate::entity::record;
use crate::error::{Result, StoreError};
use crate::record::Record;
use crate::records::{Records, RecordsMut};
use crate::transaction::{Transaction, WriteOptions};
use crate::visibility::public::update_is_public;
use crate::visibility::suppressed::{inherit_disputes, update_suppressed};
use crate::write::conflict::refuse_conflicts;
use crate::write::derived_rows::{
    clear_derived_rows, drop_redirect, leave_redirect, write_derived_rows,
};
use crate::write::prepare::{Prepared, prepare, row};
use crate::write::revive::{dead, refuse_erased, refuse_merged, revive};
use crate::write::supplied::refuse_supplied;
use domain::access::rules::{Action, Caller};
use domain::base::fault::FieldError;
use domain::base::kind::Kind;
use domain::base::vocabulary::Coded;
use domain::exchange::line::Statement;
use domain::validation::body::KindSchema;
use sea_orm::sea_query::LockType;
use sea_orm::{
    ActiveModelTrait, ColumnTrait, EntityTrait, IntoActiveModel, QueryFilter, QuerySelect,
};
use serde_json::Value;
use uuid::Uuid;

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Precondition {
    /// Any version.
    Any,
    Versions(Vec<i64>),
    /// Any version but these.
    Except(Vec<i64>),
}

impl Precondition {
    pub(crate) fn met_by(&self, current: i64) -> Result<()> {
        let is_met = match self {
            Self::Any => true,
            Self::Versions(versions) => versions.contains(&current),
            Self::Except(versions) => !versions.contains(&current),
        };
        if is_met {
            Ok(())
        } else {
            Err(StoreError::PreconditionFailed { current })
        }
    }
}

#[derive(Debug, Clone)]
pub enum Edit {
    /// Replace it by a new body; `slug`, `external_id` and `publication` stay if absent.
    Replace(Value),
    /// Apply a JSON merge patch (RFC 7396).
    Patch(Value),
}

impl Edit {
    /// What a line with this record states of a stored one.
    pub(crate) fn stated(record: Value, statement: &Statement, stored: &Record) -> Result<Self> {
        Ok(match statement {
            Statement::Whole => Self::Replace(record),
            Statement::Merge => Self::Patch(record),
            Statement::Cells(cells) => {
                let changed = cells.apply(&stored.parse_body()?);
                Self::Replace(changed.map_err(|error| StoreError::Invalid(vec![error]))?)
            }
        })
    }
}

#[derive(Debug, Clone)]
pub struct Saved {
    pub row: Record,
    pub warnings: Vec<FieldError>,
    pub changed: bool,
}

impl Records<'_> {
    pub async fn create(
        self,
        caller: &Caller,
        kind: Kind,
        body: &Value,
        options: &WriteOptions,
    ) -> Result<Saved> {
        self.store
            .write(caller, options, async |tx| {
                let id = domain::base::id::new();
                tx.records().create_alone(kind, id, body.clone()).await
            })
            .await
    }

    pub async fn update(
        self,
        caller: &Caller,
        (kind, id): (Kind, Uuid),
        expected: &Precondition,
        edit: &Edit,
        options: &WriteOptions,
    ) -> Result<Saved> {
        self.store
            .write(caller, options, async |tx| {
                let records = tx.records();
                records
                    .update_alone((kind, id), expected, edit.clone())
                    .await
            })
            .await
    }

    /// Deletes a record with its relationships and contact persons.
    pub async fn delete(
        self,
        caller: &Caller,
        (kind, id): (Kind, Uuid),
        expected: &Precondition,
        options: &WriteOptions,
    ) -> Result<Deletion> {
        self.store
            .write(caller, options, async |tx| {
                let old = tx.records().lock(kind, id, expected).await?;
                tx.records().delete(old).await
            })
            .await
    }
}

impl RecordsMut<'_, '_> {
    /// Creates a record under `id`, as the only change in its transaction.
    pub async fn create_alone(self, kind: Kind, id: Uuid, sent: Value) -> Result<Saved> {
        let tx = self.tx;
        let mut saved = tx.records().create(kind, id, sent).await?;
        tx.finish(&mut saved.row).await?;
        Ok(saved)
    }

    /// Changes a record, as the only change in its transaction.
    pub async fn update_alone(
        self,
        (kind, id): (Kind, Uuid),
        expected: &Precondition,
        edit: Edit,
    ) -> Result<Saved> {
        let tx = self.tx;
        let old = tx.records().lock(kind, id, expected).await?;
        let mut saved = tx.records().update(old, edit).await?;
        tx.finish(&mut saved.row).await?;
        Ok(saved)
    }

    /// Creates a record under `id`, as one of several changes in one transaction.
    pub async fn create(self, kind: Kind, id: Uuid, sent: Value) -> Result<Saved> {
        // The key of a deleted record revives it.
        let dead = dead(self.tx, kind, id, &sent).await?;
        if let Some(dead) = &dead {
            refuse_erased(self.tx, kind, dead)?;
            refuse_merged(self.tx, kind, dead).await?;
        }
        let id = dead.as_ref().map_or(id, |dead| dead.id);
        let prepared = prepare(self.tx, kind, id, sent, None).await?;
        let mut row = row(self.tx, kind, id, &prepared)?;
        refuse_supplied(self.tx, row.system.as_deref()).await?;
        refuse_conflicts(self.tx, &row, &prepared).await?;
        if let Some(dead) = dead {
            revive(self.tx, kind, &dead).await?;
            row.version = dead.version + 1;
            row.created_at = dead.created_at;
            row.was_public |= dead.was_public;
        }
        insert_record(self.tx, &mut row, &prepared).await?;
        Ok(Saved {
            row,
            warnings: prepared.warnings,
            changed: true,
        })
    }

    /// Changes a record that [`Self::lock`] has read.
    pub async fn update(self, old: Record, edit: Edit) -> Result<Saved> {
        refuse_supplied(self.tx, old.system.as_deref()).await?;
        let kind = old.kind;
        let sent = match edit {
            Edit::Replace(body) => body,
            Edit::Patch(patch) => KindSchema::of(kind).patched(old.parse_body()?, &patch),
        };
        let prepared = prepare(self.tx, kind, old.id, sent, Some(&old)).await?;
        let mut row = row(self.tx, kind, old.id, &prepared)?;
        row.created_at = old.created_at;
        row.was_public |= old.was_public;
        row.suppressed = old.suppressed;
        row.is_public &= !row.suppressed;
        row.seq = old.seq;
        if row.body == old.body {
            return Ok(Saved {
                row: old,
                warnings: prepared.warnings,
                changed: false,
            });
        }
        if old.system.is_none() {
            refuse_supplied(self.tx, row.system.as_deref()).await?;
        }
        row.version = old.version + 1;
        refuse_conflicts(self.tx, &row, &prepared).await?;
        leave_redirect(self.tx, &old, &row).await?;
        row.clone()
            .into_active_model()
            .reset_all()
            .update(&self.tx.sql)
            .await?;
        clear_derived_rows(self.tx, old.id).await?;
        write_derived_rows(self.tx, &row, &prepared).await?;
        if kind == Kind::Relationship {
            // Another end may have made another statement, or none.
            inherit_disputes(self.tx, &row).await?;
            update_suppressed(self.tx, &mut row).await?;
        }
        update_is_public(self.tx, &mut row).await?;
        self.tx.log().upsert(Some(&old), &row).await?;
        Ok(Saved {
            row,
            warnings: prepared.warnings,
            changed: true,
        })
    }

    /// The row of a record that the caller may change, locked against other changes; references to
    /// it are not blocked, or a region with many writers could never be changed.
    pub async fn lock(self, kind: Kind, id: Uuid, expected: &Precondition) -> Result<Record> {
        let row = locked(self.tx, kind, id).await?;
        let subject = self.tx.subject(&row);
        if !self.tx.caller.can_read(&subject) {
            return Err(StoreError::NotFound);
        }
        self.tx.authorise(Action::Write, &subject)?;
        expected.met_by(row.version)?;
        Ok(row)
    }
}

pub(crate) async fn locked(tx: &Transaction<'_>, kind: Kind, id: Uuid) -> Result<Record> {
    let mut query = record::Entity::find_by_id(id).filter(record::Column::Kind.eq(kind.code()));
    if tx.db().is_postgres() {
        query = query.lock(LockType::NoKeyUpdate);
    }
    query
        .into_model::<Record>()
        .one(&tx.sql)
        .await?
        .ok_or(StoreError::NotFound)
}

/// Inserts a new or revived row with its derived rows and its log entry.
pub(crate) async fn insert_record(
    tx: &mut Transaction<'_>,
    row: &mut Record,
    prepared: &Prepared,
) -> Result<()> {
    if let Some(slug) = &row.slug {
        drop_redirect(tx, row.kind, slug).await?;
    }
    record::Entity::insert(row.clone().into_active_model())
        .exec_without_returning(&tx.sql)
        .await?;
    write_derived_rows(tx, row, prepared).await?;
    if inherit_disputes(tx, row).await? || row.version > 1 {
        update_suppressed(tx, row).await?;
    }
    update_is_public(tx, row).await?;
    tx.log().upsert(None, row).await
}
