//! Records that this node suppresses although their origin published them: hidden copies, and
//! relationships that an own end disputes. To everyone they are unpublished.

use crate::error::{Result, StoreError};
use crate::record::Record;
use crate::transaction::Transaction;
use crate::visibility::public::update_is_public;
use domain::kinds::common::Publication;
use sea_orm::{ConnectionTrait, Statement};

/// Whether the current row of `record` is suppressed. A statement is valid while the record that made
/// it is an end.
const SUPPRESSED: &str = "(EXISTS (SELECT 1 FROM hidden WHERE hidden.record_id = record.id) OR \
    EXISTS (SELECT 1 FROM confirmation JOIN edge ON edge.record_id = confirmation.record_id \
        AND confirmation.end_id IN (edge.from_id, edge.to_id) \
        WHERE confirmation.record_id = record.id AND confirmation.state = 'disputed'))";

/// Sets in a row whether it is suppressed; `update_is_public` has to follow.
pub(crate) async fn update_suppressed(tx: &Transaction<'_>, row: &mut Record) -> Result<()> {
    let sql = format!(
        "UPDATE record SET suppressed = {SUPPRESSED}, \
         is_public = (record.publication = 'published' AND NOT {SUPPRESSED}) \
         WHERE id = $1 RETURNING suppressed"
    );
    let id = [row.id.into()];
    let statement = Statement::from_sql_and_values(tx.sql.get_database_backend(), sql, id);
    let updated = tx.sql.query_one_raw(statement).await?;
    let updated = updated.ok_or_else(|| StoreError::Corrupt(format!("no row {}", row.id)))?;
    row.suppressed = updated.try_get_by_index(0)?;
    row.is_public = !row.suppressed && row.publication == Publication::Published;
    Ok(())
}

/// Checks again whether a record is suppressed, and logs a change.
pub(crate) async fn reconsider(tx: &mut Transaction<'_>, before: &Record) -> Result<()> {
    let mut row = before.clone();
    update_suppressed(tx, &mut row).await?;
    update_is_public(tx, &mut row).await?;
    if row.suppressed != before.suppressed {
        tx.log().visibility(before, row.is_public);
    }
    Ok(())
}
