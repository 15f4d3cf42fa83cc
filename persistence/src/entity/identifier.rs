//! Identifiers of described records, for uniqueness and lookup.

use sea_orm::entity::prelude::*;

/// A row.
#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "identifier")]
pub struct Model {
    /// The record.
    #[sea_orm(primary_key, auto_increment = false)]
    pub record_id: Uuid,
    /// The scheme.
    #[sea_orm(primary_key, auto_increment = false)]
    pub scheme: String,
    /// The value in its canonical form; unique per (origin, scheme) but for copies.
    #[sea_orm(primary_key, auto_increment = false)]
    pub value: String,
    /// The node that alone writes the record.
    pub origin: String,
    /// Whether the record is a copy.
    pub copied: bool,
}

impl ActiveModelBehavior for ActiveModel {}
