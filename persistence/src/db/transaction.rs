//! An open SQL transaction on either database.

use super::sqlite::{Lease, Sqlite};
use super::statement_limit::StatementLimit;
use crate::error::{Result, StoreError};
use crate::meter::Meter;
use async_trait::async_trait;
use sea_orm::{
    ConnectionTrait, DatabaseBackend, DatabaseTransaction, DbErr, ExecResult, QueryResult,
    Statement, StreamTrait,
};
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

#[derive(Debug)]
pub struct SqlTransaction {
    // Dropped first: only then may the connection be reused.
    inner: DatabaseTransaction,
    limit: Option<Arc<StatementLimit>>,
    /// Whether a statement failed: SQLite may have rolled back then, and later statements would be
    /// committed alone (<https://sqlite.org/lang_transaction.html>).
    ended: AtomicBool,
    held: Held,
}

#[derive(Debug)]
enum Held {
    Nothing,
    Reader(#[expect(dead_code, reason = "it is given back when it is dropped")] Lease),
    /// The writer of SQLite, and the number of commits before.
    Writer(Sqlite, u64),
}

impl SqlTransaction {
    pub(super) fn postgres(inner: DatabaseTransaction) -> Self {
        Self {
            inner,
            limit: None,
            ended: AtomicBool::new(false),
            held: Held::Nothing,
        }
    }

    pub(super) fn reader(
        inner: DatabaseTransaction,
        limit: Arc<StatementLimit>,
        lease: Lease,
    ) -> Self {
        Self {
            inner,
            limit: Some(limit),
            ended: AtomicBool::new(false),
            held: Held::Reader(lease),
        }
    }

    pub(super) fn writer(
        inner: DatabaseTransaction,
        limit: Arc<StatementLimit>,
        sqlite: Sqlite,
        commits: u64,
    ) -> Self {
        Self {
            inner,
            limit: Some(limit),
            ended: AtomicBool::new(false),
            held: Held::Writer(sqlite, commits),
        }
    }

    /// Commits the transaction.
    ///
    /// # Errors
    /// [`StoreError::Unconfirmed`] if the connection was lost meanwhile, so that the outcome is
    /// unknown; [`StoreError::StorageFailing`] if SQLite claims to have committed and did not.
    pub(crate) async fn commit(self) -> Result<()> {
        if self.ended.load(Ordering::SeqCst) {
            return Err(StoreError::StorageFailing(ended()));
        }
        let committed = self.inner.commit().await;
        match self.held {
            Held::Nothing => committed.map_err(StoreError::of_commit),
            Held::Reader(_) => Ok(committed?),
            Held::Writer(sqlite, before) => sqlite.committed(committed, before),
        }
    }

    pub(crate) async fn rollback(self) -> Result<()> {
        Ok(self.inner.rollback().await?)
    }

    /// Awaits a statement, and interrupts it if the caller stops waiting.
    async fn run<T>(&self, statement: impl Future<Output = Result<T, DbErr>>) -> Result<T, DbErr> {
        let Some(limit) = &self.limit else {
            return statement.await;
        };
        if self.ended.load(Ordering::SeqCst) {
            return Err(ended());
        }
        let watched = limit.watch();
        let outcome = statement.await;
        watched.ended();
        if outcome.is_err() {
            self.ended.store(true, Ordering::SeqCst);
        }
        outcome.map_err(|why| match &self.held {
            Held::Writer(sqlite, _) => sqlite.noted(why),
            Held::Reader(_) | Held::Nothing => why,
        })
    }
}

fn ended() -> DbErr {
    DbErr::Custom("the transaction was ended by an earlier error".to_owned())
}

#[async_trait]
impl ConnectionTrait for SqlTransaction {
    fn get_database_backend(&self) -> DatabaseBackend {
        ConnectionTrait::get_database_backend(&self.inner)
    }

    async fn execute_raw(&self, statement: Statement) -> Result<ExecResult, DbErr> {
        self.run(self.inner.execute_raw(statement)).await
    }

    async fn execute_unprepared(&self, sql: &str) -> Result<ExecResult, DbErr> {
        self.run(self.inner.execute_unprepared(sql)).await
    }

    async fn query_one_raw(&self, statement: Statement) -> Result<Option<QueryResult>, DbErr> {
        self.run(self.inner.query_one_raw(statement)).await
    }

    async fn query_all_raw(&self, statement: Statement) -> Result<Vec<QueryResult>, DbErr> {
        let rows = self.run(self.inner.query_all_raw(statement)).await?;
        Meter::count_rows(rows.len());
        Ok(rows)
    }
}

/// A stream takes as long as its reader, so it has no time limit.
impl StreamTrait for SqlTransaction {
    type Stream<'a> = <DatabaseTransaction as StreamTrait>::Stream<'a>;

    fn get_database_backend(&self) -> DatabaseBackend {
        ConnectionTrait::get_database_backend(&self.inner)
    }

    fn stream_raw<'a>(
        &'a self,
        statement: Statement,
    ) -> Pin<Box<dyn Future<Output = Result<Self::Stream<'a>, DbErr>> + 'a + Send>> {
        self.inner.stream_raw(statement)
    }
}
