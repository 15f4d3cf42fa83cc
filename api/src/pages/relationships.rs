//! The relationships of a record: grouped by how they read, ended ones folded away.

use crate::pages::layout::Visit;
use crate::pages::locale::Locale;
use crate::pages::parts::{badge, foreign, page_of_id};
use crate::pages::words::{self, class, code, kind, list, text, texts};
use chrono::NaiveDate;
use domain::base::fault::Lang;
use maud::{Markup, html};
use serde_json::Value;

/// A group of relationships: how they read, those that hold, those that have ended.
struct Group<'v> {
    label: &'v str,
    current: Vec<&'v Value>,
    ended: Vec<&'v Value>,
}

/// In the order of the API: by type, then by position.
fn groups<'v>(items: &'v [Value], today: NaiveDate) -> Vec<Group<'v>> {
    let mut groups: Vec<Group<'v>> = Vec::new();
    for item in items {
        let label = text(item, "/label").unwrap_or_default();
        let over = item
            .pointer("/valid")
            .is_some_and(|valid| words::is_over(valid, today));
        let at = groups.iter().position(|group| group.label == label);
        let at = at.unwrap_or_else(|| {
            groups.push(Group {
                label,
                current: Vec::new(),
                ended: Vec::new(),
            });
            groups.len() - 1
        });
        if let Some(group) = groups.get_mut(at) {
            if over {
                group.ended.push(item);
            } else {
                group.current.push(item);
            }
        }
    }
    groups
}

/// How many of a group are shown before the others are folded away.
const fn shown(count: usize) -> usize {
    if count > 15 { 10 } else { count }
}

/// The groups of a page of relationships. If it is a part of them, the groups are too, and are not
/// counted.
pub(super) fn section(visit: &Visit, found: &Value, is_part: bool) -> Markup {
    let count = |count: usize| (!is_part).then(|| format!("({count})"));
    let items = list(found, "/items");
    html! {
        @for (at, group) in groups(items, visit.calls.today()).iter().enumerate() {
            @let id = format!("group-{at}");
            section.group aria-labelledby=(id) {
                h3 #(id) {
                    (group.label)
                    @if !is_part { " " span.count { (group.current.len() + group.ended.len()) } }
                }
                @let (first, rest) = group.current.split_at(shown(group.current.len()));
                @if !first.is_empty() { ul { @for item in first { (entry(visit, item)) } } }
                @if !rest.is_empty() {
                    details {
                        summary { (visit.t("Weitere", "More")) " " (count(rest.len()).unwrap_or_default()) }
                        ul { @for item in rest { (entry(visit, item)) } }
                    }
                }
                @if !group.ended.is_empty() {
                    details {
                        summary { (visit.t("Beendet", "Ended")) " " (count(group.ended.len()).unwrap_or_default()) }
                        ul { @for item in &group.ended { (entry(visit, item)) } }
                    }
                }
            }
        }
    }
}

fn entry(visit: &Visit, item: &Value) -> Markup {
    let locale = visit.locale;
    let other = item.pointer("/other").unwrap_or(&Value::Null);
    let roles: Vec<&str> = texts(item, "/roles")
        .into_iter()
        .map(|role| code("relationship_role", role, locale))
        .collect();
    let figures = list(item, "/figures").iter().map(|figure| {
        let (amount, measure) = words::figure(figure, locale);
        text(figure, "/as_stated").map_or_else(|| format!("{amount} {measure}"), str::to_owned)
    });
    let mut details: Vec<String> = Vec::new();
    details.extend((!roles.is_empty()).then(|| roles.join(", ")));
    details.extend(text(item, "/subject").map(str::to_owned));
    details.extend(
        item.pointer("/valid")
            .and_then(|valid| words::period(valid, locale)),
    );
    details.extend(figures);
    let is_possible = text(item, "/hit/certainty") == Some("possible");
    details.extend(is_possible.then(|| visit.t("möglicherweise", "possibly").to_owned()));
    details.extend(state(visit, item));
    let page = text(item, "/id").map(|id| locale.path(&format!("/relationships/{id}")));
    html! {
        li {
            div.other {
                (end(visit, other))
            }
            @if !details.is_empty() { p.facts { (details.join(" · ")) } }
            @if let Some(note) = text(item, "/note") { p.note lang=[foreign(item, locale)] { (note) } }
            @if let Some(page) = page {
                a.more href=(page) aria-label=(format!("{}: {}", visit.t("Beleg", "Evidence"), name(other))) { (visit.t("Beleg", "Evidence")) }
            }
        }
    }
}

/// The name of an end, for labels.
fn name(end: &Value) -> &str {
    text(end, "/name")
        .or_else(|| text(end, "/as_stated"))
        .unwrap_or_default()
}

/// An end of a relationship: a link, or the words of the source with the class in brackets.
pub(super) fn end(visit: &Visit, end: &Value) -> Markup {
    let locale = visit.locale;
    html! {
        @match (page_of_id(end, locale), kind(end)) {
            (Some(page), Some(kind)) => { a href=(page) lang=[foreign(end, locale)] { (text(end, "/name").unwrap_or_else(|| visit.t("ohne Namen", "without a name"))) } " " (badge(kind, locale)) }
            _ => {
                @if let Some(stated) = text(end, "/as_stated") { q { (stated) } }
                @if let Some(of) = end.pointer("/class") { " " span.class { (class(of, locale)) } }
            }
        }
    }
}

/// What the ends have said about a relationship, in words: each state once.
fn state(visit: &Visit, item: &Value) -> Option<String> {
    let states = [
        text(item, "/confirmation/from"),
        text(item, "/confirmation/to"),
    ];
    said(states, visit.locale)
}

fn said(states: [Option<&str>; 2], locale: Locale) -> Option<String> {
    let words = [
        ("confirmed", "bestätigt", "confirmed"),
        ("claimed", "angegeben", "claimed"),
        ("revoked", "widerrufen", "revoked"),
        ("disputed", "bestritten", "disputed"),
    ];
    let told = words.into_iter().filter_map(|(code, de, en)| {
        let (one, both) = match locale.0 {
            Lang::De => (
                format!("von einer Seite {de}"),
                format!("von beiden Seiten {de}"),
            ),
            Lang::En => (format!("{en} by one side"), format!("{en} by both sides")),
        };
        match states.iter().filter(|state| **state == Some(code)).count() {
            0 => None,
            1 => Some(one),
            _ => Some(both),
        }
    });
    let told: Vec<String> = told.collect();
    (!told.is_empty()).then(|| told.join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_state_is_said_in_words() {
        let (de, en) = (Locale(Lang::De), Locale(Lang::En));
        for (states, german, english) in [
            (
                [Some("confirmed"), Some("confirmed")],
                "von beiden Seiten bestätigt",
                "confirmed by both sides",
            ),
            (
                [Some("claimed"), Some("revoked")],
                "von einer Seite angegeben, von einer Seite widerrufen",
                "claimed by one side, revoked by one side",
            ),
            (
                [None, Some("confirmed")],
                "von einer Seite bestätigt",
                "confirmed by one side",
            ),
        ] {
            assert_eq!(said(states, de).as_deref(), Some(german));
            assert_eq!(said(states, en).as_deref(), Some(english));
        }
        assert_eq!(said([None, None], de), None);
    }
}
