//! The feed of this node's public records (`DirSync` v1), and its comparison.

mod atom;
mod changes;
mod compare;
mod entry;
mod filter;

use self::changes::CHANGES;
use self::compare::IDS;
use crate::http::problem::{Code, Problem};
use crate::operation::extract::{App, Public, Query};
use crate::operation::reply::Private;
use crate::operation::routes::Routes;
use actix_web::http::Method;
use domain::base::kind::Kind;
use domain::base::vocabulary::Coded;
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

const DIGEST: &str = "/v1/sync/digest";
const RECORDS: &str = "/v1/sync/records";

#[must_use]
pub fn routes() -> Routes {
    let service = ("get_sync", "Read the properties of the feed");
    let changes = (
        "list_sync_changes",
        "Read the feed: every record, then every change",
    );
    let newest = ("list_changes_atom", "Read what changed as an Atom feed");
    let digest = ("get_sync_digest", "Read digests of the records in the feed");
    let ids = (
        "list_sync_ids",
        "List ids, versions and hashes of the records in the feed",
    );
    let records = ("get_sync_records", "Read records of the feed by id");
    Routes::new("Sync")
        .get("/v1/sync", service, &[Code::Busy], get)
        .get(
            CHANGES,
            changes,
            &[Code::ResyncRequired, Code::InvalidCursor, Code::Busy],
            changes::get,
        )
        .get(
            atom::CHANGES,
            newest,
            &[Code::InvalidCursor, Code::Busy],
            atom::get,
        )
        .get(DIGEST, digest, &[Code::Busy], compare::digest)
        .get(IDS, ids, &[Code::InvalidCursor, Code::Busy], compare::ids)
        .route(
            Method::POST,
            RECORDS,
            records,
            &[Code::Busy],
            compare::records,
        )
}

/// Properties of the feed.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = SyncService)]
#[schema(example = json!({"origin": "nordhessen", "log_id": "0193e5a0-0000-7000-8000-0000000000ff", "head_seq": 48214, "floor_seq": 0, "kinds": ["region", "topic", "actor", "network", "project", "event", "relationship"], "filters": ["kind", "home_region"], "limits": {"page_entries": 1000, "page_bytes": 4_194_304, "wait_seconds": 55, "record_ids": 500}, "changes": "/v1/sync/changes", "digest": "/v1/sync/digest", "ids": "/v1/sync/ids", "records": "/v1/sync/records"}))]
struct Service {
    /// Origin of the records.
    origin: String,
    /// Log of the feed; another one means that the database was replaced.
    log_id: Uuid,
    /// Newest number of the log.
    head_seq: i64,
    /// Newest pruned number; cursors up to it have expired. 0 if nothing was pruned.
    floor_seq: i64,
    /// Days for which a cursor remains valid; unlimited if absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    retention_days: Option<u32>,
    /// Kinds of records, in the order of a snapshot: referenced kinds come first, as far as
    /// possible.
    kinds: &'static [Kind],
    /// Filter parameters of the feed.
    filters: &'static [&'static str],
    /// Limits of the feed.
    limits: Limits,
    /// Address of the feed.
    changes: &'static str,
    /// Address of the digests.
    digest: &'static str,
    /// Address of ids, versions and hashes.
    ids: &'static str,
    /// Address of records by id.
    records: &'static str,
}

/// Limits of the feed.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = SyncLimits)]
struct Limits {
    /// Entries per page, except for up to 500 more that complete a transaction.
    page_entries: u64,
    /// Bytes of bodies per page, except for a single larger record.
    page_bytes: i64,
    /// Seconds that a reader can wait for changes.
    wait_seconds: u64,
    /// Ids per request.
    record_ids: usize,
}

async fn get(_: Public, app: App, _: Query<()>) -> Result<Private<Service>, Problem> {
    let node = app.store.node();
    let log = app.store.feed().state().await?;
    Ok(Private::new(Service {
        origin: node.origin.clone(),
        log_id: node.log_id,
        head_seq: log.head,
        floor_seq: log.floor,
        retention_days: app.log_retention_days,
        kinds: Kind::ALL,
        filters: &["kind", "home_region"],
        limits: Limits {
            page_entries: filter::MOST,
            page_bytes: persistence::feed::PAGE_BYTES,
            wait_seconds: changes::LONGEST_WAIT,
            record_ids: compare::MAX_IDS,
        },
        changes: CHANGES,
        digest: DIGEST,
        ids: IDS,
        records: RECORDS,
    }))
}
