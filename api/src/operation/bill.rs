//! What a request costs its caller: a fixed weight before, and afterwards what was counted.

use crate::auth;
use crate::http::rate_limit::{Standing, Who, group};
use crate::http::request::routed_path;
use crate::operation::extract::App;
use actix_web::HttpRequest;
use actix_web::body::{BodySize, BoxBody, MessageBody};
use actix_web::http::{Method, header};
use actix_web::web::Bytes;
use persistence::meter::{Counted, Meter};
use std::collections::hash_map::DefaultHasher;
use std::hash::{Hash, Hasher};
use std::net::IpAddr;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Instant;

/// Operations that take everything there is, whatever they answer.
const BULK: &[&str] = &["/v1/export", "/v1/import"];

/// The units that a request takes when it is admitted; an ordinary one takes one.
pub(crate) fn weight(request: &HttpRequest) -> u32 {
    let path = routed_path(request);
    match *request.method() {
        _ if BULK.contains(&path) => 10,
        // A calendar has all events of its list.
        Method::GET | Method::HEAD if is_calendar(request, path) => 10,
        // Passwords are slow on purpose.
        _ if path == auth::TOKEN_PATH => 2,
        Method::GET | Method::HEAD | Method::OPTIONS => 1,
        _ => 2,
    }
}

/// Whether a list of events is asked for as a calendar, whichever way the format is chosen. A request
/// that would take another format too counts as one.
fn is_calendar(request: &HttpRequest, path: &str) -> bool {
    if path.ends_with("/events.ics") {
        return true;
    }
    if !path.ends_with("/events") {
        return false;
    }
    let mut pairs = request.query_string().split('&');
    if let Some(named) = pairs.find_map(|pair| pair.strip_prefix("format=")) {
        return matches!(named, "ics" | "text/calendar" | "text%2Fcalendar");
    }
    let accepted = request.headers().get(header::ACCEPT);
    let accepted = accepted.and_then(|value| value.to_str().ok());
    accepted.is_some_and(|value| value.contains("text/calendar"))
}

/// Processor time of a unit, in nanoseconds: with the defaults, an address may use a tenth of a
/// core.
const UNIT: u64 = 10_000_000;

/// About what each takes, in nanoseconds.
const DOCUMENT: u64 = 20;
const TERM: u64 = 3_000;
const ROW: u64 = 20_000;

/// The units of counted work.
fn units(work: Counted) -> u32 {
    let documents = work.documents.saturating_mul(DOCUMENT);
    let terms = work.terms.saturating_mul(TERM);
    let rows = work.rows.saturating_mul(ROW);
    let time = documents.saturating_add(terms).saturating_add(rows);
    u32::try_from(time / UNIT).unwrap_or(u32::MAX)
}

/// A number for each account, and for each address without one.
fn number(who: &Who, address: IpAddr) -> u64 {
    let mut hasher = DefaultHasher::new();
    match who {
        Who::Client(subject) => subject.hash(&mut hasher),
        Who::Anybody | Who::Claimant => group(address).hash(&mut hasher),
    }
    hasher.finish()
}

/// The bill of one request. Dropping it stops the work that is still done for the request, and
/// charges what it has cost so far.
pub(crate) struct Bill {
    app: App,
    who: Who,
    address: IpAddr,
    pub(crate) meter: Meter,
    paid: u32,
}

impl Bill {
    /// A bill of which so many units are paid.
    pub(crate) fn new(app: &App, who: Who, address: IpAddr, paid: u32) -> Self {
        app.metrics.cost(paid);
        Self {
            app: app.clone(),
            meter: Meter::of(number(&who, address)),
            who,
            address,
            paid,
        }
    }

    /// Charges what has been counted beyond what is paid.
    pub(crate) fn settle(&mut self) -> Option<Standing> {
        let due = units(self.meter.counted()).saturating_sub(self.paid);
        if due == 0 {
            return None;
        }
        self.paid += due;
        self.app.metrics.cost(due);
        let limits = &self.app.limits;
        Some(limits.charge(&self.who, self.address, due, Instant::now()))
    }
}

impl Drop for Bill {
    fn drop(&mut self) {
        self.meter.stop();
        self.settle();
    }
}

/// The body of a response, whose work counts for the request.
pub(crate) struct Metered {
    pub(crate) body: BoxBody,
    pub(crate) bill: Bill,
}

impl MessageBody for Metered {
    type Error = Box<dyn std::error::Error>;

    fn size(&self) -> BodySize {
        self.body.size()
    }

    fn poll_next(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Bytes, Self::Error>>> {
        let metered = &mut *self;
        let body = Pin::new(&mut metered.body);
        metered.bill.meter.during(|| body.poll_next(cx))
    }

    fn try_into_bytes(self) -> Result<Bytes, Self> {
        let Self { body, bill } = self;
        body.try_into_bytes().map_err(|body| Self { body, bill })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use actix_web::test::TestRequest;

    #[test]
    fn work_is_charged_by_its_time() {
        let page = Counted {
            documents: 100_000,
            terms: 100,
            rows: 60,
        };
        assert_eq!(units(page), 0);
        let export = Counted {
            rows: 100_000,
            ..Counted::default()
        };
        assert_eq!(units(export), 200);
        let most = Counted {
            terms: u64::MAX,
            ..export
        };
        assert_eq!(units(most), u32::MAX);
    }

    #[test]
    fn what_takes_everything_weighs_more() {
        for (method, path, units) in [
            (Method::GET, "/v1/search", 1),
            (Method::GET, "/v1/export", 10),
            (Method::POST, "/v1/actors", 2),
            (Method::POST, "/oauth/token", 2),
        ] {
            let request = TestRequest::with_uri(path).method(method);
            assert_eq!(weight(&request.to_http_request()), units, "{path}");
        }
    }

    #[test]
    fn a_calendar_weighs_the_same_however_it_is_asked_for() {
        for (path, accept, units) in [
            ("/v1/events.ics", "*/*", 10),
            ("/v1/events?format=ics", "*/*", 10),
            ("/v1/events?format=text/calendar", "application/json", 10),
            ("/v1/events?mode=online", "text/calendar", 10),
            ("/v1/networks/netz/events?format=ics", "*/*", 10),
            ("/v1/networks/netz/events", "text/calendar, */*;q=0.1", 10),
            ("/v1/networks/netz/events.ics", "*/*", 10),
            ("/v1/events?format=json", "text/calendar", 1),
            ("/v1/events", "*/*", 1),
            ("/v1/networks/netz/events", "application/json", 1),
            ("/v1/networks?format=ics", "text/calendar", 1),
        ] {
            let request = TestRequest::with_uri(path).insert_header((header::ACCEPT, accept));
            assert_eq!(weight(&request.to_http_request()), units, "{path} {accept}");
        }
    }
}
