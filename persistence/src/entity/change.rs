//! The log: every change in commit order, gapless.

use sea_orm::entity::prelude::*;

/// A row.
#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "change")]
pub struct Model {
    /// 1, 2, 3 … in commit order.
    #[sea_orm(primary_key, auto_increment = false)]
    pub seq: i64,
    /// Random, so that a number that was given twice (after a crash or a restored backup) is noticed.
    pub nonce: i64,
    /// The first number of the transaction.
    pub tx: i64,
    /// The kind's code.
    pub kind: String,
    /// The record.
    pub record_id: Uuid,
    /// The node that alone writes the record.
    pub origin: String,
    /// What happened (upsert, delete, touch).
    pub op: String,
    /// The version that it made, or that was touched.
    pub version: i64,
    /// Whether it made the record's newest version; a touch makes none.
    pub newest: bool,
    /// The home region while public (`-` for none), absent while not public: before …
    pub audience_before: Option<String>,
    /// … and after.
    pub audience_after: Option<String>,
    /// The body that this entry made, once it is superseded; the newest rests in `record`.
    #[sea_orm(column_type = "Text", nullable)]
    pub body: Option<String>,
    /// The account that did it; absent for the node itself.
    pub by: Option<Uuid>,
    /// Why, in the words of `X-Change-Reason`.
    pub reason: Option<String>,
    /// When.
    pub at: DateTimeUtc,
    /// Whether its body was erased, or it erased bodies.
    pub erased: bool,
    /// Whether it was part of a bulk load, which readers need not wait for.
    pub bulk: bool,
}

impl ActiveModelBehavior for ActiveModel {}
