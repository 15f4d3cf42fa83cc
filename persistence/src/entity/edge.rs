//! The ends, order and dates of relationships.

use sea_orm::entity::prelude::*;

/// A row.
#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "edge")]
pub struct Model {
    /// The relationship.
    #[sea_orm(primary_key, auto_increment = false)]
    pub record_id: Uuid,
    /// The code of its type.
    pub r#type: String,
    /// The kind of the `from` end, if known.
    pub from_kind: Option<String>,
    /// The record at the `from` end; absent when it is open.
    pub from_id: Option<Uuid>,
    /// The kind of the `to` end, if known.
    pub to_kind: Option<String>,
    /// The record at the `to` end; absent when it is open.
    pub to_id: Option<Uuid>,
    /// The open end as JSON, if one is open.
    #[sea_orm(column_type = "Text", nullable)]
    pub open_end: Option<String>,
    /// Orders the `from` records within `to`.
    pub position: Option<i32>,
    /// Earliest day on which it may have begun; absent is unknown.
    pub from_earliest: Option<Date>,
    /// Latest day on which it had begun for certain; absent is never certain.
    pub from_latest: Option<Date>,
    /// Earliest day until which it held for certain; absent is never certain.
    pub to_earliest: Option<Date>,
    /// Latest day until which it may have held; absent is unbounded.
    pub to_latest: Option<Date>,
}

impl ActiveModelBehavior for ActiveModel {}
