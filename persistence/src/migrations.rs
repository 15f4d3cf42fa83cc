//! The schema, written by hand, forward only.

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

use sea_orm_migration::prelude::*;

/// Every migration in order.
#[derive(Debug)]
pub struct Migrator;

#[async_trait::async_trait]
impl MigratorTrait for Migrator {
    fn migrations() -> Vec<Box<dyn MigrationTrait>> {
        vec![
            Box::new(m0001_foundation::Migration),
            Box::new(m0002_followers::Migration),
            Box::new(m0003_merge::Migration),
            Box::new(m0004_accounts::Migration),
            Box::new(m0005_flow::Migration),
            Box::new(m0006_sync::Migration),
            Box::new(m0007_persons::Migration),
            Box::new(m0008_idempotency::Migration),
            Box::new(m0009_push::Migration),
            Box::new(m0010_webhooks::Migration),
        ]
    }
}
