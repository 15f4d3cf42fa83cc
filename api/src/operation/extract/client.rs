use crate::http::problem::Problem;
use crate::operation::routes::{Draft, Extract};
use actix_web::{HttpMessage, HttpRequest};
use std::net::{IpAddr, Ipv4Addr};

/// The address of the client, as far as it can be known; left by the admission.
#[derive(Debug, Clone, Copy)]
pub struct ClientAddress(pub IpAddr);

from_head!(ClientAddress);

impl ClientAddress {
    #[expect(clippy::unnecessary_wraps, reason = "an extractor may fail")]
    fn of(request: &HttpRequest) -> Result<Self, Problem> {
        let known = request.extensions().get::<Self>().copied();
        Ok(known.unwrap_or(Self(Ipv4Addr::UNSPECIFIED.into())))
    }
}

impl Extract for ClientAddress {
    fn describe(_: &mut Draft) {}
}
