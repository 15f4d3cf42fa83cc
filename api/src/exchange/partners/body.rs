//! What is sent and shown of partners.

use crate::operation::extract::Body;
use chrono::{DateTime, Utc};
use domain::access::account::is_name;
use domain::base::fault::{Fault, FieldError};
use domain::base::kind::Kind;
use domain::base::record::{micros, micros_opt};
use domain::exchange::sync::{FeedPhase, PartnerState};
use domain::validation::shape::Shape;
use persistence::Result;
use persistence::entity::quarantine;
use persistence::partner::Partner;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::sync::LazyLock;
use utoipa::ToSchema;
use uuid::Uuid;

/// A partner as it is to be made.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = PartnerInput)]
pub(crate) struct NewPartnerBody {
    /// What it is called here; unique among partners.
    #[schema(pattern = "^[a-z0-9._@-]{2,64}$", example = "muensterland")]
    pub(crate) name: String,
    /// Where it is: https, at a public address.
    #[schema(
        min_length = 1,
        max_length = 2000,
        example = "https://verzeichnis.example"
    )]
    pub(crate) url: String,
    /// The only origin whose records it may feed; when absent, that of its first answer, for good.
    #[schema(pattern = "^[a-z0-9-]{3,63}$", example = "muensterland")]
    pub(crate) origin: Option<String>,
    /// The kinds of records that are taken over; all when absent.
    #[serde(default)]
    #[schema(max_items = 7)]
    pub(crate) kinds: Vec<Kind>,
    /// The home regions of the records that are taken over, by id as the partner has them; all
    /// when absent.
    #[serde(default)]
    #[schema(max_items = 50)]
    pub(crate) home_regions: Vec<Uuid>,
}

/// What is to be changed; absent members stay, an empty list means all.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct PartnerChanges {
    /// What it is called here.
    #[schema(pattern = "^[a-z0-9._@-]{2,64}$")]
    pub(crate) name: Option<String>,
    /// Where it is; another place means to begin anew.
    #[schema(min_length = 1, max_length = 2000)]
    pub(crate) url: Option<String>,
    /// The kinds of records; others mean to begin anew.
    #[schema(max_items = 7)]
    pub(crate) kinds: Option<Vec<Kind>>,
    /// Their home regions; others mean to begin anew.
    #[schema(max_items = 50)]
    pub(crate) home_regions: Option<Vec<Uuid>>,
    /// `true` pauses it; `false` lets it go on, whatever had stopped it.
    pub(crate) paused: Option<bool>,
}

impl Body for NewPartnerBody {
    const EXAMPLE: &'static str = r#"{"name": "muensterland", "url": "https://verzeichnis.example", "kinds": ["actor", "network", "relationship"]}"#;

    fn shape() -> &'static Shape {
        static SHAPE: LazyLock<Shape> = LazyLock::new(NewPartnerBody::compile);
        &SHAPE
    }

    fn faults(&self) -> Vec<FieldError> {
        named(&self.name)
    }
}

impl Body for PartnerChanges {
    const EXAMPLE: &'static str = r#"{"paused": true}"#;

    fn shape() -> &'static Shape {
        static SHAPE: LazyLock<Shape> = LazyLock::new(PartnerChanges::compile);
        &SHAPE
    }

    // An empty list says something here.
    fn tidy(_: &mut Value) {}

    fn faults(&self) -> Vec<FieldError> {
        self.name.as_deref().map(named).unwrap_or_default()
    }
}

fn named(name: &str) -> Vec<FieldError> {
    if is_name(name) {
        return Vec::new();
    }
    let why = "2 to 64 of a-z, 0-9 and . _ @ -";
    let fault = Fault::new("not-allowed").with("why", why);
    vec![FieldError::new("/name", fault)]
}

/// Every partner.
#[derive(Debug, Serialize, ToSchema)]
#[schema(example = json!({"items": [{"id": "0193e5a0-0000-7000-8000-00000000000a", "name": "muensterland", "version": 1, "url": "https://verzeichnis.example", "origin": "muensterland", "kinds": ["actor", "network"], "home_regions": [], "state": "active", "phase": "tail", "seq": 48213, "head_seq": 48213, "lag": {"entries": 0, "seconds": 12}, "copies": 311, "contacted_at": "2026-03-01T08:00:00.000000Z", "up_to_date_at": "2026-03-01T08:00:00.000000Z", "failures": 0, "skipped": 0, "quarantined": {"count": 0, "latest": []}, "created_at": "2025-01-01T08:00:00.000000Z"}]}))]
pub(crate) struct PartnerList {
    /// By name.
    pub(crate) items: Vec<PartnerView>,
}

/// A partner as admins see it.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Partner)]
#[schema(example = json!({"id": "0193e5a0-0000-7000-8000-00000000000a", "name": "muensterland", "version": 1, "url": "https://verzeichnis.example", "origin": "muensterland", "kinds": ["actor", "network"], "home_regions": [], "state": "active", "phase": "tail", "seq": 48213, "head_seq": 48213, "lag": {"entries": 0, "seconds": 12}, "copies": 311, "contacted_at": "2026-03-01T08:00:00.000000Z", "up_to_date_at": "2026-03-01T08:00:00.000000Z", "failures": 0, "skipped": 0, "quarantined": {"count": 0, "latest": []}, "created_at": "2025-01-01T08:00:00.000000Z"}))]
pub(crate) struct PartnerView {
    /// Its id here.
    id: Uuid,
    /// What it is called here.
    name: String,
    /// Rises with every change by an admin; the `ETag`.
    version: i64,
    /// Where it is.
    url: String,
    /// The node that alone writes its records; known from the first contact on, and for good.
    #[serde(skip_serializing_if = "Option::is_none")]
    origin: Option<String>,
    /// The kinds of records that are taken over; all if empty.
    kinds: Vec<String>,
    /// Their home regions; all if empty.
    home_regions: Vec<String>,
    /// Whether records are taken over: `active`, `paused` by an admin or because too much was
    /// refused, `held` because many copies would go.
    state: PartnerState,
    /// `snapshot` as long as there are records that were not taken over yet, then `tail`.
    phase: FeedPhase,
    /// How far its log has been taken over.
    seq: i64,
    /// How far its log went then.
    head_seq: i64,
    /// How far behind it is.
    lag: Lag,
    /// How many copies of it are here.
    copies: u64,
    /// When it last answered.
    #[serde(skip_serializing_if = "Option::is_none", serialize_with = "micros_opt")]
    contacted_at: Option<DateTime<Utc>>,
    /// When nothing was left to be taken over.
    #[serde(skip_serializing_if = "Option::is_none", serialize_with = "micros_opt")]
    up_to_date_at: Option<DateTime<Utc>>,
    /// Why it could not be reached or understood, or why it is paused; in English.
    #[serde(skip_serializing_if = "Option::is_none")]
    last_error: Option<String>,
    /// How often in a row it could not.
    failures: i32,
    /// When it is tried again.
    #[serde(skip_serializing_if = "Option::is_none", serialize_with = "micros_opt")]
    retry_at: Option<DateTime<Utc>>,
    /// Why it is held.
    #[serde(skip_serializing_if = "Option::is_none")]
    held: Option<HeldView>,
    /// How many entries were of kinds that this release does not know, since it was last let go on.
    skipped: i64,
    /// What could not be taken over.
    quarantined: Quarantined,
    /// When it was made.
    #[serde(serialize_with = "micros")]
    created_at: DateTime<Utc>,
}

/// How far behind a partner's copies are.
#[derive(Debug, Serialize, ToSchema)]
struct Lag {
    /// Entries of its log that it had when it last answered and that are not taken over yet; absent
    /// during the snapshot, which does not say how many records are left.
    #[serde(skip_serializing_if = "Option::is_none")]
    entries: Option<i64>,
    /// Seconds since nothing was left; absent if that never was.
    #[serde(skip_serializing_if = "Option::is_none")]
    seconds: Option<i64>,
}

/// How many copies would go.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = HeldDeletions)]
struct HeldView {
    /// So many …
    deletions: i64,
    /// … of so many.
    copies: i64,
}

/// Entries that could not be taken over.
#[derive(Debug, Serialize, ToSchema)]
struct Quarantined {
    /// How many.
    count: u64,
    /// The last ten; not in the list of partners.
    latest: Vec<QuarantinedEntry>,
}

/// An entry that could not be taken over.
#[derive(Debug, Serialize, ToSchema)]
struct QuarantinedEntry {
    /// The kind that it names.
    #[serde(skip_serializing_if = "Option::is_none")]
    kind: Option<String>,
    /// The record that it names.
    #[serde(skip_serializing_if = "Option::is_none")]
    id: Option<Uuid>,
    /// Why it could not; in English.
    why: String,
    /// The entry as it came, or its record; cut if it is long.
    entry: String,
    /// When it came.
    #[serde(serialize_with = "micros")]
    at: DateTime<Utc>,
}

impl PartnerView {
    /// A partner at a moment.
    pub(crate) fn new(partner: &Partner, now: DateTime<Utc>) -> Result<Self> {
        let row = &partner.row;
        let listed = |text: &str| {
            let items = text.split(',').filter(|item| !item.is_empty());
            items.map(str::to_owned).collect()
        };
        let held = row.held_deletions.zip(row.held_copies);
        Ok(Self {
            id: row.id,
            name: row.name.clone(),
            version: row.version,
            url: row.url.clone(),
            origin: row.origin.clone(),
            kinds: listed(&row.kinds),
            home_regions: listed(&row.home_regions),
            state: row.state()?,
            phase: row.phase()?,
            seq: row.seq,
            head_seq: row.head_seq,
            lag: Lag {
                entries: row.lag()?,
                seconds: row.up_to_date_at.map(|at| (now - at).num_seconds().max(0)),
            },
            copies: partner.copies,
            contacted_at: row.contacted_at,
            up_to_date_at: row.up_to_date_at,
            last_error: row.last_error.clone(),
            failures: row.failures,
            retry_at: row.retry_at,
            held: held.map(|(deletions, copies)| HeldView { deletions, copies }),
            skipped: row.skipped,
            quarantined: Quarantined {
                count: partner.quarantined,
                latest: partner.latest.iter().map(QuarantinedEntry::new).collect(),
            },
            created_at: row.created_at,
        })
    }

    /// Its id.
    pub(crate) const fn id(&self) -> Uuid {
        self.id
    }
}

impl QuarantinedEntry {
    fn new(row: &quarantine::Model) -> Self {
        Self {
            kind: row.kind.clone(),
            id: row.record_id,
            why: row.why.clone(),
            entry: row.entry.chars().take(2000).collect(),
            at: row.at,
        }
    }
}
