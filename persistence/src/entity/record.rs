//! The newest state of every record, own ones and copies.

use crate::error::{Result, StoreError};
use domain::access::rules::Subject;
use domain::base::json;
use domain::base::kind::Kind;
use domain::base::record::Envelope;
use domain::base::vocabulary::Coded;
use domain::kinds::common::Publication;
use domain::validation::upgrade::{upgrade, upgraded};
use sea_orm::entity::prelude::*;
use serde_json::Value;
use std::borrow::Cow;

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

impl Model {
    pub fn envelope(&self) -> Result<Envelope> {
        Ok(Envelope {
            id: self.id,
            kind: kind_of(self)?,
            origin: self.origin.clone(),
            version: self.version,
            created_at: self.created_at,
            updated_at: self.updated_at,
            synced_at: self.synced_at,
        })
    }

    /// The record as served: canonical body with current names and envelope in one flat JSON
    /// object.
    pub fn json(&self) -> Result<String> {
        Ok(self.envelope()?.around(&self.current_body()))
    }

    /// The canonical body with current names of members. Only copies can have former ones: their
    /// origin may run an earlier release, and the stored text is what it has hashed.
    #[must_use]
    pub fn current_body(&self) -> Cow<'_, str> {
        let kind = Kind::parse(&self.kind).filter(|_| self.synced_at.is_some());
        let upgraded = kind.and_then(|kind| upgraded(kind, &self.body));
        upgraded.map_or(Cow::Borrowed(&self.body), Cow::Owned)
    }

    #[must_use]
    pub fn has_former_names(&self) -> bool {
        matches!(self.current_body(), Cow::Owned(_))
    }

    /// The parsed body with current names; `null` if it cannot be parsed.
    #[must_use]
    pub fn current_value(&self) -> Value {
        current(&self.kind, &self.body)
    }
}

/// A stored body with current names, parsed; `null` if it cannot be.
pub(crate) fn current(kind: &str, body: &str) -> Value {
    let mut body = serde_json::from_str(body).unwrap_or_default();
    if let Some(kind) = Kind::parse(kind) {
        upgrade(kind, &mut body);
    }
    body
}

/// A stored body with current names.
pub(crate) fn current_text(kind: &str, body: String) -> String {
    let kind = Kind::parse(kind);
    kind.and_then(|kind| upgraded(kind, &body)).unwrap_or(body)
}

/// A row for the rules of access; `origin` is the node's.
pub(crate) fn subject<'a>(row: &'a Model, origin: &str) -> Result<Subject<'a>> {
    Ok(Subject {
        own: row.origin == origin,
        kind: kind_of(row)?,
        home_region: row.home_region,
        // Withheld records count as unpublished for everyone.
        publication: match publication_of(row)? {
            _ if row.withheld => Publication::Draft,
            publication => publication,
        },
        system: row.system.as_deref(),
    })
}

/// The publication of a row, whether it is withheld or not.
pub(crate) fn publication_of(row: &Model) -> Result<Publication> {
    Publication::parse(&row.publication)
        .ok_or_else(|| StoreError::Corrupt(format!("publication {}", row.publication)))
}

pub fn kind_of(row: &Model) -> Result<Kind> {
    Kind::parse(&row.kind).ok_or_else(|| StoreError::Corrupt(format!("kind {}", row.kind)))
}

pub(crate) fn parse_body(row: &Model) -> Result<Value> {
    serde_json::from_str(&row.body).map_err(|why| StoreError::Corrupt(why.to_string()))
}

pub(crate) fn parse(body: &str) -> Result<Value> {
    json::parse(body.as_bytes()).map_err(|why| StoreError::Corrupt(why.to_string()))
}
