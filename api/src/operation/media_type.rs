//! Negotiation of the media type: by `Accept` (RFC 9110, 12.5.1), of an export also by `format=`.

use crate::http::problem::{Code, Problem};
use crate::http::request::routed_path;
use crate::operation::extract::from_head;
use crate::operation::routes::{Draft, Extract};
use actix_web::HttpRequest;
use actix_web::http::{Method, header};
use domain::base::kind::Kind;
use domain::base::vocabulary::Coded;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Media {
    /// `application/json`
    Json,
    /// `application/geo+json` (RFC 7946)
    GeoJson,
    /// `application/x-ndjson`: one JSON text a line
    NdJson,
    /// `text/csv` (RFC 4180)
    Csv,
}

impl Media {
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Json => "application/json",
            Self::GeoJson => "application/geo+json",
            Self::NdJson => "application/x-ndjson",
            Self::Csv => "text/csv",
        }
    }

    /// The value of `format=` for it.
    #[must_use]
    pub const fn format(self) -> &'static str {
        match self {
            Self::Json => "json",
            Self::GeoJson => "geojson",
            Self::NdJson => "ndjson",
            Self::Csv => "csv",
        }
    }
}

pub const RECORDS: &[Media] = &[Media::Json, Media::GeoJson];

pub const EXPORT: &[Media] = &[Media::NdJson, Media::Csv, Media::GeoJson];

/// The suffix of paths that respond with GeoJSON, whatever `Accept` says.
const GEOJSON: &str = ".geojson";

/// The media type of a value of `format=`, so that a link can lead to a file of that type.
fn exported_as(format: &str) -> Option<Media> {
    EXPORT
        .iter()
        .copied()
        .find(|media| media.format() == format)
}

#[must_use]
pub fn offered(method: &Method, path: &str) -> &'static [Media] {
    let reads = method == Method::GET || method == Method::HEAD;
    let mut segments = path.split('/').skip(1);
    if segments.next() != Some("v1") {
        return &[Media::Json];
    }
    let (first, second, third) = (segments.next(), segments.next(), segments.next());
    let is_kind = |name: &str| Kind::ALL.iter().any(|kind| kind.plural() == name);
    if reads && path.ends_with(GEOJSON) && third.is_none() {
        return &[Media::GeoJson];
    }
    match (first, second, third) {
        (Some("export"), None, _) => EXPORT,
        (Some("regions"), Some(_), Some("geometry")) => &[Media::GeoJson],
        (Some("search"), None, _) if reads => RECORDS,
        (Some(name), _, None) if reads && is_kind(name) => RECORDS,
        _ => &[Media::Json],
    }
}

/// The media type of the response; `None` if none is acceptable.
#[must_use]
pub fn chosen(request: &HttpRequest) -> Option<Media> {
    let path = routed_path(request);
    let offered = offered(request.method(), path);
    if path.ends_with(GEOJSON) && offered == [Media::GeoJson] {
        // A link to such a path cannot set headers.
        return Some(Media::GeoJson);
    }
    if offered == EXPORT {
        let pairs = url::form_urlencoded::parse(request.query_string().as_bytes());
        let mut formats = pairs.filter(|(name, _)| name == "format");
        if let Some(media) = formats.find_map(|(_, value)| exported_as(&value)) {
            return Some(media);
        }
    }
    let mut best: Option<(Media, f32)> = None;
    for media in offered {
        let weight = weight(request, media.name());
        if weight > best.map_or(0.0, |(_, weight)| weight) {
            best = Some((*media, weight));
        }
    }
    best.map(|(media, _)| media)
}

/// The weight of a type in `Accept`, 0 to 1; the most specific range decides.
fn weight(request: &HttpRequest, name: &str) -> f32 {
    let ranges: Vec<String> = request
        .headers()
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

#[derive(Debug, Clone, Copy)]
pub struct Wanted(pub Media);

from_head!(Wanted);

impl Wanted {
    fn of(request: &HttpRequest) -> Result<Self, Problem> {
        let media = chosen(request).ok_or_else(|| Problem::new(Code::NotAcceptable))?;
        Ok(Self(media))
    }
}

impl Extract for Wanted {
    fn describe(draft: &mut Draft) {
        draft.problem(Code::NotAcceptable);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use actix_web::test::TestRequest;

    fn of(path: &str, accept: &str) -> Option<Media> {
        let request = TestRequest::with_uri(path).insert_header((header::ACCEPT, accept));
        chosen(&request.to_http_request())
    }

    #[test]
    fn weights_decide_and_then_the_order_of_the_server() {
        let list = "/v1/actors";
        let geo = "application/geo+json";
        for (accept, media) in [
            ("*/*", Some(Media::Json)),
            (geo, Some(Media::GeoJson)),
            (
                "application/json;q=0.5, application/geo+json",
                Some(Media::GeoJson),
            ),
            ("application/geo+json, application/json", Some(Media::Json)),
            (
                "application/geo+json;q=0.9, */*;q=0.1",
                Some(Media::GeoJson),
            ),
            ("application/json;q=0, */*", Some(Media::GeoJson)),
            (
                "application/*;q=0.2, application/json;q=0.1",
                Some(Media::GeoJson),
            ),
            ("text/*", None),
            ("application/json;q=2", None),
        ] {
            assert_eq!(of(list, accept), media, "{accept}");
        }
        assert_eq!(
            of("/v1/export?kind=event&format=csv", "text/html"),
            Some(Media::Csv)
        );
        assert_eq!(of("/v1/vocabularies", geo), None);
        assert_eq!(of("/v1/vocabularies?format=geojson", geo), None);
        assert_eq!(of("/v1/actors/x/relationships", geo), None);
        assert_eq!(of("/v1/regions/x/geometry", "*/*"), Some(Media::GeoJson));
        assert_eq!(of("/v1/actors.geojson", "text/html"), Some(Media::GeoJson));
        assert_eq!(of("/v1/actors/x.geojson", "*/*"), Some(Media::GeoJson));
        assert_eq!(of("/v1/export", "*/*"), Some(Media::NdJson));
        assert_eq!(of("/v1/export", "text/*"), Some(Media::Csv));
    }
}
