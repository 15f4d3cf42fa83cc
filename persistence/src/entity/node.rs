//! The single row that identifies the node and the end of its log.

use sea_orm::entity::prelude::*;

#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "sync_state")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: i32,
    pub origin: String,
    /// Created with the database, so that a restored or replaced one is detected.
    pub log_id: Uuid,
    pub head: i64,
    /// The newest pruned row of the log; 0 if nothing was pruned.
    pub floor_seq: i64,
    /// Key for signing cursors; hexadecimal.
    pub secret: String,
    pub reference_hash: Option<String>,
    /// Number of renames in this node's own bodies, finished or in progress.
    pub body_format: i32,
    /// The last rewritten record while it is in progress.
    pub upgraded_to: Option<Uuid>,
    pub created_at: DateTimeUtc,
}

impl ActiveModelBehavior for ActiveModel {}
