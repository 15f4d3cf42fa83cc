use crate::http::problem::Problem;
use chrono::{DateTime, Utc};
use domain::base::json;
use domain::base::kind::Kind;
use domain::base::record::{micros, micros_opt};
use domain::base::vocabulary::Coded;
use domain::exchange::sync::FeedOp;
use persistence::StoreError;
use persistence::feed::{EntryContent, FeedEntry};
use serde::Serialize;
use serde_json::value::RawValue;
use utoipa::ToSchema;
use uuid::Uuid;

/// Entry of the feed.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = FeedEntry)]
pub(crate) struct Entry {
    /// Number in the log of the change by which the record came into this page; in a snapshot that
    /// of its newest version.
    seq: i64,
    /// First number of the transaction of that change; absent in a snapshot.
    #[serde(skip_serializing_if = "Option::is_none")]
    tx: Option<i64>,
    /// Operation of the entry.
    op: FeedOp,
    /// Kind of the record.
    kind: Kind,
    /// Id of the record.
    id: Uuid,
    /// Origin of the record.
    origin: String,
    /// Version of the record; a deletion creates one too. Absent if the record leaves.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(minimum = 1)]
    version: Option<i64>,
    /// `sha256:` and the SHA-256 of the bytes of `record`.
    #[serde(skip_serializing_if = "Option::is_none")]
    hash: Option<String>,
    /// When the record was created (RFC 3339 UTC, microseconds).
    #[serde(skip_serializing_if = "Option::is_none", serialize_with = "micros_opt")]
    created_at: Option<DateTime<Utc>>,
    /// When this version was created, or the record deleted or withdrawn.
    #[serde(serialize_with = "micros")]
    at: DateTime<Utc>,
    /// Body without envelope: canonical JSON (RFC 8785), byte for byte as hashed.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Object>)]
    record: Option<Box<RawValue>>,
    /// Reason of a deletion: `deleted`, `merged`, `erased`; or of leaving: `filter`, `visibility`.
    #[serde(skip_serializing_if = "Option::is_none")]
    cause: Option<String>,
    /// Merge target of a merged record.
    #[serde(skip_serializing_if = "Option::is_none")]
    merged_into: Option<Uuid>,
}

impl Entry {
    pub(crate) fn new(told: FeedEntry, origin: &str) -> Result<Self, Problem> {
        let corrupt = |what: String| Problem::from(StoreError::Corrupt(what));
        let kind = Kind::parse(&told.kind).ok_or_else(|| corrupt(format!("kind {}", told.kind)))?;
        let mut entry = Self {
            seq: told.seq,
            tx: told.tx,
            op: FeedOp::Withdraw,
            kind,
            id: told.id,
            origin: origin.to_owned(),
            version: None,
            hash: None,
            created_at: None,
            at: told.at,
            record: None,
            cause: None,
            merged_into: None,
        };
        match told.news {
            EntryContent::Upsert(row) => {
                entry.op = FeedOp::Upsert;
                entry.version = Some(row.version);
                entry.hash = Some(json::hash(&row.body));
                entry.created_at = Some(row.created_at);
                let record = RawValue::from_string(row.body);
                entry.record = Some(record.map_err(|why| corrupt(why.to_string()))?);
            }
            EntryContent::Delete {
                version,
                cause,
                merged_into,
            } => {
                entry.op = FeedOp::Delete;
                entry.version = Some(version);
                entry.cause = Some(cause);
                entry.merged_into = merged_into;
            }
            EntryContent::Withdraw(cause) => entry.cause = Some(cause.code().to_owned()),
        }
        Ok(entry)
    }

    pub(crate) fn all(told: Vec<FeedEntry>, origin: &str) -> Result<Vec<Self>, Problem> {
        let entries = told.into_iter();
        entries.map(|told| Self::new(told, origin)).collect()
    }
}
