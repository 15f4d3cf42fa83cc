//! Which living record stands for one that was merged; chains are followed to their end.

use sea_orm::entity::prelude::*;

/// A row.
#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "merged")]
pub struct Model {
    /// The record that was merged; its tombstone names the record that it was merged into.
    #[sea_orm(primary_key, auto_increment = false)]
    pub loser_id: Uuid,
    /// The record at the end of the chain.
    pub survivor_id: Uuid,
}

impl ActiveModelBehavior for ActiveModel {}
