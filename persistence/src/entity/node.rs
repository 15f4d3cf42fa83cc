//! The one row that says which node this is and how far its log goes.

use sea_orm::entity::prelude::*;

/// A row.
#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "sync_state")]
pub struct Model {
    /// Always 1.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: i32,
    /// The node's name in the envelope of its records; chosen once.
    pub origin: String,
    /// Made with the database, so that a restored or replaced one is noticed.
    pub log_id: Uuid,
    /// The newest sequence number.
    pub head_seq: i64,
    /// The newest trimmed row of the log; 0 when nothing was trimmed.
    pub floor_seq: i64,
    /// Signs cursors; hexadecimal.
    pub secret: String,
    /// The hash of the reference data that is loaded.
    pub reference_hash: Option<String>,
    /// When the database was made.
    pub created_at: DateTimeUtc,
}

impl ActiveModelBehavior for ActiveModel {}
