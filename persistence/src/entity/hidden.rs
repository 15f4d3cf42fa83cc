//! The copies that this node hides.

use sea_orm::entity::prelude::*;

/// A row.
#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "hidden")]
pub struct Model {
    /// The copy.
    #[sea_orm(primary_key, auto_increment = false)]
    pub record_id: Uuid,
    /// The account that hid it.
    pub by: Option<Uuid>,
    /// When.
    pub at: DateTimeUtc,
}

impl ActiveModelBehavior for ActiveModel {}
