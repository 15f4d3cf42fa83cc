//! Statements of the ends of relationships: stored separately from the record, at this node, for
//! copies too.

use crate::entity::{confirmation, edge, record};
use crate::error::{Denied, Result, StoreError};
use crate::store::Store;
use crate::unit::WriteOptions;
use crate::write::Precondition;
use domain::access::rules::{Action, Caller};
use domain::base::kind::Kind;
use domain::base::vocabulary::Coded;
use domain::statements::confirmation::{
    Confirmation, ConfirmationInput, ConfirmationState, EndName, Statement,
};
use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, IntoActiveModel, QueryFilter};
use std::collections::BTreeMap;
use uuid::Uuid;

/// The statements of both ends, and their version.
#[derive(Debug)]
pub struct Stated {
    pub confirmation: Confirmation,
    /// Rises when an end makes a statement and when the relationship changes: statements about a
    /// relationship that has changed since must be reviewed.
    pub version: i64,
}

/// The states of the statements of both ends.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct States {
    pub from: Option<ConfirmationState>,
    pub to: Option<ConfirmationState>,
}

impl Store {
    /// The statements of the ends of a relationship that the caller sees.
    pub async fn confirmation(&self, caller: &Caller, row: &record::Model) -> Result<Stated> {
        let tx = self.db().begin_read().await?;
        let statements = statements(&tx, row.id).await?;
        let edge = edge::Entity::find_by_id(row.id).one(&tx).await?;
        let edge = edge.ok_or(StoreError::NotFound)?;
        let within = self.may_write_an_end(&tx, caller, &edge).await?;
        tx.commit().await?;
        stated(row, &edge, &statements, within)
    }

    /// Stores the statement of an end of a relationship.
    ///
    /// # Errors
    /// [`StoreError::Forbidden`] unless the end is a record of this node and the caller its
    /// approver, [`StoreError::PreconditionFailed`].
    pub async fn confirm(
        &self,
        caller: &Caller,
        id: Uuid,
        expected: &Precondition,
        input: &ConfirmationInput,
        options: &WriteOptions,
    ) -> Result<Stated> {
        self.write(caller, options, async |unit| {
            let row = unit.locked(Kind::Relationship, id).await?;
            let edge = edge::Entity::find_by_id(id).one(&unit.tx).await?;
            let edge = edge.ok_or(StoreError::NotFound)?;
            let end = match input.end {
                EndName::From => edge.from_id,
                EndName::To => edge.to_id,
            };
            let end = unit.approved_end(end).await?;
            let mut known = statements(&unit.tx, id).await?;
            let current = version(&row, &known);
            if let Precondition::Versions(some) = expected
                && !some.contains(&current)
            {
                return Err(StoreError::PreconditionFailed { current });
            }
            let old = known.remove(&end);
            let same = old
                .as_ref()
                .is_some_and(|old| old.state == input.state.code() && old.note == input.note);
            let new = confirmation::Model {
                record_id: id,
                end_id: end,
                state: input.state.code().to_owned(),
                note: input.note.clone(),
                version: old.as_ref().map_or(1, |old| old.version + 1),
                by: caller.account,
                at: unit.now,
            };
            if let (true, Some(old)) = (same, old) {
                known.insert(end, old);
            } else {
                unit.keep_statement(&new).await?;
                unit.reconsider(&row).await?;
                known.insert(end, new);
            }
            stated(&row, &edge, &known, true)
        })
        .await
    }

    /// Whether the caller may write a record of this node at one of the ends.
    pub(crate) async fn may_write_an_end(
        &self,
        db: &impl ConnectionTrait,
        caller: &Caller,
        edge: &edge::Model,
    ) -> Result<bool> {
        if caller.grants.is_empty() {
            return Ok(false);
        }
        let ends = record::Entity::find()
            .filter(record::Column::Id.is_in(edge.from_id.into_iter().chain(edge.to_id)))
            .all(db)
            .await?;
        for end in &ends {
            if caller.may(Action::Write, &self.subject(end)?) {
                return Ok(true);
            }
        }
        Ok(false)
    }
}

impl crate::unit::Unit<'_> {
    /// The end, if the caller is an approver of it.
    async fn approved_end(&self, end: Option<Uuid>) -> Result<Uuid> {
        let denied = || StoreError::Forbidden(Denied::End);
        let id = end.ok_or_else(denied)?;
        let row = record::Entity::find_by_id(id).one(&self.tx).await?;
        let row = row.ok_or_else(denied)?;
        let may = self.caller.may(Action::Confirm, &self.subject(&row)?);
        may.then_some(id).ok_or_else(denied)
    }

    async fn keep_statement(&self, new: &confirmation::Model) -> Result<()> {
        let key = (new.record_id, new.end_id);
        confirmation::Entity::delete_by_id(key)
            .exec(&self.tx)
            .await?;
        confirmation::Entity::insert(new.clone().into_active_model())
            .exec_without_returning(&self.tx)
            .await?;
        Ok(())
    }
}

/// All statements about a relationship, by the record that made them.
async fn statements(
    db: &impl ConnectionTrait,
    id: Uuid,
) -> Result<BTreeMap<Uuid, confirmation::Model>> {
    let rows = confirmation::Entity::find()
        .filter(confirmation::Column::RecordId.eq(id))
        .all(db)
        .await?;
    Ok(rows.into_iter().map(|row| (row.end_id, row)).collect())
}

fn version(row: &record::Model, statements: &BTreeMap<Uuid, confirmation::Model>) -> i64 {
    let stated: i64 = statements.values().map(|one| one.version).sum();
    row.version + stated
}

fn stated(
    row: &record::Model,
    edge: &edge::Model,
    statements: &BTreeMap<Uuid, confirmation::Model>,
    within: bool,
) -> Result<Stated> {
    let statement = |end: Option<Uuid>| -> Result<Option<Statement>> {
        let Some(row) = end.and_then(|end| statements.get(&end)) else {
            return Ok(None);
        };
        Ok(Some(Statement {
            state: state(row)?,
            at: row.at,
            note: row.note.clone().filter(|_| within),
            by: row.by.filter(|_| within),
        }))
    };
    Ok(Stated {
        confirmation: Confirmation {
            from: statement(edge.from_id)?,
            to: statement(edge.to_id)?,
        },
        version: version(row, statements),
    })
}

fn state(row: &confirmation::Model) -> Result<ConfirmationState> {
    let known = ConfirmationState::parse(&row.state);
    known.ok_or_else(|| StoreError::Corrupt(format!("confirmation {}", row.state)))
}

/// The states of many relationships, by relationship, in one query.
pub(crate) async fn states<'a>(
    db: &impl ConnectionTrait,
    edges: impl Iterator<Item = &'a edge::Model> + Clone,
) -> Result<BTreeMap<Uuid, States>> {
    let ids: Vec<Uuid> = edges.clone().map(|edge| edge.record_id).collect();
    let rows = confirmation::Entity::find()
        .filter(confirmation::Column::RecordId.is_in(ids))
        .all(db)
        .await?;
    let mut stated: BTreeMap<(Uuid, Uuid), ConfirmationState> = BTreeMap::new();
    for row in &rows {
        stated.insert((row.record_id, row.end_id), state(row)?);
    }
    let of = |edge: &edge::Model, end: Option<Uuid>| {
        end.and_then(|end| stated.get(&(edge.record_id, end)).copied())
    };
    Ok(edges
        .map(|edge| {
            let states = States {
                from: of(edge, edge.from_id),
                to: of(edge, edge.to_id),
            };
            (edge.record_id, states)
        })
        .collect())
}
