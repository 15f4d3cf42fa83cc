//! Negotiation of the format: by `format=`, otherwise by `Accept` (RFC 9110, 12.5.1).

use crate::formats::{Format, Json};
use crate::http::problem::{Code, Problem};
use crate::http::request::routed_path;
use crate::operation::param::{meant, wrong};
use actix_web::http::header::{self, HeaderMap};
use actix_web::{HttpMessage, HttpRequest};
use domain::base::kind::Kind;
use domain::validation::upgrade::renamed;
use serde_json::{Value, json};

/// The query parameter that names the format.
pub const FORMAT: &str = "format";

/// The formats that an operation offers.
#[derive(Debug, Clone, Copy)]
pub struct Formats {
    all: &'static [&'static dyn Format],
    has_paths: bool,
    /// Whether `Accept` is not looked at.
    is_fixed: bool,
}

impl Formats {
    /// JSON only.
    pub const JSON: Self = Self::only(&[&Json]);

    /// The only format of an operation.
    #[must_use]
    pub const fn only(format: &'static [&'static dyn Format; 1]) -> Self {
        Self {
            all: format,
            has_paths: false,
            is_fixed: false,
        }
    }

    /// The only format of a path that is named after it, whatever `Accept` says.
    #[must_use]
    pub const fn fixed(format: &'static [&'static dyn Format; 1]) -> Self {
        Self {
            all: format,
            has_paths: false,
            is_fixed: true,
        }
    }

    /// Several formats, the first of them by default, documented as one operation.
    #[must_use]
    pub const fn negotiated(all: &'static [&'static dyn Format]) -> Self {
        Self {
            all,
            has_paths: false,
            is_fixed: false,
        }
    }

    /// Several formats, the first of them by default. Each other one also has a path that ends with
    /// its extension, and is documented there: generated clients have one type per operation.
    #[must_use]
    pub const fn with_paths(all: &'static [&'static dyn Format]) -> Self {
        Self {
            all,
            has_paths: true,
            is_fixed: false,
        }
    }

    #[must_use]
    pub const fn all(self) -> &'static [&'static dyn Format] {
        self.all
    }

    #[must_use]
    pub const fn is_negotiated(self) -> bool {
        self.all.len() > 1
    }

    /// The formats that have a path of their own, each as the only one there.
    pub fn of_paths(self) -> impl Iterator<Item = Self> {
        let others = self.all.get(1..).filter(|_| self.has_paths);
        others.unwrap_or_default().chunks(1).map(|one| Self {
            all: one,
            has_paths: false,
            is_fixed: true,
        })
    }

    /// The formats that are documented at the path without an extension.
    #[must_use]
    pub fn documented(self) -> &'static [&'static dyn Format] {
        let first = self.all.get(..1).unwrap_or_default();
        if self.has_paths { first } else { self.all }
    }

    /// The format of a caller who does not choose.
    #[must_use]
    pub fn default(self) -> &'static dyn Format {
        self.all.first().copied().unwrap_or(&Json)
    }

    /// The values of `format=`.
    fn names(self) -> Vec<&'static str> {
        let extensions = self.all.iter().map(|format| format.extension());
        let media_types = self.all.iter().map(|format| format.media_type());
        extensions.chain(media_types).collect()
    }

    /// The parameter `format` (OpenAPI parameter object).
    #[must_use]
    pub fn parameter(self) -> Value {
        json!({
            "name": FORMAT,
            "in": "query",
            "description": "Format of the response; takes precedence over `Accept`.",
            "schema": {"type": "string", "enum": self.names()},
        })
    }

    /// The format of the response to a request.
    ///
    /// # Errors
    /// `invalid-parameter` if `format` is none of them, `not-acceptable` if `Accept` has none.
    pub fn negotiate(self, request: &HttpRequest) -> Result<&'static dyn Format, Problem> {
        if self.is_negotiated()
            && let Some(name) = named(request)
        {
            return self.by_name(request, &name);
        }
        // Probes and scrapers get what there is.
        let path = routed_path(request);
        if self.is_fixed || !(path.starts_with("/v1/") || path == "/") {
            return Ok(self.default());
        }
        self.by_accept(request).ok_or_else(|| self.refusal())
    }

    fn by_name(self, request: &HttpRequest, name: &str) -> Result<&'static dyn Format, Problem> {
        let mut all = self.all.iter().copied();
        let found = all.find(|format| [format.extension(), format.media_type()].contains(&name));
        found.ok_or_else(|| {
            let names = self.names();
            let kind = request.app_data::<Kind>();
            let (en, de) = match kind.and_then(|kind| renamed(*kind, FORMAT)) {
                Some(now) => (
                    format!(" (the filter is called `{now}` now)"),
                    format!(" (der Filter heißt jetzt `{now}`)"),
                ),
                None => meant(name, &names),
            };
            let names = names.join(", ");
            let expected = (
                format!("one of {names}{en}"),
                format!("eines von {names}{de}"),
            );
            wrong(FORMAT, name, expected)
        })
    }

    fn by_accept(self, request: &HttpRequest) -> Option<&'static dyn Format> {
        let mut best: Option<(&dyn Format, f32)> = None;
        for format in self.all {
            let weight = weight(request.headers(), format.media_type());
            if weight > best.map_or(0.0, |(_, weight)| weight) {
                best = Some((*format, weight));
            }
        }
        best.map(|(format, _)| format)
    }

    fn refusal(self) -> Problem {
        let names: Vec<&str> = self.all.iter().map(|format| format.media_type()).collect();
        Problem::new(Code::NotAcceptable).detail(
            format!("This is offered as {}.", names.join(" or ")),
            format!("Angeboten wird {}.", names.join(" oder ")),
        )
    }
}

/// The value of `format=`. A `+` in a query means a space, and no format has one in its name.
fn named(request: &HttpRequest) -> Option<String> {
    let query = request.query_string();
    if !query.contains(FORMAT) {
        return None;
    }
    let mut pairs = url::form_urlencoded::parse(query.as_bytes());
    let (_, name) = pairs.find(|(name, _)| name == FORMAT)?;
    Some(name.replace(' ', "+"))
}

/// The format of a response, as it was negotiated.
#[derive(Debug, Clone, Copy)]
pub struct Accepted(pub &'static dyn Format);

/// The formats that the operation of a request offers, once it was routed.
#[must_use]
pub fn offered(request: &HttpRequest) -> Formats {
    let offered = request.extensions().get::<Formats>().copied();
    offered.unwrap_or(Formats::JSON)
}

/// Whether the caller prefers a page to JSON. Programs that accept anything get JSON.
#[must_use]
pub fn prefers_html(headers: &HeaderMap) -> bool {
    weight(headers, "text/html") > weight(headers, Json::MEDIA_TYPE)
}

/// The weight of a type in `Accept`, 0 to 1; the most specific range decides.
fn weight(headers: &HeaderMap, name: &str) -> f32 {
    let ranges: Vec<String> = headers
        .get_all(header::ACCEPT)
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .map(|range| range.trim().to_ascii_lowercase())
        .filter(|range| !range.is_empty())
        .collect();
    let fitting = ranges
        .iter()
        .map(|range| (specificity(range, name), quality(range)));
    let best = fitting
        .filter(|(fit, _)| *fit > 0)
        .max_by_key(|(fit, _)| *fit);
    match best {
        Some((_, quality)) => quality,
        None if ranges.is_empty() => 1.0,
        None => 0.0,
    }
}

/// How specifically a range matches a type: 0 not at all, 3 exactly.
fn specificity(range: &str, name: &str) -> u8 {
    let range = range.split(';').next().unwrap_or_default().trim();
    let main = name.split('/').next().unwrap_or_default();
    match range.strip_suffix("/*") {
        Some("*") => 1,
        Some(wanted) if wanted == main => 2,
        None if range == name => 3,
        Some(_) | None => 0,
    }
}

/// The weight of a range; a malformed one is ignored.
fn quality(range: &str) -> f32 {
    let mut parameters = range.split(';').skip(1).map(str::trim);
    let weight = parameters.find_map(|one| one.strip_prefix("q="));
    let parsed = weight.map_or(Some(1.0), |q| q.trim().parse::<f32>().ok());
    parsed
        .filter(|q| (0.0..=1.0).contains(q))
        .unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::formats::{Csv, GeoJson, NdJson};
    use actix_web::test::TestRequest;
    use domain::base::fault::Lang;

    const LIST: Formats = Formats::with_paths(&[&Json, &GeoJson]);
    const EXPORT: Formats = Formats::negotiated(&[&NdJson, &Csv, &GeoJson]);

    fn of(formats: Formats, uri: &str, accept: &str) -> Result<&'static str, Problem> {
        let request = TestRequest::with_uri(uri).insert_header((header::ACCEPT, accept));
        let format = formats.negotiate(&request.to_http_request())?;
        Ok(format.extension())
    }

    #[test]
    fn weights_decide_and_then_the_order_of_the_server() {
        for (accept, format) in [
            ("*/*", Some("json")),
            ("application/geo+json", Some("geojson")),
            (
                "application/json;q=0.5, application/geo+json",
                Some("geojson"),
            ),
            ("application/geo+json, application/json", Some("json")),
            ("application/geo+json;q=0.9, */*;q=0.1", Some("geojson")),
            ("application/json;q=0, */*", Some("geojson")),
            (
                "application/*;q=0.2, application/json;q=0.1",
                Some("geojson"),
            ),
            ("text/*", None),
            ("application/json;q=2", None),
        ] {
            assert_eq!(of(LIST, "/v1/actors", accept).ok(), format, "{accept}");
        }
        assert_eq!(of(EXPORT, "/v1/export", "*/*").ok(), Some("ndjson"));
        assert_eq!(of(EXPORT, "/v1/export", "text/*").ok(), Some("csv"));
        assert_eq!(
            of(Formats::JSON, "/health/live", "text/html").ok(),
            Some("json")
        );
    }

    #[test]
    fn the_parameter_goes_before_accept() {
        for (query, format) in [
            ("format=geojson", Some("geojson")),
            ("limit=1&format=application/geo+json", Some("geojson")),
            ("format=application%2Fgeo%2Bjson", Some("geojson")),
            ("format=json", Some("json")),
            ("format=csv", None),
            ("format=", None),
        ] {
            let uri = format!("/v1/actors?{query}");
            assert_eq!(of(LIST, &uri, "text/html").ok(), format, "{query}");
        }
        let refused = of(LIST, "/v1/actors?format=csv", "*/*").unwrap_err();
        assert_eq!(refused.kind.code, Code::InvalidParameter);
        let document = refused.document(Lang::De, "", "");
        let detail = document["detail"].as_str().unwrap();
        assert!(
            detail.starts_with("`format=csv` ist falsch; erwartet: eines von json, geojson, "),
            "{detail}"
        );
        // Where there is no choice, there is no such parameter.
        assert_eq!(
            of(Formats::JSON, "/v1/me?format=csv", "*/*").ok(),
            Some("json")
        );
    }
}
