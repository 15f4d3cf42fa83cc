//! Logging; rules and messages are in `docs/logging.md`.

use crate::config::{Config, LogFormat};
use crate::http::request::RequestId;
use actix_web::HttpMessage;
use actix_web::body::MessageBody;
use actix_web::dev::{ServiceRequest, ServiceResponse};
use std::io::IsTerminal;
use tracing::Span;
use tracing_actix_web::RootSpanBuilder;
use tracing_subscriber::EnvFilter;

/// Starts logging to standard error.
///
/// # Errors
/// If the filter is malformed, or logging was started before.
pub fn start(config: &Config) -> Result<(), String> {
    let filter = EnvFilter::try_new(&config.log)
        .map_err(|why| format!("log = \"{}\" is not a tracing filter: {why}", config.log))?;
    let logs = tracing_subscriber::fmt()
        .with_env_filter(filter)
        // Reporting on standard error that standard error cannot be written to would panic, so a
        // full disk under the log would end requests.
        .log_internal_errors(false)
        .with_writer(std::io::stderr);
    match config.log_format {
        LogFormat::Json => logs.json().try_init(),
        LogFormat::Text => logs.with_ansi(std::io::stderr().is_terminal()).try_init(),
    }
    .map_err(|why| why.to_string())
}

/// One span per request: method, route, status, request id; never the query, which may contain
/// names.
#[derive(Debug)]
pub struct Spans;

impl RootSpanBuilder for Spans {
    fn on_request_start(request: &ServiceRequest) -> Span {
        tracing::info_span!(
            "request",
            method = %request.method(),
            route = tracing::field::Empty,
            status = tracing::field::Empty,
            request_id = tracing::field::Empty,
        )
    }

    fn on_request_end<B: MessageBody>(
        span: Span,
        outcome: &Result<ServiceResponse<B>, actix_web::Error>,
    ) {
        if let Ok(response) = outcome {
            let request = response.request();
            let route = request.match_pattern().unwrap_or_else(|| "-".to_owned());
            let status = response.status().as_u16();
            span.record("route", &route);
            span.record("status", status);
            if let Some(RequestId(id)) = request.extensions().get() {
                span.record("request_id", id.as_str());
            }
            span.in_scope(|| tracing::info!("{} {route} {status}", request.method()));
        }
    }
}
