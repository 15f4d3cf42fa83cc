//! `GET /v1/sync/changes`: the feed.

use crate::exchange::feed::entry::Entry;
use crate::exchange::feed::filter;
use crate::exchange::feed::filter::{HOME_REGION, KIND, LIMIT};
use crate::http::problem::Problem;
use crate::operation::extract::{App, Pairs, Parameter, Parameters, Public, Query, wrong};
use crate::operation::paging::CURSOR;
use crate::operation::param;
use crate::operation::param::Known;
use crate::operation::reply::Private;
use domain::base::kind::Kind;
use domain::exchange::sync::FeedPhase;
use persistence::StoreError;
use persistence::feed::{FeedFilter, FeedPage, FeedStart};
use serde::Serialize;
use serde_json::json;
use std::time::Duration;
use tokio::time::Instant;
use utoipa::ToSchema;
use uuid::Uuid;

pub(super) const CHANGES: &str = "/v1/sync/changes";

/// Seconds that a reader can wait for changes; fewer than the timeouts of proxies.
pub(crate) const LONGEST_WAIT: u64 = 55;

/// Page of the feed.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = FeedPage)]
#[schema(example = json!({"origin": "nordhessen", "log_id": "0193e5a0-0000-7000-8000-0000000000ff", "entries": [{"seq": 48213, "tx": 48211, "op": "upsert", "kind": "actor", "id": "0193e5a0-0000-7000-8000-000000000002", "origin": "nordhessen", "version": 17, "hash": "sha256:7b6328b764e4d40bd19d67b19fcb2fe344e43a72e4d95e9f251ca2a1fe0297a6", "created_at": "2025-01-01T08:00:00.000000Z", "at": "2026-03-01T08:00:00.000000Z", "record": {"category": "hospital", "home_region": "0193e5a0-0000-7000-8000-000000000001", "name": "Klinik Beispielstadt", "publication": "published", "slug": "klinik-beispielstadt"}}, {"seq": 48214, "tx": 48211, "op": "delete", "kind": "relationship", "id": "0193e5a0-0000-7000-8000-000000000003", "origin": "nordhessen", "version": 3, "at": "2026-03-01T08:00:00.000000Z", "cause": "deleted"}], "phase": "changes", "after_seq": 48212, "seq": 48214, "head_seq": 48214, "has_more": false, "up_to_date": true, "next": "/v1/sync/changes?cursor=AbC…"}))]
pub(crate) struct Page {
    /// Origin of the records.
    origin: String,
    /// Log of the feed.
    log_id: Uuid,
    /// Entries: each record once, where it first appears, in its current state. Transactions are
    /// complete; a reference may precede the record.
    entries: Vec<Entry>,
    /// `snapshot` while records remain that were not reported, then `changes`.
    phase: FeedPhase,
    /// Number of the log after which this page begins: `seq` of the previous page. A page that
    /// begins elsewhere is the response to another request.
    after_seq: i64,
    /// A reader that has applied this page has every change up to this number of the log; in a
    /// snapshot only once it ends.
    seq: i64,
    /// Newest number of the log.
    head_seq: i64,
    /// Whether the next page can be requested at once.
    has_more: bool,
    /// Whether nothing was left when the page was read.
    up_to_date: bool,
    /// Address of the next page, relative to this server, with every parameter except `wait`;
    /// always present.
    next: String,
}

pub(crate) struct Sent {
    filter: FeedFilter,
    start: FeedStart,
    limit: u64,
    wait: Duration,
    text: String,
}

const FROM: Parameter = param::code(
    "from",
    "`now` leaves the snapshot out and begins with what changes from now on.",
    Known::These(&["now"]),
)
.example("now");
const WAIT: Parameter = param::integer(
    "wait_seconds",
    "How many seconds to wait for a change if there is none to tell of.",
    &(0..=LONGEST_WAIT),
)
.default(0)
.example("30");

impl Parameters for Sent {
    fn table(_: Option<Kind>) -> &'static [Parameter] {
        &[CURSOR, FROM, LIMIT, KIND, HOME_REGION, WAIT]
    }

    fn read(pairs: &Pairs) -> Result<Self, Problem> {
        let start = match (pairs.one(CURSOR.name), pairs.one(FROM.name)) {
            (None, None) => FeedStart::Snapshot,
            (None, Some(_)) => FeedStart::Now,
            (Some(cursor), None) => FeedStart::After(cursor.to_owned()),
            (Some(_), Some(from)) => {
                let expected = (
                    "left out together with a cursor",
                    "nicht neben einem Cursor",
                );
                return Err(wrong(FROM.name, from, expected));
            }
        };
        let wait = pairs.integer(&WAIT);
        Ok(Self {
            filter: filter::read(pairs)?,
            start,
            limit: pairs.integer(&LIMIT),
            wait: Duration::from_secs(wait),
            text: pairs.without(&["wait_seconds", "from"]).without_cursor(),
        })
    }
}

pub(crate) async fn get(
    _: Public,
    app: App,
    Query(mut sent): Query<Sent>,
) -> Result<Private<Page>, Problem> {
    let until = Instant::now() + sent.wait;
    let mut written = app.store.log().watch();
    let mut stopping = app.stopping.subscribe();
    let mut after = None;
    loop {
        let page = app
            .store
            .feed()
            .page(&sent.filter, &sent.start, sent.limit)
            .await;
        let mut page = page.map_err(|why| sent.resync_problem(why))?;
        // While waiting, it proceeds past entries outside the filter.
        page.after = *after.get_or_insert(page.after);
        let told = !page.entries.is_empty() || page.has_more;
        if told || Instant::now() >= until {
            return Ok(Private::new(sent.page(&app, page)?));
        }
        // No database connection is held meanwhile.
        tokio::select! {
            _ = written.wait_for(|head| *head > page.head) => {
                sent.start = FeedStart::After(page.next);
            }
            _ = stopping.wait_for(|stopping| *stopping) => {
                return Ok(Private::new(sent.page(&app, page)?));
            }
            () = tokio::time::sleep_until(until) => {
                sent.start = FeedStart::After(page.next);
            }
        }
    }
}

impl Sent {
    fn page(&self, app: &App, page: FeedPage) -> Result<Page, Problem> {
        let node = app.store.node();
        Ok(Page {
            origin: node.origin.clone(),
            log_id: node.log_id,
            entries: Entry::all(page.entries, &node.origin)?,
            phase: page.phase,
            after_seq: page.after,
            seq: page.seq,
            head_seq: page.head,
            has_more: page.has_more,
            up_to_date: !page.has_more,
            next: Pairs::next(CHANGES, &self.text, &page.next),
        })
    }

    /// The problem with the address for a fresh start, if one is needed.
    fn resync_problem(&self, why: StoreError) -> Problem {
        let resync = matches!(why, StoreError::Resync(_));
        let problem = Problem::from(why);
        if !resync {
            return problem;
        }
        let url = match self.text.as_str() {
            "" => CHANGES.to_owned(),
            query => format!("{CHANGES}?{query}"),
        };
        problem.member("resync_url", json!(url))
    }
}
