//! Records as they are stored: this node's own and copies.

use crate::entity::{record, stored, tombstone};
use crate::error::{Result, StoreError, Tombstone};
use chrono::{DateTime, Utc};
use domain::access::rules::Subject;
use domain::base::json;
use domain::base::kind::Kind;
use domain::base::record::Envelope;
use domain::kinds::common::Publication;
use domain::validation::body::KindSchema;
use domain::validation::upgrade::{upgrade, upgraded};
use domain::validation::withhold::withheld;
use sea_orm::DbErr;
use serde_json::Value;
use std::borrow::Cow;
use uuid::Uuid;

/// The newest state of a record.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(clippy::struct_excessive_bools, reason = "columns of a table")]
pub struct Record {
    pub id: Uuid,
    pub kind: Kind,
    pub origin: String,
    /// Unique per (origin, kind) except for copies.
    pub slug: Option<String>,
    /// The name, for showing the other end of a relationship.
    pub name: Option<String>,
    pub system: Option<String>,
    /// The key in the supplying system; unique per (origin, kind) except for copies.
    pub external_id: Option<String>,
    pub home_region: Option<Uuid>,
    pub publication: Publication,
    /// Whether it was ever published, so that those who knew it learn that it was deleted.
    pub was_public: bool,
    /// Whether outsiders see it, according to the log: it is published, and so is each of its ends.
    pub is_public: bool,
    /// Whether this node hides it: a hidden copy, or a relationship that an own end disputes.
    pub suppressed: bool,
    pub publish_at: Option<DateTime<Utc>>,
    /// The key by which two relationships make the same statement; unique per origin.
    pub relationship_key: Option<String>,
    pub version: i64,
    pub seq: i64,
    pub created_at: DateTime<Utc>,
    pub updated_at: DateTime<Utc>,
    /// When this version arrived; only on copies.
    pub synced_at: Option<DateTime<Utc>>,
    /// The body: canonical JSON (RFC 8785), byte for byte as hashed.
    pub body: String,
    /// Whether some of its content is withheld, because it could do harm; only copies.
    pub withholds: bool,
}

stored!(Record in record {
    same: id, origin, slug, name, system, external_id, home_region, was_public, is_public, suppressed,
        publish_at, relationship_key, version, seq, created_at, updated_at, synced_at, body, withholds;
    code: kind, publication;
});

impl Record {
    #[must_use]
    pub fn envelope(&self) -> Envelope {
        Envelope {
            id: self.id,
            kind: self.kind,
            origin: self.origin.clone(),
            version: self.version,
            created_at: self.created_at,
            updated_at: self.updated_at,
            synced_at: self.synced_at,
            withheld_members: Vec::new(),
        }
    }

    /// The record as served: body and envelope in one flat JSON object.
    #[must_use]
    pub fn json(&self) -> String {
        let (envelope, body) = self.served();
        envelope.around(&body)
    }

    /// The envelope and the canonical body as served: with current names of members, and without
    /// what could do harm. Only copies can differ from what is stored: their origin may run another
    /// release, or none of ours, and the stored text is what it has hashed.
    #[must_use]
    pub fn served(&self) -> (Envelope, Cow<'_, str>) {
        let mut envelope = self.envelope();
        let mut body = Cow::Borrowed(self.body.as_str());
        if self.synced_at.is_none() {
            return (envelope, body);
        }
        if let Some(upgraded) = upgraded(self.kind, &body) {
            body = Cow::Owned(upgraded);
        }
        let rest = self
            .withholds
            .then(|| withheld(KindSchema::of(self.kind), &body));
        if let Some((rest, withheld)) = rest.flatten() {
            envelope.withheld_members = withheld;
            body = Cow::Owned(rest);
        }
        (envelope, body)
    }

    /// Whether the body is served as its origin has it.
    #[must_use]
    pub fn is_served_as_stored(&self) -> bool {
        matches!(self.served().1, Cow::Borrowed(_))
    }

    /// The parsed body as served; `null` if it cannot be parsed.
    #[must_use]
    pub fn current_value(&self) -> Value {
        let mut body = current(self.kind, &self.body);
        if self.withholds {
            KindSchema::of(self.kind).withhold(&mut body);
        }
        body
    }

    /// The parsed body as it is stored.
    pub(crate) fn parse_body(&self) -> Result<Value> {
        serde_json::from_str(&self.body).map_err(|why| StoreError::Corrupt(why.to_string()))
    }

    /// The record for the rules of access; `origin` is the node's.
    pub(crate) fn subject(&self, origin: &str) -> Subject<'_> {
        Subject {
            own: self.origin == origin,
            kind: self.kind,
            home_region: self.home_region,
            // Suppressed records count as unpublished for everyone.
            publication: if self.suppressed {
                Publication::Draft
            } else {
                self.publication
            },
            system: self.system.as_deref(),
        }
    }
}

/// A stored body with current names, parsed; `null` if it cannot be.
pub(crate) fn current(kind: Kind, body: &str) -> Value {
    let mut body = serde_json::from_str(body).unwrap_or_default();
    upgrade(kind, &mut body);
    body
}

/// A stored body of a copy as served.
pub(crate) fn served_text(kind: Kind, body: String) -> String {
    let body = upgraded(kind, &body).unwrap_or(body);
    withheld(KindSchema::of(kind), &body).map_or(body, |(rest, _)| rest)
}

pub(crate) fn parse(body: &str) -> Result<Value> {
    json::parse(body.as_bytes()).map_err(|why| StoreError::Corrupt(why.to_string()))
}

/// A merged record for the rules of access: as visible as it ever was.
pub(crate) fn tombstone_subject<'a>(
    tombstone: &'a tombstone::Model,
    kind: Kind,
    origin: &str,
) -> Subject<'a> {
    Subject {
        own: tombstone.origin == origin,
        kind,
        home_region: tombstone.home_region,
        publication: if tombstone.was_public {
            Publication::Published
        } else {
            Publication::Draft
        },
        system: tombstone.system.as_deref(),
    }
}

/// The rows that can be read. Others are logged: a single one must not keep all records from being
/// found.
pub(crate) fn readable(rows: Vec<record::Model>) -> Vec<Record> {
    let read = rows.into_iter().filter_map(|row| {
        let id = row.id;
        let unreadable = |error: &DbErr| {
            tracing::error!(record_id = %id, %error, "record cannot be read; left out of lists");
        };
        Record::try_from(row).inspect_err(unreadable).ok()
    });
    read.collect()
}

pub(crate) fn gone(kind: Kind, tombstone: tombstone::Model) -> StoreError {
    StoreError::Gone(Box::new(Tombstone {
        envelope: Envelope {
            id: tombstone.id,
            kind,
            origin: tombstone.origin,
            version: tombstone.version,
            created_at: tombstone.created_at,
            updated_at: tombstone.deleted_at,
            synced_at: None,
            withheld_members: Vec::new(),
        },
        cause: tombstone.cause,
        merged_into: None,
    }))
}
