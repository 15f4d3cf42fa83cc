//! Webhooks: who is told of changes, and what became of each delivery.

use sea_orm_migration::prelude::*;
use sea_orm_migration::sea_orm::{ConnectionTrait, DatabaseBackend};

#[derive(DeriveMigrationName)]
pub(super) struct Migration;

const STATEMENTS: &[&str] = &[
    "CREATE TABLE webhook (
        id {uuid} PRIMARY KEY,
        name text NOT NULL,
        version bigint NOT NULL,
        url text NOT NULL,
        kinds text NOT NULL,
        home_regions text NOT NULL,
        secret text NOT NULL,
        former_secret text,
        former_until {time},
        state text NOT NULL,
        disabled_reason text,
        disabled_at {time},
        told_after bigint NOT NULL,
        failures integer NOT NULL,
        last_error text,
        succeeded_at {time},
        retry_at {time},
        fence bigint NOT NULL,
        leased_until {time},
        created_at {time} NOT NULL)",
    "CREATE UNIQUE INDEX webhook_name ON webhook (name)",
    "CREATE TABLE webhook_delivery (
        id {uuid} PRIMARY KEY,
        webhook_id {uuid} NOT NULL REFERENCES webhook (id) ON DELETE CASCADE,
        seq bigint NOT NULL,
        happening text NOT NULL,
        kind text NOT NULL,
        record_id {uuid} NOT NULL,
        op text NOT NULL,
        version bigint,
        origin text NOT NULL,
        at {time} NOT NULL,
        state text NOT NULL,
        attempts integer NOT NULL,
        first_attempted_at {time},
        attempted_at {time},
        status integer,
        error text,
        next_attempt_at {time},
        finished_at {time})",
    // An entry of the log is told to a webhook once, however often it is followed.
    "CREATE UNIQUE INDEX webhook_delivery_entry ON webhook_delivery (webhook_id, seq)",
    "CREATE INDEX webhook_delivery_due ON webhook_delivery (webhook_id, next_attempt_at)
        WHERE state = 'pending'",
    "CREATE INDEX webhook_delivery_finished ON webhook_delivery (finished_at)",
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
