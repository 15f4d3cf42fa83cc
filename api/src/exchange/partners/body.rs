use crate::exchange::subscription::name_errors;
use crate::operation::extract::Body;
use chrono::{DateTime, Utc};
use domain::base::fault::FieldError;
use domain::base::kind::Kind;
use domain::base::record::{micros, micros_opt};
use domain::exchange::sync::{FeedPhase, PartnerState};
use domain::validation::shape::Shape;
use persistence::partner::PartnerStatus;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::sync::LazyLock;
use utoipa::ToSchema;
use uuid::Uuid;

/// Partner to be created.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = PartnerInput)]
pub(crate) struct NewPartnerBody {
    /// Name on this node; unique among partners.
    #[schema(pattern = "^[a-z0-9._@-]{2,64}$", example = "muensterland")]
    pub(crate) name: String,
    /// Address: https, public.
    #[schema(
        min_length = 1,
        max_length = 2000,
        example = "https://verzeichnis.example"
    )]
    pub(crate) url: String,
    /// Only origin whose records are accepted; if absent, that of the first response, permanently.
    #[schema(pattern = "^[a-z0-9-]{3,63}$", example = "muensterland")]
    pub(crate) origin: Option<String>,
    /// Kinds of records to copy; all if absent.
    #[serde(default)]
    #[schema(max_items = 7)]
    pub(crate) kinds: Vec<Kind>,
    /// Home regions of the records to copy, by their id at the partner; all if absent.
    #[serde(default)]
    #[schema(max_items = 50)]
    pub(crate) home_regions: Vec<Uuid>,
}

/// Changes of a partner; absent members stay, an empty list means all.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct PartnerChanges {
    /// Name on this node.
    #[schema(pattern = "^[a-z0-9._@-]{2,64}$")]
    pub(crate) name: Option<String>,
    /// Address; a change starts from scratch.
    #[schema(min_length = 1, max_length = 2000)]
    pub(crate) url: Option<String>,
    /// Kinds of records; a change starts from scratch.
    #[schema(max_items = 7)]
    pub(crate) kinds: Option<Vec<Kind>>,
    /// Home regions of the records; a change starts from scratch.
    #[schema(max_items = 50)]
    pub(crate) home_regions: Option<Vec<Uuid>>,
    /// `true` pauses the partner; `false` resumes it, whatever stopped it.
    pub(crate) paused: Option<bool>,
}

impl Body for NewPartnerBody {
    const EXAMPLE: &'static str = r#"{"name": "muensterland", "url": "https://verzeichnis.example", "kinds": ["actor", "network", "relationship"]}"#;

    fn shape() -> &'static Shape {
        static SHAPE: LazyLock<Shape> = LazyLock::new(NewPartnerBody::compile);
        &SHAPE
    }

    fn faults(&self) -> Vec<FieldError> {
        name_errors(&self.name)
    }
}

impl Body for PartnerChanges {
    const EXAMPLE: &'static str = r#"{"paused": true}"#;

    fn shape() -> &'static Shape {
        static SHAPE: LazyLock<Shape> = LazyLock::new(PartnerChanges::compile);
        &SHAPE
    }

    // An empty list has a meaning here.
    fn tidy(_: &mut Value) -> Vec<FieldError> {
        Vec::new()
    }

    fn faults(&self) -> Vec<FieldError> {
        self.name.as_deref().map(name_errors).unwrap_or_default()
    }
}

/// All partners.
#[derive(Debug, Serialize, ToSchema)]
#[schema(example = json!({"items": [{"id": "0193e5a0-0000-7000-8000-00000000000a", "name": "muensterland", "version": 1, "url": "https://verzeichnis.example", "origin": "muensterland", "kinds": ["actor", "network"], "home_regions": [], "state": "active", "phase": "changes", "seq": 48213, "head_seq": 48213, "lag": {"entries": 0, "seconds": 12}, "copies": 311, "contacted_at": "2026-03-01T08:00:00.000000Z", "up_to_date_at": "2026-03-01T08:00:00.000000Z", "failures": 0, "skipped": 0, "quarantined": {"count": 0, "latest": []}, "created_at": "2025-01-01T08:00:00.000000Z"}]}))]
pub(crate) struct PartnerList {
    /// By name.
    pub(crate) items: Vec<PartnerView>,
}

/// Partner as admins see it.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Partner)]
#[schema(example = json!({"id": "0193e5a0-0000-7000-8000-00000000000a", "name": "muensterland", "version": 1, "url": "https://verzeichnis.example", "origin": "muensterland", "kinds": ["actor", "network"], "home_regions": [], "state": "active", "phase": "changes", "seq": 48213, "head_seq": 48213, "lag": {"entries": 0, "seconds": 12}, "copies": 311, "contacted_at": "2026-03-01T08:00:00.000000Z", "up_to_date_at": "2026-03-01T08:00:00.000000Z", "failures": 0, "skipped": 0, "quarantined": {"count": 0, "latest": []}, "created_at": "2025-01-01T08:00:00.000000Z"}))]
pub(crate) struct PartnerView {
    /// Id on this node.
    id: Uuid,
    /// Name on this node.
    name: String,
    /// Rises with every change by an admin; the `ETag`.
    version: i64,
    /// Address of the partner.
    url: String,
    /// Origin of its records; known from the first contact on, and permanent.
    #[serde(skip_serializing_if = "Option::is_none")]
    origin: Option<String>,
    /// Kinds of records to copy; all if empty.
    kinds: Vec<String>,
    /// Home regions of the records; all if empty.
    home_regions: Vec<String>,
    /// Whether records are copied: `active`, `paused` by an admin or because too many entries were
    /// rejected, `awaiting_approval` because many copies would be deleted.
    state: PartnerState,
    /// `snapshot` while existing records remain to be copied, then `changes`.
    phase: FeedPhase,
    /// Position in its log.
    seq: i64,
    /// End of its log at the last response.
    head_seq: i64,
    /// Lag of the copies.
    lag: Lag,
    /// Number of copies on this node.
    copies: u64,
    /// When it last responded.
    #[serde(skip_serializing_if = "Option::is_none", serialize_with = "micros_opt")]
    contacted_at: Option<DateTime<Utc>>,
    /// When the copies were last complete.
    #[serde(skip_serializing_if = "Option::is_none", serialize_with = "micros_opt")]
    up_to_date_at: Option<DateTime<Utc>>,
    /// Reason why it could not be read, or is paused; in English.
    #[serde(skip_serializing_if = "Option::is_none")]
    last_error: Option<String>,
    /// Number of consecutive failures.
    failures: i32,
    /// Time of the next attempt.
    #[serde(skip_serializing_if = "Option::is_none", serialize_with = "micros_opt")]
    retry_at: Option<DateTime<Utc>>,
    /// Pending deletions, if they await approval.
    #[serde(skip_serializing_if = "Option::is_none")]
    awaiting_approval: Option<PendingDeletions>,
    /// Number of entries of unknown kinds since it was last resumed.
    skipped: i64,
    /// Entries that could not be applied.
    quarantined: Quarantined,
    /// When the partner was created.
    #[serde(serialize_with = "micros")]
    created_at: DateTime<Utc>,
}

/// Lag of a partner's copies.
#[derive(Debug, Serialize, ToSchema)]
struct Lag {
    /// Entries of its log that are not applied yet, at its last response; absent during the
    /// snapshot, which does not say how many records are left.
    #[serde(skip_serializing_if = "Option::is_none")]
    entries: Option<i64>,
    /// Seconds since the copies were last complete; absent if they never were.
    #[serde(skip_serializing_if = "Option::is_none")]
    seconds: Option<i64>,
}

/// Pending deletions.
#[derive(Debug, Serialize, ToSchema)]
struct PendingDeletions {
    /// Number of copies to be deleted.
    deletions: i64,
    /// Number of all copies.
    copies: i64,
}

/// Entries that could not be applied.
#[derive(Debug, Serialize, ToSchema)]
struct Quarantined {
    /// Number of entries.
    count: u64,
    /// Last ten entries; not in the list of partners.
    latest: Vec<QuarantinedEntry>,
}

/// Entry that could not be applied.
#[derive(Debug, Serialize, ToSchema)]
struct QuarantinedEntry {
    /// Kind in the entry.
    #[serde(skip_serializing_if = "Option::is_none")]
    kind: Option<String>,
    /// Record in the entry.
    #[serde(skip_serializing_if = "Option::is_none")]
    id: Option<Uuid>,
    /// Reason; in English.
    reason: String,
    /// Entry as received, or its record; truncated if long.
    entry: String,
    /// When the entry was received.
    #[serde(serialize_with = "micros")]
    at: DateTime<Utc>,
}

impl PartnerView {
    pub(crate) fn new(status: &PartnerStatus, now: DateTime<Utc>) -> Self {
        let row = &status.partner;
        let pending = row.held_deletions.zip(row.held_copies);
        Self {
            id: row.id,
            name: row.name.clone(),
            version: row.version,
            url: row.url.clone(),
            origin: row.origin.clone(),
            kinds: row.kinds.iter().map(Kind::to_string).collect(),
            home_regions: row.home_regions.iter().map(Uuid::to_string).collect(),
            state: row.state,
            phase: row.phase,
            seq: row.seq,
            head_seq: row.head_seq,
            lag: Lag {
                entries: row.lag(),
                seconds: row.up_to_date_at.map(|at| (now - at).num_seconds().max(0)),
            },
            copies: status.copies,
            contacted_at: row.contacted_at,
            up_to_date_at: row.up_to_date_at,
            last_error: row.last_error.clone(),
            failures: row.failures,
            retry_at: row.retry_at,
            awaiting_approval: pending
                .map(|(deletions, copies)| PendingDeletions { deletions, copies }),
            skipped: row.skipped,
            quarantined: Quarantined {
                count: status.quarantined,
                latest: status.latest.iter().map(QuarantinedEntry::new).collect(),
            },
            created_at: row.created_at,
        }
    }

    pub(crate) const fn id(&self) -> Uuid {
        self.id
    }
}

impl QuarantinedEntry {
    fn new(row: &persistence::partner::Quarantined) -> Self {
        Self {
            kind: row.kind.clone(),
            id: row.record_id,
            reason: row.reason.clone(),
            entry: row.entry.chars().take(2000).collect(),
            at: row.at,
        }
    }
}
