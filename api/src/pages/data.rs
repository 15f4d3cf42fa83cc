//! The data: how to get them, in which formats, from whom.

use crate::formats::Format;
use crate::http::problem::Problem;
use crate::pages::calls::query;
use crate::pages::layout::{Head, Visit};
use crate::pages::parts::{calendar, in_format, link, short};
use crate::pages::words::{self, list, text};
use crate::records::export;
use crate::records::list::parameters::DESCRIBED;
use crate::records::reply::list_formats;
use actix_web::HttpResponse;
use domain::base::kind::Kind;
use domain::base::vocabulary::Coded;
use maud::{Markup, html};
use persistence::store::REFERENCE_ORIGIN;
use serde_json::Value;

pub(super) async fn page(visit: Visit) -> Result<HttpResponse, Problem> {
    let found = visit
        .calls
        .list(None, "facets=kind,origin&limit=1&fields=name")
        .await?;
    let counts = list(&found, "/facets/kind");
    let count = |kind: Kind| {
        let value = counts
            .iter()
            .find(|value| text(value, "/value") == Some(kind.code()));
        value
            .and_then(|value| value.pointer("/count")?.as_u64())
            .unwrap_or_default()
    };
    let base = &visit.site.base_url;
    let head = Head {
        title: visit
            .t("Daten und Schnittstelle", "Data and API")
            .to_owned(),
        canonical: Some("/data".to_owned()),
        ..Head::default()
    };
    let content = html! {
        h1 { (visit.t("Daten und Schnittstelle", "Data and API")) }
        p.lead { (visit.t(
            "Alles, was auf diesen Seiten steht, ist offen abrufbar: ohne Token, auf Deutsch und Englisch, auch als Ganzes.",
            "Everything on these pages can be fetched openly: without a token, in German and English, as a whole too.",
        )) }
        h2 { (visit.t("Was es gibt", "What there is")) }
        div.scroll role="region" tabindex="0" aria-label=(visit.t("Was es gibt", "What there is")) {
            table {
                thead { tr {
                    th scope="col" { (visit.t("Art", "Kind")) }
                    th scope="col" { (visit.t("Einträge", "Records")) }
                    th scope="col" { (visit.t("Als Liste", "As a list")) }
                    th scope="col" { (visit.t("Als Ganzes", "As a whole")) }
                } }
                tbody { @for kind in DESCRIBED.iter().copied() { tr {
                    th scope="row" { a href=(visit.locale.path(&format!("/{}", kind.plural()))) { (words::plural(kind, visit.locale)) } }
                    td { (visit.locale.number(count(kind))) }
                    td { @for (at, format) in list_formats(Some(kind)).all().iter().enumerate() { @if at > 0 { ", " }
                        a href=(list_in(&visit, kind, *format)) aria-label=(format!("{}: {}", words::plural(kind, visit.locale), format.name())) { (format.name()) } } }
                    td { @for (at, format) in export::FORMATS.all().iter().enumerate() { @if at > 0 { ", " }
                        a href=(in_format("/v1/export", &query([("kind", kind.code())]), *format, visit.locale)) aria-label=(format!("{}, {}: {}", words::plural(kind, visit.locale), visit.t("als Ganzes", "as a whole"), format.name())) { (format.name()) } } }
                } } }
            }
        }
        h2 { (visit.t("Mit einem Programm", "With a program")) }
        p { (visit.t("Die Schnittstelle ist mit OpenAPI 3.1 beschrieben und lässt sich im Browser ausprobieren.", "The API is described with OpenAPI 3.1 and can be tried in the browser.")) }
        ul {
            li { a href="/docs/" { (visit.t("Beschreibung zum Ausprobieren", "Documentation to try out")) } " (Swagger UI)" }
            li { a href="/openapi.json" { "openapi.json" } }
            li { a href="/v1/vocabularies" { (visit.t("Vokabulare mit deutschen und englischen Bezeichnungen", "Vocabularies with German and English labels")) } }
            li { a href="/v1/sync" { (visit.t("Feed der Änderungen", "Feed of changes")) } }
        }
        pre tabindex="0" { code { "curl '" (base) "/v1/search?q=telemedizin&lang=" (visit.locale.code()) "'" } }
        h2 { (visit.t("Von wem und unter welcher Lizenz", "By whom and under which licence")) }
        (rights(&visit))
        h2 { (visit.t("Woher die Einträge kommen", "Where the records come from")) }
        p { (visit.t(
            "Jeder Eintrag nennt seine Quelle und den Knoten, der ihn pflegt. Einträge anderer Knoten werden unverändert gezeigt.",
            "Every record names its source and the node that maintains it. Records of other nodes are shown unchanged.",
        )) }
        ul { @for value in list(&found, "/facets/origin") {
            li { a href=(of_origin(&visit, text(value, "/value").unwrap_or_default())) { code { (text(value, "/value").unwrap_or_default()) } }
                ": " (visit.locale.number(value.pointer("/count").and_then(Value::as_u64).unwrap_or_default())) " " (visit.t("Einträge", "records"))
                @if text(value, "/value") == Some(REFERENCE_ORIGIN) { " – " (visit.t("Staaten, Länder, Kreise und Themen, auf jedem Knoten gleich", "countries, states, districts and topics, the same on every node")) } }
        } }
    };
    Ok(visit.page(&head, &content))
}

/// The list of everything from a node: the page for all kinds leaves regions and topics out.
fn of_origin(visit: &Visit, origin: &str) -> String {
    let kinds: Vec<&str> = DESCRIBED.iter().map(|kind| kind.code()).collect();
    let kinds = kinds.join(",");
    let sent = query([("origin", origin), ("kind", kinds.as_str())]);
    format!("{}?{sent}", visit.locale.path("/"))
}

/// The address of a list in a format.
fn list_in(visit: &Visit, kind: Kind, format: &dyn Format) -> String {
    let path = format!("/v1/{}", kind.plural());
    if format.is_calendar() {
        return calendar(&path, "", visit.locale);
    }
    in_format(&path, "", format, visit.locale)
}

/// Publisher and licence of the node's own records.
fn rights(visit: &Visit) -> Markup {
    let site = &visit.site;
    html! {
        dl.facts {
            div { dt { (visit.t("Herausgeber", "Publisher")) } dd { (site.provider) } }
            div { dt { (visit.t("Lizenz", "Licence")) } dd {
                @match &site.licence {
                    Some(licence) => (link(licence, short(licence))),
                    None => (visit.t("nicht angegeben", "not stated")),
                }
            } }
        }
        p.note { (visit.t(
            "Das gilt für die Einträge dieses Knotens, soweit ein Eintrag keine eigene Lizenz nennt. Für Einträge anderer Knoten gilt, was diese angeben.",
            "This applies to the records of this node unless a record states a licence of its own. For records of other nodes, what those state applies.",
        )) }
    }
}
