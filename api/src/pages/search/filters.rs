//! The filters of a search page: facets as boxes of the form.

use crate::pages::layout::Visit;
use crate::pages::search::asked::{Asked, facets};
use crate::pages::words::{list, member, text};
use crate::records::list::parameters::Listed;
use maud::{Markup, html};
use serde_json::Value;

pub(super) fn filters(visit: &Visit, asked: &Asked, listed: Listed, found: &Value) -> Markup {
    let facets: Vec<&str> = facets(listed)
        .into_iter()
        .filter(|name| *name != "kind")
        .collect();
    // Filters without a box keep their values.
    let shown = |name: &str, word: &str| {
        let values = list(found, &format!("/facets/{name}"));
        facets.contains(&name)
            && values
                .iter()
                .any(|value| text(value, "/value") == Some(word))
    };
    let mut hidden = Vec::new();
    for (name, value) in asked.pairs() {
        if ["q", "cursor"].contains(&name) {
            continue;
        }
        if facets.contains(&name) {
            hidden.extend(
                asked
                    .words(name)
                    .into_iter()
                    .filter(|word| !shown(name, word))
                    .map(|word| (name, word)),
            );
        } else {
            hidden.push((name, value));
        }
    }
    html! {
        details.filters {
            summary { (visit.t("Filter", "Filters")) }
            div.groups {
                @for (name, value) in hidden { input type="hidden" form="search" name=(name) value=(value); }
                @for name in &facets { (facet(visit, asked, name, found)) }
                button type="submit" form="search" { (visit.t("Filter anwenden", "Apply filters")) }
            }
        }
    }
}

/// How many values are shown before the others are folded away.
const FIRST: usize = 7;

fn facet(visit: &Visit, asked: &Asked, name: &str, found: &Value) -> Markup {
    let values = list(found, &format!("/facets/{name}"));
    let chosen = asked.words(name);
    let is_chosen =
        |value: &Value| text(value, "/value").is_some_and(|value| chosen.contains(&value));
    // Every record is of one node as long as there are no partners.
    if values.is_empty() || name == "origin" && values.len() < 2 {
        return html! {};
    }
    let (mut first, mut rest): (Vec<_>, Vec<_>) = values
        .iter()
        .enumerate()
        .partition(|(at, value)| *at < FIRST || is_chosen(value));
    if rest.len() < 3 {
        first.append(&mut rest);
    }
    let row = |at: usize, value: &Value| {
        let id = format!("{name}-{at}");
        let number = value
            .pointer("/count")
            .and_then(Value::as_u64)
            .unwrap_or_default();
        html! {
            li {
                input type="checkbox" form="search" id=(id) name=(name) value=(text(value, "/value").unwrap_or_default()) checked[is_chosen(value)];
                label for=(id) { (text(value, "/label").unwrap_or_default()) " " span.count { (visit.locale.number(number)) } }
            }
        }
    };
    html! {
        fieldset {
            legend { (member(name, visit.locale)) }
            ul { @for (at, value) in first { (row(at, value)) } }
            @if !rest.is_empty() {
                details {
                    summary { (visit.t("Weitere", "More")) " (" (rest.len()) ")" }
                    ul { @for (at, value) in rest { (row(at, value)) } }
                }
            }
        }
    }
}
