//! Deliveries of webhooks and their states. Ids and numbers only: no content of records.

use sea_orm::entity::prelude::*;

#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "webhook_delivery")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    pub webhook_id: Uuid,
    /// The entry of the log; it is reported to a webhook once.
    pub seq: i64,
    pub happening: String,
    pub kind: String,
    pub record_id: Uuid,
    pub op: String,
    /// The version of the record afterwards; absent if the receiver no longer sees it.
    pub version: Option<i64>,
    pub origin: String,
    pub at: DateTimeUtc,
    pub state: String,
    pub attempts: i32,
    /// Number of attempts that were rejected; others do not count towards the last one.
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
