//! Opening a database: SQLite embedded, or PostgreSQL.

mod connection;
mod health;
#[cfg(test)]
pub(crate) mod observed;
mod postgres;
mod reader;
mod sqlite;
mod statement_limit;
mod transaction;

pub use connection::{Pool, Timeouts};
pub use health::WriteHealth;
pub(crate) use postgres::{APPLICATION_PREFIX, application_name};
pub use reader::Reader;
pub use transaction::SqlTransaction;

use crate::error::{Result, StoreError};

use connection::connect;
use sea_orm::{DatabaseBackend, DatabaseConnection};
use sqlite::Sqlite;
use std::sync::Arc;

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

async fn alone(url: &str, timeouts: Timeouts) -> Result<DatabaseConnection> {
    connect(if is_sqlite(url) {
        sqlite::options(url, timeouts, sqlite::WRITER_CACHE)
    } else if is_postgres(url) {
        postgres::maintenance_options(url, timeouts)
    } else {
        return Err(unknown_url());
    })
    .await
}

fn is_sqlite(url: &str) -> bool {
    url.starts_with("sqlite:")
}

fn is_postgres(url: &str) -> bool {
    url.starts_with("postgres:") || url.starts_with("postgresql:")
}

fn unknown_url() -> StoreError {
    StoreError::Setup("the database URL must begin with sqlite:// or postgres://".to_owned())
}

impl Db {
    /// Connects to `sqlite://path` or `postgres://…`.
    ///
    /// # Errors
    /// [`StoreError::Setup`] for another kind of URL, a database error if it cannot be reached.
    pub async fn connect(url: &str, timeouts: Timeouts) -> Result<Self> {
        let (reader, writer) = if is_sqlite(url) {
            let (sqlite, readers) = sqlite::open(url, timeouts).await?;
            (Reader::Sqlite(readers), Writer::Sqlite(sqlite))
        } else if is_postgres(url) {
            let pool = connect(postgres::options(url, timeouts)).await?;
            (Reader::Postgres(pool.clone()), Writer::Postgres(pool))
        } else {
            return Err(unknown_url());
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
        alone(&self.url, self.timeouts).await
    }

    /// One connection to a database to which this process has no other.
    ///
    /// # Errors
    /// As [`Self::connect`].
    pub(crate) async fn alone(url: &str) -> Result<DatabaseConnection> {
        alone(url, Timeouts::default()).await
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

    /// Steps of SQLite's virtual machine for writes so far.
    #[cfg(test)]
    pub(crate) fn steps(&self) -> u64 {
        match &self.writer {
            Writer::Sqlite(sqlite) => sqlite.steps(),
            Writer::Postgres(_) => 0,
        }
    }

    /// Steps of SQLite's virtual machine for reads so far.
    #[cfg(test)]
    pub(crate) fn read_steps(&self) -> u64 {
        match &self.reader {
            Reader::Sqlite(readers) => readers.steps(),
            Reader::Postgres(_) => 0,
        }
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
