//! The frame of every page: head, navigation, foot, and the response around it.

use crate::http::problem::{Code, Problem};
use crate::operation::extract::{App, IfNoneMatch};
use crate::operation::reply::weak_tag;
use crate::pages::appearance::Appearance;
use crate::pages::assets::ASSETS;
use crate::pages::calls::Calls;
use crate::pages::locale::Locale;
use actix_web::dev::Payload;
use actix_web::http::{StatusCode, header};
use actix_web::web::Data;
use actix_web::{FromRequest, HttpRequest, HttpResponse};
use maud::{DOCTYPE, Markup, PreEscaped, html};
use serde_json::Value;
use std::future::{Ready, ready};

pub(super) const HTML: &str = "text/html; charset=utf-8";

/// A visit to a page: the request, and what is needed to answer it.
pub(super) struct Visit {
    pub(super) calls: Calls,
    pub(super) site: Data<Appearance>,
    pub(super) locale: Locale,
    /// Path without language.
    pub(super) path: String,
    pub(super) query: String,
    known: IfNoneMatch,
}

impl FromRequest for Visit {
    type Error = Problem;
    type Future = Ready<Result<Self, Problem>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let known = IfNoneMatch::from_request(request, payload).into_inner();
        let visit = || {
            let site = request.app_data::<Data<Appearance>>().cloned();
            let locale = Locale::of(request);
            Ok(Self {
                calls: Calls::new(App::of(request)?, locale),
                site: site.ok_or_else(|| Problem::new(Code::Internal))?,
                locale,
                path: locale.strip(request.path()),
                query: untracked(request.query_string()),
                known: known?,
            })
        };
        ready(visit())
    }
}

/// Parameters that newsletters and social networks append to links, for their own statistics.
const TRACKERS: &[&str] = &[
    "fbclid", "gclid", "dclid", "msclkid", "igshid", "yclid", "mc_cid", "mc_eid", "ref",
];

/// A query without what only tracks its visitor.
fn untracked(query: &str) -> String {
    let is_tracker = |pair: &&str| {
        let name = pair.split('=').next().unwrap_or_default();
        let campaign = ["utm_", "mtm_", "pk_", "piwik_", "matomo_"];
        TRACKERS.contains(&name) || campaign.iter().any(|prefix| name.starts_with(prefix))
    };
    let pairs = query.split('&').filter(|pair| !is_tracker(pair));
    pairs.collect::<Vec<_>>().join("&")
}

/// What belongs to a page other than its content.
#[derive(Debug, Default)]
pub(super) struct Head {
    pub(super) title: String,
    pub(super) description: Option<String>,
    /// Path of the page itself, without language and with the parameters that belong to it.
    pub(super) canonical: Option<String>,
    /// schema.org, as JSON-LD.
    pub(super) json_ld: Option<Value>,
    /// Formats of the same data: media type, address.
    pub(super) alternates: Vec<(&'static str, String)>,
    /// Whether caches may keep the page.
    pub(super) is_private: bool,
    pub(super) is_wide: bool,
}

impl Visit {
    pub(super) fn t<'a>(&self, de: &'a str, en: &'a str) -> &'a str {
        self.locale.t(de, en)
    }

    /// The page as a response; 304 if the caller has it already.
    pub(super) fn page(&self, head: &Head, content: &Markup) -> HttpResponse {
        let text = self.document(head, content);
        let etag = weak_tag(&text);
        let caching = if head.is_private {
            "no-store"
        } else {
            "no-cache"
        };
        let mut response = if self.known.has(&etag) && !head.is_private {
            HttpResponse::NotModified()
        } else {
            HttpResponse::Ok()
        };
        self.headers(&mut response);
        response.insert_header((header::CACHE_CONTROL, caching));
        if !head.is_private {
            response.insert_header((header::ETAG, etag.clone()));
        }
        if self.known.has(&etag) && !head.is_private {
            return response.finish();
        }
        response.body(text)
    }

    fn headers(&self, response: &mut actix_web::HttpResponseBuilder) {
        response
            .content_type(HTML)
            .insert_header((header::CONTENT_SECURITY_POLICY, self.site.policy()))
            .insert_header((header::REFERRER_POLICY, "same-origin"))
            .insert_header((header::CONTENT_LANGUAGE, self.locale.code()));
    }

    /// The page of an error.
    pub(super) fn failure(
        &self,
        status: StatusCode,
        title: &str,
        content: &Markup,
    ) -> HttpResponse {
        let head = Head {
            title: title.to_owned(),
            is_private: true,
            ..Head::default()
        };
        let text = self.document(&head, content);
        let mut response = HttpResponse::build(status);
        self.headers(&mut response);
        response.insert_header((header::CACHE_CONTROL, "no-store"));
        response.body(text)
    }

    fn document(&self, head: &Head, content: &Markup) -> String {
        let (locale, site) = (self.locale, &self.site);
        let title = site.title(locale);
        let home = locale.path("/");
        let whole = if head.title.is_empty() {
            title.to_owned()
        } else {
            format!("{} – {title}", head.title)
        };
        let absolute =
            |locale: Locale, path: &str| format!("{}{}", site.base_url, locale.path(path));
        let page = html! {
            (DOCTYPE)
            html lang=(locale.code()) {
                head {
                    meta charset="utf-8";
                    meta name="viewport" content="width=device-width, initial-scale=1";
                    title { (whole) }
                    @if let Some(text) = &head.description { meta name="description" content=(text); }
                    link rel="icon" type="image/svg+xml" href=(ASSETS.icon.path);
                    link rel="stylesheet" href=(ASSETS.style.path);
                    @if let Some(own) = &site.stylesheet { link rel="stylesheet" href=(own.path); }
                    script defer src=(ASSETS.script.path) {}
                    @if let Some(path) = &head.canonical {
                        link rel="canonical" href=(absolute(locale, path));
                        link rel="alternate" hreflang=(locale.code()) href=(absolute(locale, path));
                        link rel="alternate" hreflang=(locale.other().code()) href=(absolute(locale.other(), path));
                        meta property="og:url" content=(absolute(locale, path));
                        meta property="og:title" content=(if head.title.is_empty() { title } else { &head.title });
                        meta property="og:site_name" content=(title);
                        meta property="og:type" content="website";
                        @if let Some(text) = &head.description { meta property="og:description" content=(text); }
                    } @else { meta name="robots" content="noindex"; }
                    @for (media_type, path) in &head.alternates {
                        link rel="alternate" type=(media_type) href=(path);
                    }
                    @if let Some(data) = &head.json_ld {
                        script type="application/ld+json" { (PreEscaped(in_script(data))) }
                    }
                }
                body {
                    a.skip href="#content" { (self.t("Zum Inhalt springen", "Skip to content")) }
                    header.top {
                        div.bar {
                            a.brand href=(home) {
                                @match &site.logo {
                                    Some(logo) => img src=(logo.path) alt="" height="40";,
                                    None => img src=(ASSETS.icon.path) alt="" width="32" height="32";,
                                }
                                span { (title) }
                            }
                            nav.main aria-label=(self.t("Hauptnavigation", "Main")) {
                                @for (path, name) in [
                                    ("/", self.t("Suche", "Search")),
                                    ("/calendar", self.t("Kalender", "Calendar")),
                                    ("/data", self.t("Daten", "Data")),
                                ] {
                                    a href=(locale.path(path)) aria-current=[(self.path == path).then_some("page")] { (name) }
                                }
                                a.language href=(self.in_other_language()) lang=(locale.other().code()) hreflang=(locale.other().code()) {
                                    (self.t("English", "Deutsch"))
                                }
                            }
                        }
                    }
                    main #content.wide[head.is_wide] tabindex="-1" { (content) (self.requests()) }
                    (self.foot())
                }
            }
        };
        page.into_string()
    }

    fn in_other_language(&self) -> String {
        let path = self.locale.other().path(&self.path);
        // A cursor belongs to its query, and that has a language.
        let pairs = url::form_urlencoded::parse(self.query.as_bytes());
        let mut query = url::form_urlencoded::Serializer::new(String::new());
        query.extend_pairs(pairs.filter(|(name, _)| name != "cursor"));
        let query = query.finish();
        if query.is_empty() {
            return path;
        }
        format!("{path}?{query}")
    }

    /// "Show request": the calls that fill the page.
    fn requests(&self) -> Markup {
        let made = self.calls.made();
        let base = &self.site.base_url;
        html! {
            @if !made.is_empty() {
                details.requests {
                    summary { (self.t("Abfrage zeigen", "Show request")) }
                    p {
                        (self.t(
                            "Alles auf dieser Seite kommt aus der offenen Schnittstelle; ein Token ist nicht nötig.",
                            "Everything on this page comes from the open API; no token is needed.",
                        ))
                        " " a href="/docs/" { (self.t("Beschreibung der Schnittstelle", "Documentation of the API")) }
                    }
                    ul {
                        @for call in &made {
                            @let url = format!("{base}{call}");
                            li {
                                pre tabindex="0" { code { "curl '" (url.replace('\'', "%27")) "'" } }
                                a href=(as_json(call)) { (self.t("Als JSON öffnen", "Open as JSON")) }
                            }
                        }
                    }
                }
            }
        }
    }

    fn foot(&self) -> Markup {
        let site = &self.site;
        let links = [
            (&site.imprint_url, self.t("Impressum", "Imprint")),
            (&site.privacy_url, self.t("Datenschutz", "Privacy")),
            (
                &site.accessibility_url,
                self.t("Barrierefreiheit", "Accessibility"),
            ),
        ];
        html! {
            footer.foot {
                div.bar {
                    nav aria-label=(self.t("Rechtliches", "Legal")) {
                        @for (url, name) in links {
                            @if let Some(url) = url { a href=(url) { (name) } }
                        }
                        a href=(self.locale.path("/data")) { (self.t("Daten und Schnittstelle", "Data and API")) }
                    }
                    p { (self.t("Erstellt mit ", "Made with ")) "Verbund " (env!("CARGO_PKG_VERSION")) " · " (self.t("Knoten", "node")) " " code { (self.calls.node()) } }
                }
            }
        }
    }
}

/// The address of a call whose answer is JSON for browsers as well.
pub(super) fn as_json(call: &str) -> String {
    // Only these offer several formats.
    let path = call.split('?').next().unwrap_or_default();
    let one = ["/relationships", "/history", "/geometry"]
        .iter()
        .any(|end| path.ends_with(end))
        || path == "/v1/graph";
    // A cursor belongs to the query that it came with.
    if one || call.contains("cursor=") {
        return call.to_owned();
    }
    let separator = if call.contains('?') { '&' } else { '?' };
    format!("{call}{separator}format=json")
}

/// JSON that cannot end the element that contains it.
fn in_script(data: &Value) -> String {
    data.to_string()
        .replace('<', "\\u003c")
        .replace('>', "\\u003e")
        .replace('&', "\\u0026")
}
