use super::connection::Pool;
use super::postgres;
use super::sqlite::Readers;
use super::transaction::SqlTransaction;
use crate::error::Result;
use crate::meter::Meter;
use async_trait::async_trait;
use sea_orm::{
    ConnectionTrait, DatabaseBackend, DatabaseConnection, DbErr, ExecResult, QueryResult, Statement,
};

/// The connections for reading; a statement uses any free one.
#[derive(Debug, Clone)]
pub enum Reader {
    Sqlite(Readers),
    Postgres(DatabaseConnection),
}

impl Reader {
    /// Begins a transaction whose reads all see one state of the database.
    pub(super) async fn begin(&self) -> Result<SqlTransaction> {
        match self {
            Self::Sqlite(readers) => readers.begin().await,
            Self::Postgres(pool) => postgres::begin_read(pool).await,
        }
    }

    pub(super) fn pool(&self) -> Pool {
        match self {
            Self::Sqlite(readers) => readers.pool(),
            Self::Postgres(pool) => Pool::of("read", pool.get_postgres_connection_pool()),
        }
    }

    pub(super) async fn close(self) {
        match self {
            Self::Sqlite(readers) => readers.close().await,
            Self::Postgres(pool) => drop(pool.close().await),
        }
    }
}

#[async_trait]
impl ConnectionTrait for Reader {
    fn get_database_backend(&self) -> DatabaseBackend {
        match self {
            Self::Sqlite(_) => DatabaseBackend::Sqlite,
            Self::Postgres(_) => DatabaseBackend::Postgres,
        }
    }

    async fn execute_raw(&self, statement: Statement) -> Result<ExecResult, DbErr> {
        match self {
            Self::Sqlite(readers) => {
                let reader = readers.lease().await?;
                reader.run(reader.pool().execute_raw(statement)).await
            }
            Self::Postgres(pool) => pool.execute_raw(statement).await,
        }
    }

    async fn execute_unprepared(&self, sql: &str) -> Result<ExecResult, DbErr> {
        match self {
            Self::Sqlite(readers) => {
                let reader = readers.lease().await?;
                reader.run(reader.pool().execute_unprepared(sql)).await
            }
            Self::Postgres(pool) => pool.execute_unprepared(sql).await,
        }
    }

    async fn query_one_raw(&self, statement: Statement) -> Result<Option<QueryResult>, DbErr> {
        match self {
            Self::Sqlite(readers) => {
                let reader = readers.lease().await?;
                reader.run(reader.pool().query_one_raw(statement)).await
            }
            Self::Postgres(pool) => pool.query_one_raw(statement).await,
        }
    }

    async fn query_all_raw(&self, statement: Statement) -> Result<Vec<QueryResult>, DbErr> {
        let rows = match self {
            Self::Sqlite(readers) => {
                let reader = readers.lease().await?;
                reader.run(reader.pool().query_all_raw(statement)).await
            }
            Self::Postgres(pool) => pool.query_all_raw(statement).await,
        }?;
        Meter::count_rows(rows.len());
        Ok(rows)
    }
}
