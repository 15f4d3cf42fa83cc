//! What is left of deleted records.

use sea_orm::entity::prelude::*;

/// A row.
#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "tombstone")]
pub struct Model {
    /// The record's id.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    /// The kind's code.
    pub kind: String,
    /// The node that alone wrote it.
    pub origin: String,
    /// Its last slug, which others may have taken since.
    pub slug: Option<String>,
    /// The supplying system …
    pub system: Option<String>,
    /// … and the key there, kept so that an upsert revives the id.
    pub external_id: Option<String>,
    /// Whose editors wrote it.
    pub home_region: Option<Uuid>,
    /// The version that the deletion made.
    pub version: i64,
    /// Whether it was ever published.
    pub was_public: bool,
    /// Why it is gone (deleted, merged, erased).
    pub cause: String,
    /// The survivor of a merge.
    pub merged_into: Option<Uuid>,
    /// When it was made.
    pub created_at: DateTimeUtc,
    /// When it was deleted.
    pub deleted_at: DateTimeUtc,
}

impl ActiveModelBehavior for ActiveModel {}
