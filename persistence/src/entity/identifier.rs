//! Identifiers of described records, for uniqueness and lookup.

use sea_orm::entity::prelude::*;

#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "identifier")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub record_id: Uuid,
    #[sea_orm(primary_key, auto_increment = false)]
    pub scheme: String,
    /// The value in its canonical form; unique per (origin, scheme) except for copies.
    #[sea_orm(primary_key, auto_increment = false)]
    pub value: String,
    pub origin: String,
    pub copied: bool,
}

impl ActiveModelBehavior for ActiveModel {}
