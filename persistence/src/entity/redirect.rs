//! Slugs that a record had before; each leads to it until somebody takes the slug.

use sea_orm::entity::prelude::*;

/// A row.
#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "redirect")]
pub struct Model {
    /// The kind's code.
    #[sea_orm(primary_key, auto_increment = false)]
    pub kind: String,
    /// The former slug.
    #[sea_orm(primary_key, auto_increment = false)]
    pub slug: String,
    /// The node that alone writes the record.
    #[sea_orm(primary_key, auto_increment = false)]
    pub origin: String,
    /// The record that had it.
    pub record_id: Uuid,
}

impl ActiveModelBehavior for ActiveModel {}
