//! What a request must pass before it is served: the rate limits, and a body that comes in time.

use crate::app::State;
use crate::auth;
use crate::config::Config;
use crate::http::problem::Problem;
use crate::http::rate_limit::{Standing, Who};
use crate::operation::extract::{App, Proved, bearer};
use crate::operation::middleware::routed_path;
use actix_web::body::{BoxBody, MessageBody};
use actix_web::dev::{Payload, ServiceRequest, ServiceResponse};
use actix_web::error::PayloadError;
use actix_web::http::{StatusCode, header};
use actix_web::middleware::Next;
use actix_web::web::Bytes;
use actix_web::{Error, HttpMessage};
use futures::Stream;
use std::cell::Cell;
use std::io::ErrorKind;
use std::net::{IpAddr, Ipv4Addr};
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll};
use std::time::Duration;
use tokio::time::{Instant, Sleep};

/// Where tokens are issued: whoever is refused there has failed to prove an identity.
const TOKENS: &str = "/oauth/token";

/// Counts the request and watches its body.
///
/// # Errors
/// What is further in.
pub async fn guard(
    mut request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<BoxBody>, Error> {
    let app = App::of(request.request())?;
    // Whoever watches the node must be able to at any time.
    if routed_path(request.request()).starts_with("/health/") {
        return Ok(next.call(request).await?.map_into_boxed_body());
    }
    let peer = request.peer_addr().map(|peer| peer.ip());
    let peer = peer.unwrap_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED));
    let address = app.limits.address(peer, request.headers());
    match app.limits.count(&who(&app, &request).await, address) {
        Ok(standing) => remember(&request, standing),
        Err(standing) => {
            remember(&request, standing);
            return Ok(request.error_response(standing.problem()));
        }
    }
    let signs_in = routed_path(request.request()) == TOKENS;
    let claims = signs_in || request.headers().contains_key(header::AUTHORIZATION);
    let late = watch(&mut request, &app);
    let response = next.call(request).await?.map_into_boxed_body();
    let status = response.status();
    let refused =
        status == StatusCode::UNAUTHORIZED || signs_in && status == StatusCode::BAD_REQUEST;
    if claims && refused {
        app.limits.failed(address);
    }
    if late.get() && !status.is_success() {
        return Ok(response.error_response(Problem::new("request-timeout")));
    }
    Ok(response)
}

fn remember(request: &ServiceRequest, standing: Standing) {
    request.extensions_mut().insert(standing);
}

/// Who the request counts for. Only a token that is valid makes it an account's; what it proves is
/// kept for those who ask who calls.
async fn who(app: &State, request: &ServiceRequest) -> Who {
    if routed_path(request.request()) == TOKENS {
        return Who::Claimant;
    }
    let token = match bearer(request.headers()) {
        Ok(None) => return Who::Anybody,
        Err(()) => return Who::Claimant,
        Ok(Some(token)) => token,
    };
    let now = app.store.clock().now();
    let proof = auth::verify(&app.tokens, &app.access.issuers, token, now).await;
    let who = match &proof {
        Ok(proof) => Who::Client(proof.subject.clone()),
        Err(_) => Who::Claimant,
    };
    request.extensions_mut().insert(Proved(proof));
    who
}

/// Puts a watch on the body; it tells whether the body was too slow.
fn watch(request: &mut ServiceRequest, app: &State) -> Rc<Cell<bool>> {
    let late = Rc::new(Cell::new(false));
    match request.take_payload() {
        Payload::None => {}
        body => {
            let body = Box::pin(Body::new(body, app.pace, late.clone()));
            request.set_payload(Payload::Stream { payload: body });
        }
    }
    late
}

/// How fast a body must come.
#[derive(Debug, Clone, Copy)]
pub struct Pace {
    patience: Duration,
    bytes_per_second: u32,
}

impl Pace {
    /// The pace of a configuration.
    #[must_use]
    pub fn new(config: &Config) -> Self {
        Self {
            patience: Duration::from_secs(config.body_seconds),
            bytes_per_second: config.body_bytes_per_second.get(),
        }
    }
}

/// A body that must come in time. The time is what the reader has waited for it: a reader that is
/// busy with what came is not the client's fault.
struct Body {
    payload: Payload,
    pace: Pace,
    left: Duration,
    waiting: Option<(Instant, Pin<Box<Sleep>>)>,
    late: Rc<Cell<bool>>,
}

impl Body {
    fn new(payload: Payload, pace: Pace, late: Rc<Cell<bool>>) -> Self {
        Self {
            payload,
            pace,
            left: pace.patience,
            waiting: None,
            late,
        }
    }

    /// Some bytes came: the wait is over, and they earn time, but never more than at the start.
    fn came(&mut self, bytes: usize) {
        if let Some((since, _)) = self.waiting.take() {
            self.left = self.left.saturating_sub(since.elapsed());
        }
        let bytes = u32::try_from(bytes).unwrap_or(u32::MAX);
        let earned = Duration::from_secs(bytes.into()) / self.pace.bytes_per_second;
        self.left = self.left.saturating_add(earned).min(self.pace.patience);
    }
}

impl Stream for Body {
    type Item = Result<Bytes, PayloadError>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let body = &mut *self;
        if let Poll::Ready(next) = Pin::new(&mut body.payload).poll_next(cx) {
            if let Some(Ok(bytes)) = &next {
                body.came(bytes.len());
            }
            return Poll::Ready(next);
        }
        let left = body.left;
        let (_, timer) = body
            .waiting
            .get_or_insert_with(|| (Instant::now(), Box::pin(tokio::time::sleep(left))));
        if timer.as_mut().poll(cx).is_pending() {
            return Poll::Pending;
        }
        body.late.set(true);
        let late = std::io::Error::from(ErrorKind::TimedOut);
        Poll::Ready(Some(Err(PayloadError::Io(late))))
    }
}
