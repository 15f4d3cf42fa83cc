//! The history of a record: its public versions, each with what it changed.

use crate::http::problem::Problem;
use crate::operation::extract::RecordId;
use crate::pages::calls::query;
use crate::pages::layout::{Head, Visit};
use crate::pages::words::{code, date, list, member, text};
use actix_web::HttpResponse;
use maud::{Markup, html};
use serde_json::{Map, Value};

/// Versions on a page; each one is read.
const PAGE: &str = "10";

/// Members of the envelope, which change with every version.
const ENVELOPE: &[&str] = &[
    "id",
    "kind",
    "origin",
    "version",
    "created_at",
    "updated_at",
];

pub(super) async fn page(id: RecordId, visit: Visit) -> Result<HttpResponse, Problem> {
    let mut sent = vec![("limit", PAGE)];
    let pairs: Vec<(String, String)> = url::form_urlencoded::parse(visit.query.as_bytes())
        .into_owned()
        .collect();
    sent.extend(
        pairs
            .iter()
            .map(|(name, value)| (name.as_str(), value.as_str())),
    );
    let record = visit.calls.record(&id, "").await?;
    let history = visit.calls.history(&id, &query(sent)).await?;
    let name = text(&record, "/name").unwrap_or(id.key.as_str());
    let versions = list(&history, "/items");
    let mut shown = Vec::new();
    for version in versions {
        let number = version
            .pointer("/version")
            .and_then(Value::as_i64)
            .unwrap_or_default();
        let body = visit.calls.version(&id, number).await?;
        shown.push((version, number, body));
    }
    // The version before the last one on the page is the first of the next page.
    let before = match shown.last() {
        Some((_, number, _)) if *number > 1 => visit.calls.version(&id, *number - 1).await?,
        _ => None,
    };
    let next = text(&history, "/next").and_then(|next| next.rsplit_once("cursor="));
    let back = visit.locale.path(visit.path.trim_end_matches("/history"));
    let title = format!("{}: {name}", visit.t("Verlauf", "History"));
    let head = Head {
        title: title.clone(),
        is_private: true,
        ..Head::default()
    };
    let content = html! {
        p.back { a href=(back) { "← " (name) } }
        h1 { (title) }
        ol.versions {
            @for (at, (version, number, body)) in shown.iter().enumerate() {
                @let earlier = shown.get(at + 1).map_or(before.as_ref(), |(_, _, body)| body.as_ref());
                li {
                    h2 { (visit.t("Fassung ", "Version ")) (number) " " small { (text(version, "/at").and_then(|at| at.get(..10)).map(|at| date(at, visit.locale)).unwrap_or_default()) } }
                    (changes(&visit, version, *number, body.as_ref(), earlier))
                }
            }
        }
        @if history.pointer("/truncated") == Some(&Value::Bool(true)) {
            p.note { (visit.t("Frühere Fassungen sind nicht mehr vorhanden.", "Earlier versions are no longer there.")) }
        }
        @if let Some((_, cursor)) = next { p { a.button href=(format!("?cursor={cursor}")) { (visit.t("Frühere Fassungen", "Earlier versions")) } } }
    };
    Ok(visit.page(&head, &content))
}

fn changes(
    visit: &Visit,
    version: &Value,
    number: i64,
    body: Option<&Value>,
    earlier: Option<&Value>,
) -> Markup {
    let op = text(version, "/op").unwrap_or_default();
    let gone = version.pointer("/erased") == Some(&Value::Bool(true));
    let compared = body
        .and_then(Value::as_object)
        .zip(earlier.and_then(Value::as_object));
    html! {
        @match compared {
            _ if gone => p { (visit.t("Der Inhalt dieser Fassung wurde getilgt.", "The content of this version was erased.")) },
            _ if op != "upsert" => p { (code("op", op, visit.locale)) },
            Some((now, then)) => (differences(visit, now, then)),
            None if number == 1 => p { (visit.t("Angelegt", "Created")) },
            None => p.note { (visit.t("Die Fassung davor ist nicht öffentlich.", "The version before it is not public.")) },
        }
    }
}

fn differences(visit: &Visit, now: &Map<String, Value>, then: &Map<String, Value>) -> Markup {
    let names = then
        .keys()
        .chain(now.keys().filter(|name| !then.contains_key(*name)));
    let changed: Vec<&String> = names
        .filter(|name| !ENVELOPE.contains(&name.as_str()) && now.get(*name) != then.get(*name))
        .collect();
    html! {
        @if changed.is_empty() { p.note { (visit.t("Ohne Änderung am Inhalt", "Without a change of the content")) } }
        dl.differences {
            @for name in changed {
                dt { (member(name, visit.locale)) }
                dd {
                    @if let Some(value) = then.get(name) { del { (shown(value)) } " " }
                    @if let Some(value) = now.get(name) { ins { (shown(value)) } }
                }
            }
        }
    }
}

/// A value as text, shortened.
fn shown(value: &Value) -> String {
    let text = value
        .as_str()
        .map_or_else(|| value.to_string(), str::to_owned);
    match text.char_indices().nth(300) {
        Some((end, _)) => format!("{}…", text.get(..end).unwrap_or_default()),
        None => text,
    }
}
