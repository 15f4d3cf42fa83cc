//! Contact persons of records, and everything that is held about a person.

use crate::http::problem::{Code, Problem};
use crate::operation::extract::Address;
use crate::operation::extract::{
    Admin, App, Body, DryRun, IfMatch, JsonBody, Query, Reader, RecordId, Writer,
    describe_refusals, parse, path_id, read_json,
};
use crate::operation::idempotency::{
    IdempotencyKey, Idempotent, Storable, StoredResponse, respond,
};
use crate::operation::paging::{Page, Paging};
use crate::operation::reply::weak_tag;
use crate::operation::reply::{Private, content, header_pair};
use crate::operation::routes::{Draft, Extract, Reply, Routes, reference};
use crate::records::crud::find;
use actix_web::body::BoxBody;
use actix_web::dev::Payload;
use actix_web::http::{Method, StatusCode, header};
use actix_web::{FromRequest, HttpRequest, HttpResponse, Responder};
use domain::access::rules::Caller;
use domain::base::fault::FieldError;
use domain::base::json::insert;
use domain::base::kind::Kind;
use domain::statements::contact_person::{ContactPerson, ContactPersonInput, MAX_CONTACT_PERSON};
use domain::statements::personal_data::{PersonalData, PersonalDataInput};
use domain::validation::body::KindSchema;
use domain::validation::shape::Shape;
use futures::future::LocalBoxFuture;
use persistence::persons::{PersonChange, options};
use serde::Serialize;
use serde_json::{Value, json};
use std::sync::LazyLock;
use utoipa::ToSchema;
use uuid::Uuid;

const PATH: &str = "/v1/contact_persons";

const TAG: &str = "Contact persons";

#[must_use]
pub fn of(schema: &KindSchema) -> Routes {
    let path = format!("/v1/{}/{{id}}/contact_persons", schema.kind.plural());
    let kind = schema.kind;
    let list = format!("list_{kind}_contact_persons");
    let listed = format!("List the contact persons of {}", schema.a);
    let create = format!("create_{kind}_contact_person");
    let created = format!("Add a contact person to {}", schema.a);
    Routes::new(TAG)
        .of_kind(schema)
        .get(&path, (&list, &listed), &[Code::Moved, Code::Gone], all)
        .route(
            Method::POST,
            &path,
            (&create, &created),
            &[Code::Moved, Code::Gone],
            post,
        )
}

#[must_use]
pub fn routes() -> Routes {
    let one = format!("{PATH}/{{id}}");
    let get_ = ("get_contact_person", "Read a contact person");
    let change = ("patch_contact_person", "Change a contact person");
    let erase = (
        "delete_contact_person",
        "Remove a contact person permanently",
    );
    let export = (
        "export_personal_data",
        "Export everything that is held about a person (GDPR Art. 15)",
    );
    Routes::new(TAG)
        .get(&one, get_, &[], get)
        .route(Method::PATCH, &one, change, &[], patch)
        .route(Method::DELETE, &one, erase, &[], delete)
        .route(Method::POST, "/v1/personal_data", export, &[], held)
}

/// Page of contact persons.
#[derive(Debug, Serialize, ToSchema)]
#[schema(example = json!({"items": [{"id": "0193e5a0-0000-7000-8000-00000000000a", "record": {"kind": "network", "id": "0193e5a0-0000-7000-8000-000000000002"}, "name": "Erika Beispiel", "role": "Netzwerkmanagement", "email": "erika@beispiel.example", "language": "de"}]}))]
struct ContactPersonPage {
    /// In the order of creation.
    items: Vec<ContactPerson>,
    /// Address of the next page, relative to this server; absent on the last page. Also as `Link`.
    #[serde(skip_serializing_if = "Option::is_none")]
    next: Option<String>,
}

async fn all(
    app: App,
    Reader(caller): Reader,
    id: RecordId,
    Query(paging): Query<Paging>,
    address: Address,
) -> Result<Page<ContactPersonPage>, Problem> {
    read(&app, &caller, &id, (&paging, &address.path)).await
}

/// The contact persons of a record as JSON: what the route answers to a caller, for the pages of
/// the explorer.
pub(crate) async fn json(
    app: &App,
    caller: &Caller,
    id: &RecordId,
    query: &str,
) -> Result<Value, Problem> {
    let paging = parse::<Paging>(query, Some(id.kind), false)?;
    let path = format!("/v1/{}/{}/contact_persons", id.kind.plural(), id.key);
    let page = read(app, caller, id, (&paging, &path)).await?;
    Ok(json!(page.body))
}

async fn read(
    app: &App,
    caller: &Caller,
    id: &RecordId,
    (paging, path): (&Paging, &str),
) -> Result<Page<ContactPersonPage>, Problem> {
    let page = (paging.limit, paging.cursor.as_deref());
    let bound = paging.bound(path);
    let key = (id.kind, id.key.as_str());
    let found = app
        .store
        .contact_persons()
        .list(caller, key, page, &bound)
        .await?;
    let next = paging.next(path, found.next.as_ref());
    let body = ContactPersonPage {
        items: found.items,
        next: next.clone(),
    };
    Ok(Page { body, next })
}

async fn post(
    app: App,
    Writer(caller): Writer,
    id: RecordId,
    Query(DryRun(dry_run)): Query<DryRun>,
    mut idempotency: IdempotencyKey,
    PersonBody(body): PersonBody,
) -> Result<Idempotent<Created>, Problem> {
    let person = domain::base::id::new();
    let options = options(PersonChange::Created, person, dry_run);
    if let Some(known) = idempotency.known(&app, &caller, &options).await? {
        return Ok(known);
    }
    let row = find(&app, &caller, id.kind, &id.key).await?;
    let record: (Kind, Uuid) = (id.kind, row.id);
    idempotency
        .write(&app, &caller, &options, async |tx| {
            let person = tx
                .contact_persons()
                .create(person, record, body.clone())
                .await?;
            Ok(Created { person, dry_run })
        })
        .await
}

async fn get(
    app: App,
    Reader(caller): Reader,
    PersonId(id): PersonId,
    _: Query<()>,
) -> Result<Read, Problem> {
    Ok(Read::new(
        app.store.contact_persons().get(&caller, id).await?,
    ))
}

async fn patch(
    app: App,
    Writer(caller): Writer,
    PersonId(id): PersonId,
    IfMatch(expected): IfMatch,
    Query(DryRun(dry_run)): Query<DryRun>,
    PersonPatch(patch): PersonPatch,
) -> Result<Read, Problem> {
    // An invisible person is not found.
    app.store.contact_persons().get(&caller, id).await?;
    let options = options(PersonChange::Changed, id, dry_run);
    let person = app.store.write(&caller, &options, async |tx| {
        tx.contact_persons().update(id, &expected, &patch).await
    });
    Ok(Read::new(person.await?))
}

async fn delete(
    app: App,
    Writer(caller): Writer,
    PersonId(id): PersonId,
    IfMatch(expected): IfMatch,
    Query(DryRun(dry_run)): Query<DryRun>,
) -> Result<Erased, Problem> {
    app.store.contact_persons().get(&caller, id).await?;
    let options = options(PersonChange::Erased, id, dry_run);
    let erased = app.store.write(&caller, &options, async |tx| {
        tx.contact_persons().delete(id, &expected).await
    });
    erased.await?;
    Ok(Erased)
}

async fn held(
    app: App,
    Admin(admin): Admin,
    _: Query<()>,
    JsonBody(about): JsonBody<PersonalDataInput>,
) -> Result<Private<PersonalData>, Problem> {
    let found = app.store.contact_persons().personal_data(&about).await?;
    tracing::info!(
        by = admin.account.map(tracing::field::display),
        "personal data read"
    );
    Ok(Private::new(found))
}

path_id!(PersonId, "id", "The id of the contact person.");

/// A contact person as sent; validated after the caller's permission is checked.
#[derive(Debug)]
struct PersonBody(Value);

impl FromRequest for PersonBody {
    type Error = Problem;
    type Future = LocalBoxFuture<'static, Result<Self, Problem>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let (request, payload) = (request.clone(), payload.take());
        let types = &["application/json"];
        Box::pin(async move {
            let body = read_json(request, payload, MAX_CONTACT_PERSON, types).await?;
            Ok(Self(body))
        })
    }
}

impl Extract for PersonBody {
    fn describe(draft: &mut Draft) {
        let schema = draft.schema::<ContactPersonInput>();
        let example = json!({
            "name": "Erika Beispiel",
            "role": "Netzwerkmanagement",
            "email": "erika@beispiel.example",
            "language": "de",
            "purpose": "Auskunft an Interessierte",
            "visibility": "public",
            "consent": {"from": "2025-01-01T00:00:00Z", "proof": "Formular vom 2.1.2025"},
        });
        let content = json!({"schema": schema, "example": example});
        draft.request_body(json!({
            "required": true,
            "content": {"application/json": content},
        }));
        describe_refusals(draft);
    }
}

#[derive(Debug)]
struct PersonPatch(Value);

const PATCHES: &[&str] = &["application/merge-patch+json", "application/json"];

impl FromRequest for PersonPatch {
    type Error = Problem;
    type Future = LocalBoxFuture<'static, Result<Self, Problem>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let (request, payload) = (request.clone(), payload.take());
        Box::pin(async move {
            let body = read_json(request, payload, MAX_CONTACT_PERSON, PATCHES).await?;
            Ok(Self(body))
        })
    }
}

impl Extract for PersonPatch {
    fn describe(draft: &mut Draft) {
        let mut components = domain::base::schema::of::<ContactPersonInput>();
        domain::validation::schema::patch(&mut components, "ContactPersonInput");
        draft.components(components);
        let content = json!({
            "schema": reference("ContactPersonPatch"),
            "example": {"phone": "+49 561 1234"},
        });
        let all = PATCHES.iter().take(1);
        let all = all.map(|one| ((*one).to_owned(), content.clone()));
        let all: serde_json::Map<String, Value> = all.collect();
        draft.request_body(json!({"required": true, "content": all}));
        describe_refusals(draft);
    }
}

/// The response with a contact person: no cache keeps it, since a consent may end at any time.
fn answer(status: StatusCode, person: &ContactPerson) -> StoredResponse {
    let body = json!(person).to_string();
    let etag = match person.version {
        Some(version) => format!("\"{version}\""),
        None => weak_tag(&body),
    };
    StoredResponse {
        status: status.as_u16(),
        headers: vec![
            header_pair(&header::CONTENT_TYPE, "application/json"),
            header_pair(&header::CACHE_CONTROL, "no-store"),
            header_pair(&header::ETAG, &etag),
        ],
        body,
    }
}

fn describe(draft: &mut Draft, status: u16, description: &str, headers: &[&str]) {
    let schema = draft.schema::<ContactPerson>();
    let mut response = content(description, "application/json", &schema);
    for header in headers {
        let object = json!({"schema": {"type": "string"}});
        insert(&mut response, &["headers", header], object);
    }
    draft.response(status, response);
}

#[derive(Debug)]
struct Read(Box<ContactPerson>);

impl Read {
    fn new(person: ContactPerson) -> Self {
        Self(Box::new(person))
    }
}

impl Responder for Read {
    type Body = BoxBody;

    fn respond_to(self, _: &HttpRequest) -> HttpResponse {
        respond(answer(StatusCode::OK, &self.0))
    }
}

impl Reply for Read {
    fn describe(draft: &mut Draft) {
        let text = "Contact person; complete for editors of the record.";
        describe(draft, 200, text, &["ETag", "Cache-Control"]);
    }
}

/// 201 with a new contact person; 200 without `id` for a dry run.
#[derive(Debug)]
struct Created {
    person: ContactPerson,
    dry_run: bool,
}

impl Storable for Created {
    fn to_stored(&self) -> StoredResponse {
        let mut answer = answer(StatusCode::CREATED, &self.person);
        if self.dry_run {
            let mut body = json!(self.person);
            insert(&mut body, &["id"], Value::Null);
            answer.headers.retain(|(name, _)| name != "etag");
            answer.status = StatusCode::OK.as_u16();
            answer.body = body.to_string();
        } else {
            let location = format!("{PATH}/{}", self.person.id);
            let location = header_pair(&header::LOCATION, &location);
            answer.headers.push(location);
        }
        answer
    }
}

impl Responder for Created {
    type Body = BoxBody;

    fn respond_to(self, _: &HttpRequest) -> HttpResponse {
        respond(self.to_stored())
    }
}

impl Reply for Created {
    fn describe(draft: &mut Draft) {
        let headers = &["ETag", "Location", "Cache-Control"];
        describe(draft, 201, "The new contact person.", headers);
        let mut components = domain::base::schema::of::<ContactPerson>();
        let mut preview = components.remove("ContactPerson").unwrap_or_default();
        insert(
            &mut preview,
            &["properties", "id"],
            domain::validation::schema::absent_id(),
        );
        insert(&mut preview, &["example", "id"], Value::Null);
        let text = "A contact person as a dry run would create it; `id` is null.";
        insert(&mut preview, &["description"], text);
        components.insert("ContactPersonPreview".to_owned(), preview);
        draft.components(components);
        let schema = reference("ContactPersonPreview");
        let text = "What a dry run would make; `id` is null.";
        draft.response(200, content(text, "application/json", &schema));
    }
}

#[derive(Debug)]
struct Erased;

impl Responder for Erased {
    type Body = BoxBody;

    fn respond_to(self, _: &HttpRequest) -> HttpResponse {
        HttpResponse::NoContent().finish()
    }
}

impl Reply for Erased {
    fn describe(draft: &mut Draft) {
        draft.response(204, json!({"description": "Removed permanently."}));
    }
}

impl Body for PersonalDataInput {
    const EXAMPLE: &'static str = r#"{"email": "erika@beispiel.example"}"#;
    const LIMIT: usize = 4 * 1024;

    fn shape() -> &'static Shape {
        static SHAPE: LazyLock<Shape> = LazyLock::new(PersonalDataInput::compile);
        &SHAPE
    }

    fn faults(&self) -> Vec<FieldError> {
        PersonalDataInput::faults(self)
    }
}
