//! What webhooks are told, and what became of it. Ids and numbers only: nothing that a record says.

use sea_orm::entity::prelude::*;

/// A row.
#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "webhook_delivery")]
pub struct Model {
    /// Its id, the same at every attempt.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    /// Who is told.
    pub webhook_id: Uuid,
    /// The entry of the log; a webhook is told of it once.
    pub seq: i64,
    /// The code of what happened, as the receiver sees it.
    pub happening: String,
    /// The kind's code.
    pub kind: String,
    /// The record.
    pub record_id: Uuid,
    /// The code of what the feed would say.
    pub op: String,
    /// The version that the record had afterwards; absent if the receiver no longer sees it.
    pub version: Option<i64>,
    /// The node that alone writes the record.
    pub origin: String,
    /// When it happened.
    pub at: DateTimeUtc,
    /// The code of its state.
    pub state: String,
    /// How many attempts were made.
    pub attempts: i32,
    /// How many of them were answered by a refusal; others do not count towards the last one.
    pub refusals: i32,
    /// When the first of them was.
    pub first_attempted_at: Option<DateTimeUtc>,
    /// When the last of them was.
    pub attempted_at: Option<DateTimeUtc>,
    /// The status that was answered to the last.
    pub status: Option<i32>,
    /// Why the last failed.
    #[sea_orm(column_type = "Text", nullable)]
    pub error: Option<String>,
    /// When the next one is due.
    pub next_attempt_at: Option<DateTimeUtc>,
    /// When it was delivered or given up.
    pub finished_at: Option<DateTimeUtc>,
}

impl ActiveModelBehavior for ActiveModel {}
