//! The relationships of records in their documents.

use super::trees::Trees;
use crate::entity::{edge, edge_role, record};
use crate::error::Result;
use crate::read::relationships::bounds;
use crate::record::current;
use chrono::{DateTime, Utc};
use domain::base::kind::Kind;
use domain::base::vocabulary::Coded;
use domain::kinds::common::Publication;
use domain::kinds::relationship::RelationshipType;
use domain::value::edtf::Bounds;
use sea_orm::{
    ColumnTrait, ConnectionTrait, EntityTrait, FromQueryResult, QueryFilter, QuerySelect,
};
use std::collections::{BTreeMap, BTreeSet};
use uuid::Uuid;

#[derive(Debug, Clone)]
pub(super) struct Seen {
    pub(super) relationship: Uuid,
    /// Its type as read from this end: `member_of`, or `has_member`.
    pub(super) code: String,
    /// The record at the other end; `None` if that end is open.
    pub(super) other: Option<Uuid>,
    pub(super) roles: Vec<String>,
    /// Its subject: the programme of a funding.
    pub(super) subject: Option<String>,
    pub(super) audience: Audience,
    /// The days between which it begins and ends.
    pub(super) bounds: Bounds,
}

/// The audience of a relationship, restricted to those who see the record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Audience {
    Public,
    /// Editors of all these regions, and admins; `None` if part of it has no region.
    Editors(Option<BTreeSet<Uuid>>),
}

const CHUNK: usize = 500;

/// The relationships around records, by record; a record also has those of the records merged into
/// it.
pub(super) async fn around(
    db: &impl ConnectionTrait,
    ids: &BTreeSet<Uuid>,
    trees: &Trees,
) -> Result<BTreeMap<Uuid, Vec<Seen>>> {
    let mut asked = ids.clone();
    asked.extend(ids.iter().flat_map(|id| trees.losers(*id)));
    let asked: Vec<Uuid> = asked.into_iter().collect();
    let mut found: BTreeMap<Uuid, edge::Model> = BTreeMap::new();
    for chunk in asked.chunks(CHUNK) {
        for column in [edge::Column::FromId, edge::Column::ToId] {
            let rows = edge::Entity::find()
                .filter(column.is_in(chunk.iter().copied()))
                .all(db)
                .await?;
            found.extend(rows.into_iter().map(|row| (row.record_id, row)));
        }
    }
    let mut heads: BTreeSet<Uuid> = found.keys().copied().collect();
    heads.extend(
        found
            .values()
            .flat_map(|edge| [edge.from_id, edge.to_id])
            .flatten()
            .map(|id| trees.merge_target(id)),
    );
    let heads = read_heads(db, &heads).await?;
    let mut roles = roles(db, &found).await?;
    let mut subjects = subjects(db, &found).await?;
    let mut around: BTreeMap<Uuid, Vec<Seen>> = BTreeMap::new();
    for (id, edge) in found {
        if trees.is_without_effect(id) {
            continue;
        }
        let roles = roles.remove(&id).unwrap_or_default();
        let subject = subjects.remove(&id);
        for (at, other, from) in [
            (edge.from_id, edge.to_id, true),
            (edge.to_id, edge.from_id, false),
        ] {
            // Relationships of merged records belong to the merge target.
            let Some(at) = at
                .map(|at| trees.merge_target(at))
                .filter(|at| ids.contains(at))
            else {
                continue;
            };
            let other = other.map(|other| trees.merge_target(other));
            let Some(audience) = audience(&heads, [Some(id), other]) else {
                continue;
            };
            let ends = [Some(at), other].into_iter().flatten();
            if !has_own_end(&heads, id, ends) {
                continue;
            }
            let code = code(&edge.r#type, from);
            let bounds = bounds(&edge);
            around.entry(at).or_default().push(Seen {
                relationship: id,
                code,
                other,
                roles: roles.clone(),
                subject: subject.clone(),
                audience,
                bounds,
            });
        }
    }
    Ok(around)
}

/// The number of relationships of each record that has some.
pub(super) async fn degrees(
    db: &impl ConnectionTrait,
    ids: &BTreeSet<Uuid>,
    trees: &Trees,
) -> Result<BTreeMap<Uuid, usize>> {
    let mut asked = ids.clone();
    asked.extend(ids.iter().flat_map(|id| trees.losers(*id)));
    let asked: Vec<Uuid> = asked.into_iter().collect();
    let mut degrees: BTreeMap<Uuid, usize> = BTreeMap::new();
    for chunk in asked.chunks(CHUNK) {
        for column in [edge::Column::FromId, edge::Column::ToId] {
            let counted: Vec<(Uuid, i64)> = edge::Entity::find()
                .select_only()
                .column(column)
                .column_as(column.count(), "count")
                .filter(column.is_in(chunk.iter().copied()))
                .group_by(column)
                .into_tuple()
                .all(db)
                .await?;
            for (id, count) in counted {
                let count = usize::try_from(count).unwrap_or_default();
                *degrees.entry(trees.merge_target(id)).or_default() += count;
            }
        }
    }
    Ok(degrees)
}

/// The type as read from an end; a type of a newer release is kept as read from its start.
pub(super) fn code(r#type: &str, from: bool) -> String {
    let rule = RelationshipType::parse(r#type).map(RelationshipType::rule);
    match (rule, from) {
        (Some(rule), false) => rule.inverse.to_owned(),
        (Some(_) | None, true) => r#type.to_owned(),
        (None, false) => format!("{type}<"),
    }
}

/// The audience of all of these; `None` if one of them is missing here.
fn audience(heads: &BTreeMap<Uuid, Head>, parts: [Option<Uuid>; 2]) -> Option<Audience> {
    let mut hidden = Vec::new();
    for part in parts.into_iter().flatten() {
        let head = heads.get(&part)?;
        if head.publication != Publication::Published.code() {
            hidden.push(head.home_region);
        }
    }
    if hidden.is_empty() {
        return Some(Audience::Public);
    }
    Some(Audience::Editors(hidden.into_iter().collect()))
}

/// Whether a copied relationship has an end of its origin: others are not its origin's to state.
fn has_own_end(
    heads: &BTreeMap<Uuid, Head>,
    relationship: Uuid,
    mut ends: impl Iterator<Item = Uuid>,
) -> bool {
    let Some(stated) = heads.get(&relationship) else {
        return false;
    };
    let own = |id| {
        heads
            .get(&id)
            .is_some_and(|end| end.origin == stated.origin)
    };
    stated.synced_at.is_none() || ends.any(own)
}

#[derive(FromQueryResult)]
struct Head {
    id: Uuid,
    origin: String,
    synced_at: Option<DateTime<Utc>>,
    publication: String,
    home_region: Option<Uuid>,
}

async fn read_heads(
    db: &impl ConnectionTrait,
    ids: &BTreeSet<Uuid>,
) -> Result<BTreeMap<Uuid, Head>> {
    let ids: Vec<Uuid> = ids.iter().copied().collect();
    let mut found = BTreeMap::new();
    for chunk in ids.chunks(CHUNK) {
        let rows = record::Entity::find()
            .select_only()
            .columns([
                record::Column::Id,
                record::Column::Origin,
                record::Column::SyncedAt,
                record::Column::Publication,
                record::Column::HomeRegion,
            ])
            .filter(record::Column::Id.is_in(chunk.iter().copied()))
            // Records that this node suppresses count as missing.
            .filter(record::Column::Suppressed.eq(false))
            .into_model::<Head>()
            .all(db)
            .await?;
        found.extend(rows.into_iter().map(|row| (row.id, row)));
    }
    Ok(found)
}

async fn subjects(
    db: &impl ConnectionTrait,
    edges: &BTreeMap<Uuid, edge::Model>,
) -> Result<BTreeMap<Uuid, String>> {
    let funds = RelationshipType::Funds.code();
    let ids: Vec<Uuid> = edges
        .values()
        .filter(|edge| edge.r#type == funds)
        .map(|edge| edge.record_id)
        .collect();
    let mut found = BTreeMap::new();
    for chunk in ids.chunks(CHUNK) {
        let rows: Vec<(Uuid, String)> = record::Entity::find()
            .select_only()
            .columns([record::Column::Id, record::Column::Body])
            .filter(record::Column::Id.is_in(chunk.iter().copied()))
            .into_tuple()
            .all(db)
            .await?;
        for (id, body) in rows {
            let body = current(Kind::Relationship, &body);
            if let Some(subject) = body.get("subject").and_then(serde_json::Value::as_str) {
                found.insert(id, subject.to_owned());
            }
        }
    }
    Ok(found)
}

async fn roles(
    db: &impl ConnectionTrait,
    edges: &BTreeMap<Uuid, edge::Model>,
) -> Result<BTreeMap<Uuid, Vec<String>>> {
    let ids: Vec<Uuid> = edges.keys().copied().collect();
    let mut found: BTreeMap<Uuid, Vec<String>> = BTreeMap::new();
    for chunk in ids.chunks(CHUNK) {
        let rows = edge_role::Entity::find()
            .filter(edge_role::Column::RecordId.is_in(chunk.iter().copied()))
            .all(db)
            .await?;
        for row in rows {
            found.entry(row.record_id).or_default().push(row.role);
        }
    }
    Ok(found)
}
