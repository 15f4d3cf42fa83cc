//! How far each follower of the log has come.

use sea_orm::entity::prelude::*;

/// A row.
#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "follower")]
pub struct Model {
    /// The follower's name.
    #[sea_orm(primary_key, auto_increment = false)]
    pub name: String,
    /// The last entry of the log whose effect is saved.
    pub seq: i64,
}

impl ActiveModelBehavior for ActiveModel {}
