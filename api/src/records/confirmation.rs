//! Statements of the ends of a relationship, with an `ETag` of its own.

use crate::http::problem::{Code, Problem};
use crate::operation::extract::{
    App, Approver, Body, HowToWrite, IfMatch, IfNoneMatch, JsonBody, Query, Reader, RecordId,
};
use crate::operation::reply::content;
use crate::operation::routes::{Draft, Reply, Routes};
use crate::records::crud::find;
use actix_web::body::BoxBody;
use actix_web::http::{Method, header};
use actix_web::{HttpRequest, HttpResponse, Responder};
use domain::base::json::insert;
use domain::base::kind::Kind;
use domain::statements::confirmation::{Confirmation, ConfirmationInput};
use domain::validation::body::KindSchema;
use domain::validation::shape::Shape;
use persistence::publication::confirmation::Stated;
use serde_json::json;
use std::sync::LazyLock;

#[must_use]
pub fn routes() -> Routes {
    let path = "/v1/relationships/{id}/confirmation";
    let read = (
        "get_relationship_confirmation",
        "Read the statements of the ends of a relationship",
    );
    let write = (
        "put_relationship_confirmation",
        "Confirm or dispute a relationship as one of its ends",
    );
    Routes::of(KindSchema::of(Kind::Relationship))
        .get(path, read, &[Code::Moved, Code::Gone], get)
        .route(Method::PUT, path, write, &[Code::Moved, Code::Gone], put)
}

async fn get(
    app: App,
    Reader(caller): Reader,
    id: RecordId,
    _: Query<()>,
    known: IfNoneMatch,
) -> Result<ConfirmationReply, Problem> {
    let row = find(&app, &caller, Kind::Relationship, &id.key).await?;
    let stated = app.store.confirmations().get(&caller, &row).await?;
    let current = known.has(&format!("\"{}\"", stated.version));
    Ok(ConfirmationReply { stated, current })
}

async fn put(
    app: App,
    Approver(caller): Approver,
    id: RecordId,
    IfMatch(expected): IfMatch,
    HowToWrite(options): HowToWrite,
    JsonBody(input): JsonBody<ConfirmationInput>,
) -> Result<ConfirmationReply, Problem> {
    let row = find(&app, &caller, Kind::Relationship, &id.key).await?;
    let stated = app
        .store
        .confirmations()
        .update(&caller, row.id, &expected, &input, &options)
        .await?;
    Ok(ConfirmationReply {
        stated,
        current: false,
    })
}

#[derive(Debug)]
struct ConfirmationReply {
    stated: Stated,
    current: bool,
}

impl Responder for ConfirmationReply {
    type Body = BoxBody;

    fn respond_to(self, _: &HttpRequest) -> HttpResponse {
        let etag = (header::ETAG, format!("\"{}\"", self.stated.version));
        if self.current {
            return HttpResponse::NotModified().insert_header(etag).finish();
        }
        HttpResponse::Ok()
            .insert_header(etag)
            .json(self.stated.confirmation)
    }
}

impl Reply for ConfirmationReply {
    fn describe(draft: &mut Draft) {
        let schema = draft.schema::<Confirmation>();
        let mut response = content("Statements of the ends.", "application/json", &schema);
        insert(
            &mut response,
            &["headers", "ETag"],
            json!({
                "description": "Version of the statements. It differs from that of the relationship, but rises with it too: after a change the statements must be reviewed.",
                "schema": {"type": "string"},
            }),
        );
        draft.response(200, response);
    }
}

impl Body for ConfirmationInput {
    const EXAMPLE: &'static str = r#"{"end": "to", "state": "confirmed"}"#;
    const LIMIT: usize = 16 * 1024;

    fn shape() -> &'static Shape {
        static SHAPE: LazyLock<Shape> = LazyLock::new(ConfirmationInput::compile);
        &SHAPE
    }
}
