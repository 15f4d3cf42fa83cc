//! The cursors of the followers, and what the outside was last told of each record.

use sea_orm_migration::prelude::*;
use sea_orm_migration::sea_orm::ConnectionTrait;

#[derive(DeriveMigrationName)]
pub(super) struct Migration;

const STATEMENTS: &[&str] = &[
    "CREATE TABLE follower (name text PRIMARY KEY, seq bigint NOT NULL)",
    "ALTER TABLE record ADD COLUMN shown boolean NOT NULL DEFAULT false",
    // What the log says so far; the follower that starts at its beginning puts it right.
    "UPDATE record SET shown = (publication = 'published')",
];

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    // SQLite does not wrap a migration in a transaction unless asked to.
    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }

    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        for statement in STATEMENTS {
            manager
                .get_connection()
                .execute_unprepared(statement)
                .await?;
        }
        Ok(())
    }
}
