//! Instances of earlier releases on the same database: they would write former names, so nothing is
//! rewritten while there are any.

use crate::db::{APPLICATION_PREFIX, Db, application_name};
use crate::error::{Result, StoreError};
use domain::validation::upgrade::body_format;
use sea_orm::{ConnectionTrait, DatabaseConnection, Statement};
use sea_orm_migration::SchemaManager;
use std::time::Duration;

/// Number of checks for an instance that may be stopping, and their interval.
const ATTEMPTS: u32 = 10;
const PAUSE: Duration = Duration::from_millis(300);

/// Fails if bodies must be rewritten while instances of earlier releases are connected to the
/// database. Called before this process connects to it, and before the schema is changed.
pub(crate) async fn refuse_older(url: &str) -> Result<()> {
    let connection = Db::alone(url).await?;
    let outcome = look(&connection).await;
    connection.close().await?;
    outcome
}

async fn look(connection: &DatabaseConnection) -> Result<()> {
    let Some(format) = format_of(connection).await? else {
        return Ok(());
    };
    if format >= body_format() {
        return Ok(());
    }
    for _ in 0..ATTEMPTS {
        if !others(connection, format).await? {
            return Ok(());
        }
        tokio::time::sleep(PAUSE).await;
    }
    Err(StoreError::Setup(
        "this release renames members of records, and another process is connected to the database; stop every instance of the earlier release first".to_owned(),
    ))
}

/// The format of this node's own bodies in a database; `None` if it is new.
async fn format_of(connection: &DatabaseConnection) -> Result<Option<i32>> {
    let schema = SchemaManager::new(connection);
    if !schema.has_table("sync_state").await? {
        return Ok(None);
    }
    if !schema.has_column("sync_state", "body_format").await? {
        return Ok(Some(0));
    }
    let sql = "SELECT body_format FROM sync_state WHERE id = 1";
    let statement = Statement::from_string(connection.get_database_backend(), sql);
    let row = connection.query_one_raw(statement).await?;
    Ok(row.map(|row| row.try_get_by_index(0)).transpose()?)
}

/// Whether an instance that writes bodies of this format, or an earlier one, is connected.
async fn others(connection: &DatabaseConnection, format: i32) -> Result<bool> {
    let backend = connection.get_database_backend();
    if backend == sea_orm::DatabaseBackend::Sqlite {
        // Leaving the write-ahead log needs the file exclusively.
        connection
            .execute_unprepared("PRAGMA busy_timeout = 100")
            .await?;
        let statement = Statement::from_string(backend, "PRAGMA journal_mode = DELETE");
        return match connection
            .query_one_raw(statement)
            .await
            .map_err(StoreError::from)
        {
            Ok(row) => {
                let mode: Option<String> = row.map(|row| row.try_get_by_index(0)).transpose()?;
                Ok(mode.is_none_or(|mode| mode != "delete"))
            }
            Err(StoreError::Busy(_)) => Ok(true),
            Err(other) => Err(other),
        };
    }
    // Releases without renames set no name.
    let unnamed = format == 0;
    let sql = "SELECT COUNT(*) FROM pg_stat_activity \
         WHERE datname = current_database() AND usename = current_user \
         AND backend_type = 'client backend' AND pid <> pg_backend_pid() \
         AND application_name <> $1 \
         AND (application_name LIKE $2 OR ($3 AND application_name = ''))";
    let values = [
        application_name().into(),
        format!("{APPLICATION_PREFIX}%").into(),
        unnamed.into(),
    ];
    let statement = Statement::from_sql_and_values(backend, sql, values);
    let row = connection.query_one_raw(statement).await?;
    let others: i64 = row.map_or(Ok(0), |row| row.try_get_by_index(0))?;
    Ok(others > 0)
}
