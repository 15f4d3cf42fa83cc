//! Opening a database: SQLite embedded, or PostgreSQL.

mod health;
mod postgres;
mod reader;
mod sqlite;
mod statement_limit;
mod transaction;

pub use health::WriteHealth;
pub use reader::Reader;
pub use transaction::SqlTransaction;

use crate::error::{Result, StoreError};
use sea_orm::sqlx;
use sea_orm::{ConnectOptions, Database, DatabaseBackend, DatabaseConnection};
use sqlite::Sqlite;
use std::sync::Arc;
use std::time::Duration;

/// Time limits of the database.
#[derive(Debug, Clone, Copy)]
pub struct Timeouts {
    /// For waiting for a free connection, or for the writer of SQLite.
    pub acquire: Duration,
    pub statement: Duration,
    /// For a lock of another transaction (PostgreSQL).
    pub lock: Duration,
}

impl Default for Timeouts {
    fn default() -> Self {
        Self {
            acquire: Duration::from_secs(15),
            statement: Duration::from_secs(15),
            lock: Duration::from_secs(2),
        }
    }
}

/// The connections to one database.
///
/// SQLite has one writer, so there is one connection for writing and several for reading;
/// PostgreSQL uses one pool for both.
#[derive(Debug, Clone)]
pub struct Db {
    url: Arc<str>,
    reader: Reader,
    writer: Writer,
    timeouts: Timeouts,
    health: Arc<WriteHealth>,
}

#[derive(Debug, Clone)]
enum Writer {
    Sqlite(Sqlite),
    Postgres(DatabaseConnection),
}

#[derive(Debug, Clone, Copy)]
pub struct Pool {
    /// Its purpose: `write`, `read`, or `all`.
    pub name: &'static str,
    pub used: u32,
    pub idle: u32,
    pub most: u32,
}

impl Pool {
    fn of<T: sqlx::Database>(name: &'static str, pool: &sqlx::Pool<T>) -> Self {
        let idle = u32::try_from(pool.num_idle()).unwrap_or(u32::MAX);
        Self {
            name,
            used: pool.size().saturating_sub(idle),
            idle,
            most: pool.options().get_max_connections(),
        }
    }

    fn sum(name: &'static str, pools: impl Iterator<Item = Self>) -> Self {
        let none = Self {
            name,
            used: 0,
            idle: 0,
            most: 0,
        };
        pools.fold(none, |sum, one| Self {
            name,
            used: sum.used + one.used,
            idle: sum.idle + one.idle,
            most: sum.most + one.most,
        })
    }
}

/// Boxed, because its future is large and it is rarely used.
async fn connect(options: ConnectOptions) -> Result<DatabaseConnection> {
    Ok(Box::pin(Database::connect(options)).await?)
}

impl Db {
    /// Connects to `sqlite://path` or `postgres://…`.
    ///
    /// # Errors
    /// [`StoreError::Setup`] for another kind of URL, a database error if it cannot be reached.
    pub async fn connect(url: &str, timeouts: Timeouts) -> Result<Self> {
        let (reader, writer) = if url.starts_with("sqlite:") {
            let (sqlite, readers) = sqlite::open(url, timeouts).await?;
            (Reader::Sqlite(readers), Writer::Sqlite(sqlite))
        } else if url.starts_with("postgres:") || url.starts_with("postgresql:") {
            let pool = connect(postgres::options(url, timeouts)).await?;
            (Reader::Postgres(pool.clone()), Writer::Postgres(pool))
        } else {
            return Err(StoreError::Setup(
                "the database URL must begin with sqlite:// or postgres://".to_owned(),
            ));
        };
        Ok(Self {
            url: url.into(),
            reader,
            writer,
            timeouts,
            health: Arc::default(),
        })
    }

    #[must_use]
    pub fn reader(&self) -> &Reader {
        &self.reader
    }

    #[must_use]
    pub fn health(&self) -> &WriteHealth {
        &self.health
    }

    /// A separate connection for slow work: migrations, rewriting the files.
    pub(crate) async fn maintenance(&self) -> Result<DatabaseConnection> {
        connect(if self.is_postgres() {
            postgres::maintenance_options(&self.url, self.timeouts)
        } else {
            sqlite::options(&self.url, self.timeouts)
        })
        .await
    }

    pub(crate) async fn begin_write(&self) -> Result<SqlTransaction> {
        match &self.writer {
            Writer::Sqlite(sqlite) => sqlite.begin().await,
            Writer::Postgres(pool) => postgres::begin_write(pool, self.timeouts).await,
        }
    }

    /// Begins a transaction whose reads all see one state of the database.
    pub async fn begin_read(&self) -> Result<SqlTransaction> {
        self.reader.begin().await
    }

    #[must_use]
    pub fn pools(&self) -> Vec<Pool> {
        match &self.writer {
            Writer::Postgres(pool) => {
                vec![Pool::of("all", pool.get_postgres_connection_pool())]
            }
            Writer::Sqlite(sqlite) => vec![sqlite.pool(), self.reader.pool()],
        }
    }

    #[must_use]
    pub fn timeouts(&self) -> Timeouts {
        self.timeouts
    }

    #[must_use]
    pub fn is_postgres(&self) -> bool {
        matches!(self.writer, Writer::Postgres(_))
    }

    pub(crate) fn backend(&self) -> DatabaseBackend {
        if self.is_postgres() {
            DatabaseBackend::Postgres
        } else {
            DatabaseBackend::Sqlite
        }
    }

    pub async fn close(self) {
        // A connection that cannot be closed is lost already.
        match self.writer {
            Writer::Sqlite(sqlite) => sqlite.close().await,
            Writer::Postgres(pool) => drop(pool.close().await),
        }
        self.reader.close().await;
    }
}

#[cfg(test)]
mod tests;
