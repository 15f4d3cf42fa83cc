//! Rewriting the files of the database, so that nothing is left in them of what was deleted.

use crate::error::{Result, StoreError};
use crate::store::Store;
use sea_orm::{ConnectionTrait, Statement};

impl Store {
    /// Rewrites the database. Others wait meanwhile; it needs as much space once more.
    ///
    /// What is not reached: on PostgreSQL the write-ahead log and what it was archived to, anywhere
    /// back-ups.
    ///
    /// # Errors
    /// [`StoreError::Setup`] if somebody else keeps reading the database; the database's.
    pub async fn compact(&self) -> Result<()> {
        let writer = self.db().writer();
        if self.db().is_postgres() {
            let tables = Statement::from_string(
                writer.get_database_backend(),
                "SELECT CAST(quote_ident(tablename) AS text) FROM pg_tables \
                 WHERE schemaname = current_schema()",
            );
            for row in writer.query_all_raw(tables).await? {
                let table: String = row.try_get_by_index(0)?;
                let vacuum = format!("VACUUM (FULL, ANALYZE) {table}");
                writer.execute_unprepared(&vacuum).await?;
            }
            return Ok(());
        }
        writer.execute_unprepared("VACUUM").await?;
        // Else the old pages would be in the log beside the file still.
        let checkpoint = Statement::from_string(
            writer.get_database_backend(),
            "PRAGMA wal_checkpoint(TRUNCATE)",
        );
        let row = writer.query_one_raw(checkpoint).await?;
        let busy: i32 = row.map_or(Ok(1), |row| row.try_get_by_index(0))?;
        if busy == 0 {
            return Ok(());
        }
        Err(StoreError::Setup(
            "the database is being read; stop what reads it and try again".to_owned(),
        ))
    }
}
