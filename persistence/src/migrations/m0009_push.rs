//! What supplying systems have pushed.

use sea_orm_migration::prelude::*;
use sea_orm_migration::sea_orm::{ConnectionTrait, DatabaseBackend};

#[derive(DeriveMigrationName)]
pub(super) struct Migration;

const STATEMENTS: &[&str] = &[
    "CREATE TABLE supply (
        system text NOT NULL,
        kind text NOT NULL,
        external_id text NOT NULL,
        record_id {uuid},
        version bigint NOT NULL,
        sent_hash text NOT NULL,
        system_version text,
        PRIMARY KEY (system, kind, external_id))",
    "CREATE INDEX supply_record ON supply (record_id)",
];

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    // SQLite does not wrap a migration in a transaction unless asked to.
    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }

    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let uuid = match manager.get_database_backend() {
            DatabaseBackend::Sqlite => "blob",
            _ => "uuid",
        };
        for statement in STATEMENTS {
            let sql = statement.replace("{uuid}", uuid);
            manager.get_connection().execute_unprepared(&sql).await?;
        }
        Ok(())
    }
}
