//! Merging a record into another one of its kind, and undoing it.

use crate::http::problem::Problem;
use crate::operation::extract::{
    App, HowToWrite, MayMatch, RecordId, Writer, describe_refusals, read_json,
};
use crate::operation::idempotency::{IdempotencyKey, Idempotent};
use crate::operation::routes::{Draft, Extract, Routes, reference};
use crate::records::crud::find;
use crate::records::reply::{Changed, Written};
use actix_web::dev::Payload;
use actix_web::http::Method;
use actix_web::{FromRequest, HttpRequest};
use domain::base::fault::{Fault, FaultCode, FieldError};
use domain::base::nearest::nearest;
use domain::validation::body::KindSchema;
use futures::future::LocalBoxFuture;
use persistence::StoreError;
use serde_json::{Value, json};

/// Maximum size of the body: a reference in its longest form.
const MAX_BODY: usize = 4 * 1024;

#[must_use]
pub fn routes(schema: &KindSchema) -> Routes {
    let path = format!("/v1/{}/{{id}}/merge", schema.kind.plural());
    let kind = schema.kind;
    let merge = format!("merge_{kind}");
    let into = format!("Merge this {kind} into another one");
    let unmerge = format!("unmerge_{kind}");
    let undo = format!("Undo the merge of this {kind}");
    Routes::of(schema)
        .route(Method::POST, &path, (&merge, &into), &[], post)
        .route(Method::DELETE, &path, (&unmerge, &undo), &[], delete)
}

/// The merge target, unchanged: merging rewrites nothing.
async fn post(
    app: App,
    Writer(caller): Writer,
    id: RecordId,
    MayMatch(expected): MayMatch,
    HowToWrite(options): HowToWrite,
    mut idempotency: IdempotencyKey,
    MergeBody(into): MergeBody,
) -> Result<Idempotent<Changed>, Problem> {
    // Once it is merged, the loser is no longer found.
    if let Some(known) = idempotency.known(&app, &caller, &options).await? {
        return Ok(known);
    }
    let row = find(&app, &caller, id.kind, &id.key).await?;
    let loser = (id.kind, row.id);
    idempotency
        .write(&app, &caller, &options, async |tx| {
            let merge_target = tx.records().merge(loser, &into, &expected).await?;
            Ok(Changed(Written::new(&merge_target, Vec::new())))
        })
        .await
}

async fn delete(
    app: App,
    Writer(caller): Writer,
    id: RecordId,
    MayMatch(expected): MayMatch,
    HowToWrite(options): HowToWrite,
) -> Result<Changed, Problem> {
    let loser = (id.kind, id.key.as_str());
    let saved = app
        .store
        .records()
        .unmerge(&caller, loser, &expected, &options)
        .await?;
    let mut written = Written::new(&saved.row, saved.warnings);
    if options.dry_run {
        written.version = None;
    }
    Ok(Changed(written))
}

#[derive(Debug)]
struct MergeBody(Value);

impl MergeBody {
    fn of(body: Value) -> Result<Self, Problem> {
        let invalid = |pointer: &str, fault: Fault| {
            Problem::from(StoreError::Invalid(vec![FieldError::new(pointer, fault)]))
        };
        let Value::Object(mut members) = body else {
            let fault = Fault::new(FaultCode::Required)
                .with("what", "into")
                .with("what_de", "into");
            return Err(invalid("/into", fault));
        };
        let into = members.remove("into").filter(|into| !into.is_null());
        if let Some(unknown) = members.keys().next() {
            let close = nearest(unknown, ["into"]).unwrap_or_default();
            let fault = Fault::new(FaultCode::UnknownMember);
            let fault = fault.with("given", unknown).with("nearest", close);
            let pointer = unknown.replace('~', "~0").replace('/', "~1");
            return Err(invalid(&format!("/{pointer}"), fault));
        }
        let into = into.ok_or_else(|| {
            let fault = Fault::new(FaultCode::Required)
                .with("what", "the record that remains")
                .with("what_de", "der Datensatz, der bleibt");
            invalid("/into", fault)
        })?;
        Ok(Self(into))
    }
}

impl FromRequest for MergeBody {
    type Error = Problem;
    type Future = LocalBoxFuture<'static, Result<Self, Problem>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let (request, payload) = (request.clone(), payload.take());
        Box::pin(async move {
            let json = &["application/json"];
            Self::of(read_json(request, payload, MAX_BODY, json).await?)
        })
    }
}

impl Extract for MergeBody {
    fn describe(draft: &mut Draft) {
        draft.components(draft.kind_schema().documented().clone());
        let schema = json!({
            "type": "object",
            "required": ["into"],
            "properties": {"into": reference("ReferenceInput")},
            "additionalProperties": false,
        });
        let content = json!({"schema": schema, "example": {"into": "klinikum-kassel"}});
        draft.request_body(json!({
            "required": true,
            "description": "Record that remains: an id, a slug, or an object with `external_id`.",
            "content": {"application/json": content},
        }));
        describe_refusals(draft);
    }
}
