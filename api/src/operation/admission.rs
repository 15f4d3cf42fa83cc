//! Admission of requests: rate limits, the minimum speed of bodies, and what each has cost.

use crate::auth;
use crate::http::body_timeout::watch;
use crate::http::problem::{Code, Problem};
use crate::http::rate_limit::{Standing, Who};
use crate::http::request::routed_path;
use crate::operation::bill::{Bill, Metered, weight};
use crate::operation::extract::{App, ClientAddress, Proved, bearer};
use crate::state::State;
use actix_web::body::{BoxBody, MessageBody};
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::{StatusCode, header};
use actix_web::middleware::Next;
use actix_web::{Error, HttpMessage, HttpRequest};
use std::net::{IpAddr, Ipv4Addr};
use std::time::Instant;

pub async fn guard(
    mut request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<BoxBody>, Error> {
    let app = App::of(request.request())?;
    // Probes must always be possible.
    if routed_path(request.request()).starts_with("/health/") {
        return Ok(next.call(request).await?.map_into_boxed_body());
    }
    let peer = request.peer_addr().map(|peer| peer.ip());
    let peer = peer.unwrap_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED));
    let address = app.limits.address(peer, request.headers());
    request.extensions_mut().insert(ClientAddress(address));
    let who = who(&app, &request).await;
    let units = weight(request.request());
    match app.limits.admit(&who, address, units, Instant::now()) {
        Ok(standing) => remember(request.request(), standing),
        Err(standing) => {
            remember(request.request(), standing);
            return Ok(request.error_response(standing.problem()));
        }
    }
    let mut bill = Bill::new(&app, who, address, units);
    let signs_in = routed_path(request.request()) == auth::TOKEN_PATH;
    let claims = signs_in || request.headers().contains_key(header::AUTHORIZATION);
    let late = watch(&mut request, app.body_rate);
    let response = bill.meter.around(next.call(request)).await?;
    let response = response.map_into_boxed_body();
    if let Some(standing) = bill.settle() {
        remember(response.request(), standing);
    }
    let status = response.status();
    let refused =
        status == StatusCode::UNAUTHORIZED || signs_in && status == StatusCode::BAD_REQUEST;
    if claims && refused {
        app.limits.failed(address, Instant::now());
    }
    if late.get() && !status.is_success() {
        return Ok(response.error_response(Problem::new(Code::RequestTimeout)));
    }
    Ok(response.map_body(|_, body| BoxBody::new(Metered { body, bill })))
}

fn remember(request: &HttpRequest, standing: Standing) {
    request.extensions_mut().insert(standing);
}

/// The rate limit key of the request. Only a valid token counts for its account; its content is
/// kept for the extractors of the caller.
async fn who(app: &State, request: &ServiceRequest) -> Who {
    if routed_path(request.request()) == auth::TOKEN_PATH {
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
