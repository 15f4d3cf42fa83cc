//! Events by month.

use crate::http::problem::Problem;
use crate::operation::extract::unknown;
use crate::pages::calls::query;
use crate::pages::layout::{Head, Visit};
use crate::pages::parts::{calendar, foreign, in_format, page_of};
use crate::pages::words::{self, code, date, list, local, moment, month, month_of, text};
use crate::records::reply::list_formats;
use actix_web::HttpResponse;
use domain::base::kind::Kind;
use maud::{Markup, html};
use serde_json::Value;

/// Members of events that a line shows.
pub(super) const MEMBERS: &str =
    "name,slug,language,start,end,timezone,places,event_type,mode,status,posted";

/// Filters of events that the page understands.
const KNOWN: &[&str] = &[
    "start_from",
    "start_to",
    "region",
    "topic",
    "event_type",
    "mode",
    "cursor",
    "past",
];

pub(super) async fn page(visit: Visit) -> Result<HttpResponse, Problem> {
    let mut pairs: Vec<(String, String)> = Vec::new();
    for (name, value) in url::form_urlencoded::parse(visit.query.as_bytes()).into_owned() {
        if !KNOWN.contains(&name.as_str()) {
            return Err(unknown(&name, KNOWN));
        }
        if !value.is_empty() {
            pairs.push((name, value));
        }
    }
    let past = pairs.iter().any(|(name, _)| name == "past");
    let bounded = pairs.iter().any(|(name, _)| is_bound(name));
    let filters: Vec<(&str, &str)> = pairs
        .iter()
        .map(|(name, value)| (name.as_str(), value.as_str()))
        .filter(|(name, _)| *name != "past")
        .collect();
    let today = visit.calls.today().to_string();
    let mut sent = filters.clone();
    // Without a span, what is going on or to come: an event without an end ends when it begins.
    // Reports without a date are among the past.
    match (past, bounded) {
        (false, false) => sent.extend([("end_from", today.as_str()), ("sort", "start")]),
        (true, false) => sent.push(("sort", "-start")),
        (_, true) => sent.push(("sort", "start")),
    }
    sent.extend([("limit", "100"), ("fields", MEMBERS)]);
    let found = visit.calls.list(Some(Kind::Event), &query(sent)).await?;
    let head = Head {
        title: visit.t("Kalender", "Calendar").to_owned(),
        canonical: Some("/calendar".to_owned()),
        ..Head::default()
    };
    let path = visit.locale.path("/calendar");
    let items = list(&found, "/items");
    let next = text(&found, "/next").and_then(|next| next.rsplit_once("cursor="));
    let rest = query(
        pairs
            .iter()
            .filter(|(name, _)| name != "cursor")
            .map(|(name, value)| (name.as_str(), value.as_str())),
    );
    let listed = filters.iter().copied();
    let subscribe = query(listed.clone().filter(|(name, _)| *name != "cursor"));
    // The tabs keep every filter but the span.
    let kept = query(listed.filter(|(name, _)| *name != "cursor" && !is_bound(name)));
    let separator = if kept.is_empty() { "" } else { "&" };
    let all = format!("{path}?{kept}{separator}past=true");
    let upcoming = if kept.is_empty() {
        path.clone()
    } else {
        format!("{path}?{kept}")
    };
    let content = html! {
        h1 { (visit.t("Kalender", "Calendar")) }
        nav.tabs aria-label=(visit.t("Zeitraum", "Time")) {
            a href=(upcoming) aria-current=[(!past && !bounded).then_some("page")] { (visit.t("Laufende und kommende", "Current and upcoming")) }
            a href=(all) aria-current=[(past && !bounded).then_some("page")] { (visit.t("Alle, neueste zuerst", "All, newest first")) }
        }
        (months(&visit, items))
        @if items.is_empty() {
            div.empty { p { (visit.t("In diesem Zeitraum ist keine Veranstaltung bekannt.", "No event is known in this time.")) }
                @if !past { p { a href=(all) { (visit.t("Alle Veranstaltungen und Berichte, neueste zuerst", "All events and reports, newest first")) } } } }
        }
        @if let Some((_, cursor)) = next {
            nav.paging aria-label=(visit.t("Seiten", "Pages")) { a.next rel="next" href=(format!("{path}?{rest}{}cursor={cursor}", if rest.is_empty() { "" } else { "&" })) { (visit.t("Weitere Veranstaltungen", "More events")) " →" } }
        }
        p.formats {
            (visit.t("Diese Veranstaltungen als ", "These events as "))
            @for (at, format) in list_formats(Some(Kind::Event)).all().iter().enumerate() {
                @if at > 0 { ", " }
                @let address = if format.is_calendar() { calendar("/v1/events", &subscribe, visit.locale) } else { in_format("/v1/events", &subscribe, *format, visit.locale) };
                a href=(address) { (format.name()) }
            }
        }
    };
    Ok(visit.page(&head, &content))
}

/// Whether a filter bounds the span of the page.
fn is_bound(name: &str) -> bool {
    name.starts_with("start_")
}

/// Events in the order of the API, a heading for each month.
fn months(visit: &Visit, items: &[Value]) -> Markup {
    let undated = visit.t("Ohne Datum", "Without a date");
    let mut groups: Vec<(String, Vec<&Value>)> = Vec::new();
    for item in items {
        let start = local(item, "/start", visit.site.timezone);
        let heading = match start.as_deref().map(|start| (start, month_of(start))) {
            Some((_, Some((year, of)))) => format!("{} {year}", month(of, visit.locale)),
            Some((start, None)) => date(start.get(..4).unwrap_or(start), visit.locale),
            None => undated.to_owned(),
        };
        // The order is that of the moments, which may be in other months at their places.
        match groups.iter_mut().find(|(one, _)| *one == heading) {
            Some((_, list)) => list.push(item),
            None => groups.push((heading, vec![item])),
        }
    }
    groups.sort_by_key(|(heading, _)| heading == undated);
    html! {
        @for (heading, list) in groups {
            section.month {
                h2 { (heading) }
                ul { @for item in list { (event(visit, item)) } }
            }
        }
    }
}

/// A line for an event.
pub(super) fn event(visit: &Visit, item: &Value) -> Markup {
    let locale = visit.locale;
    let mut facts: Vec<String> = Vec::new();
    facts.extend(text(item, "/event_type").map(|of| code("event_type", of, locale).to_owned()));
    facts.extend(text(item, "/mode").map(|of| code("event_mode", of, locale).to_owned()));
    facts.extend(
        list(item, "/places")
            .first()
            .and_then(|place| text(place, "/city"))
            .map(str::to_owned),
    );
    facts.extend(
        text(item, "/posted")
            .filter(|_| text(item, "/start").is_none())
            .map(|at| {
                format!(
                    "{} {}",
                    visit.t("eingestellt am", "posted on"),
                    date(at, locale)
                )
            }),
    );
    let status = text(item, "/status").filter(|status| ["cancelled", "postponed"].contains(status));
    let start = moment(item, "/start", visit.site.timezone, locale);
    let end = moment(item, "/end", visit.site.timezone, locale);
    let end = end.filter(|end| Some(end) != start.as_ref());
    // Of an end on the same day, only the time.
    let end = end.map(|end| {
        let same = start.as_deref().and_then(|start| start.rsplit_once(", "));
        let time = same.and_then(|(day, _)| end.strip_prefix(day)?.strip_prefix(", "));
        time.map_or(end.clone(), str::to_owned)
    });
    let zone = text(item, "/timezone").filter(|zone| *zone != visit.site.timezone.name());
    let zone = zone.filter(|_| text(item, "/start").is_some_and(|start| start.contains('T')));
    html! {
        li.event {
            p.when { (start.unwrap_or_default()) @if let Some(end) = end { " – " (end) } @if let Some(zone) = zone { " (" (zone) ")" } }
            div {
                h3 lang=[foreign(item, locale)] { a href=(page_of(Kind::Event, item, visit.calls.node(), locale)) { (text(item, "/name").unwrap_or_default()) } }
                @if let Some(status) = status { p.notice { (words::code("event_status", status, locale)) } }
                p.facts { (facts.join(" · ")) }
            }
        }
    }
}
