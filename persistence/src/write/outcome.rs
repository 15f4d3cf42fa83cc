//! What became of a line of an import or an item of a push.

use crate::error::{Result, StoreError};
use crate::record::Record;
use crate::write::Saved;
use domain::base::fault::FieldError;
use domain::exchange::line::Statement;
use domain::exchange::removal::removed;
use domain::exchange::sync::PushStatus;
use serde_json::Value;
use std::collections::BTreeSet;
use uuid::Uuid;

#[derive(Debug)]
pub struct Outcome(pub Result<Applied>);

#[derive(Debug, Default)]
pub struct Applied {
    /// The change; absent if there was none.
    pub change: Option<Change>,
    pub id: Option<Uuid>,
    pub version: i64,
    pub before: i64,
    pub warnings: Vec<FieldError>,
}

#[derive(Debug)]
pub enum Change {
    /// The record is new, or restored.
    Created,
    Updated {
        members: Vec<String>,
        /// Members that are gone, as dotted paths.
        removed: Vec<String>,
        /// Whether a change by another caller may be lost, because nothing was given to detect it.
        overwritten: bool,
    },
    Deleted {
        along: Vec<Along>,
    },
}

/// A relationship that is deleted with a record.
#[derive(Debug)]
pub struct Along {
    pub(crate) id: Uuid,
    pub(crate) version: i64,
    pub(crate) supplied: bool,
}

impl Outcome {
    /// The outcome, unless it ends the transaction; the others have no effect.
    pub(crate) fn settled(outcome: Result<Applied>) -> Result<Self> {
        match outcome {
            Err(error) if error.is_of_database() => Err(error),
            Err(
                error @ (StoreError::Corrupt(_) | StoreError::Search(_) | StoreError::Setup(_)),
            ) => Err(error),
            outcome => Ok(Self(outcome)),
        }
    }

    /// Adds the cells of violations and warnings, if the statement is a row, and what was changed
    /// while it was read.
    pub(crate) fn located(mut self, statement: &Statement) -> Self {
        match &mut self.0 {
            Ok(applied) => {
                statement.locate(&mut applied.warnings);
                applied.warnings.extend(statement.warnings());
            }
            Err(StoreError::Invalid(errors)) => statement.locate(errors),
            Err(_) => {}
        }
        self
    }

    #[must_use]
    pub fn status(&self) -> PushStatus {
        match &self.0 {
            Ok(applied) => match applied.change {
                None => PushStatus::Unchanged,
                Some(Change::Created) => PushStatus::Created,
                Some(Change::Updated { .. }) => PushStatus::Updated,
                Some(Change::Deleted { .. }) => PushStatus::Deleted,
            },
            Err(_) => PushStatus::Failed,
        }
    }

    /// The record, unless there is none.
    #[must_use]
    pub fn id(&self) -> Option<Uuid> {
        self.0.as_ref().ok().and_then(|applied| applied.id)
    }
}

impl Applied {
    pub(crate) fn created(saved: Saved) -> Self {
        Self {
            change: Some(Change::Created),
            id: Some(saved.row.id),
            version: saved.row.version,
            before: 0,
            warnings: saved.warnings,
        }
    }

    pub(crate) fn updated(old: &Record, saved: Saved, overwritten: bool) -> Result<Self> {
        let mut change = None;
        if saved.changed {
            let (was, is) = (old.parse_body()?, saved.row.parse_body()?);
            change = Some(Change::Updated {
                members: differing(&was, &is),
                removed: removed(&was, &is),
                overwritten,
            });
        }
        Ok(Self {
            change,
            id: Some(old.id),
            version: saved.row.version,
            before: old.version,
            warnings: saved.warnings,
        })
    }

    pub(crate) fn unchanged(row: &Record) -> Self {
        Self {
            id: Some(row.id),
            version: row.version,
            before: row.version,
            ..Self::default()
        }
    }
}

/// The members in which two states of a record differ.
fn differing(old: &Value, new: &Value) -> Vec<String> {
    let members = |body: &Value| -> BTreeSet<String> {
        body.as_object()
            .map(|members| members.keys().cloned().collect())
            .unwrap_or_default()
    };
    let all = &members(old) | &members(new);
    let differ = |name: &String| old.get(name) != new.get(name);
    all.into_iter().filter(differ).collect()
}
