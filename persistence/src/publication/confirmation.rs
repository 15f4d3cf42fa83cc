//! Statements of the ends of relationships: stored separately from the record, at this node, for
//! copies too.

use crate::entity::{confirmation, edge, record};
use crate::error::{Denied, Result, StoreError};
use crate::read::statements::{may_write_an_end, state, statements};
use crate::record::Record;
use crate::store::{REFERENCE_ORIGIN, Store};
use crate::transaction::{Transaction, WriteOptions};
use crate::visibility::suppressed::{keep_statement, reconsider};
use crate::write::{Precondition, locked};
use domain::access::rules::{Action, Caller};
use domain::base::kind::Kind;
use domain::base::vocabulary::Coded;
use domain::kinds::relationship::RelationshipType;
use domain::statements::confirmation::{Confirmation, ConfirmationInput, EndName, Statement};
use sea_orm::EntityTrait;
use std::collections::BTreeMap;
use uuid::Uuid;

#[derive(Debug)]
pub struct Stated {
    pub confirmation: Confirmation,
    /// Rises when an end makes a statement and when the relationship changes: statements about a
    /// relationship that has changed since must be reviewed.
    pub version: i64,
}

/// Room of the statements of ends.
#[derive(Debug, Clone, Copy)]
pub struct Confirmations<'a> {
    pub(crate) store: &'a Store,
}

impl Store {
    #[must_use]
    pub fn confirmations(&self) -> Confirmations<'_> {
        Confirmations { store: self }
    }
}

impl Confirmations<'_> {
    /// The statements of the ends of a relationship that the caller sees.
    pub async fn get(self, caller: &Caller, row: &Record) -> Result<Stated> {
        let tx = self.store.db().begin_read().await?;
        let statements = statements(&tx, row.id).await?;
        let edge = edge::Entity::find_by_id(row.id).one(&tx).await?;
        let edge = edge.ok_or(StoreError::NotFound)?;
        let within = may_write_an_end(self.store, &tx, caller, &edge).await?;
        tx.commit().await?;
        stated(row, &edge, &statements, within)
    }

    /// Stores the statement of an end of a relationship.
    ///
    /// # Errors
    /// [`StoreError::Forbidden`] unless the end is a record of this node and the caller its
    /// approver, [`StoreError::PreconditionFailed`].
    pub async fn update(
        self,
        caller: &Caller,
        id: Uuid,
        expected: &Precondition,
        input: &ConfirmationInput,
        options: &WriteOptions,
    ) -> Result<Stated> {
        self.store
            .write(caller, options, async |tx| {
                let row = locked(tx, Kind::Relationship, id).await?;
                let edge = edge::Entity::find_by_id(id).one(&tx.sql).await?;
                let edge = edge.ok_or(StoreError::NotFound)?;
                let end = match input.end {
                    EndName::From => edge.from_id,
                    EndName::To => edge.to_id,
                };
                let end = approved_end(tx, end).await?;
                let mut known = statements(&tx.sql, id).await?;
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
                    r#type: Some(edge.r#type.clone()),
                    from_id: edge.from_id,
                    to_id: edge.to_id,
                    state: input.state.code().to_owned(),
                    note: input.note.clone(),
                    version: old.as_ref().map_or(1, |old| old.version + 1),
                    by: caller.account,
                    at: tx.now,
                };
                if let (true, Some(old)) = (same, old) {
                    known.insert(end, old);
                } else {
                    keep_statement(tx, &new).await?;
                    let shapes = RelationshipType::parse(&edge.r#type)
                        .is_some_and(|one| one.rule().shapes_trees);
                    // Whether it shapes the trees depends on what its ends state.
                    if !reconsider(tx, &row).await? && shapes {
                        tx.log().visibility(&row, row.is_public);
                    }
                    known.insert(end, new);
                }
                stated(&row, &edge, &known, true)
            })
            .await
    }
}

/// The end, if the caller is an approver of it. For the reference data the admin of the whole node
/// speaks.
async fn approved_end(tx: &Transaction<'_>, end: Option<Uuid>) -> Result<Uuid> {
    let denied = || StoreError::Forbidden(Denied::End);
    let id = end.ok_or_else(denied)?;
    let row = record::Entity::find_by_id(id)
        .into_model::<Record>()
        .one(&tx.sql)
        .await?;
    let row = row.ok_or_else(denied)?;
    let reference = row.origin == REFERENCE_ORIGIN && tx.caller.is_node_admin();
    let may = reference || tx.caller.is_allowed(Action::Confirm, &tx.subject(&row));
    may.then_some(id).ok_or_else(denied)
}

fn version(row: &Record, statements: &BTreeMap<Uuid, confirmation::Model>) -> i64 {
    let stated: i64 = statements.values().map(|one| one.version).sum();
    row.version + stated
}

fn stated(
    row: &Record,
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
