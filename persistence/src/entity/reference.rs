//! Which record a body names where, so that deletion can be refused.

use sea_orm::entity::prelude::*;

/// A row.
#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "reference")]
pub struct Model {
    /// The record whose body holds the reference.
    #[sea_orm(primary_key, auto_increment = false)]
    pub record_id: Uuid,
    /// The place, a pointer with wildcards such as `/topics/*`.
    #[sea_orm(primary_key, auto_increment = false)]
    pub field: String,
    /// The record that is named.
    #[sea_orm(primary_key, auto_increment = false)]
    pub target_id: Uuid,
}

impl ActiveModelBehavior for ActiveModel {}
