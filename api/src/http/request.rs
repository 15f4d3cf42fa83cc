//! Properties of every request: its id, its path, the language of its messages.

use actix_web::dev::ServiceRequest;
use actix_web::http::header::{ACCEPT_LANGUAGE, HeaderMap, HeaderName};
use actix_web::{HttpMessage, HttpRequest};
use domain::base::fault::Lang;

pub const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

pub(crate) fn request_id(request: &ServiceRequest) -> String {
    let extensions = request.extensions();
    extensions
        .get::<RequestId>()
        .map_or_else(String::new, |id| id.0.clone())
}

/// The caller's request id if it is plain, otherwise a new one.
pub(crate) fn name(request: &ServiceRequest) -> String {
    let sent = request.headers().get(REQUEST_ID);
    let plain = sent.and_then(|value| value.to_str().ok()).filter(|id| {
        (1..=100).contains(&id.len())
            && id
                .bytes()
                .all(|b| b.is_ascii_alphanumeric() || b"-_.".contains(&b))
    });
    let id = plain.map_or_else(|| domain::base::id::new().to_string(), str::to_owned);
    request.extensions_mut().insert(RequestId(id.clone()));
    id
}

#[derive(Debug, Clone)]
pub struct RequestId(pub String);

/// The path by which a request is routed. Code that depends on the route must use this one: a path
/// may be percent-encoded in many ways (RFC 3986, 6.2.2.2).
pub(crate) fn routed_path(request: &HttpRequest) -> &str {
    request.match_info().as_str()
}

/// The language of messages, from `Accept-Language`: German if it is preferred to English.
#[must_use]
pub fn language(request: &HttpRequest) -> Lang {
    language_of(request.headers())
}

#[must_use]
pub(crate) fn language_of(headers: &HeaderMap) -> Lang {
    let header = headers
        .get(ACCEPT_LANGUAGE)
        .and_then(|value| value.to_str().ok())
        .unwrap_or_default();
    let weight = |wanted: &str| {
        let ranges = header.split(',').filter_map(|range| {
            let (tag, parameters) = range.split_once(';').unwrap_or((range, ""));
            let primary = tag.trim().split('-').next()?.to_ascii_lowercase();
            let weight = parameters.trim().strip_prefix("q=");
            let weight = weight.map_or(Some(1.0), |q| q.parse::<f32>().ok())?;
            (primary == wanted).then_some(weight)
        });
        ranges.fold(0.0, f32::max)
    };
    if weight("de") > weight("en") {
        Lang::De
    } else {
        Lang::En
    }
}
