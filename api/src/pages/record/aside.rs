//! What is next to the text of a record: facts, places, contact, provenance.

use crate::formats::{Format, has_entry};
use crate::operation::extract::RecordId;
use crate::pages::calls::query;
use crate::pages::layout::Visit;
use crate::pages::locale::Locale;
use crate::pages::map::{self, Marker, Shade, point};
use crate::pages::parts::{foreign, in_format, is_own, link, page_of, short};
use crate::pages::words::{self, code, date, list, member, moment, text, texts, vocabulary};
use crate::records::reply::record_formats;
use crate::records::view::translate;
use domain::base::kind::Kind;
use domain::base::vocabulary::Coded;
use maud::{Markup, html};
use serde_json::Value;

/// Members that are a line of the facts, in this order.
const FACTS: &[&str] = &[
    "categories",
    "network_type",
    "level",
    "event_type",
    "start",
    "end",
    "timezone",
    "mode",
    "status",
    "period",
    "phase",
    "phases",
    "founded",
    "dissolved",
    "legal_form",
    "size",
    "care_level",
    "sector",
    "value_chain",
    "recognition",
    "posted",
    "notation",
];

pub(super) fn facts(visit: &Visit, record: &Value) -> Markup {
    let locale = visit.locale;
    let topics = texts(record, "/topics");
    html! {
        section.facts aria-label=(visit.t("Eckdaten", "Key facts")) {
            dl {
                @for name in FACTS {
                    @if let Some(value) = fact(visit, record, name) { div { dt { (member(name, locale)) } dd { (value) } } }
                }
                @if let Some(broader) = text(record, "/broader") {
                    div { dt { (member("broader", locale)) } dd { (included(visit, record, Kind::Topic, broader)) } }
                }
                @if !topics.is_empty() {
                    div { dt { (member("topics", locale)) } dd { ul.tags { @for topic in topics { li { (included(visit, record, Kind::Topic, topic)) } } } } }
                }
                @if let Some(url) = text(record, "/registration_url") {
                    div { dt { (member("registration_url", locale)) } dd { (link(url, short(url))) } }
                }
                @for one in list(record, "/identifiers") {
                    div { dt { (text(one, "/scheme").unwrap_or_default()) } dd { code { (text(one, "/value").unwrap_or_default()) } } }
                }
            }
        }
    }
}

fn fact(visit: &Visit, record: &Value, name: &str) -> Option<Markup> {
    let locale = visit.locale;
    let kind = words::kind(record)?;
    let value = record.pointer(&format!("/{name}"))?;
    let words = match name {
        "phases" => {
            let phases = value.as_array()?.iter().map(|phase| {
                let of = text(phase, "/phase")
                    .map(|of| code("project_phase", of, locale))
                    .unwrap_or_default();
                let valid = phase
                    .pointer("/valid")
                    .and_then(|valid| words::period(valid, locale));
                valid.map_or_else(|| of.to_owned(), |valid| format!("{of}: {valid}"))
            });
            phases.collect::<Vec<_>>().join("; ")
        }
        "period" => words::period(value, locale)?,
        "recognition" => {
            let since = text(value, "/since")
                .map(|since| format!("{} {}", visit.t("seit", "since"), date(since, locale)));
            let by = text(value, "/by")
                .or_else(|| text(value, "/as_stated"))
                .map(str::to_owned);
            by.into_iter().chain(since).collect::<Vec<_>>().join(", ")
        }
        "start" | "end" => moment(record, &format!("/{name}"), visit.site.timezone, locale)?,
        // The zone of the node goes without saying.
        "timezone" => value
            .as_str()
            .filter(|zone| *zone != visit.site.timezone.name())?
            .to_owned(),
        "founded" | "dissolved" | "posted" => date(value.as_str()?, locale),
        _ => {
            let one = value.as_str().into_iter();
            let many = value
                .as_array()
                .into_iter()
                .flatten()
                .filter_map(Value::as_str);
            let values = one
                .chain(many)
                .map(|value| vocabulary(kind, name).map_or(value, |of| code(of, value, locale)));
            values.collect::<Vec<_>>().join(", ")
        }
    };
    (!words.is_empty()).then(|| html! { (words) })
}

/// A link to a record that came along; its id if this caller cannot see it.
fn included(visit: &Visit, record: &Value, kind: Kind, id: &str) -> Markup {
    let found = record.pointer(&format!("/included/{}/{id}", kind.code()));
    html! {
        @match found {
            Some(found) => {
                @let mut shown = found.clone();
                @let _ = translate(kind, &mut shown, visit.locale.code());
                a href=(page_of(kind, found, visit.calls.node(), visit.locale)) { (text(&shown, "/name").unwrap_or(id)) }
            }
            None => a href=(visit.locale.path(&format!("/{}/{id}", kind.plural()))) { (kind_of(visit, kind)) },
        }
    }
}

fn kind_of(visit: &Visit, kind: Kind) -> &'static str {
    visit.locale.label(kind.labels())
}

pub(super) fn places(visit: &Visit, record: &Value, geometry: Option<&Value>) -> Markup {
    let locale = visit.locale;
    let all = list(record, "/places");
    let located = point(record).map(|point| Marker {
        point,
        kind: words::kind(record).map_or("", Kind::code),
        title: text(record, "/name").unwrap_or_default().to_owned(),
        href: None,
    });
    let markers: Vec<Marker> = located.into_iter().collect();
    let state = map::STATES
        .iter()
        .find(|state| geometry.is_none() && text(record, "/id") == Some(&state.id().to_string()));
    let shades: Vec<Shade> = state
        .map(|state| Shade {
            state,
            title: text(record, "/name").unwrap_or_default().to_owned(),
            count: 1,
            href: format!("{}?region={}", visit.locale.path("/"), state.slug),
            is_chosen: true,
        })
        .into_iter()
        .collect();
    let is_drawn = !markers.is_empty() || !shades.is_empty() || geometry.is_some();
    html! {
        @if !all.is_empty() || is_drawn {
            section.places {
                h2 { (member("places", locale)) }
                @for place in all {
                    address {
                        @if let Some(label) = text(place, "/label") { span.label lang=[foreign(record, locale)] { (label) } br; }
                        @if let Some(street) = text(place, "/street") { (street) br; }
                        @let town = [text(place, "/postal_code"), text(place, "/city")];
                        @if town.iter().any(Option::is_some) { (town.into_iter().flatten().collect::<Vec<_>>().join(" ")) br; }
                        @if let Some(quarter) = text(place, "/quarter") { (quarter) br; }
                        @if let Some(region) = text(place, "/region") { (included(visit, record, Kind::Region, region)) br; }
                        @if let Some(valid) = place.pointer("/valid").and_then(|valid| words::period(valid, locale)) { span.note { (valid) } }
                    }
                }
                @if is_drawn { div.small-map { (map::draw(visit, &markers, &shades, geometry)) } }
            }
        }
    }
}

pub(super) fn contact(visit: &Visit, record: &Value, persons: &[Value]) -> Markup {
    let locale = visit.locale;
    let of = record.pointer("/contact");
    html! {
        @if of.is_some() || !persons.is_empty() {
            section.contact {
                h2 { (member("contact", locale)) }
                dl { @if let Some(of) = of { (ways(visit, of, &["website", "email", "phone", "contact_form"])) } }
                @for person in persons {
                    p.person {
                        strong { (text(person, "/name").unwrap_or_default()) }
                        @if let Some(role) = text(person, "/role") { br; (role) }
                    }
                    dl { (ways(visit, person, &["email", "phone"])) }
                }
            }
        }
    }
}

fn ways(visit: &Visit, of: &Value, members: &[&str]) -> Markup {
    html! {
        @for name in members {
            @if let Some(value) = text(of, &format!("/{name}")) {
                div { dt { (member(name, visit.locale)) } dd {
                    @match *name {
                        "email" => (link(&format!("mailto:{value}"), value)),
                        "phone" => (value),
                        _ => (link(value, short(value))),
                    }
                } }
            }
        }
    }
}

/// The formats in which the record is offered: those that are registered, with its address in each.
fn formats(kind: Kind, record: &Value, locale: Locale) -> Vec<(&'static dyn Format, String)> {
    let id = text(record, "/id").unwrap_or_default();
    let path = format!("/v1/{}/{id}", kind.plural());
    let all = record_formats(Some(kind)).all().iter().copied();
    // An event without a day is in no calendar.
    let fitting = all.filter(|format| !format.is_calendar() || has_entry(record));
    fitting
        .map(|format| (format, in_format(&path, "", format, locale)))
        .collect()
}

/// The same for the head of a page: media type, address.
pub(super) fn alternates(
    kind: Kind,
    record: &Value,
    locale: Locale,
) -> Vec<(&'static str, String)> {
    let all = formats(kind, record, locale).into_iter();
    all.map(|(format, address)| (format.media_type(), address))
        .collect()
}

/// The licence of a record: its own, otherwise that of the node if the record is the node's.
fn licence<'a>(visit: &'a Visit, record: &'a Value) -> Option<&'a str> {
    let general = visit.site.licence.as_deref();
    let own = is_own(record, visit.calls.node());
    text(record, "/licence").or_else(|| general.filter(|_| own))
}

/// Where the statements come from, who maintains them, and how to get or correct them.
pub(super) fn provenance(visit: &Visit, id: &RecordId, record: &Value, key: &str) -> Markup {
    let locale = visit.locale;
    let source = record.pointer("/source").unwrap_or(&Value::Null);
    let day = |pointer: &str| {
        text(record, pointer)
            .and_then(|moment| moment.get(..10))
            .map(|day| date(day, locale))
    };
    html! {
        section.provenance {
            h2 { (visit.t("Herkunft", "Provenance")) }
            dl {
                @if let Some(publisher) = text(source, "/publisher") { div { dt { (member("source", locale)) } dd { (publisher) } } }
                @if let Some(url) = text(source, "/url") { div { dt { (visit.t("Seite der Quelle", "Page of the source")) } dd { (link(url, short(url))) } } }
                @if let Some(document) = text(source, "/document") { div { dt { (member("document", locale)) } dd { (document) } } }
                @if let Some(at) = text(source, "/as_of") { div { dt { (visit.t("Stand", "As of")) } dd { (date(at, locale)) } } }
                @if let Some(licence) = text(source, "/licence") { div { dt { (visit.t("Lizenz der Quelle", "Licence of the source")) } dd { (link(licence, licence)) } } }
                @if let Some(licence) = licence(visit, record) { div { dt { (visit.t("Lizenz", "Licence")) } dd { (link(licence, short(licence))) } } }
                @if let Some(region) = text(record, "/home_region") { div { dt { (member("home_region", locale)) } dd { (included(visit, record, Kind::Region, region)) } } }
                @if let Some(origin) = text(record, "/origin") { div { dt { (member("origin", locale)) } dd { code { (origin) } } } }
                @if let Some(changed) = day("/updated_at") { div { dt { (visit.t("Zuletzt geändert", "Last changed")) } dd { (changed) " " a href=(locale.path(&format!("{key}/history"))) { (visit.t("Verlauf", "History")) } } } }
            }
            p.formats {
                (visit.t("Als ", "As "))
                @for (at, (format, address)) in formats(id.kind, record, locale).iter().enumerate() {
                    @if at > 0 { ", " }
                    a href=(address) { (format.name()) }
                }
            }
            @if let Some(mailbox) = visit.site.corrections() {
                p { a href=(correction(visit, mailbox, record, key)) { (visit.t("Korrektur vorschlagen", "Suggest a correction")) } }
            }
        }
    }
}

/// A message about a record to those who run the node.
fn correction(visit: &Visit, mailbox: &str, record: &Value, key: &str) -> String {
    let name = text(record, "/name").unwrap_or_default();
    let subject = format!("{}: {name}", visit.t("Korrektur", "Correction"));
    let body = format!("{}{}\n\n", visit.site.base_url, visit.locale.path(key));
    // In mailto, a space is %20 (RFC 6068).
    format!(
        "mailto:{mailbox}?{}",
        query([("subject", subject.as_str()), ("body", body.as_str())]).replace('+', "%20")
    )
}
