//! The roles of relationships.

use sea_orm::entity::prelude::*;

/// A row.
#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "edge_role")]
pub struct Model {
    /// The relationship.
    #[sea_orm(primary_key, auto_increment = false)]
    pub record_id: Uuid,
    /// The code of the role.
    #[sea_orm(primary_key, auto_increment = false)]
    pub role: String,
}

impl ActiveModelBehavior for ActiveModel {}
