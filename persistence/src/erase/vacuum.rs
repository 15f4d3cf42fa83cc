//! Rewriting the files of the database, so that no deleted data is left in them.

use crate::error::{Result, StoreError};
use crate::store::Store;
use sea_orm::{ConnectionTrait, DatabaseConnection, QueryResult, Statement};
use std::time::{Duration, Instant};

/// How long others may continue to read an old state, and the interval of checks.
const PATIENCE: Duration = Duration::from_mins(1);
const PAUSE: Duration = Duration::from_millis(100);

/// Whether no reader sees a state from before the transaction `$1` any more (PostgreSQL); data that
/// is being read is not removed.
const ALL_NEWER: &str = "SELECT pg_snapshot_xmin(pg_current_snapshot()) > CAST($1 AS xid8) \
    AND NOT EXISTS (SELECT 1 FROM pg_stat_activity \
        WHERE datname = current_database() AND pid <> pg_backend_pid() \
        AND age(backend_xmin) > age(CAST(CAST($1 AS xid8) AS xid)))";

impl Store {
    /// Rewrites the database. Others wait meanwhile; it needs as much space again.
    ///
    /// Not covered: on PostgreSQL the write-ahead log and its archive, and backups anywhere.
    ///
    /// # Errors
    /// [`StoreError::Setup`] if another connection keeps reading an old state.
    pub async fn vacuum(&self) -> Result<()> {
        if self.db().is_postgres() {
            vacuum_postgres(self).await
        } else {
            vacuum_sqlite(self).await
        }
    }
}

async fn vacuum_sqlite(store: &Store) -> Result<()> {
    let connection = store.db().maintenance().await?;
    connection.execute_unprepared("VACUUM").await?;
    // Otherwise the old pages would remain in the log file.
    let checkpoint = row(&connection, "PRAGMA wal_checkpoint(TRUNCATE)", []).await?;
    connection.close().await?;
    let busy: i32 = checkpoint.try_get_by_index(0)?;
    if busy == 0 {
        return Ok(());
    }
    Err(being_read())
}

async fn vacuum_postgres(store: &Store) -> Result<()> {
    let now = "SELECT CAST(pg_current_xact_id() AS text)";
    let connection = store.db().maintenance().await?;
    let now: String = row(&connection, now, []).await?.try_get_by_index(0)?;
    let begun = Instant::now();
    loop {
        let newer = row(&connection, ALL_NEWER, [now.clone().into()]).await?;
        if newer.try_get_by_index(0)? {
            break;
        }
        if begun.elapsed() > PATIENCE {
            return Err(being_read());
        }
        tokio::time::sleep(PAUSE).await;
    }
    let tables = "SELECT CAST(quote_ident(tablename) AS text) FROM pg_tables \
         WHERE schemaname = current_schema()";
    let tables = Statement::from_string(connection.get_database_backend(), tables);
    for row in connection.query_all_raw(tables).await? {
        let table: String = row.try_get_by_index(0)?;
        let vacuum = format!("VACUUM (FULL, ANALYZE) {table}");
        connection.execute_unprepared(&vacuum).await?;
    }
    connection.close().await?;
    Ok(())
}

async fn row(
    connection: &DatabaseConnection,
    sql: &str,
    values: impl IntoIterator<Item = sea_orm::Value>,
) -> Result<QueryResult> {
    let statement = Statement::from_sql_and_values(connection.get_database_backend(), sql, values);
    let row = connection.query_one_raw(statement).await?;
    row.ok_or_else(|| StoreError::Corrupt(format!("no answer to {sql}")))
}

fn being_read() -> StoreError {
    StoreError::Setup(
        "an old state of the database is being read; stop what reads it and try again".to_owned(),
    )
}
