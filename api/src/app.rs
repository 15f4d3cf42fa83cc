//! Assembly of the application: state, middleware and routes.

use crate::auth::Access;
use crate::config::{Config, Site};
use crate::http::server;
use crate::node::docs;
use crate::operation::admission::guard;
use crate::operation::{middleware, openapi};
use crate::pages::{self, Appearance};
use crate::records::ogc;
use crate::routes;
use crate::state::State;
use actix_cors::Cors;
use actix_server::Server;
use actix_web::http::{Method, header};
use actix_web::middleware::{Compress, from_fn};
use actix_web::{App, HttpResponse, web};
use std::net::TcpListener;
use tracing_actix_web::TracingLogger;

/// Builds a server on `listener`, to be awaited.
///
/// # Errors
/// If the listener cannot be used.
pub fn server(mut state: State, config: &Config, listener: TcpListener) -> std::io::Result<Server> {
    let address = listener.local_addr()?;
    state.access = Access::new(config, address).map_err(std::io::Error::other)?;
    state.site = Site::new(config, &state.store.node().origin, address);
    let stopping = state.stopping.clone();
    let state = web::Data::new(state);
    let document = web::Data::new(docs::Document::new(|| openapi::document(&routes::all())));
    let appearance = web::Data::new(Appearance::new(config, &state.site)?);
    let origins = config.cors_origins.clone();
    let build = move || {
        App::new()
            .app_data(state.clone())
            .app_data(document.clone())
            .app_data(appearance.clone())
            .configure(pages::configure)
            .service(routes::all())
            .service(docs::openapi_json)
            .service(docs::redirect)
            .service(ogc::without_slash)
            .configure(docs::page)
            .default_service(web::to(|| async {
                Err::<HttpResponse, _>(crate::http::problem::Problem::new(
                    crate::http::problem::Code::NotFound,
                ))
            }))
            .wrap(Compress::default())
            .wrap(from_fn(guard))
            .wrap(from_fn(middleware::around))
            .wrap(from_fn(pages::around))
            .wrap(cors(&origins))
            .wrap(TracingLogger::<crate::http::telemetry::Spans>::new())
            .wrap(from_fn(middleware::outermost))
            .wrap(from_fn(docs::content_security_policy))
            .wrap(from_fn(server::track_exchange))
    };
    server::server(build, config, listener, stopping)
}

/// Reading is allowed from any origin; writes and tokens from the configured origins only.
fn cors(origins: &[String]) -> Cors {
    let exposed = [
        header::ETAG,
        header::LINK,
        header::LOCATION,
        header::RETRY_AFTER,
        header::HeaderName::from_static("ratelimit"),
        header::HeaderName::from_static("ratelimit-policy"),
        header::CONTENT_LANGUAGE,
        header::CONTENT_DISPOSITION,
        crate::http::request::REQUEST_ID,
        crate::records::reply::WARNINGS,
        crate::records::history::UPGRADED,
        crate::operation::extract::POSITION,
        header::HeaderName::from_static("idempotency-replayed"),
    ];
    let trusted = origins.to_vec();
    Cors::default()
        .allowed_origin_fn(move |origin, request| {
            let configured = origin
                .to_str()
                .is_ok_and(|origin| trusted.iter().any(|one| one == origin));
            let method = request
                .headers
                .get(header::ACCESS_CONTROL_REQUEST_METHOD)
                .and_then(|method| Method::from_bytes(method.as_bytes()).ok())
                .unwrap_or_else(|| request.method.clone());
            let wants_token = request.headers.contains_key(header::AUTHORIZATION)
                || request
                    .headers
                    .get(header::ACCESS_CONTROL_REQUEST_HEADERS)
                    .and_then(|names| names.to_str().ok())
                    .is_some_and(|names| names.to_ascii_lowercase().contains("authorization"));
            let reads = matches!(method, Method::GET | Method::HEAD);
            configured || (reads && !wants_token)
        })
        .allowed_methods(["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"])
        .allow_any_header()
        .expose_headers(exposed)
        .block_on_origin_mismatch(false)
        .max_age(3600)
}
