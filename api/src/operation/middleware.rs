//! Middleware of every request: limits before, problem documents and headers after.

use crate::http::problem::{Code, Problem};
use crate::http::rate_limit::Standing;
use crate::http::request::{REQUEST_ID, language, name, request_id, routed_path};
use crate::operation::extract::{App, is_unmatched};
use crate::operation::media_type;
use actix_cors::CorsError;
use actix_web::body::{BoxBody, MessageBody};
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::header::{self, HeaderValue};
use actix_web::http::{ConnectionType, Method, StatusCode};
use actix_web::middleware::Next;
use actix_web::{Error, HttpMessage, HttpRequest, HttpResponse};
use std::time::Instant;

const MAX_URL: usize = 8 * 1024;

/// Rejects requests that no handler should see, and renders every error as a problem document.
pub async fn around(
    request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<BoxBody>, Error> {
    let id = request_id(&request);
    let response = match refused(request.request()) {
        Some(problem) => {
            let response = render(&problem, request.request(), &id);
            request.into_response(response)
        }
        // The request must not be cloned here: the router needs sole ownership.
        None => documented(next.call(request).await?.map_into_boxed_body(), &id),
    };
    Ok(response)
}

/// Assigns the request id and writes the headers of every response; a rejected preflight, which
/// never reaches the other middleware, becomes a problem document here.
pub async fn outermost(
    request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<BoxBody>, Error> {
    let id = name(&request);
    let app = App::of(request.request())?;
    let begun = Instant::now();
    let response = next.call(request).await?.map_into_boxed_body();
    let preflight = response.response().error();
    let mut response = match preflight.and_then(|error| error.as_error::<CorsError>()) {
        Some(_) => {
            let problem = Problem::new(Code::OriginNotAllowed);
            let rendered = render(&problem, response.request(), &id);
            response.into_response(rendered)
        }
        None => response,
    };
    app.metrics.answered(&response, begun.elapsed());
    if response.status() == StatusCode::REQUEST_TIMEOUT {
        // The rest of the body may still arrive, and is not a request.
        let head = response.response_mut().head_mut();
        head.set_connection_type(ConnectionType::Close);
    }
    let negotiated = media_type::offered(response.request()).is_negotiated();
    let depends_on_token = response.request().path().starts_with("/v1/");
    let sent = response.request().headers();
    let has_token = sent.contains_key(header::AUTHORIZATION);
    let standing = response.request().extensions().get::<Standing>().copied();
    let headers = response.headers_mut();
    if let Some(standing) = standing {
        standing.write(headers);
    }
    if let Ok(id) = HeaderValue::from_str(&id) {
        headers.insert(REQUEST_ID, id);
    }
    if negotiated {
        headers.append(header::VARY, HeaderValue::from_static("accept"));
    }
    if depends_on_token {
        // What a token shows is for its holder, whatever a cache in between thinks of it.
        headers.append(header::VARY, HeaderValue::from_static("authorization"));
        if has_token && !headers.contains_key(header::CACHE_CONTROL) {
            let private = HeaderValue::from_static("private");
            headers.insert(header::CACHE_CONTROL, private);
        }
    }
    headers.insert(
        header::X_CONTENT_TYPE_OPTIONS,
        HeaderValue::from_static("nosniff"),
    );
    Ok(response)
}

fn refused(request: &HttpRequest) -> Option<Problem> {
    let too_long = request.uri().to_string().len() > MAX_URL;
    too_long.then(|| Problem::new(Code::UriTooLong))
}

/// The response, or a problem document if it is an error.
fn documented(response: ServiceResponse<BoxBody>, id: &str) -> ServiceResponse<BoxBody> {
    let status = response.status();
    let failed = status.is_client_error() || status.is_server_error();
    let problem = match response.response().error() {
        Some(error) => problem_of(Some(error), status),
        // These errors have a format of their own (RFC 6749, 5.2).
        None if routed_path(response.request()) == crate::auth::TOKEN_PATH => return response,
        None if failed => problem_of(None, status),
        None => match unmatched(&response) {
            Some(problem) => problem,
            None => return response,
        },
    };
    let rendered = render(&problem, response.request(), id);
    let (request, _) = response.into_parts();
    ServiceResponse::new(request, rendered)
}

/// The problem of a handler or extractor, or the one that matches a framework's error.
fn problem_of(error: Option<&Error>, status: StatusCode) -> Problem {
    if let Some(problem) = error.and_then(|error| error.as_error::<Problem>()) {
        return problem.clone();
    }
    let code = match status {
        StatusCode::NOT_FOUND => Code::NotFound,
        StatusCode::METHOD_NOT_ALLOWED => Code::MethodNotAllowed,
        // A media type is refused by a problem of its own.
        StatusCode::NOT_ACCEPTABLE => return no_such_encoding(),
        StatusCode::PAYLOAD_TOO_LARGE => Code::PayloadTooLarge,
        StatusCode::UNSUPPORTED_MEDIA_TYPE => Code::UnsupportedMediaType,
        status if status.is_client_error() => Code::MalformedJson,
        _ => {
            if let Some(error) = error {
                tracing::error!(%error, "request failed");
            }
            Code::Internal
        }
    };
    Problem::new(code)
}

/// The problem of a read whose `If-Match` names another representation.
fn unmatched(response: &ServiceResponse<BoxBody>) -> Option<Problem> {
    let request = response.request();
    let etag = response.headers().get(header::ETAG)?;
    let reads = [Method::GET, Method::HEAD].contains(request.method());
    if !reads || !request.headers().contains_key(header::IF_MATCH) {
        return None;
    }
    match is_unmatched(request, etag) {
        Ok(false) => None,
        Ok(true) => Some(Problem::new(Code::PreconditionFailed).detail(
            "What is here has another ETag than If-Match names; leave If-Match out to read it.",
            "Was hier steht, hat ein anderes ETag, als If-Match nennt; lassen Sie If-Match weg, um es zu lesen.",
        )),
        Err(problem) => Some(problem),
    }
}

fn no_such_encoding() -> Problem {
    Problem::new(Code::NotAcceptable).detail(
        "Accept-Encoding refuses every encoding that is offered; accept gzip, br or identity.",
        "Accept-Encoding lehnt jede angebotene Kodierung ab; akzeptieren Sie gzip, br oder identity.",
    )
}

fn render(problem: &Problem, request: &HttpRequest, id: &str) -> HttpResponse {
    let mut response = problem.response(language(request), request.path(), id);
    if problem.kind.code == Code::Moved
        && let Some(to) = problem.extension("moved_to")
        && let Ok(location) = HeaderValue::from_str(&moved(request, to))
    {
        response.headers_mut().insert(header::LOCATION, location);
    }
    // For the pages, which show it to people.
    response.extensions_mut().insert(problem.clone());
    response
}

/// The URL of the request with the current `{id}`.
fn moved(request: &HttpRequest, to: &str) -> String {
    let mut segments: Vec<&str> = request.path().split('/').collect();
    // /v1/{kinds}/{id}/…
    if let Some(id) = segments.get_mut(3) {
        *id = to;
    }
    let path = segments.join("/");
    match request.query_string() {
        "" => path,
        query => format!("{path}?{query}"),
    }
}
