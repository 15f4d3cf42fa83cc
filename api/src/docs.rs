//! The OpenAPI document and Swagger UI, vendored: nothing is loaded from elsewhere.

use crate::extract::App;
use actix_web::dev::HttpServiceFactory;
use actix_web::http::header::{self, HeaderValue};
use actix_web::{HttpResponse, route};
use utoipa_swagger_ui::{Config, SwaggerUi};

/// Scripts, styles and connections from this server only; Swagger UI sets styles on elements.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; \
     img-src 'self' data:; connect-src 'self'; font-src 'self'; base-uri 'none'; \
     form-action 'none'; frame-ancestors 'none'";

/// Serves the document.
#[route("/openapi.json", method = "GET", method = "HEAD")]
pub(crate) async fn openapi_json(app: App) -> HttpResponse {
    HttpResponse::Ok()
        .content_type("application/json")
        .body(app.document.clone())
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
