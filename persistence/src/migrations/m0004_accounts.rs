//! Accounts of people, clients and external subjects, with versions.

use sea_orm_migration::prelude::*;
use sea_orm_migration::sea_orm::ConnectionTrait;

#[derive(DeriveMigrationName)]
pub(super) struct Migration;

const STATEMENTS: &[&str] = &[
    "ALTER TABLE account ADD COLUMN kind text NOT NULL DEFAULT 'person'",
    "ALTER TABLE account ADD COLUMN version bigint NOT NULL DEFAULT 1",
    "ALTER TABLE account ADD COLUMN secret_hash text",
    "ALTER TABLE account ADD COLUMN issuer text",
    "ALTER TABLE account ADD COLUMN subject text",
    "CREATE UNIQUE INDEX account_subject ON account (issuer, subject)",
];

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    // SQLite does not wrap a migration in a transaction unless asked to.
    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }

    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        for statement in STATEMENTS {
            let connection = manager.get_connection();
            connection.execute_unprepared(statement).await?;
        }
        Ok(())
    }
}
