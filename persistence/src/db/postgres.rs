//! PostgreSQL: one pool for reading and writing.

use super::connection::Timeouts;
use super::transaction::SqlTransaction;
use crate::error::{Result, was_open};
use domain::validation::upgrade::body_format;
use sea_orm::{
    ConnectOptions, ConnectionTrait, DatabaseConnection, IsolationLevel, TransactionOptions,
    TransactionTrait,
};

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
    let tx = pool.begin().await?;
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
    let begin = || {
        pool.begin_with_options(TransactionOptions {
            isolation_level: Some(IsolationLevel::RepeatableRead),
            ..TransactionOptions::default()
        })
    };
    let tx = match begin().await {
        // A cancelled caller left the transaction open in the pool; this failure ends it.
        Err(error) if was_open(&error) => begin().await?,
        begun => begun?,
    };
    Ok(SqlTransaction::postgres(tx))
}
