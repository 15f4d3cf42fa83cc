//! The last item that a supplying system sent under each key.

use sea_orm::entity::prelude::*;

#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "source_key")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub system: String,
    #[sea_orm(primary_key, auto_increment = false)]
    pub kind: String,
    #[sea_orm(primary_key, auto_increment = false)]
    pub external_id: String,
    /// Absent if it was deleted before it ever arrived.
    pub record_id: Option<Uuid>,
    pub version: i64,
    /// The hash of the item; empty for a deletion.
    pub sent_hash: String,
    #[sea_orm(column_type = "Text", nullable)]
    pub system_version: Option<String>,
}

impl ActiveModelBehavior for ActiveModel {}
