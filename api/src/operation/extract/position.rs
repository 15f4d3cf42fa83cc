//! `Verbund-Position`: reads that must contain a certain write.

use crate::http::problem::{Code, Problem};
use crate::operation::extract::App;
use crate::operation::routes::{Draft, Extract};
use actix_web::dev::Payload;
use actix_web::http::header::HeaderName;
use actix_web::{FromRequest, HttpRequest};
use futures::future::LocalBoxFuture;
use persistence::StoreError;
use serde_json::json;
use std::time::Duration;

/// Of an export: the state that it shows. Of a request: the write that its answer must contain.
pub const POSITION: HeaderName = HeaderName::from_static("verbund-position");

const PATIENCE: Duration = Duration::from_secs(2);

/// Waits until the write of the header `Verbund-Position` is searchable, if there is one.
#[derive(Debug)]
pub struct AfterPosition;

impl FromRequest for AfterPosition {
    type Error = Problem;
    type Future = LocalBoxFuture<'static, Result<Self, Problem>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let request = request.clone();
        Box::pin(async move {
            let Some(given) = request.headers().get(POSITION) else {
                return Ok(Self);
            };
            let app = App::of(&request)?;
            let given = given.to_str().unwrap_or_default();
            let entry = app.store.log().entry_at(given).map_err(|_| {
                Problem::new(Code::InvalidHeader).detail(
                    "`Verbund-Position` is not a `position` of this node; send it unchanged, or leave it out.",
                    "`Verbund-Position` ist keine `position` dieses Knotens; senden Sie sie unverändert, oder lassen Sie sie weg.",
                )
            })?;
            if app.search.reaches(entry, PATIENCE).await {
                return Ok(Self);
            }
            Err(StoreError::Behind.into())
        })
    }
}

impl Extract for AfterPosition {
    fn describe(draft: &mut Draft) {
        draft.problem(Code::InvalidHeader);
        draft.problem(Code::IndexBehind);
        draft.parameter(json!({
            "name": "Verbund-Position",
            "in": "header",
            "description": "The `position` of an import or a snapshot: the response contains it, or is 503 `index-behind`.",
            "schema": {"type": "string", "maxLength": 200},
        }));
    }
}
