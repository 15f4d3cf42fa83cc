//! The log: every change in commit order, without gaps.

use sea_orm::entity::prelude::*;

#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "change")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub seq: i64,
    /// Random, so that a reused number (after a crash or a restored backup) is detected.
    pub nonce: i64,
    pub tx: i64,
    pub kind: String,
    pub record_id: Uuid,
    pub origin: String,
    pub op: String,
    pub version: i64,
    /// Whether it created the record's newest version; a change of visibility creates none.
    pub newest: bool,
    /// The home region while public (`-` for none), absent while not public: before the entry.
    pub audience_before: Option<String>,
    pub audience_after: Option<String>,
    /// The body of this entry, once it is superseded; the newest is stored in `record`.
    #[sea_orm(column_type = "Text", nullable)]
    pub body: Option<String>,
    pub by: Option<Uuid>,
    pub reason: Option<String>,
    /// The code of a cause, if the node itself made the change.
    pub cause: Option<String>,
    /// Shared by all entries of one deletion or erasure of a record by this node.
    pub deletion_id: Option<Uuid>,
    pub at: DateTimeUtc,
    pub erased: bool,
    /// Whether it was part of a bulk load, which readers need not wait for.
    pub bulk: bool,
}

impl ActiveModelBehavior for ActiveModel {}
