//! Merging a record into another one of its kind, and undoing it.

use crate::http::problem::Problem;
use crate::operation::extract::{
    App, HowToWrite, Id, MayMatch, Writer, describe_refusals, read_json,
};
use crate::operation::idempotency::{Kept, Once};
use crate::operation::reply::{Changed, Written};
use crate::operation::routes::{Draft, Extract, Routes, reference};
use crate::records::crud::find;
use actix_web::dev::Payload;
use actix_web::http::Method;
use actix_web::{FromRequest, HttpRequest};
use domain::base::fault::{Fault, FieldError};
use domain::base::kind::Resource;
use domain::base::nearest::nearest;
use futures::future::LocalBoxFuture;
use persistence::StoreError;
use serde_json::{Value, json};
use std::marker::PhantomData;

/// How many bytes the body may have: a reference in its longest form.
const MAX_BODY: usize = 4 * 1024;

/// The routes of a kind.
#[must_use]
pub fn routes<T: Resource>(tag: &'static str) -> Routes {
    let path = format!("/v1/{}/{{id}}/merge", T::KIND.plural());
    let kind = T::KIND;
    let merge = format!("merge_{kind}");
    let into = format!("Merge this {kind} into another one");
    let unmerge = format!("unmerge_{kind}");
    let undo = format!("Undo the merge of this {kind}");
    Routes::new(tag)
        .route(Method::POST, &path, (&merge, &into), &[], post::<T>)
        .route(Method::DELETE, &path, (&unmerge, &undo), &[], delete::<T>)
}

/// The survivor, unchanged: merging rewrites nothing.
async fn post<T: Resource>(
    app: App,
    Writer(caller): Writer,
    id: Id<T>,
    MayMatch(expected): MayMatch,
    HowToWrite(options): HowToWrite,
    mut once: Once,
    MergeBody(into, _): MergeBody<T>,
) -> Result<Kept<Changed<T>>, Problem> {
    // Once it is merged, the loser is found no more.
    if let Some(known) = once.known(&app, &caller, &options).await? {
        return Ok(known);
    }
    let row = find(&app, &caller, T::KIND, &id.0).await?;
    let loser = (T::KIND, row.id);
    once.write(&app, &caller, &options, async |unit| {
        let survivor = unit.merge(loser, &into, &expected).await?;
        Ok(Changed(Written::new(&survivor, Vec::new())?))
    })
    .await
}

/// The record that is back.
async fn delete<T: Resource>(
    app: App,
    Writer(caller): Writer,
    id: Id<T>,
    MayMatch(expected): MayMatch,
    HowToWrite(options): HowToWrite,
) -> Result<Changed<T>, Problem> {
    let loser = (T::KIND, id.0.as_str());
    let saved = app
        .store
        .unmerge(&caller, loser, &expected, &options)
        .await?;
    let mut written = Written::new(&saved.row, saved.warnings)?;
    if options.dry_run {
        written.version = None;
    }
    Ok(Changed(written))
}

/// `{"into": …}`: a reference to a record of the kind `T`.
#[derive(Debug)]
struct MergeBody<T>(Value, PhantomData<T>);

impl<T> MergeBody<T> {
    fn of(body: Value) -> Result<Self, Problem> {
        let invalid = |pointer: &str, fault: Fault| {
            Problem::from(StoreError::Invalid(vec![FieldError::new(pointer, fault)]))
        };
        let Value::Object(mut members) = body else {
            let fault = Fault::new("required")
                .with("what", "into")
                .with("what_de", "into");
            return Err(invalid("/into", fault));
        };
        let into = members.remove("into").filter(|into| !into.is_null());
        if let Some(unknown) = members.keys().next() {
            let close = nearest(unknown, ["into"]).unwrap_or_default();
            let fault = Fault::new("unknown-member");
            let fault = fault.with("given", unknown).with("nearest", close);
            let pointer = unknown.replace('~', "~0").replace('/', "~1");
            return Err(invalid(&format!("/{pointer}"), fault));
        }
        let into = into.ok_or_else(|| {
            let fault = Fault::new("required")
                .with("what", "the record that stays")
                .with("what_de", "der Datensatz, der bleibt");
            invalid("/into", fault)
        })?;
        Ok(Self(into, PhantomData))
    }
}

impl<T: 'static> FromRequest for MergeBody<T> {
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

impl<T: Resource> Extract for MergeBody<T> {
    fn describe(draft: &mut Draft) {
        draft.components(domain::base::schema::of::<T>());
        let schema = json!({
            "type": "object",
            "required": ["into"],
            "properties": {"into": reference("ReferenceInput")},
            "additionalProperties": false,
        });
        let content = json!({"schema": schema, "example": {"into": "klinikum-kassel"}});
        draft.request_body(json!({
            "required": true,
            "description": "The record that stays: an id, a slug, or an object with `external_id`.",
            "content": {"application/json": content},
        }));
        describe_refusals(draft);
    }
}
