//! The newest state of every record, own ones and copies.

use sea_orm::entity::prelude::*;

/// A row.
#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "record")]
pub struct Model {
    /// The record's id.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    /// The kind's code.
    pub kind: String,
    /// The node that alone writes it.
    pub origin: String,
    /// Unique per (origin, kind) but for copies.
    pub slug: Option<String>,
    /// The name, for showing the other end of a relationship.
    pub name: Option<String>,
    /// The supplying system …
    pub system: Option<String>,
    /// … and the key there; unique per (origin, kind) but for copies.
    pub external_id: Option<String>,
    /// Whose editors may write it.
    pub home_region: Option<Uuid>,
    /// The code of its publication.
    pub publication: String,
    /// Whether it was ever published, so that a deleted record answers 410 to those who knew it.
    pub was_public: bool,
    /// Whether outsiders see it, as the log says: it is published, and so is each of its ends.
    pub shown: bool,
    /// Whether this node does not show it: a copy hidden here, or a relationship that an own end
    /// disputes.
    pub withheld: bool,
    /// When a job publishes it.
    pub publish_at: Option<DateTimeUtc>,
    /// What makes two relationships the same statement; unique per origin.
    pub sameness: Option<String>,
    /// From 1, plus 1 per change at the origin.
    pub version: i64,
    /// The log entry of this version.
    pub seq: i64,
    /// When it was made.
    pub created_at: DateTimeUtc,
    /// When it was last changed at the origin.
    pub updated_at: DateTimeUtc,
    /// When this version arrived; only on copies.
    pub synced_at: Option<DateTimeUtc>,
    /// The body: canonical JSON (RFC 8785), byte for byte as hashed.
    #[sea_orm(column_type = "Text")]
    pub body: String,
}

impl ActiveModelBehavior for ActiveModel {}
