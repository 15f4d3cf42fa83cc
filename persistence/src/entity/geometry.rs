//! The geometry of regions: neither logged nor fed.

use sea_orm::entity::prelude::*;

/// A row.
#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "geometry")]
pub struct Model {
    /// The region.
    #[sea_orm(primary_key, auto_increment = false)]
    pub record_id: Uuid,
    /// From 1, plus 1 per change; the strong `ETag` of the sub-resource.
    pub version: i64,
    /// GeoJSON (RFC 7946) as sent.
    #[sea_orm(column_type = "Text")]
    pub body: String,
    /// When it was last changed.
    pub updated_at: DateTimeUtc,
}

impl ActiveModelBehavior for ActiveModel {}
