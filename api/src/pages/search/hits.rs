//! The hits of a search page.

use crate::pages::layout::Visit;
use crate::pages::map::point;
use crate::pages::parts::{badge, foreign, page_of};
use crate::pages::words::{self, list, main_type, moment, text};
use domain::base::kind::Kind;
use domain::base::vocabulary::Coded;
use maud::{Markup, html};
use serde_json::Value;

pub(super) fn hits(visit: &Visit, found: &Value, total: u64) -> Markup {
    let items = list(found, "/items");
    let mut number = 0;
    html! {
        @if total == 0 {
            div.empty {
                p { (visit.t("Dazu gibt es keinen Eintrag.", "There is no such record.")) }
                p { (visit.t("Versuchen Sie es mit weniger Wörtern, oder nehmen Sie Filter weg.", "Try fewer words, or remove filters.")) }
            }
        }
        ol.hits {
            @for item in items {
                @let at = point(item).map(|_| { number += 1; number });
                (hit(visit, item, at))
            }
        }
    }
}

fn hit(visit: &Visit, item: &Value, number: Option<usize>) -> Markup {
    let locale = visit.locale;
    let Some(kind) = words::kind(item) else {
        return html! {};
    };
    let marked = |member: &str| item.pointer("/hit/highlights")?.get(member)?.as_str();
    let name = text(item, "/name").unwrap_or_default();
    let summary = text(item, "/summary").unwrap_or_default();
    let snippet = marked("/summary").or_else(|| marked("/description"));
    let facts = facts(visit, kind, item);
    html! {
        li.hit data-kind=(kind.code()) {
            p.kind {
                (badge(kind, locale))
                @if let Some(main) = main_type(item, locale) { span.type { (main) } }
                @if let Some(number) = number { span.marker title=(visit.t("Nummer auf der Karte", "Number on the map")) { (number) } }
            }
            h3 lang=[foreign(item, locale)] {
                a href=(page_of(kind, item, visit.calls.node(), locale)) {
                    @match marked("/name") { Some(text) => (marks(text, usize::MAX)), None => (name) }
                }
            }
            @if let Some(text) = snippet { p.summary lang=[foreign(item, locale)] { (marks(text, 220)) } }
            @else if !summary.is_empty() { p.summary lang=[foreign(item, locale)] { (summary) } }
            @if !facts.is_empty() { p.facts { (facts.join(" · ")) } }
        }
    }
}

/// Place and time in a line.
fn facts(visit: &Visit, kind: Kind, item: &Value) -> Vec<String> {
    let mut facts = Vec::new();
    if kind == Kind::Event {
        facts.extend(moment(item, "/start", visit.site.timezone, visit.locale));
    }
    if let Some(period) = item
        .pointer("/period")
        .and_then(|period| words::period(period, visit.locale))
    {
        facts.push(period);
    }
    if text(item, "/hit/certainty") == Some("possible") {
        let words = visit.t(
            "möglicherweise in diesem Zeitraum",
            "possibly in this period",
        );
        facts.push(words.to_owned());
    }
    let place = list(item, "/places").first();
    if let Some(city) = place.and_then(|place| text(place, "/city")) {
        facts.push(city.to_owned());
    }
    if let Some(distance) = item.pointer("/hit/distance_m").and_then(Value::as_f64) {
        let distance = format!("{:.1} km", distance / 1000.0);
        facts.push(visit.t(&distance.replace('.', ","), &distance).to_owned());
    }
    facts
}

/// A text with `<mark>` around what was found, as the API gives it, cut around the first mark. The
/// pieces are escaped again here: nothing that comes from a record is trusted to be HTML.
fn marks(marked: &str, most: usize) -> Markup {
    let plain = |text: &str| {
        text.replace("&lt;", "<")
            .replace("&gt;", ">")
            .replace("&quot;", "\"")
            .replace("&#39;", "'")
            .replace("&amp;", "&")
    };
    let mut pieces: Vec<(String, bool)> = Vec::new();
    for (at, part) in marked.split("<mark>").enumerate() {
        let (inside, after) = if at == 0 {
            ("", part)
        } else {
            part.split_once("</mark>").unwrap_or((part, ""))
        };
        if !inside.is_empty() {
            pieces.push((plain(inside), true));
        }
        pieces.push((plain(after), false));
    }
    let mut left = most;
    let mut shown: Vec<(String, bool)> = Vec::new();
    for (at, (piece, is_marked)) in pieces.into_iter().enumerate() {
        let length = piece.chars().count();
        // Of what is before the first mark, the end is enough.
        if at == 0 && length > most / 3 {
            let tail: String = piece.chars().skip(length - most / 3).collect();
            let tail = tail
                .split_once(' ')
                .map_or(tail.as_str(), |(_, rest)| rest)
                .to_owned();
            left = left.saturating_sub(tail.chars().count());
            shown.push((format!("… {tail}"), is_marked));
        } else if length > left {
            let cut: String = piece.chars().take(left).collect();
            shown.push((format!("{cut} …"), is_marked));
            break;
        } else {
            left -= length;
            shown.push((piece, is_marked));
        }
    }
    html! {
        @for (piece, is_marked) in shown {
            @if is_marked { mark { (piece) } } @else { (piece) }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::marks;

    #[test]
    fn marks_are_cut_around_what_was_found_and_escaped() {
        let shown = |text, most| marks(text, most).into_string();
        assert_eq!(
            shown("a &lt;b&gt; <mark>c</mark> d", 100),
            "a &lt;b&gt; <mark>c</mark> d"
        );
        assert_eq!(
            shown("<b>x</b> <mark>c", 100),
            "&lt;b&gt;x&lt;/b&gt; <mark>c</mark>"
        );
        let long = format!(
            "{}<mark>Fund</mark>{}",
            "vorher ".repeat(50),
            " danach".repeat(50)
        );
        let cut = shown(&long, 60);
        assert!(
            cut.starts_with("… ") && cut.ends_with(" …") && cut.contains("<mark>Fund</mark>"),
            "{cut}"
        );
    }
}
