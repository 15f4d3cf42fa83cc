//! What the ends of relationships state, as far as they are records of this node.

use sea_orm::entity::prelude::*;

/// A row.
#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "confirmation")]
pub struct Model {
    /// The relationship.
    #[sea_orm(primary_key, auto_increment = false)]
    pub record_id: Uuid,
    /// The record at the end that states it; counts only as long as it stands there.
    #[sea_orm(primary_key, auto_increment = false)]
    pub end_id: Uuid,
    /// The code of the state.
    pub state: String,
    /// Why, in words.
    pub note: Option<String>,
    /// From 1, plus 1 per change.
    pub version: i64,
    /// The account that stated it.
    pub by: Option<Uuid>,
    /// When.
    pub at: DateTimeUtc,
}

impl ActiveModelBehavior for ActiveModel {}
