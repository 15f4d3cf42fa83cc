//! Opening a database: SQLite embedded, or PostgreSQL.

use crate::error::{Result, StoreError, was_open};
use sea_orm::sqlx;
use sea_orm::sqlx::sqlite::{SqliteJournalMode, SqliteSynchronous};
use sea_orm::{
    ConnectOptions, ConnectionTrait, Database, DatabaseBackend, DatabaseConnection,
    DatabaseTransaction, SqliteTransactionMode, TransactionOptions, TransactionTrait,
};
use std::time::Duration;

/// The connections to one database.
///
/// SQLite has one writer, so it gets a pool of one connection beside a pool of readers; PostgreSQL
/// uses one pool for both.
#[derive(Debug, Clone)]
pub struct Db {
    write: DatabaseConnection,
    read: DatabaseConnection,
}

/// How many connections a pool has.
#[derive(Debug, Clone, Copy)]
pub struct Pool {
    /// What it is for: `write`, `read`, or `all`.
    pub name: &'static str,
    /// Those in use.
    pub used: u32,
    /// Those that wait to be used.
    pub idle: u32,
    /// The most that there may be.
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
}

/// How long a write waits for its turn, and how long it may take.
pub(crate) const PATIENCE: Duration = Duration::from_secs(15);

/// Connects. It is done seldom, and its future is large.
async fn pool(options: ConnectOptions) -> Result<DatabaseConnection> {
    Ok(Box::pin(Database::connect(options)).await?)
}

impl Db {
    /// Connects to `sqlite://path` or `postgres://…`.
    ///
    /// # Errors
    /// [`StoreError::Setup`] for another kind of URL, a database error if it cannot be reached.
    pub async fn connect(url: &str) -> Result<Self> {
        if url.starts_with("sqlite:") {
            Self::sqlite(url).await
        } else if url.starts_with("postgres:") || url.starts_with("postgresql:") {
            Self::postgres(url).await
        } else {
            Err(StoreError::Setup(
                "the database URL must begin with sqlite:// or postgres://".to_owned(),
            ))
        }
    }

    async fn sqlite(url: &str) -> Result<Self> {
        let write = pool(sqlite_options(url, 1)).await?;
        let read = pool(sqlite_options(url, 8)).await?;
        let row = write
            .query_one_raw(sea_orm::Statement::from_string(
                DatabaseBackend::Sqlite,
                "PRAGMA foreign_keys",
            ))
            .await?;
        let enforced: i32 = row.map_or(Ok(0), |row| row.try_get_by_index(0))?;
        if enforced != 1 {
            return Err(StoreError::Setup(
                "this SQLite does not enforce foreign keys".to_owned(),
            ));
        }
        Ok(Self { write, read })
    }

    async fn postgres(url: &str) -> Result<Self> {
        let mut options = ConnectOptions::new(url);
        options
            .max_connections(20)
            .acquire_timeout(PATIENCE)
            .sqlx_logging(false);
        let pool = pool(options).await?;
        Ok(Self {
            write: pool.clone(),
            read: pool,
        })
    }

    /// The connections for reading outside a write.
    #[must_use]
    pub fn reader(&self) -> &DatabaseConnection {
        &self.read
    }

    /// The connections for writing; only [`crate::unit`] and the migrations use them.
    pub(crate) fn writer(&self) -> &DatabaseConnection {
        &self.write
    }

    /// Begins a transaction that will write.
    pub(crate) async fn begin_write(&self) -> Result<DatabaseTransaction> {
        let options = TransactionOptions {
            // A deferred transaction fails when it first writes under contention.
            sqlite_transaction_mode: Some(SqliteTransactionMode::Immediate),
            ..TransactionOptions::default()
        };
        let tx = self.write.begin_with_options(options).await?;
        if self.is_postgres() {
            tx.execute_unprepared(
                "SET LOCAL synchronous_commit = on; SET LOCAL lock_timeout = '2s'; \
                 SET LOCAL statement_timeout = '15s'",
            )
            .await?;
        }
        Ok(tx)
    }

    /// Begins a transaction whose reads all see one state of the database.
    pub(crate) async fn begin_read(&self) -> Result<DatabaseTransaction> {
        let begin = || {
            let isolation_level = self
                .is_postgres()
                .then_some(sea_orm::IsolationLevel::RepeatableRead);
            self.read.begin_with_options(TransactionOptions {
                isolation_level,
                ..TransactionOptions::default()
            })
        };
        match begin().await {
            // Whoever hung up just as his transaction began left it open in the pool; it is ended
            // by failing.
            Err(error) if was_open(&error) => Ok(begin().await?),
            begun => Ok(begun?),
        }
    }

    /// How many connections there are, by pool.
    #[must_use]
    pub fn pools(&self) -> Vec<Pool> {
        if self.is_postgres() {
            return vec![Pool::of("all", self.read.get_postgres_connection_pool())];
        }
        let pools = [("write", &self.write), ("read", &self.read)];
        let pools = pools.map(|(name, pool)| Pool::of(name, pool.get_sqlite_connection_pool()));
        pools.into()
    }

    /// Whether this is PostgreSQL.
    #[must_use]
    pub fn is_postgres(&self) -> bool {
        self.read.get_database_backend() == DatabaseBackend::Postgres
    }

    /// Closes every connection.
    pub async fn close(self) {
        // A connection that cannot be closed is gone already.
        let _ = self.write.close().await;
        let _ = self.read.close().await;
    }
}

fn sqlite_options(url: &str, connections: u32) -> ConnectOptions {
    let mut options = ConnectOptions::new(url);
    options
        .max_connections(connections)
        .acquire_timeout(PATIENCE)
        .sqlx_logging(false)
        .map_sqlx_sqlite_opts(|sqlite| {
            sqlite
                .create_if_missing(true)
                .foreign_keys(true)
                .journal_mode(SqliteJournalMode::Wal)
                // What is deleted is overwritten, so that erasing leaves nothing in the file.
                .pragma("secure_delete", "ON")
                // Every acknowledged write survives a power failure.
                .synchronous(SqliteSynchronous::Full)
                .busy_timeout(PATIENCE)
        });
    options
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What the database says of its settings in a transaction that will write.
    async fn told(db: &Db, questions: &[&str]) -> Vec<String> {
        let tx = db.begin_write().await.unwrap();
        let mut told = Vec::new();
        for question in questions {
            let question = sea_orm::Statement::from_string(tx.get_database_backend(), *question);
            let row = tx.query_one_raw(question).await.unwrap().unwrap();
            let number = row.try_get_by_index::<i64>(0).map(|one| one.to_string());
            told.push(number.or_else(|_| row.try_get_by_index(0)).unwrap());
        }
        tx.rollback().await.unwrap();
        told
    }

    fn wait_for<T>(work: impl Future<Output = T>) -> T {
        let mut runtime = tokio::runtime::Builder::new_current_thread();
        runtime.enable_all().build().unwrap().block_on(work)
    }

    #[test]
    fn sqlite_acknowledges_what_is_on_the_disk() {
        wait_for(async {
            let file = std::env::temp_dir().join(format!("{}.sqlite", domain::id::new()));
            let url = format!("sqlite://{}", file.display());
            let db = Db::connect(&url).await.unwrap();
            let questions = [
                "PRAGMA synchronous",
                "PRAGMA journal_mode",
                "PRAGMA secure_delete",
                "PRAGMA foreign_keys",
                "PRAGMA busy_timeout",
            ];
            let full = "2";
            assert_eq!(
                told(&db, &questions).await,
                [full, "wal", "1", "1", "15000"]
            );
            db.close().await;
            std::fs::remove_file(file).unwrap();
        });
    }

    #[test]
    fn postgres_acknowledges_what_is_on_the_disk_and_waits_for_nobody_for_long() {
        #[expect(clippy::disallowed_methods, reason = "the tests' own configuration")]
        let url = std::env::var("TEST_DATABASE_URL");
        let url = url.expect("TEST_DATABASE_URL names no PostgreSQL server; see CONTRIBUTING.md");
        let and = if url.contains('?') { '&' } else { '?' };
        wait_for(async {
            // Whatever the server would do by itself.
            let db = format!("{url}{and}options[synchronous_commit]=off");
            let db = Db::connect(&db).await.unwrap();
            let questions = [
                "SHOW synchronous_commit",
                "SHOW lock_timeout",
                "SHOW statement_timeout",
            ];
            assert_eq!(told(&db, &questions).await, ["on", "2s", "15s"]);
            db.close().await;
        });
    }
}
