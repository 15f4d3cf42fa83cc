//! `GET /v1/sync/changes`: the feed.

use crate::exchange::feed::entry::Entry;
use crate::exchange::feed::filter;
use crate::exchange::feed::filter::{HOME_REGION, KIND, LIMIT};
use crate::http::problem::{Code, Problem};
use crate::operation::extract::{
    App, ClientAddress, Pairs, Parameter, Parameters, Public, Query, wrong,
};
use crate::operation::paging::CURSOR;
use crate::operation::param;
use crate::operation::param::Known;
use crate::operation::reply::Rendered;
use crate::state::MAX_WAITING;
use actix_web::http::header;
use actix_web::web::Bytes;
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
    ClientAddress(address): ClientAddress,
    Query(mut sent): Query<Sent>,
) -> Result<Rendered<Page>, Problem> {
    let until = Instant::now() + sent.wait;
    let page = sent.read(&app).await?;
    let told = !page.entries.is_empty() || page.has_more;
    if told || sent.wait.is_zero() {
        return sent.render(&app, page).map(Rendered::new);
    }
    let _place = app
        .waiting
        .places
        .admit(address)
        .ok_or_else(too_many_wait)?;
    let request = format!("{:?} {}", sent.start, sent.text);
    // The wait proceeds past entries outside the filter.
    sent.start = FeedStart::After(page.next);
    let (after, head) = (page.after, page.head);
    let head = sent.news(&app, head, until).await?;
    // Many wait for the same.
    let make = async || {
        let mut page = sent.read(&app).await?;
        page.after = after;
        sent.render(&app, page)
    };
    let answer = app.waiting.pages.get(head, &request, make).await;
    answer.map(Rendered::new)
}

/// 429: an address has a bounded number of waiting requests.
fn too_many_wait() -> Problem {
    Problem::new(Code::RateLimited)
        .detail(
            format!("From this address {MAX_WAITING} requests wait for changes already; leave out `wait_seconds`, or try again later."),
            format!("Von dieser Adresse warten schon {MAX_WAITING} Anfragen auf Änderungen; lassen Sie `wait_seconds` weg, oder versuchen Sie es später."),
        )
        .header(header::RETRY_AFTER, "30")
}

impl Sent {
    async fn read(&self, app: &App) -> Result<FeedPage, Problem> {
        let feed = app.store.feed();
        let page = feed.page(&self.filter, &self.start, self.limit).await;
        page.map_err(|why| self.resync_problem(why))
    }

    /// Waits for an entry of the log that concerns the filter, until then, or until the server is
    /// asked to stop; returns how far the log was looked at. No connection to the database is held
    /// meanwhile.
    async fn news(&self, app: &App, head: i64, until: Instant) -> Result<i64, Problem> {
        let mut written = app.store.log().watch();
        let mut stopping = app.stopping.subscribe();
        let mut seen = head;
        loop {
            let last = seen;
            tokio::select! {
                newer = written.wait_for(|head| *head > last) => match newer {
                    Ok(newer) => seen = *newer,
                    Err(_) => return Ok(seen),
                },
                _ = stopping.wait_for(|stopping| *stopping) => return Ok(seen),
                () = tokio::time::sleep_until(until) => return Ok(seen),
            }
            if app
                .waiting
                .recent
                .has_news(&app.store, head, &self.filter)
                .await?
            {
                return Ok(seen);
            }
        }
    }

    fn render(&self, app: &App, page: FeedPage) -> Result<Bytes, Problem> {
        let page = self.page(app, page)?;
        serde_json::to_vec(&page)
            .map(Bytes::from)
            .map_err(|why| Problem::from(StoreError::Corrupt(why.to_string())))
    }

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
