//! Contact persons, and which entries of the log have lost their bodies to an erasure.

use sea_orm_migration::prelude::*;
use sea_orm_migration::sea_orm::{ConnectionTrait, DatabaseBackend};

#[derive(DeriveMigrationName)]
pub(super) struct Migration;

const STATEMENTS: &[&str] = &[
    // They outlive the row of a record that was merged, so they do not go with it by themselves.
    "CREATE TABLE contact_person (
        id {uuid} PRIMARY KEY,
        record_id {uuid} NOT NULL,
        version bigint NOT NULL,
        name text NOT NULL,
        role text,
        email text,
        phone text,
        language text,
        purpose text NOT NULL,
        consent_from {time},
        consent_until {time},
        consent_proof text,
        visibility text NOT NULL,
        created_at {time} NOT NULL,
        updated_at {time} NOT NULL)",
    "CREATE INDEX contact_person_record ON contact_person (record_id, id)",
    "ALTER TABLE change ADD COLUMN erased boolean NOT NULL DEFAULT false",
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
