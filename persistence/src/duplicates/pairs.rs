//! The stored pairs, with what decides who may see them.

use crate::db::SqlTransaction;
use crate::entity::record::{self, Column};
use crate::entity::{duplicate_pair, edge};
use crate::error::{Result, StoreError};
use crate::merge_targets::merge_targets;
use crate::read::statements::states;
use crate::record::Record;
use crate::store::Store;
use domain::access::rules::{Caller, Subject};
use domain::base::kind::Kind;
use domain::base::vocabulary::Coded;
use domain::kinds::common::Publication;
use domain::kinds::relationship::RelationshipType;
use domain::matching::score::{Reason, ReasonCode};
use domain::statements::confirmation::ConfirmationState;
use sea_orm::sea_query::Query;
use sea_orm::{ColumnTrait, EntityTrait, FromQueryResult, QueryFilter, QuerySelect};
use serde::{Deserialize, Serialize};
use std::cmp::Reverse;
use std::collections::BTreeMap;
use uuid::Uuid;

/// Minimum requestable score; pairs below it are not cached.
pub const LEAST: f64 = 0.5;

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Side {
    pub kind: Kind,
    pub id: Uuid,
    pub slug: Option<String>,
    pub name: Option<String>,
    pub origin: String,
    pub(super) seen: Seen,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Seen {
    own: bool,
    kind: Kind,
    pub(super) home_region: Option<Uuid>,
    publication: Publication,
    system: Option<String>,
}

#[derive(Debug, Clone, PartialEq)]
pub struct DuplicatePair {
    pub score: f64,
    pub reasons: Vec<Reason>,
    /// By their ids.
    pub records: [Side; 2],
    /// The `same_as` relationships that already state it.
    joined: Vec<Seen>,
}

/// The position after the last pair of a page: thousandths of the score, then the ids.
#[derive(Serialize, Deserialize, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Position(Reverse<i64>, Uuid, Uuid);

impl Seen {
    fn subject(&self) -> Subject<'_> {
        Subject {
            own: self.own,
            kind: self.kind,
            home_region: self.home_region,
            publication: self.publication,
            system: self.system.as_deref(),
        }
    }
}

impl DuplicatePair {
    /// Whether both are this node's own, so that they can be merged here.
    #[must_use]
    pub fn can_be_merged(&self) -> bool {
        self.records.iter().all(|one| one.seen.own)
    }

    #[expect(
        clippy::cast_possible_truncation,
        reason = "a score is between 0 and 1"
    )]
    pub(super) fn position(&self) -> Position {
        let thousandths = (self.score * 1000.0).round() as i64;
        Position(Reverse(thousandths), self.records[0].id, self.records[1].id)
    }

    /// Whether the caller sees both and no relationship that joins them.
    pub(super) fn is_shown_to(&self, caller: &Caller) -> bool {
        let sees = |seen: &Seen| caller.can_read(&seen.subject());
        self.records.iter().all(|one| sees(&one.seen)) && !self.joined.iter().any(sees)
    }
}

/// `same_as` relationships by the two records that they join, the smaller id first.
type Joined = BTreeMap<(Uuid, Uuid), Vec<Seen>>;

#[derive(FromQueryResult)]
struct Row {
    id: Uuid,
    kind: String,
    origin: String,
    slug: Option<String>,
    name: Option<String>,
    system: Option<String>,
    home_region: Option<Uuid>,
    publication: String,
}

/// All pairs of existing records, most likely first.
pub(super) async fn read(store: &Store, tx: &SqlTransaction) -> Result<Vec<DuplicatePair>> {
    let rows = duplicate_pair::Entity::find().all(tx).await?;
    let sides = sides(store, tx).await?;
    let mut joined = joined(store, tx).await?;
    let mut pairs = Vec::with_capacity(rows.len());
    for row in rows {
        let (Some(a), Some(b)) = (sides.get(&row.a_id), sides.get(&row.b_id)) else {
            continue;
        };
        pairs.push(DuplicatePair {
            score: f64::from(row.score) / 1000.0,
            reasons: parse_reasons(&row.reasons)?,
            records: [a.clone(), b.clone()],
            joined: joined.remove(&(row.a_id, row.b_id)).unwrap_or_default(),
        });
    }
    pairs.sort_by_key(DuplicatePair::position);
    Ok(pairs)
}

pub(super) fn reasons_text(reasons: &[Reason]) -> String {
    let reasons = reasons.iter().map(|one| (one.code.code(), &one.value));
    // Texts are always JSON.
    serde_json::to_string(&reasons.collect::<Vec<_>>()).unwrap_or_default()
}

fn parse_reasons(text: &str) -> Result<Vec<Reason>> {
    let corrupt = |why: String| StoreError::Corrupt(format!("reasons of a pair: {why}"));
    let reasons: Vec<(String, Option<String>)> =
        serde_json::from_str(text).map_err(|why| corrupt(why.to_string()))?;
    let reasons = reasons.into_iter().map(|(code, value)| {
        let code = ReasonCode::parse(&code).ok_or_else(|| corrupt(code))?;
        Ok(Reason { code, value })
    });
    reasons.collect()
}

/// The records of all pairs.
async fn sides(store: &Store, tx: &SqlTransaction) -> Result<BTreeMap<Uuid, Side>> {
    let mut ids = Query::select();
    ids.column(duplicate_pair::Column::AId)
        .from(duplicate_pair::Entity);
    let mut others = Query::select();
    others
        .column(duplicate_pair::Column::BId)
        .from(duplicate_pair::Entity);
    ids.union(sea_orm::sea_query::UnionType::Distinct, others);
    let rows = record::Entity::find()
        .select_only()
        .columns([
            Column::Id,
            Column::Kind,
            Column::Origin,
            Column::Slug,
            Column::Name,
            Column::System,
            Column::HomeRegion,
            Column::Publication,
        ])
        .filter(Column::Id.in_subquery(ids))
        .filter(Column::Suppressed.eq(false))
        .into_model::<Row>()
        .all(tx)
        .await?;
    let sides = rows.into_iter().filter_map(|row| {
        let kind = Kind::parse(&row.kind)?;
        let side = Side {
            kind,
            id: row.id,
            slug: row.slug,
            name: row.name,
            seen: Seen {
                own: row.origin == store.node().origin,
                kind,
                home_region: row.home_region,
                publication: Publication::parse(&row.publication)?,
                system: row.system,
            },
            origin: row.origin,
        };
        Some((row.id, side))
    });
    Ok(sides.collect())
}

/// The pairs of records that a `same_as` relationship joins, with those relationships.
async fn joined(store: &Store, tx: &SqlTransaction) -> Result<Joined> {
    let same = edge::Column::Type.eq(RelationshipType::SameAs.code());
    let edges = edge::Entity::find().filter(same.clone()).all(tx).await?;
    let mut ids = Query::select();
    ids.column(edge::Column::RecordId)
        .from(edge::Entity)
        .cond_where(same);
    let rows = record::Entity::find()
        .filter(Column::Id.in_subquery(ids))
        .into_model::<Record>()
        .all(tx)
        .await?;
    let rows: BTreeMap<Uuid, Record> = rows.into_iter().map(|row| (row.id, row)).collect();
    let ends = edges.iter().flat_map(|edge| [edge.from_id, edge.to_id]);
    let standing = merge_targets(tx, ends.flatten()).await?;
    let states = states(tx, edges.iter()).await?;
    let mut joined = Joined::new();
    for edge in edges {
        let (Some(row), Some(from), Some(to)) =
            (rows.get(&edge.record_id), edge.from_id, edge.to_id)
        else {
            continue;
        };
        let [from, to] = [from, to].map(|id| standing.get(&id).copied().unwrap_or(id));
        let subject = store.subject(row);
        let states = states.get(&edge.record_id).copied().unwrap_or_default();
        let confirmed = [states.from, states.to].contains(&Some(ConfirmationState::Confirmed));
        // A partner's statement about a record of this node decides nothing here.
        if !subject.own && !confirmed {
            continue;
        }
        let seen = Seen {
            own: subject.own,
            kind: subject.kind,
            home_region: subject.home_region,
            publication: subject.publication,
            system: row.system.clone(),
        };
        joined
            .entry((from.min(to), from.max(to)))
            .or_default()
            .push(seen);
    }
    Ok(joined)
}
