//! The operations of every kind, written once and mounted per kind.

use crate::formats::{Json, Place};
use crate::http::problem::{Code, Problem};
use crate::operation::extract::{
    Accepted, Address, App, HowToWrite, IfMatch, IfNoneMatch, OfKind, PatchBody, Query, Reader,
    RecordBody, RecordId, Writer, parse,
};
use crate::operation::idempotency::{IdempotencyKey, Idempotent};
use crate::operation::reply::{Done, content};
use crate::operation::routes::{Draft, Reply, Routes};
use crate::records::reply::{Changed, Created, Found, Written};
use crate::records::view::View;
use actix_web::body::BoxBody;
use actix_web::http::Method;
use actix_web::{HttpRequest, HttpResponse, Responder};
use domain::access::rules::Caller;
use domain::base::fault::{Fault, FaultCode, FieldError};
use domain::base::kind::Kind;
use domain::validation::body::KindSchema;
use persistence::StoreError;
use persistence::records::Record;
use persistence::transaction::WriteOptions;
use persistence::write::{Edit, Precondition};
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;
use uuid::Uuid;

#[must_use]
pub fn routes(schema: &KindSchema) -> Routes {
    let plural = schema.kind.plural();
    let all = format!("/v1/{plural}");
    let one = format!("/v1/{plural}/{{id}}");
    let name = |verb: &str| format!("{verb}_{}", schema.kind);
    let a = schema.a;
    Routes::of(schema)
        .route(
            Method::POST,
            &all,
            (&name("create"), &format!("Create {a}")),
            &[],
            create,
        )
        .get(&one, (&name("get"), &format!("Read {a}")), &[], get)
        .route(
            Method::PUT,
            &one,
            (&name("replace"), &format!("Replace {a}")),
            &[],
            replace,
        )
        .route(
            Method::PATCH,
            &one,
            (&name("patch"), &format!("Change members of {a}")),
            &[],
            patch,
        )
        .route(
            Method::DELETE,
            &one,
            (&name("delete"), &format!("Delete {a}")),
            &[Code::StillReferenced],
            delete,
        )
}

async fn create(
    app: App,
    Writer(caller): Writer,
    HowToWrite(options): HowToWrite,
    OfKind(kind): OfKind,
    mut idempotency: IdempotencyKey,
    body: RecordBody,
) -> Result<Idempotent<Created>, Problem> {
    idempotency
        .write(&app, &caller, &options, async |tx| {
            let id = domain::base::id::new();
            let saved = tx.records().create_alone(kind, id, body.0.clone()).await?;
            Ok(Created::new(kind, saved, options.dry_run))
        })
        .await
}

async fn get(
    app: App,
    Reader(caller): Reader,
    id: RecordId,
    Query(view): Query<View>,
    known: IfNoneMatch,
    address: Address,
    Accepted(format): Accepted,
) -> Result<Found, Problem> {
    let row = find(&app, &caller, id.kind, &id.key).await?;
    let place = address.place(&app.site, Some(id.kind), view.lang());
    let shown = view
        .show(&app.store, &caller, &row, (format, place))
        .await?;
    if known.has(&shown.etag) {
        return Ok(Found::not_modified(shown.etag));
    }
    Ok(Found::new(shown))
}

/// A record as JSON: what the route answers to a caller, for the pages of the explorer.
pub(crate) async fn json(
    app: &App,
    caller: &Caller,
    id: &RecordId,
    query: &str,
) -> Result<String, Problem> {
    let view = parse::<View>(query, Some(id.kind), true)?;
    let row = find(app, caller, id.kind, &id.key).await?;
    let shown = view
        .show(&app.store, caller, &row, (&Json, Place::default()))
        .await?;
    Ok(shown.text)
}

async fn replace(
    app: App,
    Writer(caller): Writer,
    id: RecordId,
    IfMatch(expected): IfMatch,
    HowToWrite(options): HowToWrite,
    body: RecordBody,
) -> Result<Changed, Problem> {
    change(
        &app,
        &caller,
        &id,
        &expected,
        Edit::Replace(body.0),
        &options,
    )
    .await
}

async fn patch(
    app: App,
    Writer(caller): Writer,
    id: RecordId,
    IfMatch(expected): IfMatch,
    HowToWrite(options): HowToWrite,
    body: PatchBody,
) -> Result<Changed, Problem> {
    change(&app, &caller, &id, &expected, Edit::Patch(body.0), &options).await
}

async fn change(
    app: &App,
    caller: &Caller,
    id: &RecordId,
    expected: &Precondition,
    edit: Edit,
    options: &WriteOptions,
) -> Result<Changed, Problem> {
    let row = find(app, caller, id.kind, &id.key).await?;
    let (Edit::Replace(body) | Edit::Patch(body)) = &edit;
    same_id(&row, body)?;
    let key = (id.kind, row.id);
    let saved = app
        .store
        .records()
        .update(caller, key, expected, &edit, options)
        .await?;
    let mut written = Written::new(&saved.row, saved.warnings);
    if options.dry_run {
        written.version = None;
    }
    Ok(Changed(written))
}

async fn delete(
    app: App,
    Writer(caller): Writer,
    id: RecordId,
    IfMatch(expected): IfMatch,
    HowToWrite(options): HowToWrite,
) -> Result<Deleted, Problem> {
    let row = find(&app, &caller, id.kind, &id.key).await?;
    let key = (id.kind, row.id);
    let deletion = app
        .store
        .records()
        .delete(&caller, key, &expected, &options)
        .await?;
    Ok(Deleted(options.dry_run.then_some(Foreseen {
        relationships: deletion.relationships,
        examples: deletion.examples,
        contact_persons: deletion.contact_persons,
    })))
}

/// What a deletion would take along.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = ForeseenDeletion, example = json!({"relationships": 12, "examples": ["0193e5a0-0000-7000-8000-000000000002"], "contact_persons": 1}))]
struct Foreseen {
    /// Number of relationships that would be deleted too.
    relationships: u64,
    /// Ids of the first ten of them.
    examples: Vec<Uuid>,
    /// Number of contact persons that would be removed; they cannot be restored.
    contact_persons: u64,
}

/// 204; or 200 for a dry run, with what the deletion would take along.
#[derive(Debug)]
struct Deleted(Option<Foreseen>);

impl Responder for Deleted {
    type Body = BoxBody;

    fn respond_to(self, request: &HttpRequest) -> HttpResponse {
        match self.0 {
            None => Done.respond_to(request),
            Some(foreseen) => HttpResponse::Ok().json(foreseen),
        }
    }
}

impl Reply for Deleted {
    fn describe(draft: &mut Draft) {
        Done::describe(draft);
        let schema = draft.schema::<Foreseen>();
        let text = "What the deletion would take along, with `dry_run`.";
        draft.response(200, content(text, Json::MEDIA_TYPE, &schema));
    }
}

/// Finds the record of a URL; a slug that has changed answers 308 with the new address.
pub async fn find(app: &App, caller: &Caller, kind: Kind, key: &str) -> Result<Record, Problem> {
    Ok(app.store.records().get(caller, kind, key).await?)
}

/// A body may contain an `id` only if it is that of the record.
fn same_id(row: &Record, body: &Value) -> Result<(), Problem> {
    let id = body.get("id").filter(|id| !id.is_null());
    match id {
        Some(id) if id.as_str().and_then(|id| Uuid::try_parse(id).ok()) != Some(row.id) => {
            let fault = Fault::new(FaultCode::IdMismatch)
                .with("given", id)
                .with("expected", row.id);
            Err(StoreError::Invalid(vec![FieldError::new("/id", fault)]).into())
        }
        Some(_) | None => Ok(()),
    }
}
