//! The schema, written by hand, forward only. A migration is a list of statements with the
//! placeholders `{uuid}`, `{time}` and `{date}` for the types of each database.

mod m0001_foundation;
mod m0002_followers;
mod m0003_merge;
mod m0004_accounts;
mod m0005_flow;
mod m0006_sync;
mod m0007_persons;
mod m0008_idempotency;
mod m0009_push;
mod m0010_webhooks;
mod m0011_durability;
mod m0012_upgrade;
mod m0013_words;
mod m0014_names;
mod m0015_edge_order;
mod m0016_digests;
mod m0017_duplicates;
mod m0018_partners_believed;
mod m0019_deletions;
mod m0020_logged_time;
mod m0021_columns;
mod m0022_deletion_index;

use sea_orm_migration::prelude::*;
use sea_orm_migration::sea_orm::{ConnectionTrait, DatabaseBackend};

/// Every migration in order; the database remembers their names.
const ALL: &[Migration] = &[
    Migration("m0001_foundation", m0001_foundation::STATEMENTS),
    Migration("m0002_followers", m0002_followers::STATEMENTS),
    Migration("m0003_merge", m0003_merge::STATEMENTS),
    Migration("m0004_accounts", m0004_accounts::STATEMENTS),
    Migration("m0005_flow", m0005_flow::STATEMENTS),
    Migration("m0006_sync", m0006_sync::STATEMENTS),
    Migration("m0007_persons", m0007_persons::STATEMENTS),
    Migration("m0008_idempotency", m0008_idempotency::STATEMENTS),
    Migration("m0009_push", m0009_push::STATEMENTS),
    Migration("m0010_webhooks", m0010_webhooks::STATEMENTS),
    Migration("m0011_durability", m0011_durability::STATEMENTS),
    Migration("m0012_upgrade", m0012_upgrade::STATEMENTS),
    Migration("m0013_words", m0013_words::STATEMENTS),
    Migration("m0014_names", m0014_names::STATEMENTS),
    Migration("m0015_edge_order", m0015_edge_order::STATEMENTS),
    Migration("m0016_digests", m0016_digests::STATEMENTS),
    Migration("m0017_duplicates", m0017_duplicates::STATEMENTS),
    Migration(
        "m0018_partners_believed",
        m0018_partners_believed::STATEMENTS,
    ),
    Migration("m0019_deletions", m0019_deletions::STATEMENTS),
    Migration("m0020_logged_time", m0020_logged_time::STATEMENTS),
    Migration("m0021_columns", m0021_columns::STATEMENTS),
    Migration("m0022_deletion_index", m0022_deletion_index::STATEMENTS),
];

#[derive(Debug)]
pub struct Migrator;

impl MigratorTrait for Migrator {
    fn migrations() -> Vec<Box<dyn MigrationTrait>> {
        let boxed = ALL
            .iter()
            .map(|one| Box::new(*one) as Box<dyn MigrationTrait>);
        boxed.collect()
    }
}

#[derive(Debug, Clone, Copy)]
struct Migration(&'static str, &'static [&'static str]);

impl MigrationName for Migration {
    fn name(&self) -> &str {
        self.0
    }
}

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    // SQLite does not wrap a migration in a transaction by default.
    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }

    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let types = match manager.get_database_backend() {
            DatabaseBackend::Sqlite => ["blob", "text", "text"],
            _ => ["uuid", "timestamptz", "date"],
        };
        for statement in self.1 {
            let marks = ["{uuid}", "{time}", "{date}"].iter().zip(types);
            let sql = marks.fold((*statement).to_owned(), |sql, (mark, name)| {
                sql.replace(mark, name)
            });
            manager.get_connection().execute_unprepared(&sql).await?;
        }
        Ok(())
    }
}
