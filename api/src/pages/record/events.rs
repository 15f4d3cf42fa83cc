//! The next events of a record.

use crate::http::problem::Problem;
use crate::operation::extract::RecordId;
use crate::pages::calls::query;
use crate::pages::layout::Visit;
use crate::pages::words::{self, list, text};
use crate::pages::{calendar, parts};
use domain::base::kind::Kind;
use domain::base::vocabulary::Coded;
use maud::{Markup, html};
use serde_json::Value;

/// Events to come that are shown.
const SHOWN: &str = "5";

/// Current and coming events of a record; none if it cannot have any.
pub(super) async fn coming(
    visit: &Visit,
    id: &RecordId,
    relationships: &Value,
) -> Result<Option<Value>, Problem> {
    let mut related = list(relationships, "/items").iter();
    let has_event = related.any(|item| text(item, "/other/kind") == Some(Kind::Event.code()));
    if !has_event && calendar_filter(id.kind).is_none() {
        return Ok(None);
    }
    let today = visit.calls.today().to_string();
    let asked = query([
        ("end_from", today.as_str()),
        ("sort", "start"),
        ("limit", SHOWN),
        ("fields", calendar::MEMBERS),
    ]);
    visit.calls.events(id, &asked).await.map(Some)
}

/// The filter of the calendar's page for records of a kind.
const fn calendar_filter(kind: Kind) -> Option<&'static str> {
    match kind {
        Kind::Region => Some("region"),
        Kind::Topic => Some("topic"),
        Kind::Actor | Kind::Network | Kind::Project | Kind::Event | Kind::Relationship => None,
    }
}

/// The next events of a record, the page of those in a region or on a topic, and a calendar.
pub(super) fn section(
    visit: &Visit,
    id: &RecordId,
    record: &Value,
    coming: Option<&Value>,
) -> Markup {
    let Some(coming) = coming else {
        return html! {};
    };
    let locale = visit.locale;
    let key = text(record, "/id").unwrap_or_default();
    let page = calendar_filter(id.kind).map(|name| {
        let filter = query([(name, key)]);
        format!("{}?{filter}", locale.path("/calendar"))
    });
    let path = format!("/v1/{}/{key}/events", id.kind.plural());
    let items = list(coming, "/items");
    let total = coming.pointer("/total").and_then(Value::as_u64);
    let more = total.is_some_and(|total| total > items.len() as u64);
    html! {
        section.month aria-labelledby="events" {
            h2 #events { (words::plural(Kind::Event, locale)) }
            @if items.is_empty() { p.note { (visit.t("Zurzeit ist keine Veranstaltung bekannt.", "No event is known at present.")) } }
            @else { ul { @for item in items { (calendar::event(visit, item)) } } }
            p.formats {
                @if let Some(page) = page {
                    a href=(page) { @if more { (visit.t("Alle Veranstaltungen im Kalender", "All events in the calendar")) } @else { (visit.t("Im Kalender", "In the calendar")) } }
                    " · "
                }
                a href=(parts::calendar(&path, "", locale)) { (visit.t("Kalender abonnieren (iCalendar)", "Subscribe to the calendar (iCalendar)")) }
            }
        }
    }
}
