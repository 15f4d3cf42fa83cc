//! Errors as pages: what a problem document says, in the language of the page, and how to go on.

use crate::http::problem::{Code, Correction, Problem};
use crate::http::request::{RequestId, routed_path};
use crate::pages::calls::query;
use crate::pages::layout::Visit;
use crate::pages::parts::search_form;
use crate::pages::words::date;
use actix_web::body::BoxBody;
use actix_web::dev::{Payload, ServiceResponse};
use actix_web::http::header;
use actix_web::{FromRequest, HttpMessage, HttpRequest, HttpResponse};
use domain::base::kind::Kind;
use domain::base::vocabulary::Coded;
use maud::{Markup, html};

/// Routes for programs, whose problems stay documents.
const OF_PROGRAMS: &[&str] = &[
    "v1",
    "oauth",
    "docs",
    "openapi.json",
    "metrics",
    "health",
    "problems",
    "fhir",
    ".well-known",
];

/// The response, or a page if it is a problem that a person gets.
pub(super) fn instead(response: ServiceResponse<BoxBody>) -> ServiceResponse<BoxBody> {
    let problem = response.response().extensions().get::<Problem>().cloned();
    let Some(problem) = problem else {
        return response;
    };
    let request = response.request();
    let first = routed_path(request).split('/').nth(1).unwrap_or_default();
    if OF_PROGRAMS.contains(&first) {
        return response;
    }
    let Ok(visit) = Visit::from_request(request, &mut Payload::None).into_inner() else {
        return response;
    };
    let page = page(&problem, request, &visit);
    let (request, _) = response.into_parts();
    ServiceResponse::new(request, page)
}

fn page(problem: &Problem, request: &HttpRequest, visit: &Visit) -> HttpResponse {
    if problem.kind.code == Code::Moved
        && let Some(to) = problem.extension("moved_to")
    {
        let path = moved(&visit.path, to);
        return HttpResponse::PermanentRedirect()
            .insert_header((header::LOCATION, visit.locale.path(&path)))
            // A merge can be undone.
            .insert_header((header::CACHE_CONTROL, "no-cache"))
            .finish();
    }
    if problem.kind.code == Code::NotFound
        && let Some(path) = visit.path.strip_suffix('/')
        && is_plain(path)
    {
        return HttpResponse::PermanentRedirect()
            .insert_header((header::LOCATION, visit.locale.path(path)))
            .finish();
    }
    let id = request
        .extensions()
        .get::<RequestId>()
        .map(|id| id.0.clone());
    let document = problem.document(visit.locale.0, "", "");
    let text = |member: &str| {
        document
            .get(member)
            .and_then(|value| value.as_str())
            .unwrap_or_default()
            .to_owned()
    };
    let (title, detail) = if problem.kind.code == Code::Gone {
        let title = visit.t("Diesen Eintrag gibt es nicht mehr", "This record is gone");
        (title.to_owned(), String::new())
    } else if problem.kind.code == Code::NotFound {
        let title = visit.t("Diese Seite gibt es nicht", "There is no such page");
        let detail = visit.t(
            "Vielleicht ist die Adresse falsch geschrieben, oder der Eintrag ist nicht öffentlich. Suchen Sie nach dem Namen:",
            "The address may be misspelt, or the record is not public. Search for its name:",
        );
        (title.to_owned(), detail.to_owned())
    } else {
        (text("title"), text("detail"))
    };
    let content = html! {
        div.problem {
            p.status { (problem.kind.status.as_u16()) }
            h1 { (title) }
            p { @for (at, part) in detail.split('`').enumerate() { @if at % 2 == 1 { code { (part) } } @else { (part) } } }
            (gone(&document, visit))
            @if visit.query.contains("cursor=") {
                p { a href=(visit.locale.path(&visit.path)) { (visit.t("Von vorn beginnen", "Start from the beginning")) } }
            }
            @if let Some(correction) = problem.correction() { (corrected(correction, visit)) }
            (candidates(&document, visit))
            (search_form(visit, "/", ""))
            p { a href=(visit.locale.path("/")) { (visit.t("Zur Suche über alles", "Search everything")) } }
            @if let Some(id) = id.filter(|_| problem.kind.status.is_server_error()) {
                p.note { (visit.t("Kennung der Anfrage: ", "Request id: ")) code { (id) } }
            }
        }
    };
    let mut response = visit.failure(problem.kind.status, &title, &content);
    for (name, value) in problem.headers() {
        response.headers_mut().insert(name.clone(), value.clone());
    }
    response
}

/// Whether a path cannot be taken for the address of another host.
fn is_plain(path: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-';
    let mut parts = path.split('/');
    parts.next() == Some("") && parts.all(|part| !part.is_empty() && part.bytes().all(plain))
}

/// The path of a record's page with its current slug.
fn moved(path: &str, to: &str) -> String {
    let mut segments: Vec<&str> = path.split('/').collect();
    // /{kinds}/{id}/…
    if let Some(id) = segments.get_mut(2) {
        *id = to;
    }
    segments.join("/")
}

/// What is known of a deleted record.
fn gone(document: &serde_json::Value, visit: &Visit) -> Markup {
    let text = |member: &str| {
        document
            .pointer(&format!("/tombstone/{member}"))
            .and_then(|value| value.as_str())
    };
    let kind = text("kind").and_then(Kind::parse);
    let day = text("deleted_at").and_then(|moment| moment.get(..10));
    html! {
        @if let Some(cause) = text("cause") {
            p {
                @if let Some(day) = day { (date(day, visit.locale)) ": " }
                @match cause {
                    "merged" => (visit.t("Der Eintrag wurde mit einem anderen zusammengeführt.", "The record was merged into another one.")),
                    "erased" => (visit.t("Der Inhalt des Eintrags wurde auf Verlangen gelöscht.", "The content of the record was erased on request.")),
                    _ => (visit.t("Der Eintrag wurde gelöscht.", "The record was deleted.")),
                }
                @if let (Some(kind), Some(into)) = (kind, text("merged_into")) {
                    " " a href=(visit.locale.path(&format!("/{}/{into}", kind.plural()))) { (visit.t("Zum anderen Eintrag", "Go to the other record")) }
                }
            }
        }
    }
}

/// Records of other nodes with the same slug.
fn candidates(document: &serde_json::Value, visit: &Visit) -> Markup {
    let ids = document.get("candidates").and_then(|ids| ids.as_array());
    let kinds = visit.path.split('/').nth(1).unwrap_or_default();
    html! {
        @if let Some(ids) = ids {
            ul { @for id in ids.iter().filter_map(|id| id.as_str()) {
                li { a href=(visit.locale.path(&format!("/{kinds}/{id}"))) { code { (id) } } }
            } }
        }
    }
}

/// The query without what is wrong with it, and with what was probably meant, as links.
fn corrected(correction: &Correction, visit: &Visit) -> Markup {
    let pairs: Vec<(String, String)> = url::form_urlencoded::parse(visit.query.as_bytes())
        .into_owned()
        .collect();
    let wrong = |name: &str| name == correction.parameter;
    let link = |pairs: &[(String, String)]| {
        let pairs = pairs
            .iter()
            .map(|(name, value)| (name.as_str(), value.as_str()));
        format!("{}?{}", visit.locale.path(&visit.path), query(pairs))
    };
    let right = correction.right.as_ref().map(|right| {
        let replaced = pairs.iter().map(|(name, value)| match &correction.value {
            None if wrong(name) => (right.clone(), value.clone()),
            Some(given) if wrong(name) => {
                let words = value
                    .split(',')
                    .map(|word| if word.trim() == given { right } else { word });
                (name.clone(), words.collect::<Vec<&str>>().join(","))
            }
            _ => (name.clone(), value.clone()),
        });
        link(&replaced.collect::<Vec<_>>())
    });
    let rest: Vec<_> = pairs
        .iter()
        .filter(|(name, _)| !wrong(name))
        .cloned()
        .collect();
    html! {
        ul.corrections {
            @if let (Some(url), Some(right)) = (right, &correction.right) {
                li { a href=(url) { (visit.t("Gemeint ist: ", "I meant: ")) strong { (right) } } }
            }
            // A diagram is of something.
            @if visit.path != "/graph" || correction.parameter != "from" { li { a href=(link(&rest)) { (visit.t("Ohne diese Angabe: ", "Without it: ")) strong { (correction.parameter) } } } }
        }
    }
}
