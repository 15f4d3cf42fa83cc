//! Reading the statements of the ends of relationships.

use crate::entity::{confirmation, edge, record};
use crate::error::{Result, StoreError};
use crate::record::Record;
use crate::store::Store;
use domain::access::rules::{Action, Caller};
use domain::base::vocabulary::Coded;
use domain::statements::confirmation::ConfirmationState;
use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter};
use std::collections::BTreeMap;
use uuid::Uuid;

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct States {
    pub from: Option<ConfirmationState>,
    pub to: Option<ConfirmationState>,
}

/// Whether the caller may write a record of this node at one of the ends.
pub(crate) async fn may_write_an_end(
    store: &Store,
    db: &impl ConnectionTrait,
    caller: &Caller,
    edge: &edge::Model,
) -> Result<bool> {
    if caller.grants.is_empty() {
        return Ok(false);
    }
    let ends = record::Entity::find()
        .filter(record::Column::Id.is_in(edge.from_id.into_iter().chain(edge.to_id)))
        .into_model::<Record>()
        .all(db)
        .await?;
    for end in &ends {
        if caller.is_allowed(Action::Write, &store.subject(end)) {
            return Ok(true);
        }
    }
    Ok(false)
}

/// All statements about a relationship, by the record that made them.
pub(crate) async fn statements(
    db: &impl ConnectionTrait,
    id: Uuid,
) -> Result<BTreeMap<Uuid, confirmation::Model>> {
    let rows = confirmation::Entity::find()
        .filter(confirmation::Column::RecordId.eq(id))
        .all(db)
        .await?;
    Ok(rows.into_iter().map(|row| (row.end_id, row)).collect())
}

pub(crate) fn state(row: &confirmation::Model) -> Result<ConfirmationState> {
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
