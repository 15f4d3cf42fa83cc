//! The explorer: the directory as people see it.
//!
//! Pages are rendered here from what the JSON routes answer to an anonymous caller ([`calls`]). They
//! work without script; `assets/explorer.js` only adds comfort.

mod appearance;
mod assets;
mod calendar;
mod calls;
mod data;
mod diagram;
mod history;
mod json_ld;
mod layout;
mod locale;
mod map;
mod markdown;
mod parts;
mod problem;
mod record;
mod relationships;
mod search;
mod words;

pub use appearance::Appearance;

use crate::http::request::language_of;
use crate::operation::media_type::{FORMAT, prefers_html};
use actix_web::body::MessageBody;
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::guard::{GuardContext, fn_guard};
use actix_web::http::Method;
use actix_web::http::header::{self, HeaderMap};
use actix_web::middleware::Next;
use actix_web::web::{self, ServiceConfig};
use actix_web::{Error, HttpRequest, HttpResponse, Resource};
use domain::base::fault::Lang;
use domain::base::kind::Kind;
use domain::base::vocabulary::Coded;
use locale::Locale;

/// Mounts the pages. They come before the routes of the API, which they share `/` and the addresses
/// of records with.
pub fn configure(config: &mut ServiceConfig) {
    config.service(
        web::resource("/")
            .guard(fn_guard(first_page_in_english))
            .to(to_english),
    );
    config.service(reading(
        web::resource("/").guard(fn_guard(wants_page)),
        search::first,
    ));
    config.service(web::resource("/en").to(to_english));
    config.service(
        web::resource("/assets/{name}")
            .guard(fn_guard(reads))
            .get(assets::serve)
            .route(web::head().to(assets::serve)),
    );
    for locale in [Locale(Lang::De), Locale(Lang::En)] {
        let page = |path: &str| web::resource(locale.path(path));
        if locale.0 == Lang::En {
            config.service(reading(page("/"), search::first));
        }
        config
            .service(reading(page("/graph"), diagram::page))
            .service(reading(page("/calendar"), calendar::page))
            .service(reading(page("/data"), data::page));
        for kind in Kind::ALL.iter().copied() {
            let plural = kind.plural();
            let of_kind = |path: &str| page(&format!("/{plural}{path}")).app_data(kind);
            config
                .service(reading(of_kind("/{id}/history"), history::page))
                .service(reading(of_kind("/{id}"), record::page));
            if kind != Kind::Relationship {
                config.service(reading(of_kind(""), search::of_kind));
            }
        }
    }
    for kind in Kind::ALL.iter().copied() {
        let path = format!("/v1/{}/{{id}}", kind.plural());
        let record = web::resource(path).app_data(kind);
        config.service(record.guard(fn_guard(wants_page_of_record)).to(to_page));
    }
}

fn reading<F, Args>(resource: Resource, handler: F) -> Resource
where
    F: actix_web::Handler<Args> + Clone,
    Args: actix_web::FromRequest + 'static,
    F::Output: actix_web::Responder + 'static,
{
    resource.get(handler.clone()).route(web::head().to(handler))
}

fn reads(context: &GuardContext<'_>) -> bool {
    [Method::GET, Method::HEAD].contains(&context.head().method)
}

/// Whether a request is by a person with a browser. `format=` and a token are signs of programs.
fn wants_page(context: &GuardContext<'_>) -> bool {
    let head = context.head();
    reads(context) && is_person(&head.headers, head.uri.query().unwrap_or_default())
}

fn is_person(headers: &HeaderMap, query: &str) -> bool {
    let mut pairs = url::form_urlencoded::parse(query.as_bytes());
    !headers.contains_key(header::AUTHORIZATION)
        && !pairs.any(|(name, _)| name == FORMAT)
        && prefers_html(headers)
}

/// A path with an extension names a format; neither ids nor slugs have a dot.
fn wants_page_of_record(context: &GuardContext<'_>) -> bool {
    !context.head().uri.path().contains('.') && wants_page(context)
}

/// The first page is in the language of the browser, unless the visitor comes from another page
/// of this server, where they have chosen the language.
fn first_page_in_english(context: &GuardContext<'_>) -> bool {
    let head = context.head();
    let text = |name| head.headers.get(name).and_then(|value| value.to_str().ok());
    let host =
        text(header::HOST).or_else(|| head.uri.authority().map(actix_http::uri::Authority::as_str));
    let from = text(header::REFERER).and_then(|referer| referer.split('/').nth(2));
    wants_page(context)
        && head.uri.query().is_none()
        && (from.is_none() || from != host)
        && head.headers.contains_key(header::ACCEPT_LANGUAGE)
        && language_of(&head.headers) == Lang::En
}

async fn to_english(request: HttpRequest) -> HttpResponse {
    let query = request.query_string();
    let separator = if query.is_empty() { "" } else { "?" };
    HttpResponse::Found()
        .insert_header((header::LOCATION, format!("/en/{separator}{query}")))
        .insert_header((header::CACHE_CONTROL, "no-store"))
        .finish()
}

/// From a record of the API to its page, in the language of the browser.
async fn to_page(request: HttpRequest) -> HttpResponse {
    let locale = Locale(language_of(request.headers()));
    let path = request.path().strip_prefix("/v1").unwrap_or_default();
    HttpResponse::SeeOther()
        .insert_header((header::LOCATION, locale.path(path)))
        .insert_header((header::VARY, "accept, accept-language"))
        .finish()
}

/// Names what the answer depends on, and turns problem documents into pages for people.
pub async fn around<B: MessageBody + 'static>(
    request: ServiceRequest,
    next: Next<B>,
) -> Result<ServiceResponse<actix_web::body::BoxBody>, Error> {
    let response = next.call(request).await?.map_into_boxed_body();
    let request = response.request();
    let mut response = if is_person(request.headers(), request.query_string()) {
        problem::instead(response)
    } else {
        response
    };
    if response.request().path() == "/" {
        let vary = header::HeaderValue::from_static("accept, accept-language");
        response.headers_mut().append(header::VARY, vary);
    }
    Ok(response)
}
