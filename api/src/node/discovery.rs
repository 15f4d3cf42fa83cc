//! What crawlers, harvesters and finders of weaknesses look for at addresses that others have fixed:
//! sitemaps, `robots.txt`, `security.txt` (RFC 9116), and the context of our JSON-LD.

use crate::formats::JsonLd;
use crate::formats::jsonld::{CONTEXT, context, object_of};
use crate::formats::sitemap::{SitemapEntry, index, url_set};
use crate::http::problem::{Code, Problem};
use crate::operation::extract::{App, NameInPath, Public, Query};
use crate::operation::reply::content;
use crate::operation::routes::{Draft, Reply, Routes};
use actix_web::body::BoxBody;
use actix_web::http::header;
use actix_web::{HttpRequest, HttpResponse, Responder};
use chrono::Months;
use domain::base::clock::rfc3339;
use domain::base::json::insert;
use domain::base::kind::Kind;
use domain::base::vocabulary::Coded;
use serde_json::{Value, json};
use uuid::Uuid;

/// Months for which a `security.txt` is valid (RFC 9116 advises less than a year).
const VALID: Months = Months::new(6);

#[must_use]
pub fn routes() -> Routes {
    let all = ("get_sitemap_index", "Read the index of the sitemaps");
    let one = ("get_sitemap", "Read a sitemap");
    let robots = ("get_robots", "Read the rules for crawlers");
    let security = ("get_security", "Read how to report weaknesses");
    let words = ("get_context", "Read the context of JSON-LD");
    let problems = &[Code::PublicUrlMissing];
    Routes::new("Node")
        .get("/sitemap.xml", all, problems, get_index)
        .get("/sitemap/{name}", one, problems, get_sitemap)
        .get("/robots.txt", robots, &[], get_robots)
        .get(
            "/.well-known/security.txt",
            security,
            &[Code::NotFound, Code::PublicUrlMissing],
            get_security,
        )
        .get(CONTEXT, words, &[], get_context)
}

async fn get_index(_: Public, app: App, _: Query<()>) -> Result<Xml, Problem> {
    known_address(&app)?;
    let mut pages = Vec::new();
    for kind in Kind::ALL {
        for first in app.store.records().address_pages(*kind).await? {
            let path = format!("/sitemap/{}.{first}.xml", kind.plural());
            pages.push(app.site.url(&path));
        }
    }
    Ok(Xml(index(&pages)))
}

async fn get_sitemap(
    _: Public,
    app: App,
    NameInPath(name): NameInPath,
    _: Query<()>,
) -> Result<Xml, Problem> {
    known_address(&app)?;
    let (kind, first) = part(&name).ok_or_else(|| Problem::new(Code::NotFound))?;
    let found = app.store.records().public_addresses(kind, first).await?;
    let addresses = found.into_iter().map(|found| SitemapEntry {
        url: app.site.url(&page(kind, found.id, found.slug.as_deref())),
        changed: rfc3339(found.updated_at),
    });
    Ok(Xml(url_set(addresses)))
}

/// The address that a page of the explorer calls canonical.
fn page(kind: Kind, id: Uuid, slug: Option<&str>) -> String {
    let plural = kind.plural();
    match slug {
        Some(slug) => format!("/{plural}/{slug}"),
        None => format!("/{plural}/{id}"),
    }
}

/// The kind and the first record in the name of a sitemap: `networks.0193e5a0-….xml`.
fn part(name: &str) -> Option<(Kind, Uuid)> {
    let (plural, first) = name.strip_suffix(".xml")?.split_once('.')?;
    let kind = Kind::ALL.iter().find(|kind| kind.plural() == plural)?;
    Some((*kind, Uuid::try_parse(first).ok()?))
}

fn known_address(app: &App) -> Result<(), Problem> {
    let known = app.site.base().is_some();
    known
        .then_some(())
        .ok_or_else(|| Problem::new(Code::PublicUrlMissing))
}

async fn get_robots(_: Public, app: App, _: Query<()>) -> Result<Plain, Problem> {
    // Every record is in a sitemap; these only cost. Exports are what data portals load.
    let mut text = "User-agent: *\n\
         Disallow: /v1/graph\n\
         Disallow: /v1/search\n\
         Disallow: /v1/suggest\n\
         Disallow: /v1/sync\n\
         Disallow: /*?*facets=\n"
        .to_owned();
    if app.site.base().is_some() {
        text.push_str("\nSitemap: ");
        text.push_str(&app.site.url("/sitemap.xml"));
        text.push('\n');
    }
    Ok(Plain(text))
}

async fn get_security(_: Public, app: App, _: Query<()>) -> Result<Plain, Problem> {
    let email = app.site.contact_email.as_ref().ok_or_else(|| {
        Problem::new(Code::NotFound).detail(
            "The operator of this node has not set `contact_email`.",
            "Der Betreiber dieses Knotens hat `contact_email` nicht gesetzt.",
        )
    })?;
    known_address(&app)?;
    let now = app.store.clock().now();
    let until = now.checked_add_months(VALID).unwrap_or(now);
    let until = until.format("%Y-%m-%dT00:00:00Z");
    let address = app.site.url("/.well-known/security.txt");
    Ok(Plain(format!(
        "Contact: mailto:{email}\nExpires: {until}\nPreferred-Languages: de, en\nCanonical: {address}\n"
    )))
}

async fn get_context(_: Public, _: Query<()>) -> Result<ContextDocument, Problem> {
    Ok(ContextDocument(context()))
}

#[derive(Debug)]
struct Xml(String);

impl Responder for Xml {
    type Body = BoxBody;

    fn respond_to(self, _: &HttpRequest) -> HttpResponse {
        HttpResponse::Ok()
            .content_type("application/xml; charset=utf-8")
            .body(self.0)
    }
}

impl Reply for Xml {
    fn describe(draft: &mut Draft) {
        let example = "<urlset xmlns=\"http://www.sitemaps.org/schemas/sitemap/0.9\"/>";
        let text = "Addresses of records (sitemaps.org).";
        describe(
            draft,
            (text, "application/xml"),
            &json!({"type": "string"}),
            json!(example),
        );
    }
}

#[derive(Debug)]
struct Plain(String);

impl Responder for Plain {
    type Body = BoxBody;

    fn respond_to(self, _: &HttpRequest) -> HttpResponse {
        HttpResponse::Ok()
            .content_type("text/plain; charset=utf-8")
            .body(self.0)
    }
}

impl Reply for Plain {
    fn describe(draft: &mut Draft) {
        let example = json!("User-agent: *\nDisallow: /v1/graph\n");
        describe(
            draft,
            ("The text.", "text/plain"),
            &json!({"type": "string"}),
            example,
        );
    }
}

#[derive(Debug)]
struct ContextDocument(Value);

impl Responder for ContextDocument {
    type Body = BoxBody;

    fn respond_to(self, _: &HttpRequest) -> HttpResponse {
        HttpResponse::Ok()
            .content_type(JsonLd::MEDIA_TYPE)
            .insert_header((header::CACHE_CONTROL, "public, max-age=86400"))
            .body(self.0.to_string())
    }
}

impl Reply for ContextDocument {
    fn describe(draft: &mut Draft) {
        let schema = object_of(&["@context"]);
        let example = json!({"@context": {"@vocab": "https://schema.org/"}});
        let what = ("The context (JSON-LD 1.1).", JsonLd::MEDIA_TYPE);
        describe(draft, what, &schema, example);
    }
}

fn describe(draft: &mut Draft, (text, media_type): (&str, &str), schema: &Value, example: Value) {
    let mut response = content(text, media_type, schema);
    insert(&mut response, &["content", media_type, "example"], example);
    draft.response(200, response);
}
