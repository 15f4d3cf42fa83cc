//! The answers that are kept under keys which callers choose.

use sea_orm_migration::prelude::*;
use sea_orm_migration::sea_orm::{ConnectionTrait, DatabaseBackend};

#[derive(DeriveMigrationName)]
pub(super) struct Migration;

const STATEMENTS: &[&str] = &[
    "CREATE TABLE kept_answer (
        principal {uuid} NOT NULL,
        key_hash text NOT NULL,
        request_hash text NOT NULL,
        status integer,
        headers text,
        body text,
        created_at {time} NOT NULL,
        PRIMARY KEY (principal, key_hash))",
    "CREATE INDEX kept_answer_created ON kept_answer (created_at)",
];

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    // SQLite does not wrap a migration in a transaction unless asked to.
    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }

    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let [uuid, time] = match manager.get_database_backend() {
            DatabaseBackend::Sqlite => ["blob", "text"],
            _ => ["uuid", "timestamptz"],
        };
        for statement in STATEMENTS {
            let sql = statement.replace("{uuid}", uuid).replace("{time}", time);
            manager.get_connection().execute_unprepared(&sql).await?;
        }
        Ok(())
    }
}
