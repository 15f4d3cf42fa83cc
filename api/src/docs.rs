//! The OpenAPI document and Swagger UI, vendored: nothing is loaded from elsewhere.

use crate::extract::App;
use actix_web::body::MessageBody;
use actix_web::dev::{HttpServiceFactory, ServiceRequest, ServiceResponse};
use actix_web::http::header::{self, HeaderValue};
use actix_web::middleware::Next;
use actix_web::{Error, HttpResponse, route};
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

/// Adds the content security policy to the pages of `/docs`.
///
/// # Errors
/// What the page answers.
pub async fn policy(
    request: ServiceRequest,
    next: Next<impl MessageBody>,
) -> Result<ServiceResponse<impl MessageBody>, Error> {
    let docs = request.path().starts_with("/docs");
    let mut response = next.call(request).await?;
    if docs {
        let policy = HeaderValue::from_static(POLICY);
        response
            .headers_mut()
            .insert(header::CONTENT_SECURITY_POLICY, policy);
    }
    Ok(response)
}
