//! Visibility of records to outsiders.
//!
//! `record.is_public` is the visibility last logged. A write updates it for its own record; for the
//! relationships around a record that was published, withdrawn or deleted a log consumer does, with
//! an entry `visibility` that creates no version.

use crate::entity::record;
use crate::error::{Result, StoreError};
use crate::record::Record;
use crate::transaction::Transaction;
use domain::base::kind::Kind;
use sea_orm::sea_query::{Expr, LockType};
use sea_orm::{
    ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect, Statement,
    Value,
};
use uuid::Uuid;

const MAX_UPDATED: usize = 500;

/// Whether outsiders see the current row of `record`: it is published and not suppressed, and so is
/// each of its ends that is a record, or its merge target; and a copied relationship has an end of
/// its origin. The only definition in SQL.
///
/// Without `|| ''` SQLite would read all records of that origin.
const PUBLIC: &str = "(record.publication = 'published' AND NOT record.suppressed AND NOT EXISTS ( \
    SELECT 1 FROM edge \
        LEFT JOIN merged AS mf ON mf.loser_id = edge.from_id \
        LEFT JOIN merged AS mt ON mt.loser_id = edge.to_id \
        WHERE edge.record_id = record.id AND ( \
        (edge.from_id IS NOT NULL AND NOT EXISTS (SELECT 1 FROM record AS held \
            WHERE held.id = COALESCE(mf.target_id, edge.from_id) AND held.publication = 'published' AND NOT held.suppressed)) OR \
        (edge.to_id IS NOT NULL AND NOT EXISTS (SELECT 1 FROM record AS held \
            WHERE held.id = COALESCE(mt.target_id, edge.to_id) AND held.publication = 'published' AND NOT held.suppressed)))) \
    AND (record.synced_at IS NULL OR NOT EXISTS ( \
    SELECT 1 FROM edge \
        LEFT JOIN merged AS mf ON mf.loser_id = edge.from_id \
        LEFT JOIN merged AS mt ON mt.loser_id = edge.to_id \
        WHERE edge.record_id = record.id AND NOT EXISTS (SELECT 1 FROM record AS held \
            WHERE held.id IN (COALESCE(mf.target_id, edge.from_id), COALESCE(mt.target_id, edge.to_id)) \
            AND held.origin || '' = record.origin))))";

/// The relationships (`near`) around records that became visible or invisible (`flipped`), and
/// around those that a merge makes equal to these, now or until now.
///
/// SQLite keeps the order of a `CROSS JOIN`; without statistics it would read whole tables.
pub(crate) const AROUND: &str = "affected (id) AS (SELECT id FROM flipped \
        UNION SELECT merged.loser_id FROM flipped CROSS JOIN merged \
            WHERE merged.target_id = flipped.id \
        UNION SELECT other.loser_id FROM flipped CROSS JOIN merged CROSS JOIN merged AS other \
            WHERE merged.loser_id = flipped.id AND other.target_id = merged.target_id), \
    near (id) AS (SELECT edge.record_id FROM affected CROSS JOIN edge \
            WHERE edge.from_id = affected.id \
        UNION SELECT edge.record_id FROM affected CROSS JOIN edge \
            WHERE edge.to_id = affected.id";

/// The relationships around the record `$1`.
fn near_record() -> String {
    format!("WITH flipped (id) AS (SELECT $1), {AROUND})")
}

/// Sets in the row just written whether outsiders see it.
pub(crate) async fn update_is_public(tx: &Transaction<'_>, row: &mut Record) -> Result<()> {
    // Other kinds have no ends; unpublished relationships need no check of them.
    if row.kind != Kind::Relationship || !row.is_public {
        return Ok(());
    }
    let sql = format!("UPDATE record SET is_public = {PUBLIC} WHERE id = $1 RETURNING is_public");
    let id = [row.id.into()];
    let statement = Statement::from_sql_and_values(tx.sql.get_database_backend(), sql, id);
    let updated = tx.sql.query_one_raw(statement).await?;
    let updated = updated.ok_or_else(|| StoreError::Corrupt(format!("no row {}", row.id)))?;
    row.is_public = updated.try_get_by_index(0)?;
    Ok(())
}

/// Updates the visibility of all relationships around a record that was merged, or is restored: if it was a draft,
/// the log does not show that anything became visible by that.
pub(crate) async fn update_visibility_around(tx: &mut Transaction<'_>, id: Uuid) -> Result<()> {
    while !update_visibility(tx, &near_record(), vec![id.into()]).await? {}
    Ok(())
}

/// Updates the visibility of the relationships found by `near` whose visibility changed, and returns whether these
/// were all.
pub(crate) async fn update_visibility(
    tx: &mut Transaction<'_>,
    near: &str,
    values: Vec<Value>,
) -> Result<bool> {
    let sql = format!(
        "{near} SELECT record.id FROM near CROSS JOIN record \
         WHERE record.id = near.id AND record.is_public <> {PUBLIC} ORDER BY record.id LIMIT {MAX_UPDATED}"
    );
    let statement = Statement::from_sql_and_values(tx.sql.get_database_backend(), sql, values);
    let found = tx.sql.query_all_raw(statement).await?;
    let ids: Vec<Uuid> = found
        .iter()
        .map(|row| row.try_get_by_index(0))
        .collect::<Result<_, _>>()?;
    let rows = lock_outdated(tx, &ids).await?;
    if !rows.is_empty() {
        record::Entity::update_many()
            .col_expr(record::Column::IsPublic, Expr::cust("NOT is_public"))
            .filter(record::Column::Id.is_in(rows.iter().map(|row| row.id)))
            .exec(&tx.sql)
            .await?;
    }
    for row in &rows {
        tx.log().visibility(row, !row.is_public);
    }
    Ok(ids.len() < MAX_UPDATED)
}

/// Those of the relationships that are still outdated after other writers have finished.
async fn lock_outdated(tx: &Transaction<'_>, ids: &[Uuid]) -> Result<Vec<Record>> {
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    let rows = record::Entity::find()
        .filter(record::Column::Id.is_in(ids.iter().copied()))
        .order_by_asc(record::Column::Id);
    if tx.db().is_postgres() {
        let rows = rows.clone().select_only().column(record::Column::Id);
        let locked = rows.lock(LockType::NoKeyUpdate).into_tuple::<Uuid>();
        locked.all(&tx.sql).await?;
    }
    let differs = Expr::cust(format!("record.is_public <> {PUBLIC}"));
    Ok(rows
        .filter(differs)
        .into_model::<Record>()
        .all(&tx.sql)
        .await?)
}
