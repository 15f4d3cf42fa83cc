//! The nodes from which records are copied, and the progress.

use sea_orm::entity::prelude::*;

#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "partner")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    pub name: String,
    pub version: i64,
    pub url: String,
    pub origin: Option<String>,
    pub kinds: String,
    pub home_regions: String,
    pub state: String,
    pub phase: String,
    #[sea_orm(column_type = "Text", nullable)]
    pub next: Option<String>,
    pub unswept: bool,
    pub rereads: bool,
    pub reader: String,
    pub seq: i64,
    pub head_seq: i64,
    pub taken: i64,
    pub skipped: i64,
    pub refused: i64,
    pub held_deletions: Option<i64>,
    pub held_copies: Option<i64>,
    pub allowed_deletions: i64,
    pub deletions: i64,
    pub deletions_since: Option<DateTimeUtc>,
    pub contacted_at: Option<DateTimeUtc>,
    pub up_to_date_at: Option<DateTimeUtc>,
    pub compared_at: Option<DateTimeUtc>,
    pub failures: i32,
    #[sea_orm(column_type = "Text", nullable)]
    pub last_error: Option<String>,
    pub failed_at: Option<DateTimeUtc>,
    pub retry_at: Option<DateTimeUtc>,
    pub fence: i64,
    pub leased_until: Option<DateTimeUtc>,
    pub created_at: DateTimeUtc,
}

impl ActiveModelBehavior for ActiveModel {}
