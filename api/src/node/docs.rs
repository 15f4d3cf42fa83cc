//! The OpenAPI document and Swagger UI, vendored: nothing is loaded from elsewhere.

use crate::operation::openapi;
use actix_web::dev::HttpServiceFactory;
use actix_web::http::header::{
    self, AcceptEncoding, ContentEncoding, Encoding, Header, HeaderValue,
};
use actix_web::{HttpRequest, HttpResponse, route};
use utoipa_swagger_ui::{Config, SwaggerUi};

/// Scripts, styles and connections from this server only; Swagger UI sets styles on elements.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; \
     img-src 'self' data:; connect-src 'self'; font-src 'self'; base-uri 'none'; \
     form-action 'none'; frame-ancestors 'none'";

/// Serves the document.
#[route("/openapi.json", method = "GET", method = "HEAD")]
pub(crate) async fn openapi_json(request: HttpRequest) -> std::io::Result<HttpResponse> {
    let offered = [Encoding::brotli(), Encoding::gzip(), Encoding::identity()];
    let accepted = AcceptEncoding::parse(&request).ok();
    let coding = accepted.and_then(|accepted| accepted.negotiate(offered.iter()));
    let mut response = HttpResponse::Ok();
    response.content_type("application/json");
    let body = match coding {
        Some(coding) if coding == Encoding::brotli() => {
            response.insert_header(ContentEncoding::Brotli);
            openapi::brotli()?
        }
        Some(coding) if coding == Encoding::gzip() => {
            response.insert_header(ContentEncoding::Gzip);
            openapi::gzipped()?
        }
        Some(_) | None => return Ok(response.body(openapi::served().clone())),
    };
    response.insert_header((header::VARY, "accept-encoding"));
    Ok(response.body(body.clone()))
}

/// `/docs` leads to `/docs/`.
#[route("/docs", method = "GET", method = "HEAD")]
pub(crate) async fn redirect() -> HttpResponse {
    HttpResponse::PermanentRedirect()
        .insert_header((header::LOCATION, "/docs/"))
        .finish()
}

/// Swagger UI at `/docs/`.
pub fn swagger() -> impl HttpServiceFactory {
    let config = Config::from("/openapi.json")
        .try_it_out_enabled(true)
        .display_request_duration(true)
        .doc_expansion("none")
        .validator_url("none");
    SwaggerUi::new("/docs/{_:.*}").config(config)
}

/// The content security policy of the pages of `/docs`, refusals included.
pub(crate) fn policy(path: &str) -> Option<HeaderValue> {
    let docs = path == "/docs" || path.starts_with("/docs/");
    docs.then(|| HeaderValue::from_static(POLICY))
}
