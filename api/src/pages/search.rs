//! Search and lists: `/` for all kinds, `/{kinds}` for one.

mod asked;
mod filters;
mod hits;

use crate::http::problem::Problem;
use crate::operation::extract::OfKind;
use crate::pages::calls::query;
use crate::pages::layout::{Head, Visit};
use crate::pages::map::{self, Marker, Shade, point};
use crate::pages::parts::{page_of, search_form};
use crate::pages::words::{self, list, member, text};
use crate::records::list::parameters::{self, Listed};
use actix_web::HttpResponse;
use asked::{Asked, facets, path_of};
use domain::base::kind::Kind;
use domain::base::vocabulary::Coded;
use domain::validation::body::KindSchema;
use maud::{Markup, html};
use serde_json::Value;

/// The members of a hit that the page shows, where the kind has them.
const SHOWN: &[&str] = &[
    "name",
    "slug",
    "language",
    "summary",
    "places",
    "point",
    "categories",
    "network_type",
    "event_type",
    "level",
    "start",
    "end",
    "timezone",
    "period",
    "topics",
];

pub(super) async fn first(visit: Visit) -> Result<HttpResponse, Problem> {
    page(visit, None).await
}

pub(super) async fn of_kind(OfKind(kind): OfKind, visit: Visit) -> Result<HttpResponse, Problem> {
    page(visit, Some(kind)).await
}

async fn page(visit: Visit, listed: Listed) -> Result<HttpResponse, Problem> {
    let asked = Asked::read(&visit, listed)?;
    let typed = asked.one("q").unwrap_or_default();
    let kinds = parameters::kinds(listed);
    let has = |name: &str| {
        kinds
            .iter()
            .any(|kind| KindSchema::of(*kind).members.iter().any(|one| one == name))
    };
    let mut fields: Vec<&str> = SHOWN.iter().copied().filter(|name| has(name)).collect();
    if !typed.is_empty() {
        fields.push("description");
    }
    let (facets, fields) = (facets(listed).join(","), fields.join(","));
    let mut sent: Vec<(&str, &str)> = asked.pairs().collect();
    sent.extend([("facets", facets.as_str()), ("fields", fields.as_str())]);
    if !typed.is_empty() {
        sent.push(("highlights", "true"));
    } else if listed.is_none() && asked.one("kind").is_none() {
        // Hundreds of regions and topics, which classify the others, would cover them.
        sent.push(("kind", "actor,network,project,event"));
    }
    let found = visit.calls.list(listed, &query(sent)).await?;
    let total = found
        .pointer("/total")
        .and_then(Value::as_u64)
        .unwrap_or_default();
    let name = listed.map(|kind| words::plural(kind, visit.locale));
    let is_start = asked.pairs.is_empty();
    let head = Head {
        title: title(&visit, name, typed),
        description: visit.site.introduction(visit.locale).map(str::to_owned),
        canonical: is_start.then(|| path_of(listed)),
        is_wide: true,
        ..Head::default()
    };
    let content = html! {
        div.hero {
            h1 .visually-hidden[!is_start || listed.is_some()] {
                (name.unwrap_or_else(|| visit.t("Wer arbeitet mit wem im Gesundheitswesen?", "Who works with whom in health care?")))
            }
            @if is_start && listed.is_none() {
                p.lead { (visit.site.introduction(visit.locale).unwrap_or_else(|| visit.t(
                    "Akteure, Netzwerke und Projekte der Gesundheitsregionen – mit ihren Beziehungen, Quellen und Zeiten.",
                    "Actors, networks and projects of the health regions – with their relationships, sources and dates.",
                ))) }
            }
            (search_form(&visit, &path_of(listed), typed))
            (tabs(&visit, &asked, listed, &found))
        }
        div.columns {
            (filters::filters(&visit, &asked, listed, &found))
            section.results aria-labelledby="count" {
                div.heading {
                    h2 #count { (count(&visit, total)) }
                    (sorting(&visit, &asked, listed))
                }
                (chips(&visit, &asked, listed, &found))
                (hits::hits(&visit, &found, total))
                (paging(&visit, &asked, listed, &found))
            }
            (drawn(&visit, &asked, listed, &found))
        }
    };
    Ok(visit.page(&head, &content))
}

fn title(visit: &Visit, name: Option<&str>, typed: &str) -> String {
    let place = name.unwrap_or_else(|| visit.t("Suche", "Search"));
    match (name, typed) {
        (None, "") => String::new(),
        (Some(name), "") => name.to_owned(),
        (_, typed) => format!("{typed} – {place}"),
    }
}

fn count(visit: &Visit, total: u64) -> String {
    let number = visit.locale.number(total);
    let noun = if total == 1 {
        visit.t("Eintrag", "record")
    } else {
        visit.t("Einträge", "records")
    };
    format!("{number} {noun}")
}

/// All kinds and each one, with the same search.
fn tabs(visit: &Visit, asked: &Asked, listed: Listed, found: &Value) -> Markup {
    let counts = list(found, "/facets/kind");
    let count = |kind: Kind| {
        let mut counts = counts.iter();
        let value = counts.find(|one| text(one, "/value") == Some(kind.code()));
        value.and_then(|value| value.pointer("/count")?.as_u64())
    };
    let href = |to: Listed| {
        let shared = asked.shared(to);
        let separator = if shared.is_empty() { "" } else { "?" };
        format!("{}{separator}{shared}", visit.locale.path(&path_of(to)))
    };
    html! {
        nav.tabs aria-label=(visit.t("Art der Einträge", "Kind of records")) {
            a href=(href(None)) aria-current=[listed.is_none().then_some("page")] { (visit.t("Alle", "All")) }
            @for kind in [Kind::Actor, Kind::Network, Kind::Project, Kind::Event, Kind::Region, Kind::Topic] {
                a href=(href(Some(kind))) data-kind=(kind.code()) aria-current=[(listed == Some(kind)).then_some("page")] {
                    (words::plural(kind, visit.locale))
                    @if let Some(count) = count(kind) { " " span.count { (visit.locale.number(count)) } }
                }
            }
        }
    }
}

fn sorting(visit: &Visit, asked: &Asked, listed: Listed) -> Markup {
    let usual = if asked.one("q").is_some() {
        "relevance"
    } else {
        "name"
    };
    let current = asked.one("sort").unwrap_or(usual);
    let known = parameters::sorts(listed);
    html! {
        p.sort {
            span { (visit.t("Sortiert nach", "Sorted by")) }
            @for (sort, name) in [
                ("relevance", visit.t("Treffer", "relevance")),
                ("name", visit.t("Name", "name")),
                ("-start", visit.t("Beginn", "start")),
                ("-updated_at", visit.t("Änderung", "change")),
            ] {
                @if known.contains(&sort.trim_start_matches('-')) && (sort != "relevance" || asked.one("q").is_some()) {
                    " " a href=(format!("?{}", asked.with("sort", &[sort]))) rel="nofollow" aria-current=[(sort == current).then_some("true")] { (name) }
                }
            }
        }
    }
}

/// The filters that apply, each with a link that removes it.
fn chips(visit: &Visit, asked: &Asked, listed: Listed, found: &Value) -> Markup {
    let mut chips = Vec::new();
    let is_near = asked.one("near").is_some();
    for (name, _) in asked
        .pairs()
        .filter(|(name, _)| !["q", "sort", "cursor"].contains(name))
    {
        // A distance belongs to the place from which it is measured.
        match name {
            "radius" if is_near => continue,
            "near" => {
                chips.push((name, around(asked), asked.without(&["near", "radius"])));
                continue;
            }
            _ => {}
        }
        let words = asked.words(name);
        for word in &words {
            let rest: Vec<&str> = words.iter().copied().filter(|one| one != word).collect();
            chips.push((
                name,
                label(visit, found, name, word),
                asked.with(name, &rest),
            ));
        }
    }
    let all = visit.locale.path(&path_of(listed));
    html! {
        @if !chips.is_empty() {
            ul.chips aria-label=(visit.t("Filter, die gelten", "Filters that apply")) {
                @for (name, label, rest) in chips {
                    li { a href=(format!("?{rest}")) rel="nofollow" {
                        span.visually-hidden { (visit.t("Filter entfernen: ", "Remove filter: ")) }
                        (member(name, visit.locale)) ": " strong { (label) } span aria-hidden="true" { " ×" }
                    } }
                }
                li { a.all href=(all) { (visit.t("Alle Filter entfernen", "Remove all filters")) } }
            }
        }
    }
}

/// The place from which distances are measured, and the longest one.
fn around(asked: &Asked) -> String {
    let near = asked.one("near").unwrap_or_default();
    match asked.one("radius") {
        Some(radius) => format!("{near} ({radius})"),
        None => near.to_owned(),
    }
}

/// The label of a value as its facet has it, otherwise of its code.
fn label(visit: &Visit, found: &Value, name: &str, word: &str) -> String {
    let values = list(found, &format!("/facets/{name}"));
    let value = values
        .iter()
        .find(|value| text(value, "/value") == Some(word));
    let state = map::STATES
        .iter()
        .find(|state| name == "region" && state.slug == word);
    let state = state.and_then(|state| {
        let id = state.id().to_string();
        values
            .iter()
            .find(|value| text(value, "/value") == Some(&id))
    });
    let label = value.or(state).and_then(|value| text(value, "/label"));
    let vocabulary = || {
        let mut named = Kind::ALL
            .iter()
            .filter_map(|kind| words::vocabulary(*kind, name));
        named.next()
    };
    let coded = || vocabulary().map_or(word, |of| words::code(of, word, visit.locale));
    label.unwrap_or_else(coded).to_owned()
}

fn paging(visit: &Visit, asked: &Asked, listed: Listed, found: &Value) -> Markup {
    let next = text(found, "/next").and_then(|next| next.rsplit_once("cursor="));
    let path = visit.locale.path(&path_of(listed));
    let rest = asked.with("cursor", &[]);
    html! {
        nav.paging aria-label=(visit.t("Seiten", "Pages")) {
            @if asked.one("cursor").is_some() {
                a href=(format!("{path}?{rest}")) { (visit.t("Zurück zum Anfang", "Back to the beginning")) }
            }
            @if let Some((_, cursor)) = next {
                a.next rel="next" href=(format!("{path}?{rest}{}cursor={cursor}", if rest.is_empty() { "" } else { "&" })) { (visit.t("Weitere Einträge", "More records")) " →" }
            }
        }
    }
}

fn drawn(visit: &Visit, asked: &Asked, listed: Listed, found: &Value) -> Markup {
    let located = list(found, "/items")
        .iter()
        .filter_map(|item| Some((item, point(item)?)));
    let markers: Vec<Marker> = located
        .filter_map(|(item, point)| {
            let kind = words::kind(item)?;
            Some(Marker {
                point,
                kind: kind.code(),
                title: text(item, "/name")?.to_owned(),
                href: Some(page_of(kind, item, visit.calls.node(), visit.locale)),
            })
        })
        .collect();
    let counts = list(found, "/facets/region");
    let path = visit.locale.path(&path_of(listed));
    let shades: Vec<Shade> = map::STATES
        .iter()
        .filter_map(|state| {
            let id = state.id().to_string();
            let value = counts
                .iter()
                .find(|value| text(value, "/value") == Some(&id))?;
            let count = value.pointer("/count")?.as_u64()?;
            Some(Shade {
                state,
                title: format!("{}: {}", text(value, "/label")?, visit.locale.number(count)),
                count,
                href: format!("{path}?{}", asked.with("region", &[state.slug])),
                is_chosen: asked
                    .words("region")
                    .iter()
                    .any(|word| *word == state.slug || *word == id),
            })
        })
        .collect();
    html! {
        @if listed != Some(Kind::Topic) {
            section.map aria-label=(visit.t("Karte", "Map")) {
                (map::draw(visit, &markers, &shades, None))
                p.note { (visit.t(
                    "Die Karte zeigt, wie viele Einträge es je Land gibt, und die nummerierten Einträge der Liste, deren Ort bekannt ist.",
                    "The map shows how many records there are in each state, and the numbered records of the list whose place is known.",
                )) }
            }
        }
    }
}
