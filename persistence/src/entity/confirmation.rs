//! Statements of the ends of relationships that are records of this node.

use sea_orm::entity::prelude::*;

#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "confirmation")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub record_id: Uuid,
    /// The record that makes the statement; valid only while it is at the end.
    #[sea_orm(primary_key, auto_increment = false)]
    pub end_id: Uuid,
    /// The statement that it is about, whichever relationship makes it; absent if an end is open.
    pub r#type: Option<String>,
    pub from_id: Option<Uuid>,
    pub to_id: Option<Uuid>,
    pub state: String,
    pub note: Option<String>,
    pub version: i64,
    pub by: Option<Uuid>,
    pub at: DateTimeUtc,
}

impl ActiveModelBehavior for ActiveModel {}
