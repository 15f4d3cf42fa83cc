//! The application: state, middleware and routes put together.

use crate::auth::{Access, Tokens};
use crate::config::{Config, MetricsToken};
use crate::http::metrics::Metrics;
use crate::http::outbound::Outgoing;
use crate::http::rate_limit::Limits;
use crate::http::server;
use crate::node::docs;
use crate::operation::admission::{Pace, guard};
use crate::operation::middleware;
use crate::routes;
use actix_cors::Cors;
use actix_server::Server;
use actix_web::http::{Method, header};
use actix_web::middleware::{Compress, from_fn};
use actix_web::{App, HttpResponse, web};
use governor::clock::DefaultClock;
use persistence::search::Search;
use persistence::{Store, StoreError};
use std::net::TcpListener;
use tokio::sync::watch;
use tracing_actix_web::TracingLogger;

/// What every handler may use.
#[derive(Debug)]
pub struct State {
    /// The store.
    pub store: Store,
    /// The index behind lists and search.
    pub search: Search,
    /// The keys.
    pub tokens: Tokens,
    /// How many requests who may send.
    pub limits: Limits,
    /// How fast bodies must come.
    pub pace: Pace,
    /// How people and programs sign in; [`server`] reads it from the configuration.
    pub access: Access,
    /// Sends requests to addresses that people enter.
    pub outgoing: Outgoing,
    /// For how many days superseded entries of the log are kept; for ever when absent.
    pub log_retention_days: Option<u32>,
    /// What is counted as requests are served.
    pub metrics: Metrics,
    /// Who may read what is measured without being an admin.
    pub metrics_token: Option<MetricsToken>,
    /// Turns true when the server is asked to stop: whoever waits for something must answer then.
    pub stopping: watch::Sender<bool>,
}

impl State {
    /// Loads the keys.
    ///
    /// # Errors
    /// The store's.
    pub async fn new(store: Store, search: Search, config: &Config) -> persistence::Result<Self> {
        let tokens = Tokens::load(&store).await?;
        Ok(Self {
            store,
            search,
            tokens,
            limits: Limits::new(config, DefaultClock::default()),
            pace: Pace::new(config),
            access: Access::default(),
            outgoing: Outgoing::new(config).map_err(|why| StoreError::Setup(why.to_string()))?,
            log_retention_days: config.log_retention_days.map(u32::from),
            metrics: Metrics::default(),
            metrics_token: config.metrics_token.clone(),
            stopping: watch::Sender::new(false),
        })
    }
}

/// A server on `listener`, to be awaited.
///
/// # Errors
/// If the listener cannot be used.
pub fn server(mut state: State, config: &Config, listener: TcpListener) -> std::io::Result<Server> {
    state.access = Access::new(config, listener.local_addr()?).map_err(std::io::Error::other)?;
    let stopping = state.stopping.clone();
    let state = web::Data::new(state);
    let origins = config.cors_origins.clone();
    let build = move || {
        App::new()
            .app_data(state.clone())
            .service(routes::all())
            .service(docs::openapi_json)
            .service(docs::redirect)
            .service(docs::swagger())
            .default_service(web::to(|| async {
                Err::<HttpResponse, _>(crate::http::problem::Problem::new("not-found"))
            }))
            .wrap(Compress::default())
            .wrap(from_fn(guard))
            .wrap(from_fn(middleware::around))
            .wrap(cors(&origins))
            .wrap(TracingLogger::<crate::http::telemetry::Spans>::new())
            .wrap(from_fn(middleware::outermost))
            .wrap(from_fn(server::take_turns))
    };
    server::server(build, config, listener, stopping)
}

/// Anybody reads from anywhere; writes and tokens come from the configured origins only.
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
        middleware::REQUEST_ID,
        crate::operation::reply::WARNINGS,
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
