//! Who calls: permission is a parameter of the handlers.

use super::App;
use crate::operation::{Draft, Extract};
use crate::problem::Problem;
use actix_web::dev::Payload;
use actix_web::http::header::{self, HeaderMap};
use actix_web::{FromRequest, HttpRequest};
use domain::access::Caller;
use futures::future::LocalBoxFuture;
use serde_json::json;

/// A caller who reads: anybody, or somebody with a token, who may see more.
#[derive(Debug)]
pub struct Reader(pub Caller);

/// A caller who writes: somebody with a token. What he may write, the store asks of his grants.
#[derive(Debug)]
pub struct Writer(pub Caller);

/// The bearer token of a request; an error if there is something else where it should be.
pub(crate) fn bearer(headers: &HeaderMap) -> Result<Option<&str>, ()> {
    let mut headers = headers.get_all(header::AUTHORIZATION);
    let Some(value) = headers.next() else {
        return Ok(None);
    };
    let token = value
        .to_str()
        .ok()
        .and_then(|text| text.split_once(' '))
        .filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer"))
        .map(|(_, token)| token.trim());
    match (token, headers.next()) {
        (Some(token), None) => Ok(Some(token)),
        (_, _) => Err(()),
    }
}

/// The caller of a request, or `None` without a token.
async fn caller(request: HttpRequest) -> Result<Option<Caller>, Problem> {
    let app = App::of(&request)?;
    let token = bearer(request.headers())
        .map_err(|()| bad_token("Send one header `Authorization: Bearer …`."))?;
    let Some(token) = token else {
        return Ok(None);
    };
    let account = app
        .tokens
        .verify(token, app.store.clock().now())
        .map_err(|why| bad_token(why.message()))?;
    match app.store.caller(account).await? {
        Some(caller) => Ok(Some(caller)),
        None => Err(bad_token("The account is unknown or disabled.")),
    }
}

fn bad_token(why: &str) -> Problem {
    Problem::new("unauthorized")
        .detail(
            why,
            "Das Token gilt nicht (oder nicht mehr); bitte neu anmelden.",
        )
        .header(header::WWW_AUTHENTICATE, "Bearer error=\"invalid_token\"")
}

impl FromRequest for Reader {
    type Error = Problem;
    type Future = LocalBoxFuture<'static, Result<Self, Problem>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let request = request.clone();
        Box::pin(async move { Ok(Self(caller(request).await?.unwrap_or_default())) })
    }
}

impl Extract for Reader {
    fn describe(draft: &mut Draft) {
        draft.security(json!({}));
        draft.security(json!({"bearer": []}));
        draft.problem("unauthorized");
        draft.problem("busy");
    }
}

impl FromRequest for Writer {
    type Error = Problem;
    type Future = LocalBoxFuture<'static, Result<Self, Problem>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let request = request.clone();
        Box::pin(async move {
            let caller = caller(request).await?;
            let missing =
                || Problem::new("unauthorized").header(header::WWW_AUTHENTICATE, "Bearer");
            caller.map(Self).ok_or_else(missing)
        })
    }
}

impl Extract for Writer {
    fn describe(draft: &mut Draft) {
        draft.security(json!({"bearer": []}));
        draft.problem("unauthorized");
        draft.problem("forbidden");
        draft.problem("busy");
    }
}
