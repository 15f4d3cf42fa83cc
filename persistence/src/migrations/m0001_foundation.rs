//! Records, their relationships, the log, accounts and keys.

use sea_orm_migration::prelude::*;
use sea_orm_migration::sea_orm::{ConnectionTrait, DatabaseBackend};

#[derive(DeriveMigrationName)]
pub(super) struct Migration;

/// SQL that both databases understand, with `{uuid}`, `{time}`, `{date}` and `{bool}` for the types
/// whose names differ.
const TABLES: &[&str] = &[
    "CREATE TABLE sync_state (
        id integer PRIMARY KEY CHECK (id = 1),
        origin text NOT NULL,
        log_id {uuid} NOT NULL,
        head_seq bigint NOT NULL,
        floor_seq bigint NOT NULL,
        secret text NOT NULL,
        reference_hash text,
        created_at {time} NOT NULL)",
    "CREATE TABLE record (
        id {uuid} PRIMARY KEY,
        kind text NOT NULL,
        origin text NOT NULL,
        slug text,
        name text,
        system text,
        external_id text,
        home_region {uuid},
        publication text NOT NULL,
        was_public {bool} NOT NULL,
        publish_at {time},
        sameness text,
        version bigint NOT NULL,
        seq bigint NOT NULL,
        created_at {time} NOT NULL,
        updated_at {time} NOT NULL,
        synced_at {time},
        body text NOT NULL)",
    "CREATE UNIQUE INDEX record_slug ON record (kind, slug, origin)",
    "CREATE UNIQUE INDEX record_external_id ON record (kind, system, external_id, origin)",
    "CREATE UNIQUE INDEX record_sameness ON record (sameness, origin)",
    "CREATE INDEX record_seq ON record (seq)",
    "CREATE TABLE tombstone (
        id {uuid} PRIMARY KEY,
        kind text NOT NULL,
        origin text NOT NULL,
        slug text,
        system text,
        external_id text,
        home_region {uuid},
        version bigint NOT NULL,
        was_public {bool} NOT NULL,
        cause text NOT NULL,
        merged_into {uuid},
        created_at {time} NOT NULL,
        deleted_at {time} NOT NULL)",
    "CREATE INDEX tombstone_slug ON tombstone (kind, slug)",
    "CREATE UNIQUE INDEX tombstone_external_id ON tombstone (kind, system, external_id, origin)",
    "CREATE TABLE redirect (
        kind text NOT NULL,
        slug text NOT NULL,
        origin text NOT NULL,
        record_id {uuid} NOT NULL REFERENCES record (id) ON DELETE CASCADE,
        PRIMARY KEY (kind, slug, origin))",
    "CREATE INDEX redirect_record ON redirect (record_id)",
    "CREATE TABLE identifier (
        record_id {uuid} NOT NULL REFERENCES record (id) ON DELETE CASCADE,
        scheme text NOT NULL,
        value text NOT NULL,
        origin text NOT NULL,
        PRIMARY KEY (record_id, scheme, value))",
    "CREATE UNIQUE INDEX identifier_value ON identifier (scheme, value, origin)",
    "CREATE TABLE reference (
        record_id {uuid} NOT NULL REFERENCES record (id) ON DELETE CASCADE,
        field text NOT NULL,
        target_id {uuid} NOT NULL,
        PRIMARY KEY (record_id, field, target_id))",
    "CREATE INDEX reference_target ON reference (target_id)",
    "CREATE TABLE edge (
        record_id {uuid} PRIMARY KEY REFERENCES record (id) ON DELETE CASCADE,
        type text NOT NULL,
        from_kind text,
        from_id {uuid},
        to_kind text,
        to_id {uuid},
        open_end text,
        position integer,
        from_earliest {date},
        from_latest {date},
        to_earliest {date},
        to_latest {date})",
    "CREATE INDEX edge_from ON edge (from_id, type)",
    "CREATE INDEX edge_to ON edge (to_id, type)",
    "CREATE INDEX edge_type ON edge (type, position, record_id)",
    "CREATE TABLE edge_role (
        record_id {uuid} NOT NULL REFERENCES edge (record_id) ON DELETE CASCADE,
        role text NOT NULL,
        PRIMARY KEY (record_id, role))",
    "CREATE TABLE change (
        seq bigint PRIMARY KEY,
        nonce bigint NOT NULL,
        tx bigint NOT NULL,
        kind text NOT NULL,
        record_id {uuid} NOT NULL,
        origin text NOT NULL,
        op text NOT NULL,
        version bigint NOT NULL,
        newest {bool} NOT NULL,
        audience_before text,
        audience_after text,
        body text,
        by {uuid},
        reason text,
        at {time} NOT NULL,
        bulk {bool} NOT NULL)",
    "CREATE INDEX change_record ON change (record_id, seq)",
    "CREATE TABLE geometry (
        record_id {uuid} PRIMARY KEY REFERENCES record (id) ON DELETE CASCADE,
        version bigint NOT NULL,
        body text NOT NULL,
        updated_at {time} NOT NULL)",
    "CREATE TABLE account (
        id {uuid} PRIMARY KEY,
        name text NOT NULL,
        password_hash text,
        created_at {time} NOT NULL,
        disabled_at {time})",
    "CREATE UNIQUE INDEX account_name ON account (name)",
    "CREATE TABLE account_grant (
        id {uuid} PRIMARY KEY,
        account_id {uuid} NOT NULL REFERENCES account (id) ON DELETE CASCADE,
        role text NOT NULL,
        region_id {uuid},
        descendants {bool} NOT NULL,
        system text)",
    "CREATE INDEX account_grant_account ON account_grant (account_id)",
    "CREATE TABLE signing_key (
        kid text PRIMARY KEY,
        alg text NOT NULL,
        private_pem text NOT NULL,
        created_at {time} NOT NULL,
        retired_at {time})",
];

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    // SQLite does not wrap a migration in a transaction unless asked to.
    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }

    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let names = match manager.get_database_backend() {
            DatabaseBackend::Sqlite => ["blob", "text", "text", "boolean"],
            _ => ["uuid", "timestamptz", "date", "boolean"],
        };
        for table in TABLES {
            let sql = ["{uuid}", "{time}", "{date}", "{bool}"]
                .iter()
                .zip(names)
                .fold((*table).to_owned(), |sql, (mark, name)| {
                    sql.replace(mark, name)
                });
            manager.get_connection().execute_unprepared(&sql).await?;
        }
        Ok(())
    }
}
