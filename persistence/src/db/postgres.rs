//! PostgreSQL: one pool for reading and writing.

use super::connection::Timeouts;
use super::transaction::SqlTransaction;
use crate::error::Result;
use domain::validation::upgrade::body_format;
use sea_orm::{
    ConnectOptions, ConnectionTrait, DatabaseConnection, DatabaseTransaction, DbErr,
    IsolationLevel, TransactionOptions, TransactionTrait,
};
use tokio::task::JoinError;

const CONNECTIONS: u32 = 20;

/// The beginning of the names of all instances among the sessions of PostgreSQL.
pub(crate) const APPLICATION_PREFIX: &str = "verbund bodies/";

/// The name of instances with the renames of this release.
pub(crate) fn application_name() -> String {
    format!("{APPLICATION_PREFIX}{}", body_format())
}

pub(super) fn options(url: &str, timeouts: Timeouts) -> ConnectOptions {
    let mut options = maintenance_options(url, timeouts);
    options
        .max_connections(CONNECTIONS)
        .map_sqlx_postgres_opts(move |postgres| {
            let limit = timeouts.statement.as_millis().to_string();
            postgres
                .application_name(&application_name())
                .options([("statement_timeout", limit)])
        });
    options
}

/// [`options`] for one connection without a time limit.
pub(super) fn maintenance_options(url: &str, timeouts: Timeouts) -> ConnectOptions {
    let mut options = ConnectOptions::new(url);
    options
        .max_connections(1)
        .acquire_timeout(timeouts.acquire)
        .sqlx_logging(false)
        .map_sqlx_postgres_opts(|postgres| postgres.application_name(&application_name()));
    options
}

pub(super) async fn begin_write(
    pool: &DatabaseConnection,
    timeouts: Timeouts,
) -> Result<SqlTransaction> {
    let tx = begin(pool, TransactionOptions::default()).await?;
    // Overrides the defaults of the server.
    let settings = format!(
        "SET LOCAL synchronous_commit = on; SET LOCAL lock_timeout = {}; \
         SET LOCAL statement_timeout = {}",
        timeouts.lock.as_millis(),
        timeouts.statement.as_millis()
    );
    tx.execute_unprepared(&settings).await?;
    Ok(SqlTransaction::postgres(tx))
}

pub(super) async fn begin_read(pool: &DatabaseConnection) -> Result<SqlTransaction> {
    let options = TransactionOptions {
        isolation_level: Some(IsolationLevel::RepeatableRead),
        ..TransactionOptions::default()
    };
    Ok(SqlTransaction::postgres(begin(pool, options).await?))
}

/// Begins in a task of its own, which goes on if the caller stops waiting. Cancelled, sqlx would
/// return the connection to the pool in a transaction that is never ended.
async fn begin(
    pool: &DatabaseConnection,
    options: TransactionOptions,
) -> Result<DatabaseTransaction> {
    let pool = pool.clone();
    let begun = tokio::spawn(async move { pool.begin_with_options(options).await }).await;
    match begun.map_err(JoinError::try_into_panic) {
        Ok(begun) => Ok(begun?),
        Err(Ok(panic)) => std::panic::resume_unwind(panic),
        Err(Err(ended)) => Err(DbErr::Custom(format!("cannot begin: {ended}")).into()),
    }
}
