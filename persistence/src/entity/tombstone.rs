//! Tombstones of deleted and merged records.

use sea_orm::entity::prelude::*;

#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "tombstone")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    pub kind: String,
    pub origin: String,
    /// Its last slug, which another record may have taken since.
    pub slug: Option<String>,
    pub system: Option<String>,
    /// The key in the supplying system, kept so that an upsert revives the id.
    pub external_id: Option<String>,
    pub home_region: Option<Uuid>,
    pub version: i64,
    pub was_public: bool,
    pub cause: String,
    pub merged_into: Option<Uuid>,
    pub created_at: DateTimeUtc,
    pub deleted_at: DateTimeUtc,
}

impl ActiveModelBehavior for ActiveModel {}
