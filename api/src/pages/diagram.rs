//! The network around a record as a diagram, and as the table that says the same.

mod tree;

use crate::http::problem::Problem;
use crate::pages::calls::query;
use crate::pages::layout::{Head, Visit};
use crate::pages::parts::{badge, foreign, page_of_id};
use crate::pages::words::{self, kind, list, text};
use actix_web::HttpResponse;
use domain::base::kind::Kind;
use domain::base::vocabulary::Coded;
use domain::kinds::relationship::RelationshipType;
use maud::{Markup, html};
use serde_json::Value;
use std::collections::BTreeMap;
use tree::{Layout, Spot, open_end};

/// The query of the diagram. A form repeats a name for each choice, which means OR here.
struct Asked {
    pairs: Vec<(String, String)>,
}

impl Asked {
    fn read(visit: &Visit) -> Self {
        let mut pairs: Vec<(String, String)> = Vec::new();
        for (name, value) in url::form_urlencoded::parse(visit.query.as_bytes()).into_owned() {
            // Empty fields of a form.
            if value.is_empty() && name != "from" {
                continue;
            }
            let before = pairs.iter_mut().find(|(one, _)| *one == name);
            match before.filter(|_| ["kind", "type"].contains(&name.as_str())) {
                Some((_, values)) => {
                    values.push(',');
                    values.push_str(&value);
                }
                None => pairs.push((name, value)),
            }
        }
        Self { pairs }
    }

    fn one(&self, name: &str) -> &str {
        let found = self.pairs.iter().find(|(one, _)| one == name);
        found.map_or("", |(_, value)| value.as_str())
    }

    fn text(&self) -> String {
        // The page has its own language.
        let pairs = self.pairs.iter().filter(|(name, _)| name != "lang");
        query(pairs.map(|(name, value)| (name.as_str(), value.as_str())))
    }
}

pub(super) async fn page(visit: Visit) -> Result<HttpResponse, Problem> {
    let asked = Asked::read(&visit);
    let graph = visit.calls.graph(&asked.text()).await?;
    let vertices = list(&graph, "/vertices");
    let edges = list(&graph, "/edges");
    let centre = vertices.first();
    let name = centre
        .and_then(|vertex| text(vertex, "/name"))
        .unwrap_or_default();
    let head = Head {
        title: format!("{}: {name}", visit.t("Beziehungen", "Relationships")),
        canonical: Some(format!("/graph?{}", query([("from", asked.one("from"))]))),
        is_wide: true,
        ..Head::default()
    };
    let back = centre.and_then(|vertex| page_of_id(vertex, visit.locale));
    let counted = |count: usize| {
        visit
            .locale
            .number(u64::try_from(count).unwrap_or_default())
    };
    let content = html! {
        @if let Some(back) = back { p.back { a href=(back) { "← " (name) } } }
        h1 { (visit.t("Beziehungen von ", "Relationships of ")) (name) }
        (form(&visit, &asked))
        p { (counted(vertices.len())) " " (if vertices.len() == 1 { visit.t("Eintrag", "record") } else { visit.t("Einträge", "records") }) ", "
            (counted(edges.len())) " " (if edges.len() == 1 { visit.t("Beziehung", "relationship") } else { visit.t("Beziehungen", "relationships") }) ". "
            a href="#table" { (visit.t("Dasselbe als Tabelle", "The same as a table")) } }
        @if graph.pointer("/truncated") == Some(&Value::Bool(true)) {
            p.notice { (visit.t(
                "Das Netzwerk ist größer: Gezeigt werden die nächstgelegenen Einträge. Weniger Schritte oder weniger Arten von Beziehungen zeigen es ganz.",
                "The network is larger: the nearest records are shown. Fewer steps or fewer types of relationships show all of it.",
            )) }
        }
        (drawing(&visit, &Layout::of(&visit, vertices, edges)))
        (table(&visit, vertices, edges))
    };
    Ok(visit.page(&head, &content))
}

fn form(visit: &Visit, asked: &Asked) -> Markup {
    let chosen = |name: &str, value: &str| asked.one(name).split(',').any(|one| one == value);
    let depth = Some(asked.one("depth"))
        .filter(|depth| !depth.is_empty())
        .unwrap_or("1");
    html! {
        form.options method="get" action=(visit.locale.path("/graph")) {
            input type="hidden" name="from" value=(asked.one("from"));
            div {
                label for="depth" { (visit.t("Schritte", "Steps")) }
                select #depth name="depth" {
                    @for steps in ["1", "2", "3"] { option value=(steps) selected[steps == depth] { (steps) } }
                }
            }
            div {
                label for="type" { (visit.t("Art der Beziehung", "Type of relationship")) }
                select #type name="type" {
                    option value="" { (visit.t("alle", "all")) }
                    @for one in RelationshipType::ALL.iter().copied() {
                        option value=(one.code()) selected[chosen("type", one.code())] { (visit.locale.label(one.labels())) }
                    }
                }
            }
            div {
                label for="kind" { (visit.t("Art der Einträge", "Kind of records")) }
                select #kind name="kind" {
                    option value="" { (visit.t("alle", "all")) }
                    @for one in Kind::ALL.iter().copied().filter(|one| *one != Kind::Relationship) {
                        option value=(one.code()) selected[chosen("kind", one.code())] { (words::plural(one, visit.locale)) }
                    }
                }
            }
            div {
                label for="active_on" { (visit.t("Gültig im Jahr", "Valid in the year")) }
                input #active_on name="active_on" inputmode="numeric" size="10" maxlength="11" value=(asked.one("active_on")) placeholder="2010";
            }
            button type="submit" { (visit.t("Zeigen", "Show")) }
        }
    }
}
/// Characters of a name; the rest is in its title.
const NAME: usize = 32;

fn drawing(visit: &Visit, layout: &Layout) -> Markup {
    let curve = |from: &Spot, to: &Spot| {
        let middle = f64::midpoint(from.x, to.x);
        format!(
            "M{:.0} {:.0}C{middle:.0} {:.0} {middle:.0} {:.0} {:.0} {:.0}",
            from.x, from.y, from.y, to.y, to.x, to.y
        )
    };
    let at = |index: usize| layout.spots.get(index);
    let left = -layout.width / 2.0;
    html! {
        div.diagram role="region" tabindex="0" aria-label=(visit.t("Diagramm", "Diagram")) {
            svg viewBox=(format!("{left:.0} {:.0} {:.0} {:.0}", layout.top, layout.width, layout.height))
                data-depth=(layout.depth) width=(format!("{:.0}", layout.width)) height=(format!("{:.0}", layout.height)) {
                @for spot in &layout.spots {
                    @if let Some(parent) = spot.parent.and_then(at) {
                        path.edge.open[spot.kind.is_none()] d=(curve(parent, spot)) { title { (spot.label) } }
                    }
                }
                @for (from, to, label) in &layout.others {
                    @if let (Some(one), Some(other)) = (at(*from), at(*to)) {
                        // Between neighbours in one column the line goes around.
                        @let bend = if (one.x - other.x).abs() < 1.0 { one.x - one.x.signum() * 70.0 } else { f64::midpoint(one.x, other.x) };
                        path.edge.other d=(format!("M{:.0} {:.0}Q{bend:.0} {:.0} {:.0} {:.0}", one.x, one.y, f64::midpoint(one.y, other.y), other.x, other.y)) {
                            title { (one.name) " " (label) " " (other.name) }
                        }
                    }
                }
                @for spot in &layout.spots { (node(spot)) }
            }
        }
    }
}

fn node(spot: &Spot) -> Markup {
    let centre = spot.depth == 0;
    let (x, anchor) = if centre {
        (spot.x, "middle")
    } else if spot.x < 0.0 {
        (spot.x - 14.0, "end")
    } else {
        (spot.x + 14.0, "start")
    };
    let y = if centre { spot.y - 22.0 } else { spot.y - 2.0 };
    let most = if centre { NAME * 2 } else { NAME };
    let mut name: String = spot.name.chars().take(most).collect();
    if name.len() < spot.name.len() {
        name.push('…');
    }
    let drawn = html! {
        circle cx=(format!("{:.0}", spot.x)) cy=(format!("{:.0}", spot.y)) r=(if centre { 12 } else { 7 }) {}
        text x=(format!("{x:.0}")) y=(format!("{y:.0}")) text-anchor=(anchor) { (name) }
        @if name != spot.name { title { (spot.name) } }
    };
    let code = spot.kind.map(Kind::code);
    html! {
        @match &spot.href {
            Some(href) => a.node.centre[centre] href=(href) data-kind=[code] { (drawn) },
            None => g.node.open { (drawn) },
        }
        @if !spot.label.is_empty() {
            text.label x=(format!("{x:.0}")) y=(format!("{:.0}", y + 15.0)) text-anchor=(anchor) { (spot.label) }
        }
    }
}

fn table(visit: &Visit, vertices: &[Value], edges: &[Value]) -> Markup {
    let by_id: BTreeMap<&str, &Value> = vertices
        .iter()
        .filter_map(|vertex| Some((text(vertex, "/id")?, vertex)))
        .collect();
    let end = |edge: &Value, end: &str| {
        let value = edge.pointer(&format!("/{end}")).unwrap_or(&Value::Null);
        let vertex = text(value, "/id").and_then(|id| by_id.get(id).copied());
        html! {
            @match vertex {
                Some(vertex) => {
                    @if let Some(kind) = kind(vertex) { (badge(kind, visit.locale)) " " }
                    @if let Some(href) = page_of_id(vertex, visit.locale) { a href=(href) lang=[foreign(vertex, visit.locale)] { (text(vertex, "/name").unwrap_or_default()) } }
                }
                None => (open_end(value, visit)),
            }
        }
    };
    html! {
        h2 #table tabindex="-1" { (visit.t("Als Tabelle", "As a table")) }
        div.scroll role="region" tabindex="0" aria-labelledby="table" {
            table {
                thead { tr {
                    th scope="col" { (visit.t("Von", "From")) }
                    th scope="col" { (visit.t("Beziehung", "Relationship")) }
                    th scope="col" { (visit.t("Zu", "To")) }
                    th scope="col" { (visit.t("Zeitraum", "Period")) }
                } }
                tbody { @for edge in edges {
                    tr {
                        td { (end(edge, "from")) }
                        td {
                            (text(edge, "/label").unwrap_or_default())
                            @let roles: Vec<&str> = words::texts(edge, "/roles").into_iter().map(|role| words::code("relationship_role", role, visit.locale)).collect();
                            @if !roles.is_empty() { " (" (roles.join(", ")) ")" }
                            @if text(edge, "/certainty") == Some("possible") { " " span.note { (visit.t("möglicherweise", "possibly")) } }
                        }
                        td { (end(edge, "to")) }
                        td { (edge.pointer("/valid").and_then(|valid| words::period(valid, visit.locale)).unwrap_or_default()) }
                    }
                } }
            }
        }
    }
}
