//! The versions of a record, and the log for admins.

use crate::formats::Json;
use crate::http::problem::{Code, Problem};
use crate::operation::extract::Address;
use crate::operation::extract::{
    Admin, App, IfNoneMatch, Pairs, Parameter, Parameters, Query, Reader, RecordId, from_head,
    parse,
};
use crate::operation::paging::{CURSOR, LIMIT, Page, Paging};
use crate::operation::param;
use crate::operation::param::Known;
use crate::operation::reply::weak_tag;
use crate::operation::routes::{Draft, Extract, Reply, Routes};
use crate::records::reply::{Found, record_content};
use crate::records::view::Shown;
use actix_web::body::BoxBody;
use actix_web::http::header::{HeaderName, HeaderValue};
use actix_web::{HttpRequest, HttpResponse, Responder};
use chrono::{DateTime, Utc};
use domain::access::rules::Caller;
use domain::base::kind::Kind;
use domain::base::record::micros;
use domain::base::vocabulary::Coded;
use domain::exchange::change::{Cause, Op};
use domain::validation::body::KindSchema;
use persistence::StoreError;
use persistence::read::history::{History, LogEntry, LogFilter};
use serde::Serialize;
use serde_json::{Value, json};
use utoipa::ToSchema;
use uuid::Uuid;

mod changes;

#[must_use]
pub fn routes(schema: &KindSchema) -> Routes {
    let all = format!("/v1/{}/{{id}}/history", schema.kind.plural());
    let one = format!("{all}/{{version}}");
    let kind = schema.kind;
    let (list, get) = (
        format!("list_{kind}_history"),
        format!("get_{kind}_version"),
    );
    let listed = format!("List the versions of {}, newest first", schema.a);
    let got = format!("Read a version of {}", schema.a);
    Routes::of(schema)
        .get(&all, (&list, &listed), &[Code::Moved, Code::Gone], versions)
        .get(&one, (&get, &got), &[Code::VersionGone], version)
        .and(changes::routes(schema))
}

#[must_use]
pub fn audit() -> Routes {
    let names = ("list_audit", "Read the log of changes, newest first");
    Routes::new("Node").get("/v1/audit", names, &[], log)
}

/// Versions of a record.
#[derive(Debug, Serialize, ToSchema)]
#[schema(example = json!({"items": [{"version": 2, "op": "upsert", "at": "2026-03-02T08:00:00.000000Z", "home_region": "0193e5a0-0000-7000-8000-000000000001", "reason": "Neue Anschrift"}, {"version": 1, "op": "upsert", "at": "2026-03-01T08:00:00.000000Z", "home_region": "0193e5a0-0000-7000-8000-000000000001"}]}))]
struct HistoryPage {
    /// Newest first.
    items: Vec<Revision>,
    /// Address of the next page, relative to this server; absent on the last page. Also as `Link`.
    #[serde(skip_serializing_if = "Option::is_none")]
    next: Option<String>,
    /// True if earlier versions are missing: they were pruned, or precede the first copy.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    #[schema(required = false)]
    truncated: bool,
}

/// Change that created a version.
#[derive(Debug, Serialize, ToSchema)]
struct Revision {
    /// Version of the record.
    #[schema(minimum = 1)]
    version: i64,
    /// Operation of the change.
    op: Op,
    /// When it was made (RFC 3339 UTC, microseconds).
    #[serde(serialize_with = "micros")]
    at: DateTime<Utc>,
    /// Account that made it; only for those who may read drafts of the record.
    #[serde(skip_serializing_if = "Option::is_none")]
    by: Option<Uuid>,
    /// Home region at the time, if the version was public.
    #[serde(skip_serializing_if = "Option::is_none")]
    home_region: Option<Uuid>,
    /// Reason, from `Change-Reason`; only for those who may read drafts of the record.
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
    /// Cause of a deletion; `schema` if the node itself created the version because members were
    /// renamed, which leaves `updated_at` unchanged.
    #[serde(skip_serializing_if = "Option::is_none")]
    cause: Option<Cause>,
    /// Id shared by everything that was deleted with a record, in however many steps.
    #[serde(skip_serializing_if = "Option::is_none")]
    deletion_id: Option<Uuid>,
    /// Whether the content of this version was erased.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    #[schema(required = false)]
    erased: bool,
}

async fn versions(
    app: App,
    Reader(caller): Reader,
    id: RecordId,
    Query(paging): Query<Paging>,
    address: Address,
) -> Result<Page<HistoryPage>, Problem> {
    read(&app, &caller, &id, (&paging, &address.path)).await
}

/// The versions of a record as JSON: what the route answers to a caller, for the pages of the
/// explorer.
pub(crate) async fn json(
    app: &App,
    caller: &Caller,
    id: &RecordId,
    query: &str,
) -> Result<Value, Problem> {
    let paging = parse::<Paging>(query, Some(id.kind), false)?;
    let path = format!("/v1/{}/{}/history", id.kind.plural(), id.key);
    let page = read(app, caller, id, (&paging, &path)).await?;
    Ok(json!(page.body))
}

/// A version of a record as JSON, as the route answers it.
pub(crate) async fn version_json(
    app: &App,
    caller: &Caller,
    id: &RecordId,
    version: i64,
) -> Result<String, Problem> {
    let key = (id.kind, id.key.as_str());
    let found = app.store.history().get(caller, key, version).await?;
    Ok(found.envelope.around(&found.body))
}

async fn read(
    app: &App,
    caller: &Caller,
    id: &RecordId,
    (paging, path): (&Paging, &str),
) -> Result<Page<HistoryPage>, Problem> {
    let page = (paging.limit, paging.cursor.as_deref());
    let bound = paging.bound(path);
    let key = (id.kind, id.key.as_str());
    let history = app.store.history().list(caller, key, page, &bound).await?;
    let next = paging.next(path, history.page.next.as_ref());
    let body = HistoryPage {
        items: revisions(&history)?,
        next: next.clone(),
        truncated: history.truncated,
    };
    Ok(Page { body, next })
}

fn revisions(history: &History) -> Result<Vec<Revision>, Problem> {
    let entries = history.page.entries.iter();
    let revisions = entries.map(|entry| {
        let op = op(entry)?;
        let own = entry.cause.as_deref().and_then(Cause::parse);
        let deletion = (op == Op::Delete).then(|| {
            // Only the last deletion left a tombstone; earlier ones were undone by a revival.
            let cause = history.cause.as_deref().filter(|_| entry.newest);
            cause.and_then(Cause::parse).unwrap_or(Cause::Deleted)
        });
        Ok(Revision {
            version: entry.version,
            op,
            at: entry.at,
            by: entry.by.filter(|_| history.within),
            home_region: entry.home_region(),
            reason: entry.reason.clone().filter(|_| history.within),
            cause: deletion.or(own),
            deletion_id: entry.deletion_id,
            erased: entry.erased,
        })
    });
    revisions.collect()
}

fn op(entry: &LogEntry) -> Result<Op, Problem> {
    let op = Op::parse(&entry.op);
    Ok(op.ok_or_else(|| StoreError::Corrupt(format!("op {}", entry.op)))?)
}

async fn version(
    app: App,
    Reader(caller): Reader,
    id: RecordId,
    VersionInPath(version): VersionInPath,
    _: Query<()>,
    known: IfNoneMatch,
) -> Result<OfVersion, Problem> {
    let key = (id.kind, id.key.as_str());
    let found = app.store.history().get(&caller, key, version).await?;
    let json = found.envelope.around(&found.body);
    // The strong tag belongs to the canonical record alone.
    let etag = weak_tag(&json);
    let reply = if known.has(&etag) {
        Found::not_modified(etag)
    } else {
        Found::new(Shown {
            text: json,
            etag,
            format: &Json,
            language: None,
        })
    };
    Ok(OfVersion {
        found: reply,
        upgraded: found.upgraded,
    })
}

/// 200 with an earlier version of a record, or 304.
struct OfVersion {
    found: Found,
    /// Whether it was written with former names of members.
    upgraded: bool,
}

pub(crate) const UPGRADED: HeaderName = HeaderName::from_static("verbund-upgraded");

impl Responder for OfVersion {
    type Body = BoxBody;

    fn respond_to(self, request: &HttpRequest) -> HttpResponse {
        let mut response = self.found.respond_to(request);
        if self.upgraded {
            let value = HeaderValue::from_static("true");
            response.headers_mut().insert(UPGRADED, value);
        }
        response
    }
}

impl Reply for OfVersion {
    fn describe(draft: &mut Draft) {
        let headers = &["ETag", "Verbund-Upgraded"];
        let response = record_content(draft, "The record in this version.", headers);
        draft.response(200, response);
        draft.problem(Code::Moved);
        draft.problem(Code::Gone);
    }
}

#[derive(Debug)]
pub(super) struct VersionInPath(pub(super) i64);

from_head!(VersionInPath);

impl VersionInPath {
    fn of(request: &HttpRequest) -> Result<Self, Problem> {
        let version = request.match_info().query("version").parse::<i64>();
        let version = version.ok().filter(|version| *version > 0);
        version
            .map(Self)
            .ok_or_else(|| Problem::new(Code::NotFound))
    }
}

impl Extract for VersionInPath {
    fn describe(draft: &mut Draft) {
        draft.parameter(json!({
            "name": "version",
            "in": "path",
            "required": true,
            "description": "The version.",
            "schema": {"type": "integer", "minimum": 1},
        }));
        draft.problem(Code::NotFound);
    }
}

/// Page of the log.
#[derive(Debug, Serialize, ToSchema)]
#[schema(example = json!({"items": [{"seq": 48213, "at": "2026-03-02T08:00:00.000000Z", "op": "upsert", "kind": "network", "id": "0193e5a0-0000-7000-8000-000000000002", "origin": "nordhessen", "version": 2, "by": "0193e5a0-0000-7000-8000-000000000003", "reason": "Neue Anschrift"}]}))]
struct LogPage {
    /// Newest first.
    items: Vec<LogItem>,
    /// Address of the next page, relative to this server; absent on the last page. Also as `Link`.
    #[serde(skip_serializing_if = "Option::is_none")]
    next: Option<String>,
}

/// Entry of the log.
#[derive(Debug, Serialize, ToSchema)]
struct LogItem {
    /// Number of the entry.
    seq: i64,
    /// When it was written (RFC 3339 UTC, microseconds).
    #[serde(serialize_with = "micros")]
    at: DateTime<Utc>,
    /// Operation of the entry.
    op: Op,
    /// Kind of the record.
    kind: String,
    /// Id of the record.
    id: Uuid,
    /// Origin of the record.
    origin: String,
    /// Version that it created or touched.
    version: i64,
    /// Account that made the change; absent for the node itself.
    #[serde(skip_serializing_if = "Option::is_none")]
    by: Option<Uuid>,
    /// Reason of the change.
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
    /// `schema` if the node itself made the change because members were renamed.
    #[serde(skip_serializing_if = "Option::is_none")]
    cause: Option<Cause>,
    /// Id shared by everything that was deleted with a record, in however many steps.
    #[serde(skip_serializing_if = "Option::is_none")]
    deletion_id: Option<Uuid>,
}

struct LogQuery {
    paging: Paging,
    filter: LogFilter,
}

const BY: Parameter = param::uuid("by", "What this account did.");
const KIND: Parameter = param::codes(
    "kind",
    "Changes of records of this kind; comma is OR.",
    Known::Of(param::of::<Kind>),
)
.example("network");
const SINCE: Parameter = param::moment("since", "At or after this moment (RFC 3339).");
const UNTIL: Parameter =
    param::moment("until", "Before this moment (RFC 3339).").example("2026-02-28T08:00:00Z");
const RECORD: Parameter = param::uuid("record", "Changes of this record, by id.");

impl Parameters for LogQuery {
    fn table(_: Option<Kind>) -> &'static [Parameter] {
        &[BY, KIND, SINCE, UNTIL, RECORD, LIMIT, CURSOR]
    }

    fn read(pairs: &Pairs) -> Result<Self, Problem> {
        Ok(Self {
            paging: Paging::read(pairs)?,
            filter: LogFilter {
                by: pairs.uuid(&BY),
                kinds: pairs.codes(KIND.name).concat(),
                since: pairs.moment(&SINCE),
                until: pairs.moment(&UNTIL),
                record: pairs.uuid(&RECORD),
            },
        })
    }
}

async fn log(
    app: App,
    Admin(caller): Admin,
    Query(LogQuery { paging, filter }): Query<LogQuery>,
    address: Address,
) -> Result<Page<LogPage>, Problem> {
    let page = (paging.limit, paging.cursor.as_deref());
    let bound = paging.bound(&address.path);
    let found = app
        .store
        .history()
        .audit(&caller, &filter, page, &bound)
        .await?;
    let next = paging.next(&address.path, found.next.as_ref());
    let items = found.entries.into_iter().map(|entry| {
        Ok(LogItem {
            op: op(&entry)?,
            seq: entry.seq,
            at: entry.at,
            kind: entry.kind,
            id: entry.record_id,
            origin: entry.origin,
            version: entry.version,
            by: entry.by,
            reason: entry.reason,
            cause: entry.cause.as_deref().and_then(Cause::parse),
            deletion_id: entry.deletion_id,
        })
    });
    let body = LogPage {
        items: items.collect::<Result<_, Problem>>()?,
        next: next.clone(),
    };
    Ok(Page { body, next })
}
