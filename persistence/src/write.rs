//! Creating, changing and deleting records: the only write path.

pub mod geometry;
pub mod idempotency;

mod conflict;
mod delete;
mod edges;
pub(crate) mod prepare;
pub(crate) mod resolve;
mod revive;
mod satellites;

use crate::entity::record;
use crate::error::{Denied, Result, StoreError};
use crate::store::Store;
use crate::unit::{Unit, WriteOptions};
use domain::access::rules::{Action, Caller, Subject};
use domain::base::fault::FieldError;
use domain::base::json::merge_patch;
use domain::base::kind::Kind;
use domain::base::vocabulary::Coded;
use domain::kinds::common::Publication;
use sea_orm::sea_query::LockType;
use sea_orm::{
    ActiveModelTrait, ColumnTrait, EntityTrait, IntoActiveModel, QueryFilter, QuerySelect,
};
use serde_json::Value;
use uuid::Uuid;

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Precondition {
    /// Any version (`If-Match: *`, or a job of the node).
    Any,
    Versions(Vec<i64>),
}

impl Precondition {
    pub(crate) fn met_by(&self, current: i64) -> Result<()> {
        match self {
            Self::Versions(versions) if !versions.contains(&current) => {
                Err(StoreError::PreconditionFailed { current })
            }
            Self::Versions(_) | Self::Any => Ok(()),
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

#[derive(Debug, Clone)]
pub struct Saved {
    pub row: record::Model,
    /// Values that are probably wrong but accepted.
    pub warnings: Vec<FieldError>,
    pub changed: bool,
}

impl Store {
    pub async fn create(
        &self,
        caller: &Caller,
        kind: Kind,
        body: &Value,
        options: &WriteOptions,
    ) -> Result<Saved> {
        self.write(caller, options, async |unit| {
            unit.create(kind, domain::base::id::new(), body.clone())
                .await
        })
        .await
    }

    pub async fn modify(
        &self,
        caller: &Caller,
        (kind, id): (Kind, Uuid),
        expected: &Precondition,
        edit: &Edit,
        options: &WriteOptions,
    ) -> Result<Saved> {
        self.write(caller, options, async |unit| {
            let old = unit.for_update(kind, id, expected).await?;
            unit.modify(old, edit.clone()).await
        })
        .await
    }

    /// Deletes a record and its own relationships.
    pub async fn delete(
        &self,
        caller: &Caller,
        (kind, id): (Kind, Uuid),
        expected: &Precondition,
        options: &WriteOptions,
    ) -> Result<()> {
        self.write(caller, options, async |unit| {
            let old = unit.for_update(kind, id, expected).await?;
            unit.delete(old).await
        })
        .await
    }
}

impl Unit<'_> {
    /// Creates a record under `id`, as one of several changes in one transaction.
    pub async fn create(&mut self, kind: Kind, id: Uuid, sent: Value) -> Result<Saved> {
        // The key of a deleted record revives it.
        let dead = self.dead(kind, id, &sent).await?;
        if let Some(dead) = &dead {
            self.refuse_erased(kind, dead)?;
            self.refuse_merged(kind, dead).await?;
        }
        let id = dead.as_ref().map_or(id, |dead| dead.id);
        let prepared = self.prepare(kind, id, sent, None).await?;
        let mut row = self.row(kind, id, &prepared)?;
        self.refuse_supplied(row.system.as_deref()).await?;
        self.refuse_conflicts(&row, &prepared).await?;
        if let Some(dead) = dead {
            self.revive(kind, &dead).await?;
            row.version = dead.version + 1;
            row.created_at = dead.created_at;
            row.was_public |= dead.was_public;
        }
        self.insert(&mut row, &prepared).await?;
        Ok(Saved {
            row,
            warnings: prepared.warnings,
            changed: true,
        })
    }

    /// Changes a record that [`Self::for_update`] has read.
    pub async fn modify(&mut self, old: record::Model, edit: Edit) -> Result<Saved> {
        self.refuse_supplied(old.system.as_deref()).await?;
        let kind = kind_of(&old)?;
        let sent = match edit {
            Edit::Replace(body) => body,
            Edit::Patch(patch) => {
                let mut body = parse_body(&old)?;
                merge_patch(&mut body, &patch);
                body
            }
        };
        let prepared = self.prepare(kind, old.id, sent, Some(&old)).await?;
        let mut row = self.row(kind, old.id, &prepared)?;
        row.created_at = old.created_at;
        row.was_public |= old.was_public;
        row.withheld = old.withheld;
        row.shown &= !row.withheld;
        row.seq = old.seq;
        if row.body == old.body {
            return Ok(Saved {
                row: old,
                warnings: prepared.warnings,
                changed: false,
            });
        }
        if old.system.is_none() {
            self.refuse_supplied(row.system.as_deref()).await?;
        }
        row.version = old.version + 1;
        self.refuse_conflicts(&row, &prepared).await?;
        self.leave_redirect(&old, &row).await?;
        row.clone()
            .into_active_model()
            .reset_all()
            .update(&self.tx)
            .await?;
        self.clear_satellites(old.id).await?;
        self.write_satellites(&row, &prepared).await?;
        if kind == Kind::Relationship {
            // Another end may have made another statement, or none.
            self.note_withheld(&mut row).await?;
        }
        self.note_shown(&mut row).await?;
        self.log_upsert(Some(&old), &row).await?;
        Ok(Saved {
            row,
            warnings: prepared.warnings,
            changed: true,
        })
    }

    /// The row of a record that the caller may change, locked against other changes; references to
    /// it are not blocked, or a region with many writers could never be changed.
    pub async fn for_update(
        &self,
        kind: Kind,
        id: Uuid,
        expected: &Precondition,
    ) -> Result<record::Model> {
        let row = self.locked(kind, id).await?;
        let subject = self.subject(&row)?;
        if !self.caller.sees(&subject) {
            return Err(StoreError::NotFound);
        }
        self.authorise(Action::Write, &subject)?;
        expected.met_by(row.version)?;
        Ok(row)
    }

    /// A row, locked against other changes, for any caller.
    pub(crate) async fn locked(&self, kind: Kind, id: Uuid) -> Result<record::Model> {
        let mut query = record::Entity::find_by_id(id).filter(record::Column::Kind.eq(kind.code()));
        if self.db().is_postgres() {
            query = query.lock(LockType::NoKeyUpdate);
        }
        query.one(&self.tx).await?.ok_or(StoreError::NotFound)
    }

    pub(crate) fn authorise(&self, action: Action, subject: &Subject<'_>) -> Result<()> {
        if self.caller.may(action, subject) {
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
}

impl Unit<'_> {
    pub(crate) fn subject<'a>(&self, row: &'a record::Model) -> Result<Subject<'a>> {
        subject(row, &self.origin)
    }
}

impl Store {
    pub(crate) fn subject<'a>(&self, row: &'a record::Model) -> Result<Subject<'a>> {
        subject(row, &self.node().origin)
    }
}

fn subject<'a>(row: &'a record::Model, origin: &str) -> Result<Subject<'a>> {
    Ok(Subject {
        own: row.origin == origin,
        kind: kind_of(row)?,
        home_region: row.home_region,
        // Withheld records count as unpublished for everyone.
        publication: match publication_of(row)? {
            _ if row.withheld => Publication::Draft,
            publication => publication,
        },
        system: row.system.as_deref(),
    })
}

/// The publication of a row, whether it is withheld or not.
pub(crate) fn publication_of(row: &record::Model) -> Result<Publication> {
    Publication::parse(&row.publication)
        .ok_or_else(|| StoreError::Corrupt(format!("publication {}", row.publication)))
}

/// The kind of a row.
pub fn kind_of(row: &record::Model) -> Result<Kind> {
    Kind::parse(&row.kind).ok_or_else(|| StoreError::Corrupt(format!("kind {}", row.kind)))
}

pub(crate) fn parse_body(row: &record::Model) -> Result<Value> {
    serde_json::from_str(&row.body).map_err(|why| StoreError::Corrupt(why.to_string()))
}
