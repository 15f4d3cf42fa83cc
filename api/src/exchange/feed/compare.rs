//! Comparing two nodes: digests first, then ids, versions and hashes, then the records that differ.

use crate::exchange::feed::entry::Entry;
use crate::exchange::feed::filter;
use crate::exchange::feed::filter::{HOME_REGION, KIND, LIMIT};
use crate::http::problem::Problem;
use crate::operation::extract::{App, Body, JsonBody, Pairs, Parameter, Parameters, Public, Query};
use crate::operation::paging::CURSOR;
use crate::operation::reply::Private;
use domain::base::fault::{Fault, FaultCode, FieldError};
use domain::base::kind::Kind;
use domain::validation::shape::Shape;
use persistence::feed::FeedFilter;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use std::sync::LazyLock;
use utoipa::ToSchema;
use uuid::Uuid;

pub(super) const IDS: &str = "/v1/sync/ids";

pub(crate) const MAX_IDS: usize = 500;

/// Digests of the records in the feed.
#[derive(Debug, Serialize, ToSchema)]
#[schema(example = json!({"log_id": "0193e5a0-0000-7000-8000-0000000000ff", "seq": 48213, "items": [{"origin": "nordhessen", "kind": "actor", "count": 2, "sum": "b89dfedd40dca84da3f263bfe6e4d96079e6435bbe3556bd31aca607f2b28c38"}]}))]
pub(crate) struct Digests {
    /// Log of the records.
    log_id: Uuid,
    /// Newest number of the log at that time: a partner that has reached it has the same records.
    seq: i64,
    /// One digest per kind.
    items: Vec<KindDigest>,
}

/// Digest of the records of a kind.
#[derive(Debug, Serialize, ToSchema)]
struct KindDigest {
    /// Origin of the records.
    origin: String,
    /// Kind of the records.
    kind: Kind,
    /// Number of records.
    count: u64,
    /// Sum modulo 2^256, as 64 hexadecimal digits, of SHA-256 over `id`, a zero byte, `version`, a
    /// zero byte and `hash` of each record, in the notation of the feed.
    #[schema(example = "b89dfedd40dca84da3f263bfe6e4d96079e6435bbe3556bd31aca607f2b28c38")]
    sum: String,
}

pub(crate) struct FilterQuery(FeedFilter);

impl Parameters for FilterQuery {
    fn table(_: Option<Kind>) -> &'static [Parameter] {
        &[KIND, HOME_REGION]
    }

    fn read(pairs: &Pairs) -> Result<Self, Problem> {
        filter::read(pairs).map(Self)
    }
}

pub(crate) async fn digest(
    _: Public,
    app: App,
    Query(FilterQuery(filter)): Query<FilterQuery>,
) -> Result<Private<Digests>, Problem> {
    let node = app.store.node();
    let found = app.store.feed().digests(&filter).await?;
    let items = filter.kinds().iter().map(|kind| {
        let digest = found.kinds.get(kind).copied().unwrap_or_default();
        KindDigest {
            origin: node.origin.clone(),
            kind: *kind,
            count: digest.count(),
            sum: digest.sum(),
        }
    });
    Ok(Private::new(Digests {
        log_id: node.log_id,
        seq: found.seq,
        items: items.collect(),
    }))
}

/// Page of hashes of the records in the feed.
#[derive(Debug, Serialize, ToSchema)]
#[schema(example = json!({"items": [{"kind": "actor", "id": "0193e5a0-0000-7000-8000-000000000002", "version": 17, "hash": "sha256:7b6328b764e4d40bd19d67b19fcb2fe344e43a72e4d95e9f251ca2a1fe0297a6"}]}))]
pub(crate) struct HashPage {
    /// By kind and id.
    items: Vec<RecordHash>,
    /// Address of the next page, relative to this server; absent on the last page.
    #[serde(skip_serializing_if = "Option::is_none")]
    next: Option<String>,
}

/// Hash of a record.
#[derive(Debug, Serialize, ToSchema)]
struct RecordHash {
    /// Kind of the record.
    kind: Kind,
    /// Id of the record.
    id: Uuid,
    /// Version of the record.
    #[schema(minimum = 1)]
    version: i64,
    /// `sha256:` and the SHA-256 of its canonical body.
    hash: String,
}

pub(crate) struct IdsQuery {
    filter: FeedFilter,
    limit: u64,
    cursor: Option<String>,
    text: String,
}

impl Parameters for IdsQuery {
    fn table(_: Option<Kind>) -> &'static [Parameter] {
        &[CURSOR, LIMIT, KIND, HOME_REGION]
    }

    fn read(pairs: &Pairs) -> Result<Self, Problem> {
        Ok(Self {
            filter: filter::read(pairs)?,
            limit: pairs.integer(&LIMIT),
            cursor: pairs.one("cursor").map(str::to_owned),
            text: pairs.without_cursor(),
        })
    }
}

pub(crate) async fn ids(
    _: Public,
    app: App,
    Query(sent): Query<IdsQuery>,
) -> Result<Private<HashPage>, Problem> {
    let limit = usize::try_from(sent.limit).unwrap_or(usize::MAX);
    let at = sent.cursor.as_deref();
    let (found, next) = app.store.feed().hashes(&sent.filter, limit, at).await?;
    let items = found.into_iter().map(|one| RecordHash {
        kind: one.kind,
        id: one.id,
        version: one.version,
        hash: one.hash,
    });
    Ok(Private::new(HashPage {
        items: items.collect(),
        next: next.map(|cursor| Pairs::next(IDS, &sent.text, &cursor)),
    }))
}

/// Requested records.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct RecordsInput {
    /// Ids of the records, at most 500.
    #[schema(max_items = 500)]
    ids: Vec<Uuid>,
}

impl Body for RecordsInput {
    const EXAMPLE: &'static str = r#"{"ids": ["0193e5a0-0000-7000-8000-000000000000"]}"#;

    fn shape() -> &'static Shape {
        static SHAPE: LazyLock<Shape> = LazyLock::new(RecordsInput::compile);
        &SHAPE
    }

    fn faults(&self) -> Vec<FieldError> {
        let ids: BTreeSet<&Uuid> = self.ids.iter().collect();
        if ids.len() == self.ids.len() {
            return Vec::new();
        }
        vec![FieldError::new("/ids", Fault::new(FaultCode::Repeated))]
    }
}

/// Requested records.
#[derive(Debug, Serialize, ToSchema)]
#[schema(example = json!({"entries": [{"seq": 48213, "op": "upsert", "kind": "actor", "id": "0193e5a0-0000-7000-8000-000000000002", "origin": "nordhessen", "version": 17, "hash": "sha256:7b6328b764e4d40bd19d67b19fcb2fe344e43a72e4d95e9f251ca2a1fe0297a6", "created_at": "2025-01-01T08:00:00.000000Z", "at": "2026-03-01T08:00:00.000000Z", "record": {"category": "hospital", "home_region": "0193e5a0-0000-7000-8000-000000000001", "name": "Klinik Beispielstadt", "publication": "published", "slug": "klinik-beispielstadt"}}], "rest": [], "absent": ["0193e5a0-0000-7000-8000-000000000003"]}))]
pub(crate) struct Records {
    /// Records that are in the feed.
    entries: Vec<Entry>,
    /// Ids of further records in the feed that did not fit; request them again.
    rest: Vec<Uuid>,
    /// Ids that are not in the feed: deleted, withdrawn, of other nodes, or unknown.
    absent: Vec<Uuid>,
}

pub(crate) async fn records(
    _: Public,
    app: App,
    _: Query<()>,
    JsonBody(sent): JsonBody<RecordsInput>,
) -> Result<Private<Records>, Problem> {
    let (found, rest) = app.store.feed().records(&sent.ids).await?;
    let known = found.iter().map(|entry| entry.id);
    let known: BTreeSet<Uuid> = known.chain(rest.iter().copied()).collect();
    let ids = sent.ids.into_iter();
    Ok(Private::new(Records {
        entries: Entry::all(found, &app.store.node().origin)?,
        rest,
        absent: ids.filter(|id| !known.contains(id)).collect(),
    }))
}
