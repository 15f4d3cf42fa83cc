//! Deliveries of webhooks and their states. Ids and numbers only: no content of records.

use sea_orm::entity::prelude::*;

#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "webhook_delivery")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    pub webhook_id: Uuid,
    pub seq: i64,
    pub happening: String,
    pub kind: String,
    pub record_id: Uuid,
    pub op: String,
    pub version: Option<i64>,
    pub origin: String,
    pub at: DateTimeUtc,
    pub state: String,
    pub attempts: i32,
    pub refusals: i32,
    pub first_attempted_at: Option<DateTimeUtc>,
    pub attempted_at: Option<DateTimeUtc>,
    pub status: Option<i32>,
    #[sea_orm(column_type = "Text", nullable)]
    pub error: Option<String>,
    pub next_attempt_at: Option<DateTimeUtc>,
    pub finished_at: Option<DateTimeUtc>,
}

impl ActiveModelBehavior for ActiveModel {}
