use crate::http::problem::{Code, Problem};
use crate::operation::extract::Address;
use crate::operation::extract::{
    App, Body, HowToWrite, JsonBody, Query, Reader, RecordId, Writer, describe_path_id, from_head,
};
use crate::operation::idempotency::{
    IdempotencyKey, Idempotent, Storable, StoredResponse, respond,
};
use crate::operation::paging::{Page, Paging};
use crate::operation::reply::Done;
use crate::operation::routes::{Draft, Extract, Reply, Routes};
use actix_web::body::BoxBody;
use actix_web::http::{Method, StatusCode};
use actix_web::{HttpRequest, HttpResponse, Responder};
use domain::base::kind::Kind;
use domain::statements::application::{Application, ApplicationInput, MAX_APPLICATION};
use domain::validation::body::KindSchema;
use domain::validation::shape::Shape;
use persistence::publication::applications::on_behalf;
use serde::Serialize;
use serde_json::json;
use std::sync::LazyLock;
use utoipa::ToSchema;
use uuid::Uuid;

#[must_use]
pub fn routes() -> Routes {
    let all = "/v1/networks/{id}/applications";
    let one = "/v1/networks/{id}/applications/{application}";
    let apply = ("apply_to_network", "Apply for membership in a network");
    let list = (
        "list_network_applications",
        "List the applications for a network, newest first",
    );
    let erase = ("erase_network_application", "Erase an application");
    let refusals = &[
        Code::Moved,
        Code::Gone,
        Code::Conflict,
        Code::Forbidden,
        Code::ApplicationsClosed,
        Code::TooManyApplications,
    ];
    Routes::of(KindSchema::of(Kind::Network))
        .route(Method::POST, all, apply, refusals, post)
        .get(all, list, &[Code::Moved, Code::Gone], get)
        .route(Method::DELETE, one, erase, &[], delete)
}

async fn post(
    app: App,
    Reader(caller): Reader,
    id: RecordId,
    _: Query<()>,
    mut idempotency: IdempotencyKey,
    JsonBody(input): JsonBody<ApplicationInput>,
) -> Result<Idempotent<Received>, Problem> {
    let (node, options) = on_behalf();
    if let Some(known) = idempotency.known(&app, &caller, &options).await? {
        return Ok(known);
    }
    let applying = app
        .store
        .applications()
        .prepare(&caller, &id.key, input)
        .await?;
    idempotency
        .write_as(&app, &caller, &node, &options, async |tx| {
            tx.applications().create(&applying).await.map(|()| Received)
        })
        .await
}

#[derive(Debug)]
struct Received;

impl Responder for Received {
    type Body = BoxBody;

    fn respond_to(self, _: &HttpRequest) -> HttpResponse {
        respond(self.to_stored())
    }
}

impl Storable for Received {
    fn to_stored(&self) -> StoredResponse {
        StoredResponse {
            status: StatusCode::ACCEPTED.as_u16(),
            headers: Vec::new(),
            body: String::new(),
        }
    }
}

impl Reply for Received {
    fn describe(draft: &mut Draft) {
        let text = "Received; only the editors of the network read it and decide.";
        draft.response(202, json!({"description": text}));
    }
}

/// Page of applications.
#[derive(Debug, Serialize, ToSchema)]
#[schema(example = json!({"items": [{"id": "0193e5a0-0000-7000-8000-000000000004", "relationship": "0193e5a0-0000-7000-8000-000000000005", "publication": "review", "applicant": {"organisation": "Praxis am Markt", "email": "praxis@example.org"}, "message": "Wir möchten Mitglied werden.", "created_at": "2026-03-02T08:00:00.000000Z"}]}))]
struct ApplicationPage {
    /// Newest first.
    items: Vec<Application>,
    /// Address of the next page, relative to this server; absent on the last page. Also as `Link`.
    #[serde(skip_serializing_if = "Option::is_none")]
    next: Option<String>,
}

async fn get(
    app: App,
    Writer(caller): Writer,
    id: RecordId,
    Query(paging): Query<Paging>,
    address: Address,
) -> Result<Page<ApplicationPage>, Problem> {
    let page = (paging.limit, paging.cursor.as_deref());
    let bound = paging.bound(&address.path);
    let found = app
        .store
        .applications()
        .list(&caller, &id.key, page, &bound)
        .await?;
    let next = paging.next(&address.path, found.next.as_ref());
    let body = ApplicationPage {
        items: found.items,
        next: next.clone(),
    };
    Ok(Page { body, next })
}

async fn delete(
    app: App,
    Writer(caller): Writer,
    id: RecordId,
    ApplicationInPath(application): ApplicationInPath,
    HowToWrite(options): HowToWrite,
) -> Result<Done, Problem> {
    app.store
        .applications()
        .delete(&caller, &id.key, application, &options)
        .await?;
    Ok(Done)
}

#[derive(Debug)]
struct ApplicationInPath(Uuid);

from_head!(ApplicationInPath);

impl ApplicationInPath {
    #[expect(clippy::unnecessary_wraps, reason = "extractors may fail")]
    fn of(request: &HttpRequest) -> Result<Self, Problem> {
        // An invalid id is the id of nothing; callers without permission learn that first.
        let id = Uuid::try_parse(request.match_info().query("application"));
        Ok(Self(id.unwrap_or_default()))
    }
}

impl Extract for ApplicationInPath {
    fn describe(draft: &mut Draft) {
        describe_path_id(draft, "application", "The id of the application.");
    }
}

impl Body for ApplicationInput {
    const EXAMPLE: &'static str = r#"{"applicant": {"organisation": "Praxis am Markt", "email": "praxis@example.org"}, "message": "Wir möchten Mitglied werden."}"#;
    const LIMIT: usize = MAX_APPLICATION;

    fn shape() -> &'static Shape {
        static SHAPE: LazyLock<Shape> = LazyLock::new(ApplicationInput::compile);
        &SHAPE
    }
}
