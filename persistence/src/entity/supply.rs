//! What a supplying system has sent last under a key.

use sea_orm::entity::prelude::*;

/// A row.
#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "supply")]
pub struct Model {
    /// The system.
    #[sea_orm(primary_key, auto_increment = false)]
    pub system: String,
    /// The code of the kind.
    #[sea_orm(primary_key, auto_increment = false)]
    pub kind: String,
    /// The key there.
    #[sea_orm(primary_key, auto_increment = false)]
    pub external_id: String,
    /// The record; absent if it was deleted before it ever came.
    pub record_id: Option<Uuid>,
    /// The version that the record had then.
    pub version: i64,
    /// The hash of what was sent; empty for a deletion.
    pub sent_hash: String,
    /// The newest version of the system, as JSON.
    #[sea_orm(column_type = "Text", nullable)]
    pub system_version: Option<String>,
}

impl ActiveModelBehavior for ActiveModel {}
