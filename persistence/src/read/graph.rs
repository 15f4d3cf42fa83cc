//! The graph around a record: the records within some steps of it, and their relationships.

use crate::db::SqlTransaction;
use crate::entity::{edge, record};
use crate::error::{Result, StoreError};
use crate::merge_targets::with_losers;
use crate::read::relationships::{
    AllOf, RelationshipFilter, Relationships, bounds, col, conditions, each, joined, standing_at,
};
use crate::record::Record;
use domain::access::rules::Caller;
use domain::base::kind::Kind;
use domain::base::vocabulary::Coded;
use domain::kinds::relationship::RelationshipType;
use domain::kinds::relationship::on::RelationshipsOn;
use domain::value::edtf::{Certainty, EdtfDate};
use sea_orm::sea_query::{
    Alias, CaseStatement, Condition, ExprTrait, Order, SelectStatement, UnionType,
};
use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter};
use std::collections::{BTreeMap, BTreeSet};
use uuid::Uuid;

#[derive(Debug, Clone)]
pub struct GraphQuery {
    pub from: Uuid,
    pub depth: u8,
    pub types: AllOf<RelationshipType>,
    /// The kinds of records that count; the one in the middle always does.
    pub kinds: AllOf<Kind>,
    /// When the relationships have to hold; those of today if absent.
    pub on: Option<RelationshipsOn>,
    pub max_vertices: usize,
    pub max_edges: usize,
}

#[derive(Debug)]
pub struct Graph {
    pub vertices: Vec<Vertex>,
    /// The relationships between them, and those to open ends; nearest first, then by type,
    /// position and id.
    pub edges: Vec<Edge>,
    /// Whether something was left out because of the limits.
    pub truncated: bool,
}

#[derive(Debug)]
pub struct Vertex {
    pub row: Record,
    pub distance: u8,
}

#[derive(Debug)]
pub struct Edge {
    pub row: Record,
    /// Of the match, if a date was asked for.
    pub certainty: Option<Certainty>,
}

impl Relationships<'_> {
    /// The graph around a record: as much as the caller sees in lists.
    pub async fn graph(self, caller: &Caller, query: &GraphQuery) -> Result<Graph> {
        let filter = RelationshipFilter {
            types: query.types.clone(),
            on: query
                .on
                .unwrap_or_else(|| RelationshipsOn::Today(self.store.clock().today())),
            ..RelationshipFilter::default()
        };
        let visible = conditions(&filter, caller, &self.store.node().origin);
        // All steps see one state, so that no edge leads nowhere.
        let tx = self.store.db().begin_read().await?;
        let middle = record::Entity::find_by_id(query.from)
            .into_model::<Record>()
            .one(&tx)
            .await?;
        let middle = middle.ok_or(StoreError::NotFound)?;
        if !caller.can_read(&self.store.subject(&middle)) {
            return Err(StoreError::NotFound);
        }
        let (levels, more) = levels(&tx, query, &visible).await?;
        let (edges, cut) = edges(&tx, query, &visible, &levels).await?;
        let vertices = vertices(&tx, &levels).await?;
        tx.commit().await?;
        Ok(Graph {
            vertices,
            edges,
            truncated: more || cut,
        })
    }
}

/// The ids of the records by distance, and whether there are more; one query per step.
async fn levels(
    tx: &SqlTransaction,
    query: &GraphQuery,
    visible: &Condition,
) -> Result<(Vec<Vec<Uuid>>, bool)> {
    let mut levels = vec![vec![query.from]];
    for _ in 0..query.depth {
        let seen = levels.concat();
        let room = query.max_vertices.saturating_sub(seen.len());
        let last = levels.last().map(Vec::as_slice).unwrap_or_default();
        // A reference to a merged record means its merge target.
        let last = with_losers(tx, last.iter().copied()).await?;
        let step = neighbours(query, visible, &last, &seen, room + 1);
        let mut next = ids(tx, &step).await?;
        let more = next.len() > room;
        next.truncate(room);
        if !next.is_empty() {
            levels.push(next);
        }
        // The nearest are left out last; nothing behind them could be shown.
        if more || levels.concat().len() == seen.len() {
            return Ok((levels, more));
        }
    }
    Ok((levels, false))
}

/// The first `limit` records one step from `last` that are not among `seen`.
fn neighbours(
    query: &GraphQuery,
    visible: &Condition,
    last: &BTreeSet<Uuid>,
    seen: &[Uuid],
    limit: usize,
) -> SelectStatement {
    let from = (edge::Column::FromId, edge::Column::FromKind);
    let to = (edge::Column::ToId, edge::Column::ToKind);
    let ways = [(from, to), (to, from)];
    let [mut there, back] = ways.map(|((near, _), (far, kind))| {
        let fits = each(visible.clone(), &query.kinds, |one| {
            col("e", kind).eq(one.code())
        });
        let mut select = joined();
        select
            .expr_as(standing_at(far), Alias::new("id"))
            .cond_where(fits)
            .and_where(col("e", near).is_in(last.iter().copied()))
            .and_where(standing_at(far).is_not_in(seen.iter().copied()));
        select
    });
    there
        .union(UnionType::Distinct, back)
        .order_by(Alias::new("id"), Order::Asc)
        .limit(limit as u64);
    there
}

/// The edges between the records, with those to open ends; and whether there are more.
async fn edges(
    tx: &SqlTransaction,
    query: &GraphQuery,
    visible: &Condition,
    levels: &[Vec<Uuid>],
) -> Result<(Vec<Edge>, bool)> {
    // An open end is one step further than the record of its relationship.
    let inner = levels.iter().take(usize::from(query.depth)).flatten();
    let inner = with_losers(tx, inner.copied()).await?;
    let all = with_losers(tx, levels.iter().flatten().copied()).await?;
    let at = |column, ids: &BTreeSet<Uuid>| col("e", column).is_in(ids.iter().copied());
    let near = |column, ids: &[Uuid]| standing_at(column).is_in(ids.iter().copied());
    let open = |known, open, kind| {
        let open = Condition::all()
            .add(at(known, &inner))
            .add(col("e", open).is_null());
        each(open, &query.kinds, |one| col("e", kind).eq(one.code()))
    };
    let (from, to) = (edge::Column::FromId, edge::Column::ToId);
    let within = Condition::any()
        .add(at(from, &all).and(at(to, &all)))
        .add(open(from, to, edge::Column::ToKind))
        .add(open(to, from, edge::Column::FromKind));
    let mut nearest = CaseStatement::new();
    for (distance, level) in (0_i32..).zip(levels) {
        nearest = nearest.case(near(from, level).or(near(to, level)), distance);
    }
    let mut select = joined();
    select
        .expr(col("e", edge::Column::RecordId))
        .cond_where(visible.clone())
        .cond_where(within)
        .order_by_expr(nearest.into(), Order::Asc);
    for expression in crate::read::relationships::order() {
        select.order_by_expr(expression, Order::Asc);
    }
    select.limit(query.max_edges as u64 + 1);
    let mut ids = ids(tx, &select).await?;
    let more = ids.len() > query.max_edges;
    ids.truncate(query.max_edges);
    let mut rows = rows_of(tx, &ids).await?;
    let date = query.on.and_then(RelationshipsOn::date);
    let certainties = certainties(tx, &ids, date.as_ref()).await?;
    let edges = ids.iter().filter_map(|id| {
        Some(Edge {
            row: rows.remove(id)?,
            certainty: certainties.get(id).copied().flatten(),
        })
    });
    Ok((edges.collect(), more))
}

async fn certainties(
    tx: &SqlTransaction,
    ids: &[Uuid],
    when: Option<&EdtfDate>,
) -> Result<BTreeMap<Uuid, Option<Certainty>>> {
    let Some(when) = when else {
        return Ok(BTreeMap::new());
    };
    let edges = edge::Entity::find()
        .filter(edge::Column::RecordId.is_in(ids.iter().copied()))
        .all(tx)
        .await?;
    let edges = edges.iter();
    Ok(edges
        .map(|edge| (edge.record_id, bounds(edge).active_on(when)))
        .collect())
}

async fn vertices(tx: &SqlTransaction, levels: &[Vec<Uuid>]) -> Result<Vec<Vertex>> {
    let mut rows = rows_of(tx, &levels.concat()).await?;
    let mut vertices = Vec::with_capacity(rows.len());
    for (distance, level) in (0_u8..).zip(levels) {
        let found = level.iter().filter_map(|id| rows.remove(id));
        vertices.extend(found.map(|row| Vertex { row, distance }));
    }
    Ok(vertices)
}

async fn ids(tx: &SqlTransaction, select: &SelectStatement) -> Result<Vec<Uuid>> {
    let rows = tx.query_all(select).await?;
    let ids = rows.iter().map(|row| row.try_get_by_index(0));
    Ok(ids.collect::<Result<_, _>>()?)
}

async fn rows_of(tx: &SqlTransaction, ids: &[Uuid]) -> Result<BTreeMap<Uuid, Record>> {
    let rows = record::Entity::find()
        .filter(record::Column::Id.is_in(ids.iter().copied()))
        .into_model::<Record>()
        .all(tx)
        .await?;
    Ok(rows.into_iter().map(|row| (row.id, row)).collect())
}
