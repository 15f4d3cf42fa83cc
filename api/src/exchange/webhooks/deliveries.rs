use crate::exchange::webhooks::{Done, WebhookId};
use crate::http::problem::Problem;
use crate::operation::extract::Address;
use crate::operation::extract::{Admin, App, Pairs, Parameter, Parameters, Query, path_id, wrong};
use crate::operation::idempotency::{IdempotencyKey, Idempotent};
use crate::operation::paging::{CURSOR, LIMIT, Page, Paging};
use crate::operation::param;
use crate::operation::param::Known;
use crate::operation::routes::Routes;
use actix_web::http::Method;
use chrono::{DateTime, Utc};
use domain::base::kind::Kind;
use domain::base::record::{micros, micros_opt};
use domain::base::vocabulary::Coded;
use domain::exchange::sync::FeedOp;
use domain::exchange::webhook::DeliveryState;
use persistence::transaction::WriteOptions;
use persistence::webhook::{Delivery, Since};
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

const ALL: &str = "/v1/webhooks/{id}/deliveries";
const AGAIN: &str = "/v1/webhooks/{id}/deliveries/{delivery}/replay";
const REPLAY: &str = "/v1/webhooks/{id}/replay";

pub(crate) fn routes() -> Routes {
    let list = (
        "list_webhook_deliveries",
        "List the deliveries of a webhook, newest changes first",
    );
    let again = ("replay_webhook_delivery", "Repeat a delivery");
    let replay = ("replay_webhook", "Replay the changes since a moment");
    Routes::new("Webhooks")
        .get(ALL, list, &[], get_all)
        .route(Method::POST, AGAIN, again, &[], replay_one)
        .route(Method::POST, REPLAY, replay, &[], replay_all)
}

path_id!(DeliveryId, "delivery", "The id of the delivery.");

/// Page of deliveries.
#[derive(Debug, Serialize, ToSchema)]
#[schema(example = json!({"items": [{"id": "0193e5a0-0000-7000-8000-000000000005", "type": "network.updated", "kind": "network", "record": "0193e5a0-0000-7000-8000-000000000002", "version": 17, "op": "upsert", "seq": 48213, "origin": "nordhessen", "at": "2026-03-02T08:00:00.000000Z", "state": "delivered", "attempts": 1, "attempted_at": "2026-03-02T08:00:01.000000Z", "status": 204}]}))]
struct DeliveryPage {
    /// By log entry, newest first.
    items: Vec<DeliveryView>,
    /// Address of the next page, relative to this server; absent on the last page. Also as `Link`.
    #[serde(skip_serializing_if = "Option::is_none")]
    next: Option<String>,
}

/// Delivery and its state.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = WebhookDelivery, example = json!({"id": "0193e5a0-0000-7000-8000-000000000005", "type": "network.updated", "kind": "network", "record": "0193e5a0-0000-7000-8000-000000000002", "version": 17, "op": "upsert", "seq": 48213, "origin": "nordhessen", "at": "2026-03-02T08:00:00.000000Z", "state": "pending", "attempts": 0, "next_attempt_at": "2026-03-02T08:00:00.000000Z"}))]
struct DeliveryView {
    /// Id of the delivery; `webhook-id` is `msg_` and this without hyphens, the same at every
    /// attempt.
    id: Uuid,
    /// Event: the kind, a dot, and `created`, `updated` or `deleted`.
    r#type: String,
    /// Kind of the record.
    kind: String,
    /// Id of the record.
    record: Uuid,
    /// Version of the record; absent if it is no longer public.
    #[serde(skip_serializing_if = "Option::is_none")]
    version: Option<i64>,
    /// Operation, as in the feed.
    op: FeedOp,
    /// Number of the log entry.
    seq: i64,
    /// Origin of the record.
    origin: String,
    /// Time of the change.
    #[serde(serialize_with = "micros")]
    at: DateTime<Utc>,
    /// State of the delivery.
    state: DeliveryState,
    /// Number of attempts.
    attempts: i32,
    /// Time of the last attempt.
    #[serde(skip_serializing_if = "Option::is_none", serialize_with = "micros_opt")]
    attempted_at: Option<DateTime<Utc>>,
    /// HTTP status of the last attempt.
    #[serde(skip_serializing_if = "Option::is_none")]
    status: Option<i32>,
    /// Error of the last attempt; in English.
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<String>,
    /// Time of the next attempt.
    #[serde(skip_serializing_if = "Option::is_none", serialize_with = "micros_opt")]
    next_attempt_at: Option<DateTime<Utc>>,
}

impl DeliveryView {
    fn new(row: Delivery) -> Self {
        Self {
            id: row.id,
            r#type: format!("{}.{}", row.kind, row.happening.code()),
            kind: row.kind.to_string(),
            record: row.record_id,
            version: row.version,
            op: row.op,
            seq: row.seq,
            origin: row.origin,
            at: row.at,
            state: row.state,
            attempts: row.attempts,
            attempted_at: row.attempted_at,
            status: row.status,
            error: row.error,
            next_attempt_at: row.next_attempt_at,
        }
    }
}

/// Result of a replay.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = WebhookReplay, example = json!({"deliveries": 137, "through": 48213, "complete": true}))]
struct ReplayView {
    /// Number of deliveries to be sent (again).
    deliveries: u64,
    /// Last log entry that was covered.
    through: i64,
    /// Whether that was everything; if not, continue with `since` set to `through`.
    complete: bool,
}

struct PageQuery {
    paging: Paging,
    states: Vec<DeliveryState>,
}

const STATE: Parameter = param::codes(
    "state",
    "Only those in this state; comma is OR.",
    Known::Of(param::of::<DeliveryState>),
)
.example("failed");

impl Parameters for PageQuery {
    fn table(_: Option<Kind>) -> &'static [Parameter] {
        &[STATE, LIMIT, CURSOR]
    }

    fn read(pairs: &Pairs) -> Result<Self, Problem> {
        Ok(Self {
            paging: Paging::read(pairs)?,
            states: pairs.codes(STATE.name).concat(),
        })
    }
}

struct SinceQuery(Since);

const SINCE: Parameter = param::text(
    "since",
    "An entry of the log (`seq`), after which to begin; or a moment (RFC 3339).",
)
.max(40)
.example("2026-03-01T00:00:00Z")
.required();

impl Parameters for SinceQuery {
    fn table(_: Option<Kind>) -> &'static [Parameter] {
        &[SINCE]
    }

    fn read(pairs: &Pairs) -> Result<Self, Problem> {
        let text = pairs.one(SINCE.name).unwrap_or_default();
        since(text).map(Self).ok_or_else(|| {
            let expected = (
                "the number of an entry of the log or an RFC 3339 date-time",
                "die Nummer eines Eintrags im Log oder ein Zeitpunkt nach RFC 3339",
            );
            wrong(SINCE.name, text, expected)
        })
    }
}

/// Parses the number of a log entry, or a moment.
pub(crate) fn since(text: &str) -> Option<Since> {
    if let Ok(seq) = text.parse::<i64>() {
        return (seq >= 0).then_some(Since::Entry(seq));
    }
    param::read_moment(text).map(Since::Moment)
}

async fn get_all(
    app: App,
    _: Admin,
    id: WebhookId,
    Query(PageQuery { paging, states }): Query<PageQuery>,
    address: Address,
) -> Result<Page<DeliveryPage>, Problem> {
    let page = (paging.limit, paging.cursor.as_deref());
    let bound = paging.bound(&address.path);
    let found = app
        .store
        .deliveries()
        .list(id.0, &states, page, &bound)
        .await?;
    let next = paging.next(&address.path, found.next.as_ref());
    let items = found.items.into_iter().map(DeliveryView::new);
    let body = DeliveryPage {
        items: items.collect(),
        next: next.clone(),
    };
    Ok(Page { body, next })
}

async fn replay_one(
    app: App,
    Admin(admin): Admin,
    id: WebhookId,
    delivery: DeliveryId,
    _: Query<()>,
    mut idempotency: IdempotencyKey,
) -> Result<Idempotent<Done<DeliveryView, 200>>, Problem> {
    let options = WriteOptions::default();
    let made = idempotency.write(&app, &admin, &options, async |tx| {
        let row = tx.deliveries().replay_one(id.0, delivery.0).await?;
        Ok(Done::untagged(DeliveryView::new(row)))
    });
    made.await
}

async fn replay_all(
    app: App,
    Admin(admin): Admin,
    id: WebhookId,
    Query(SinceQuery(since)): Query<SinceQuery>,
    mut idempotency: IdempotencyKey,
) -> Result<Idempotent<Done<ReplayView, 200>>, Problem> {
    let options = WriteOptions::default();
    let again = app.store.deliveries().to_replay(since).await?;
    let made = idempotency.write(&app, &admin, &options, async |tx| {
        let replayed = tx.deliveries().replay(id.0, &again).await?;
        Ok(Done::untagged(ReplayView {
            deliveries: replayed.deliveries,
            through: replayed.through,
            complete: replayed.complete,
        }))
    });
    made.await
}
