//! The history of a record: its public versions, each with what it changed.

use crate::http::problem::Problem;
use crate::operation::extract::RecordId;
use crate::pages::calls::{Version, query};
use crate::pages::layout::{Head, Visit};
use crate::pages::locale::Locale;
use crate::pages::words::{date, list, member, text};
use actix_web::HttpResponse;
use domain::base::vocabulary::Coded;
use domain::exchange::change::{Cause, Op};
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
        let body = read(&visit, &id, version).await?;
        shown.push((version, number(version), body));
    }
    let next = text(&history, "/next").and_then(|next| next.rsplit_once("cursor="));
    let last = shown.last().map(|(_, number, _)| *number);
    let before = before(&visit, &id, last, next.map(|(_, cursor)| cursor)).await?;
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
                @let earlier = shown.get(at + 1).map_or(&before, |(_, _, body)| body);
                li {
                    h2 { (visit.t("Fassung ", "Version ")) (number) " " small { (text(version, "/at").and_then(|at| at.get(..10)).map(|at| date(at, visit.locale)).unwrap_or_default()) } }
                    (changes(&visit, version, (*number, body), earlier))
                }
            }
        }
        @if history.pointer("/truncated") == Some(&Value::Bool(true)) {
            p.note { (visit.t("Frühere Fassungen sind nicht mehr vorhanden.", "Earlier versions are no longer kept.")) }
        }
        @if let Some((_, cursor)) = next { p { a.button href=(format!("?cursor={cursor}")) { (visit.t("Frühere Fassungen", "Earlier versions")) } } }
    };
    Ok(visit.page(&head, &content))
}

fn number(version: &Value) -> i64 {
    let number = version.pointer("/version").and_then(Value::as_i64);
    number.unwrap_or_default()
}

/// A version that is listed.
async fn read(visit: &Visit, id: &RecordId, version: &Value) -> Result<Version, Problem> {
    if text(version, "/op") == Some(Op::Delete.code()) {
        return Ok(Version::Deleted);
    }
    visit.calls.version(id, number(version)).await
}

/// The version that the last one on the page is compared with: the first public one of the next
/// page. After the last page there may be one that is not shown; then it tells why.
async fn before(
    visit: &Visit,
    id: &RecordId,
    last: Option<i64>,
    next: Option<&str>,
) -> Result<Version, Problem> {
    match (next, last) {
        (Some(cursor), _) => {
            let sent = query([("limit", PAGE), ("cursor", cursor)]);
            let page = visit.calls.history(id, &sent).await?;
            match list(&page, "/items").first() {
                Some(version) => read(visit, id, version).await,
                None => Ok(Version::Hidden),
            }
        }
        (None, Some(last)) if last > 1 => visit.calls.version(id, last - 1).await,
        (None, _) => Ok(Version::Hidden),
    }
}

fn changes(
    visit: &Visit,
    version: &Value,
    (number, body): (i64, &Version),
    earlier: &Version,
) -> Markup {
    let op = text(version, "/op").unwrap_or_default();
    let erased = version.pointer("/erased") == Some(&Value::Bool(true));
    let now = body.body().and_then(Value::as_object);
    let then = earlier.body().and_then(Value::as_object);
    html! {
        @match now.zip(then) {
            _ if erased => p { (visit.t("Der Inhalt dieser Fassung wurde getilgt.", "The content of this version was erased.")) },
            _ if op != Op::Upsert.code() => p { (operation(version, op, visit.locale)) },
            Some((now, then)) => (differences(visit, now, then)),
            None if number == 1 => p { (visit.t("Angelegt", "Created")) },
            None => p.note { (without_comparison(body, earlier, visit.locale)) },
        }
    }
}

/// What was done to a record, and why, if that is more than it says itself.
fn operation(version: &Value, op: &str, locale: Locale) -> String {
    let done = Op::parse(op).map_or(op, |op| locale.label(op.labels()));
    let cause = text(version, "/cause").and_then(Cause::parse);
    match cause.filter(|cause| *cause != Cause::Deleted) {
        Some(cause) => format!("{done} ({})", locale.label(cause.labels())),
        None => done.to_owned(),
    }
}

/// Why a version is not compared with the one before it.
fn without_comparison(body: &Version, earlier: &Version, locale: Locale) -> &'static str {
    let (de, en) = match (body, earlier) {
        (Version::Gone, _) => (
            "Der Inhalt dieser Fassung ist nicht mehr vorhanden.",
            "The content of this version is no longer kept.",
        ),
        (_, Version::Gone) => (
            "Die Fassung davor ist nicht mehr vorhanden.",
            "The version before it is no longer kept.",
        ),
        (_, Version::Deleted) => (
            "Davor war der Eintrag gelöscht.",
            "Before that, the record was deleted.",
        ),
        _ => (
            "Die Fassung davor ist nicht öffentlich.",
            "The version before it is not public.",
        ),
    };
    locale.t(de, en)
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
                    @if let Some(value) = then.get(name) { del { (shown(value, visit.locale)) } " " }
                    @if let Some(value) = now.get(name) { ins { (shown(value, visit.locale)) } }
                }
            }
        }
    }
}

/// A value in words: texts as they are, members with their names.
fn in_words(value: &Value, locale: Locale) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Array(items) => {
            let items = items.iter().map(|item| in_words(item, locale));
            items.collect::<Vec<_>>().join("; ")
        }
        Value::Object(members) => {
            let members = members.iter();
            let words = members.map(|(name, value)| {
                format!("{}: {}", member(name, locale), in_words(value, locale))
            });
            words.collect::<Vec<_>>().join(", ")
        }
        Value::Bool(true) => locale.t("ja", "yes").to_owned(),
        Value::Bool(false) => locale.t("nein", "no").to_owned(),
        Value::Number(_) | Value::Null => value.to_string(),
    }
}

/// A value in words, shortened.
fn shown(value: &Value, locale: Locale) -> String {
    let text = in_words(value, locale);
    match text.char_indices().nth(300) {
        Some((end, _)) => format!("{}…", text.get(..end).unwrap_or_default()),
        None => text,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::base::fault::Lang;
    use serde_json::json;

    #[test]
    fn what_was_done_is_in_words() {
        let (de, en) = (Locale(Lang::De), Locale(Lang::En));
        let deleted = json!({"op": "delete", "cause": "deleted"});
        assert_eq!(operation(&deleted, "delete", de), "gelöscht");
        assert_eq!(operation(&deleted, "delete", en), "deleted");
        let merged = json!({"op": "delete", "cause": "merged"});
        assert_eq!(
            operation(&merged, "delete", de),
            "gelöscht (zusammengeführt)"
        );
        assert_eq!(
            operation(&json!({}), "visibility", en),
            "visibility changed"
        );
    }

    #[test]
    fn it_is_told_why_versions_are_not_compared() {
        let en = Locale(Lang::En);
        let shown = Version::Shown(json!({}));
        for (body, earlier, told) in [
            (&shown, Version::Gone, "no longer kept"),
            (&shown, Version::Hidden, "not public"),
            (&Version::Gone, Version::Hidden, "no longer kept"),
            (&shown, Version::Deleted, "was deleted"),
        ] {
            let words = without_comparison(body, &earlier, en);
            assert!(words.contains(told), "{words}");
        }
    }
}
