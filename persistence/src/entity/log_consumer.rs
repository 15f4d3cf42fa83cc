//! Positions of the log consumers.

use sea_orm::entity::prelude::*;

/// The consumer that finishes deletions.
pub const DELETIONS: &str = "deletions";

#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "log_consumer")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub name: String,
    /// The last entry whose effect is saved.
    pub seq: i64,
}

impl ActiveModelBehavior for ActiveModel {}
