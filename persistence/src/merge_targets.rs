//! Resolving merges: the merge target of each merged record. Merging rewrites nothing, so
//! references to a merged record are read as references to the merge target.

use crate::entity::{change, merged, tombstone};
use crate::error::Result;
use crate::record::{parse, served_text};
use domain::base::kind::Kind;
use domain::base::vocabulary::Coded;
use sea_orm::{
    ColumnTrait, Condition, ConnectionTrait, DatabaseBackend, EntityTrait, QueryFilter,
    QuerySelect, Statement,
};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use uuid::Uuid;

const CHUNK: usize = 500;

/// A merged record, by whose content the merge target is found.
#[derive(Debug, Clone)]
pub(crate) struct MergedBody {
    pub(crate) loser: Uuid,
    pub(crate) merge_target: Uuid,
    /// Its last body: names, identifiers, everything; only if it was ever public.
    pub(crate) body: Option<Value>,
}

/// The merge targets of those of `ids` that were merged.
pub(crate) async fn merge_targets(
    db: &impl ConnectionTrait,
    ids: impl IntoIterator<Item = Uuid>,
) -> Result<BTreeMap<Uuid, Uuid>> {
    let ids: BTreeSet<Uuid> = ids.into_iter().collect();
    Ok(by_loser(among(db, merged::Column::LoserId, &ids).await?))
}

/// The rows with one of these ids in a column, for any number of ids.
async fn among(
    db: &impl ConnectionTrait,
    column: merged::Column,
    ids: &BTreeSet<Uuid>,
) -> Result<Vec<merged::Model>> {
    let ids: Vec<Uuid> = ids.iter().copied().collect();
    let mut found = Vec::new();
    for chunk in ids.chunks(CHUNK) {
        let chunk = column.is_in(chunk.iter().copied());
        found.extend(merged::Entity::find().filter(chunk).all(db).await?);
    }
    Ok(found)
}

/// The ids and those of every record that was merged into one of them.
pub(crate) async fn with_losers(
    db: &impl ConnectionTrait,
    ids: impl IntoIterator<Item = Uuid>,
) -> Result<BTreeSet<Uuid>> {
    let mut ids: BTreeSet<Uuid> = ids.into_iter().collect();
    let rows = among(db, merged::Column::TargetId, &ids).await?;
    ids.extend(rows.iter().map(|row| row.loser_id));
    Ok(ids)
}

/// A record, and everything that was merged into it, directly or indirectly, alive or not.
pub(crate) async fn with_merged(db: &impl ConnectionTrait, id: Uuid) -> Result<BTreeSet<Uuid>> {
    let sql = "WITH RECURSIVE below(id) AS (SELECT CAST($1 AS {uuid}) UNION \
         SELECT tombstone.id FROM tombstone JOIN below ON tombstone.merged_into = below.id) \
         SELECT id FROM below";
    let backend = db.get_database_backend();
    let uuid = if backend == DatabaseBackend::Postgres {
        "uuid"
    } else {
        "blob"
    };
    let sql = sql.replace("{uuid}", uuid);
    let statement = Statement::from_sql_and_values(backend, sql, [id.into()]);
    let rows = db.query_all_raw(statement).await?;
    let ids = rows.iter().map(|row| row.try_get_by_index(0));
    Ok(ids.collect::<Result<_, _>>()?)
}

/// The ids, and those that merges make equal to them: whatever references one of these must be read
/// again when one of `ids` changes.
pub(crate) async fn made_one(
    db: &impl ConnectionTrait,
    ids: &BTreeSet<Uuid>,
) -> Result<BTreeSet<Uuid>> {
    let merge_targets = merge_targets(db, ids.iter().copied()).await?;
    with_losers(db, ids.iter().chain(merge_targets.values()).copied()).await
}

/// The records that were merged into `merge targets`, and the last bodies of those that were public, by
/// which the merge targets are found; in three queries.
pub(crate) async fn losers_of(
    db: &impl ConnectionTrait,
    merge_targets: &BTreeSet<Uuid>,
) -> Result<Vec<MergedBody>> {
    let rows = among(db, merged::Column::TargetId, merge_targets).await?;
    if rows.is_empty() {
        return Ok(Vec::new());
    }
    let standing = by_loser(rows);
    let public: BTreeSet<Uuid> = tombstone::Entity::find()
        .select_only()
        .column(tombstone::Column::Id)
        .filter(tombstone::Column::Id.is_in(standing.keys().copied()))
        .filter(tombstone::Column::WasPublic.eq(true))
        .into_tuple()
        .all(db)
        .await?
        .into_iter()
        .collect();
    let mut bodies = last_bodies(db, public).await?;
    let mut found = Vec::with_capacity(standing.len());
    for (loser, merge_target) in standing {
        let body = bodies.remove(&loser);
        found.push(MergedBody {
            loser,
            merge_target,
            body: body.map(|body| parse(&body)).transpose()?,
        });
    }
    Ok(found)
}

fn by_loser(rows: Vec<merged::Model>) -> BTreeMap<Uuid, Uuid> {
    let pairs = rows.into_iter().map(|row| (row.loser_id, row.target_id));
    pairs.collect()
}

/// The last bodies of merged records, from the log, as served.
pub(crate) async fn last_bodies(
    db: &impl ConnectionTrait,
    losers: impl IntoIterator<Item = Uuid>,
) -> Result<BTreeMap<Uuid, String>> {
    let mut last: BTreeMap<Uuid, (i64, Option<String>)> = BTreeMap::new();
    let ids: Vec<Uuid> = losers.into_iter().collect();
    if ids.is_empty() {
        return Ok(BTreeMap::new());
    }
    let entries = change::Entity::find()
        .filter(change::Column::RecordId.is_in(ids))
        .filter(
            Condition::all()
                .add(change::Column::Op.eq(domain::exchange::change::Op::Upsert.code())),
        )
        .all(db)
        .await?;
    for entry in entries {
        let known = last.entry(entry.record_id).or_default();
        if entry.version > known.0 {
            let kind = Kind::parse(&entry.kind);
            let body = entry.body.map(|body| match kind {
                Some(kind) => served_text(kind, body),
                None => body,
            });
            *known = (entry.version, body);
        }
    }
    let bodies = last
        .into_iter()
        .filter_map(|(id, (_, body))| Some((id, body?)));
    Ok(bodies.collect())
}
