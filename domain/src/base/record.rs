//! The envelope around every body, and the flat record of both.

use crate::base::json::ObjectWriter;
use crate::base::kind::Kind;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

/// The members of a record that the server sets, next to the body in one flat JSON object.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Envelope {
    /// `UUIDv7` when created here; `UUIDv5` for reference data.
    pub id: Uuid,
    /// Kind of the record.
    pub kind: Kind,
    /// The node that alone writes the record.
    #[schema(example = "nordhessen")]
    pub origin: String,
    /// From 1, plus 1 per change at the origin; the strong `ETag`.
    #[schema(minimum = 1, example = 1)]
    pub version: i64,
    /// When the record was created (RFC 3339 UTC, microseconds).
    #[serde(serialize_with = "micros")]
    pub created_at: DateTime<Utc>,
    /// When the record was last changed at the origin.
    #[serde(serialize_with = "micros")]
    pub updated_at: DateTime<Utc>,
    /// Only on copies: when this version arrived here.
    #[serde(skip_serializing_if = "Option::is_none", serialize_with = "micros_opt")]
    pub synced_at: Option<DateTime<Utc>>,
    /// Only on copies: JSON pointers to members that are not shown, or not all of whose characters,
    /// because they could do harm.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schema(example = json!(["/contact/website"]))]
    pub withheld_members: Vec<String>,
}

pub const ENVELOPE: &[&str] = &[
    "id",
    "kind",
    "origin",
    "version",
    "created_at",
    "updated_at",
    "synced_at",
    "withheld_members",
];

pub fn micros<S: serde::Serializer>(at: &DateTime<Utc>, to: S) -> Result<S::Ok, S::Error> {
    to.serialize_str(&crate::base::clock::rfc3339(*at))
}

/// Serializes an optional timestamp in the format of the API.
pub fn micros_opt<S: serde::Serializer>(
    at: &Option<DateTime<Utc>>,
    to: S,
) -> Result<S::Ok, S::Error> {
    match at {
        Some(at) => micros(at, to),
        None => to.serialize_none(),
    }
}

impl Envelope {
    /// The flat record: the envelope's members, then the body's, without parsing the body.
    ///
    /// `body` is the canonical JSON object as stored.
    #[must_use]
    pub fn around(&self, body: &str) -> String {
        let envelope = serde_json::to_string(self).unwrap_or_default();
        let mut text = String::with_capacity(envelope.len() + body.len());
        let mut record = ObjectWriter::new(&mut text);
        record.members_of(&envelope);
        record.members_of(body);
        record.end();
        text
    }
}
