//! SQLite: one connection for writing, several for reading.
//!
//! When a disk is full or fails, SQLite may end a transaction by itself. sqlx counts transactions
//! on its own and does not notice: every later one is then a savepoint in a transaction that is
//! never committed. So a connection is reused only if sqlx counts none, and a write is acknowledged
//! only if SQLite's commit hook was called for it.

use super::connection::{Pool, Timeouts, connect};
use super::statement_limit::{STEPS, StatementLimit};
use super::transaction::SqlTransaction;
use crate::error::{Result, StoreError, is_of_storage};
use sea_orm::sqlx::Connection as _;
use sea_orm::sqlx::pool::PoolOptions;
use sea_orm::sqlx::sqlite::{Sqlite as Driver, SqliteJournalMode, SqliteSynchronous};
use sea_orm::{
    ConnAcquireErr, ConnectOptions, ConnectionTrait, DatabaseBackend, DatabaseConnection, DbErr,
    SqliteTransactionMode, Statement, TransactionOptions, TransactionTrait,
};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

const READERS: usize = 8;

/// Page caches of a connection, in KiB below zero; by default 2 MB, with which every write reads
/// most pages from the file again.
pub(super) const WRITER_CACHE: &str = "-32768";
const READER_CACHE: &str = "-8192";

/// A pool of one connection, and the limit of its statements.
#[derive(Debug, Clone)]
struct Connection {
    pool: DatabaseConnection,
    limit: Arc<StatementLimit>,
}

#[derive(Debug, Clone)]
pub(super) struct Sqlite {
    connection: Connection,
    watch: Arc<Watch>,
}

#[derive(Debug, Default)]
struct Watch {
    commits: AtomicU64,
    distrusted: AtomicBool,
}

pub(super) async fn open(url: &str, timeouts: Timeouts) -> Result<(Sqlite, Readers)> {
    let sqlite = Sqlite::open(url, timeouts).await?;
    let readers = Readers::open(url, timeouts).await?;
    Ok((sqlite, readers))
}

pub(super) fn options(url: &str, timeouts: Timeouts, cache: &'static str) -> ConnectOptions {
    let mut options = ConnectOptions::new(url);
    options
        .max_connections(1)
        .acquire_timeout(timeouts.acquire)
        // The connection to a file does not break.
        .test_before_acquire(false)
        .sqlx_logging(false)
        .map_sqlx_sqlite_opts(move |sqlite| {
            sqlite
                .create_if_missing(true)
                .foreign_keys(true)
                .journal_mode(SqliteJournalMode::Wal)
                // Deleted data is overwritten, so that erasing leaves nothing in the file.
                .pragma("secure_delete", "ON")
                .pragma("cache_size", cache)
                // Every acknowledged write survives a power failure.
                .synchronous(SqliteSynchronous::Full)
                .busy_timeout(timeouts.acquire)
        });
    options
}

impl Connection {
    async fn open(url: &str, timeouts: Timeouts, watch: Option<Arc<Watch>>) -> Result<Self> {
        let limit = Arc::new(StatementLimit::new(timeouts.statement));
        let cache = match watch {
            Some(_) => WRITER_CACHE,
            None => READER_CACHE,
        };
        let mut options = options(url, timeouts, cache);
        let armed = limit.clone();
        let shared = limit.clone();
        options
            .map_sqlx_sqlite_before_acquire(move |_, _| {
                armed.arm();
                Box::pin(std::future::ready(Ok(true)))
            })
            .map_sqlx_sqlite_pool_opts(move |pool| watched(pool, shared.clone(), watch.clone()));
        let pool = connect(options).await?;
        Ok(Self { pool, limit })
    }

    fn pool(&self, name: &'static str) -> Pool {
        Pool::of(name, self.pool.get_sqlite_connection_pool())
    }
}

/// Sets the hooks of each new connection, and checks each returned one.
fn watched(
    pool: PoolOptions<Driver>,
    limit: Arc<StatementLimit>,
    watch: Option<Arc<Watch>>,
) -> PoolOptions<Driver> {
    let hooks = watch.clone();
    pool.after_connect(move |connection, _| {
        let (limit, watch) = (limit.clone(), hooks.clone());
        Box::pin(async move {
            let mut handle = connection.lock_handle().await?;
            limit.arm();
            handle.set_progress_handler(STEPS, move || limit.may_go_on());
            if let Some(watch) = watch {
                watch.distrusted.store(false, Ordering::SeqCst);
                handle.set_commit_hook(move || {
                    watch.commits.fetch_add(1, Ordering::SeqCst);
                    true
                });
            }
            Ok(())
        })
    })
    .after_release(move |connection, _| {
        let distrusted = watch
            .as_ref()
            .is_some_and(|watch| watch.distrusted.swap(false, Ordering::SeqCst));
        Box::pin(async move {
            if connection.is_in_transaction() {
                // A rollback may be under way.
                connection.ping().await?;
            }
            Ok(!distrusted && !connection.is_in_transaction())
        })
    })
}

impl Sqlite {
    async fn open(url: &str, timeouts: Timeouts) -> Result<Self> {
        let watch = Arc::<Watch>::default();
        let connection = Connection::open(url, timeouts, Some(watch.clone())).await?;
        let asked = Statement::from_string(DatabaseBackend::Sqlite, "PRAGMA foreign_keys");
        let row = connection.pool.query_one_raw(asked).await?;
        let enforced: i32 = row.map_or(Ok(0), |row| row.try_get_by_index(0))?;
        if enforced != 1 {
            return Err(StoreError::Setup(
                "this SQLite does not enforce foreign keys".to_owned(),
            ));
        }
        Ok(Self { connection, watch })
    }

    pub(super) async fn begin(&self) -> Result<SqlTransaction> {
        loop {
            let commits = self.watch.commits.load(Ordering::SeqCst);
            // A deferred transaction fails when it first writes under contention.
            let options = TransactionOptions {
                sqlite_transaction_mode: Some(SqliteTransactionMode::Immediate),
                ..TransactionOptions::default()
            };
            let begun = self.connection.pool.begin_with_options(options).await;
            let tx = begun.map_err(|why| self.noted(why))?;
            // Set since it was acquired: it is closed on return, and another one is opened.
            if self.watch.distrusted.load(Ordering::SeqCst) {
                drop(tx);
                continue;
            }
            let limit = self.connection.limit.clone();
            return Ok(SqlTransaction::writer(tx, limit, self.clone(), commits));
        }
    }

    /// Whether a commit took effect, given the number of commits before it.
    pub(super) fn committed(&self, outcome: Result<(), DbErr>, before: u64) -> Result<()> {
        outcome.map_err(|why| self.noted(why))?;
        if self.watch.commits.load(Ordering::SeqCst) > before {
            return Ok(());
        }
        self.distrust();
        Err(StoreError::StorageFailing(DbErr::Custom(
            "SQLite acknowledged a commit that it had not made".to_owned(),
        )))
    }

    /// Makes the connection be closed on return, and replaced for the next write.
    fn distrust(&self) {
        self.watch.distrusted.store(true, Ordering::SeqCst);
    }

    pub(super) fn noted(&self, why: DbErr) -> DbErr {
        if is_of_storage(&why) {
            self.distrust();
        }
        why
    }

    /// Steps of the virtual machine for writes so far.
    #[cfg(test)]
    pub(super) fn steps(&self) -> u64 {
        self.connection.limit.steps()
    }

    pub(super) fn pool(&self) -> Pool {
        self.connection.pool("write")
    }

    pub(super) async fn close(self) {
        // A connection that cannot be closed is lost already.
        let _ = self.connection.pool.close().await;
    }
}

#[derive(Debug, Clone)]
pub struct Readers {
    connections: Arc<[Connection]>,
    timeout: Duration,
    free: Arc<Free>,
}

#[derive(Debug)]
struct Free {
    permits: Arc<Semaphore>,
    indices: Mutex<Vec<usize>>,
}

/// The right to use one of the connections; returned on drop.
#[derive(Debug)]
pub(super) struct Lease {
    index: usize,
    free: Arc<Free>,
    _permit: OwnedSemaphorePermit,
}

impl Drop for Lease {
    fn drop(&mut self) {
        self.free.put_back(self.index);
    }
}

pub(super) struct Leased<'a> {
    connection: &'a Connection,
    lease: Lease,
}

impl Leased<'_> {
    pub(super) fn pool(&self) -> &DatabaseConnection {
        &self.connection.pool
    }

    /// Awaits a statement, and interrupts it if the caller stops waiting.
    pub(super) async fn run<T>(&self, statement: impl Future<Output = T>) -> T {
        let watched = self.connection.limit.watch();
        let outcome = statement.await;
        watched.ended();
        outcome
    }
}

impl Free {
    /// The most recently used one: its cache is warm.
    fn take(&self) -> Option<usize> {
        self.indices
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .pop()
    }

    fn put_back(&self, index: usize) {
        self.indices
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .push(index);
    }
}

fn timed_out() -> DbErr {
    DbErr::ConnectionAcquire(ConnAcquireErr::Timeout)
}

fn closed() -> DbErr {
    DbErr::ConnectionAcquire(ConnAcquireErr::ConnectionClosed)
}

impl Readers {
    async fn open(url: &str, timeouts: Timeouts) -> Result<Self> {
        let mut connections = Vec::with_capacity(READERS);
        for _ in 0..READERS {
            connections.push(Connection::open(url, timeouts, None).await?);
        }
        Ok(Self {
            connections: connections.into(),
            timeout: timeouts.acquire,
            free: Arc::new(Free {
                permits: Arc::new(Semaphore::new(READERS)),
                indices: Mutex::new((0..READERS).rev().collect()),
            }),
        })
    }

    pub(super) async fn lease(&self) -> Result<Leased<'_>, DbErr> {
        let permit = self.free.permits.clone().acquire_owned();
        let permit = tokio::time::timeout(self.timeout, permit).await;
        let permit = permit.map_err(|_| timed_out())?.map_err(|_| closed())?;
        let index = self.free.take().ok_or_else(closed)?;
        let lease = Lease {
            index,
            free: self.free.clone(),
            _permit: permit,
        };
        let connection = self.connections.get(index).ok_or_else(closed)?;
        Ok(Leased { connection, lease })
    }

    /// Begins a transaction whose reads all see one state of the file.
    pub(super) async fn begin(&self) -> Result<SqlTransaction> {
        let Leased { connection, lease } = self.lease().await?;
        let tx = connection.pool.begin().await?;
        let limit = connection.limit.clone();
        Ok(SqlTransaction::reader(tx, limit, lease))
    }

    /// Steps of the virtual machine for reads so far.
    #[cfg(test)]
    pub(super) fn steps(&self) -> u64 {
        self.connections.iter().map(|one| one.limit.steps()).sum()
    }

    pub(super) fn pool(&self) -> Pool {
        Pool::sum("read", self.connections.iter().map(|one| one.pool("read")))
    }

    pub(super) async fn close(self) {
        self.free.permits.close();
        for connection in self.connections.iter() {
            // A connection that cannot be closed is lost already.
            let _ = connection.pool.close_by_ref().await;
        }
    }
}
