//! The newest state of every record, own ones and copies.

#![expect(clippy::struct_excessive_bools, reason = "columns of a table")]

use sea_orm::entity::prelude::*;

#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "record")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    pub kind: String,
    pub origin: String,
    pub slug: Option<String>,
    pub name: Option<String>,
    pub system: Option<String>,
    pub external_id: Option<String>,
    pub home_region: Option<Uuid>,
    pub publication: String,
    pub was_public: bool,
    pub is_public: bool,
    pub suppressed: bool,
    pub publish_at: Option<DateTimeUtc>,
    pub relationship_key: Option<String>,
    pub version: i64,
    pub seq: i64,
    pub created_at: DateTimeUtc,
    pub updated_at: DateTimeUtc,
    pub synced_at: Option<DateTimeUtc>,
    #[sea_orm(column_type = "Text")]
    pub body: String,
    /// Whether some of its content is withheld; only copies.
    pub withholds: bool,
}

impl ActiveModelBehavior for ActiveModel {}
