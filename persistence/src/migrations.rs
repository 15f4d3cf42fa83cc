//! The schema, written by hand, forward only.

mod m0001_foundation;
mod m0004_accounts;

use sea_orm_migration::prelude::*;

/// Every migration in order.
#[derive(Debug)]
pub struct Migrator;

#[async_trait::async_trait]
impl MigratorTrait for Migrator {
    fn migrations() -> Vec<Box<dyn MigrationTrait>> {
        vec![
            Box::new(m0001_foundation::Migration),
            Box::new(m0004_accounts::Migration),
        ]
    }
}
