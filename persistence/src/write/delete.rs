//! Deleting: referenced records stay, relationships are deleted with the record, a tombstone
//! remains.

use crate::entity::{contact_person, edge, geometry, record, redirect, tombstone};
use crate::error::{Result, StoreError};
use crate::merge_targets::{merge_targets, with_losers};
use crate::record::Record;
use crate::records::RecordsMut;
use crate::transaction::Transaction;
use crate::write::edges::{ends_among, refuse_shaping, refuse_shaping_at};
use crate::write::idempotency::blank_responses;
use crate::write::supplied::refuse_supplied;
use domain::base::vocabulary::Coded;
use domain::exchange::change::Cause;
use domain::value::reference::RecordRef;
use sea_orm::sea_query::{Expr, ExprTrait, LockType, Query};
use sea_orm::{
    ActiveValue::Set, ColumnTrait, ConnectionTrait, EntityTrait, PaginatorTrait, QueryFilter,
    QueryOrder, QuerySelect, Statement,
};
use std::collections::BTreeSet;
use uuid::Uuid;

/// Maximum number of relationships deleted with a record in one transaction; the others follow in
/// further ones, see [`crate::erase::remaining`].
const MAX_RELATIONSHIPS: usize = 400;

const MOST_NAMING: usize = 200;

/// What a deletion takes along.
#[derive(Debug)]
pub struct Deletion {
    /// Number of relationships; in a dry run with those that follow in further transactions.
    pub relationships: u64,
    /// The first ten of them.
    pub examples: Vec<Uuid>,
    pub contact_persons: u64,
}

impl RecordsMut<'_, '_> {
    pub async fn delete(self, old: Record) -> Result<Deletion> {
        refuse_supplied(self.tx, old.system.as_deref()).await?;
        lock_against_naming(self.tx, old.id).await?;
        // References to a record that was merged into this one are references to this one.
        let ids = with_losers(&self.tx.sql, [old.id]).await?;
        let edges = owned_edges(self.tx, &ids, None).await?;
        let going: BTreeSet<Uuid> = edges.iter().map(|row| row.id).collect();
        refuse_referenced(self.tx, &ids).await?;
        refuse_shaping(self.tx, [old.id]).await?;
        refuse_shaping_at(self.tx, &ids).await?;
        let persons = forget_persons(self.tx, &ids.union(&going).copied().collect()).await?;
        let all = if self.tx.options.dry_run && going.len() == MAX_RELATIONSHIPS {
            count_edges(self.tx, &ids).await?
        } else {
            going.len() as u64
        };
        let deletion = Deletion {
            relationships: all,
            examples: going.into_iter().take(10).collect(),
            contact_persons: persons as u64,
        };
        self.tx.deletion = Some(domain::base::id::new());
        for row in edges.into_iter().chain([old]) {
            replace_with_tombstone(self.tx, &row, Cause::Deleted, None).await?;
        }
        self.tx.deletion = None;
        Ok(deletion)
    }
}

/// Number of this node's relationships that have one of the records at an end.
async fn count_edges(tx: &Transaction<'_>, at: &BTreeSet<Uuid>) -> Result<u64> {
    let mut joined = Query::select();
    joined
        .column(edge::Column::RecordId)
        .from(edge::Entity)
        .cond_where(ends_among(at));
    let own = record::Entity::find()
        .filter(record::Column::Id.in_subquery(joined))
        .filter(Expr::cust("record.origin || ''").eq(tx.origin.as_str()));
    Ok(own.count(&tx.sql).await?)
}

/// Waits for writers that reference the record and blocks new ones.
pub(crate) async fn lock_against_naming(tx: &Transaction<'_>, id: Uuid) -> Result<()> {
    if !tx.db().is_postgres() {
        return Ok(());
    }
    let sql = "SELECT id FROM record WHERE id = $1 FOR UPDATE";
    tx.execute(sql, [id.into()]).await
}

/// The first of this node's relationships, and of those of `other`, that have one of the records at
/// an end.
pub(crate) async fn owned_edges(
    tx: &Transaction<'_>,
    at: &BTreeSet<Uuid>,
    other: Option<&str>,
) -> Result<Vec<Record>> {
    let mut joined = Query::select();
    joined
        .column(edge::Column::RecordId)
        .from(edge::Entity)
        .cond_where(ends_among(at));
    let origins = [Some(tx.origin.as_str()), other];
    // SQLite would begin with all records of the node.
    let origin = Expr::cust("record.origin || ''");
    let mut query = record::Entity::find()
        .filter(record::Column::Id.in_subquery(joined))
        .filter(origin.is_in(origins.into_iter().flatten()))
        .order_by_asc(record::Column::Id)
        .limit(MAX_RELATIONSHIPS as u64);
    if !tx.db().is_postgres() {
        return Ok(query.into_model::<Record>().all(&tx.sql).await?);
    }
    query = query.lock(LockType::Update);
    let mut rows = query.into_model::<Record>().all(&tx.sql).await?;
    // Until they were locked, some may have been moved to another record.
    let ids = rows.iter().map(|row| row.id);
    let still: BTreeSet<Uuid> = edge::Entity::find()
        .select_only()
        .column(edge::Column::RecordId)
        .filter(edge::Column::RecordId.is_in(ids))
        .filter(ends_among(at))
        .into_tuple()
        .all(&tx.sql)
        .await?
        .into_iter()
        .collect();
    rows.retain(|row| still.contains(&row.id));
    Ok(rows)
}

/// Rejects the deletion of a record that another own record references; relationships that have it
/// at an end are deleted with it.
pub(crate) async fn refuse_referenced(tx: &Transaction<'_>, ids: &BTreeSet<Uuid>) -> Result<()> {
    let mut values = vec![tx.origin.as_str().into()];
    let mut places = |ids: &mut dyn Iterator<Item = Uuid>| {
        let places = ids.map(|id| {
            values.push(id.into());
            format!("${}", values.len())
        });
        places.collect::<Vec<_>>().join(", ")
    };
    // Copies keep a dangling reference; only own records prevent the deletion. The order of the
    // join is fixed, so that SQLite does not begin with all records of the origin.
    let sql = format!(
        "SELECT record.* FROM reference CROSS JOIN record \
         WHERE reference.target_id IN ({}) AND record.id = reference.record_id \
         AND record.origin = $1 AND record.id NOT IN ({}) AND NOT EXISTS ( \
            SELECT 1 FROM edge WHERE edge.record_id = record.id \
            AND (edge.from_id IN ({}) OR edge.to_id IN ({}))) LIMIT {MOST_NAMING}",
        places(&mut ids.iter().copied()),
        places(&mut ids.iter().copied()),
        places(&mut ids.iter().copied()),
        places(&mut ids.iter().copied()),
    );
    let statement = Statement::from_sql_and_values(tx.sql.get_database_backend(), sql, values);
    let naming = record::Entity::find().from_raw_sql(statement);
    let mut rows = naming.into_model::<Record>().all(&tx.sql).await?;
    // A record may reference it in several places.
    rows.sort_by_key(|row| row.id);
    rows.dedup_by_key(|row| row.id);
    if rows.is_empty() {
        return Ok(());
    }
    let mut seen = Vec::new();
    for row in &rows {
        if tx.caller.can_read(&tx.subject(row)) {
            seen.push(RecordRef {
                kind: row.kind,
                id: row.id,
            });
        }
    }
    let total = seen.len();
    seen.truncate(10);
    Err(StoreError::StillReferenced {
        by: seen,
        total,
        hidden: total < rows.len(),
    })
}

/// Replaces a record by a tombstone. Former slugs and geometry are deleted with it, unless it is
/// merged: they lead to the merge target, and return if the merge is undone.
pub(crate) async fn replace_with_tombstone(
    tx: &mut Transaction<'_>,
    row: &Record,
    cause: Cause,
    merged_into: Option<Uuid>,
) -> Result<()> {
    let version = row.version + 1;
    let erased = cause == Cause::Erased;
    if erased {
        tx.log().living_erasure(row, version).await?;
    } else {
        tx.log()
            .delete(row, version, cause == Cause::Merged)
            .await?;
    }
    forget_key(tx, row).await?;
    // An erased record leaves no names.
    let name = |text: &Option<String>| text.clone().filter(|_| !erased);
    let tombstone = tombstone::ActiveModel {
        id: Set(row.id),
        kind: Set(row.kind.code().to_owned()),
        origin: Set(row.origin.clone()),
        slug: Set(name(&row.slug)),
        system: Set(name(&row.system)),
        external_id: Set(name(&row.external_id)),
        home_region: Set(row.home_region),
        version: Set(version),
        was_public: Set(row.was_public && ends_were_public(tx, row.id).await?),
        cause: Set(cause.code().to_owned()),
        merged_into: Set(merged_into),
        created_at: Set(row.created_at),
        deleted_at: Set(tx.now),
    };
    tombstone::Entity::insert(tombstone)
        .exec_without_returning(&tx.sql)
        .await?;
    if merged_into.is_none() {
        redirect::Entity::delete_many()
            .filter(redirect::Column::RecordId.eq(row.id))
            .exec(&tx.sql)
            .await?;
        geometry::Entity::delete_by_id(row.id).exec(&tx.sql).await?;
    }
    record::Entity::delete_by_id(row.id).exec(&tx.sql).await?;
    Ok(())
}

/// A relationship was public only if both its ends were; other records have no ends.
async fn ends_were_public(tx: &Transaction<'_>, id: Uuid) -> Result<bool> {
    let Some(edge) = edge::Entity::find_by_id(id).one(&tx.sql).await? else {
        return Ok(true);
    };
    let ends = edge.from_id.into_iter().chain(edge.to_id);
    let merge_targets = merge_targets(&tx.sql, ends.clone()).await?;
    let ends = ends.map(|id| merge_targets.get(&id).copied().unwrap_or(id));
    let ends: BTreeSet<Uuid> = ends.collect();
    let public = record::Entity::find()
        .filter(record::Column::Id.is_in(ends.iter().copied()))
        .filter(record::Column::WasPublic.eq(true))
        .count(&tx.sql)
        .await?;
    Ok(public == ends.len() as u64)
}

/// A key revives the last record that had it.
async fn forget_key(tx: &Transaction<'_>, row: &Record) -> Result<()> {
    let (Some(system), Some(key)) = (&row.system, &row.external_id) else {
        return Ok(());
    };
    let sql = "UPDATE tombstone SET system = NULL, external_id = NULL \
         WHERE kind = $1 AND system = $2 AND external_id = $3 AND origin = $4";
    let values = [row.kind.code(), system, key, &row.origin].map(|text| text.to_owned().into());
    tx.execute(sql, values).await
}

/// Removes the contact persons of records; returns their number.
pub(crate) async fn forget_persons(
    tx: &Transaction<'_>,
    records: &BTreeSet<Uuid>,
) -> Result<usize> {
    let theirs = contact_person::Column::RecordId.is_in(records.iter().copied());
    let ids: Vec<Uuid> = contact_person::Entity::find()
        .select_only()
        .column(contact_person::Column::Id)
        .filter(theirs.clone())
        .into_tuple()
        .all(&tx.sql)
        .await?;
    if ids.is_empty() {
        return Ok(0);
    }
    contact_person::Entity::delete_many()
        .filter(theirs)
        .exec(&tx.sql)
        .await?;
    blank_responses(tx, &ids).await?;
    Ok(ids.len())
}
