//! The newest state of every record, own ones and copies.

use sea_orm::entity::prelude::*;

#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "record")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    pub kind: String,
    pub origin: String,
    /// Unique per (origin, kind) except for copies.
    pub slug: Option<String>,
    /// The name, for showing the other end of a relationship.
    pub name: Option<String>,
    pub system: Option<String>,
    /// The key in the supplying system; unique per (origin, kind) except for copies.
    pub external_id: Option<String>,
    pub home_region: Option<Uuid>,
    pub publication: String,
    /// Whether it was ever published, so that a deleted record answers 410 to those who knew it.
    pub was_public: bool,
    /// Whether outsiders see it, according to the log: it is published, and so is each of its ends.
    pub shown: bool,
    /// Whether this node hides it: a hidden copy, or a relationship that an own end disputes.
    pub withheld: bool,
    pub publish_at: Option<DateTimeUtc>,
    /// The key by which two relationships make the same statement; unique per origin.
    pub sameness: Option<String>,
    pub version: i64,
    pub seq: i64,
    pub created_at: DateTimeUtc,
    pub updated_at: DateTimeUtc,
    /// When this version arrived; only on copies.
    pub synced_at: Option<DateTimeUtc>,
    /// The body: canonical JSON (RFC 8785), byte for byte as hashed.
    #[sea_orm(column_type = "Text")]
    pub body: String,
}

impl ActiveModelBehavior for ActiveModel {}
