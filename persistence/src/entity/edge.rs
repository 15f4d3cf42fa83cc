//! The ends, order and dates of relationships.

use sea_orm::entity::prelude::*;

#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "edge")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub record_id: Uuid,
    pub r#type: String,
    pub from_kind: Option<String>,
    pub from_id: Option<Uuid>,
    pub to_kind: Option<String>,
    pub to_id: Option<Uuid>,
    /// The open end as JSON, if there is one.
    #[sea_orm(column_type = "Text", nullable)]
    pub open_end: Option<String>,
    /// Order of the `from` records within `to`.
    pub position: Option<i32>,
    /// Earliest possible first day; absent is unknown.
    pub from_earliest: Option<Date>,
    /// Latest possible first day; absent is never certain.
    pub from_latest: Option<Date>,
    /// Earliest possible last day; absent is never certain.
    pub to_earliest: Option<Date>,
    /// Latest possible last day; absent is unbounded.
    pub to_latest: Option<Date>,
}

impl ActiveModelBehavior for ActiveModel {}
