//! The nodes from which records are copied, for admins of the node.

mod body;
mod page;
pub mod pull;
pub mod transport;
mod worker;

use crate::http::problem::{Code, Problem};
use crate::operation::extract::{
    Admin, App, IfMatch, JsonBody, MayMatch, Pairs, Parameter, Parameters, Query, path_id,
};
use crate::operation::param;
use crate::operation::reply::{Private, Removed, content};
use crate::operation::routes::{Draft, Reply, Routes};
use actix_web::body::BoxBody;
use actix_web::http::{Method, header};
use actix_web::{HttpRequest, HttpResponse, Responder};
use body::{NewPartnerBody, PartnerChanges, PartnerList, PartnerView};
use domain::base::fault::{Fault, FaultCode, FieldError};
use domain::base::json::insert;
use domain::base::kind::Kind;
use persistence::StoreError;
use persistence::partner::{NewPartner, PartnerChange};
use serde_json::json;
use uuid::Uuid;

const ALL: &str = "/v1/sync/partners";
const ONE: &str = "/v1/sync/partners/{id}";
const APPROVAL: &str = "/v1/sync/partners/{id}/approve-deletions";

#[must_use]
pub fn routes() -> Routes {
    let list = ("list_partners", "List partners");
    let create = (
        "create_partner",
        "Add a partner, from which records are copied",
    );
    let read = ("get_partner", "Read the state of a partner");
    let change = ("patch_partner", "Change a partner, or pause and resume it");
    let remove = ("delete_partner", "Remove a partner");
    let approve = (
        "approve_partner_deletions",
        "Approve the pending deletions of a partner",
    );
    Routes::new("Sync")
        .get(ALL, list, &[], get_all)
        .route(Method::POST, ALL, create, &[Code::Conflict], create_one)
        .get(ONE, read, &[], get)
        .route(Method::PATCH, ONE, change, &[Code::Conflict], patch)
        .route(Method::DELETE, ONE, remove, &[], delete)
        .route(Method::POST, APPROVAL, approve, &[], approve_deletions)
}

path_id!(PartnerId, "id", "The id of the partner.");

struct Removal {
    with_copies: bool,
}

const WITH_COPIES: Parameter = param::boolean(
    "with_copies",
    "Remove its copies too; else they stay as they are.",
);

impl Parameters for Removal {
    fn table(_: Option<Kind>) -> &'static [Parameter] {
        &[WITH_COPIES]
    }

    fn read(pairs: &Pairs) -> Result<Self, Problem> {
        let with_copies = pairs.flag(&WITH_COPIES);
        Ok(Self { with_copies })
    }
}

async fn get_all(app: App, _: Admin, _: Query<()>) -> Result<Private<PartnerList>, Problem> {
    let now = app.store.clock().now();
    let partners = app.store.partners().list().await?;
    let items = partners.iter().map(|one| PartnerView::new(one, now));
    Ok(Private::new(PartnerList {
        items: items.collect(),
    }))
}

async fn create_one(
    app: App,
    Admin(admin): Admin,
    _: Query<()>,
    JsonBody(body): JsonBody<NewPartnerBody>,
) -> Result<Made, Problem> {
    checked(&app, Some(&body.url))?;
    let new = NewPartner {
        name: body.name,
        url: body.url,
        origin: body.origin,
        kinds: body.kinds,
        home_regions: body.home_regions,
    };
    let row = app.store.partners().create(&admin, &new).await?;
    Ok(Made(view(&app, row.id).await?.0))
}

async fn get(
    app: App,
    _: Admin,
    id: PartnerId,
    _: Query<()>,
) -> Result<Private<PartnerView>, Problem> {
    let (view, version) = view(&app, id.0).await?;
    Ok(Private::new(view).version(version))
}

async fn patch(
    app: App,
    Admin(admin): Admin,
    id: PartnerId,
    IfMatch(expected): IfMatch,
    _: Query<()>,
    JsonBody(changes): JsonBody<PartnerChanges>,
) -> Result<Private<PartnerView>, Problem> {
    checked(&app, changes.url.as_ref())?;
    let change = PartnerChange {
        name: changes.name,
        url: changes.url,
        kinds: changes.kinds,
        home_regions: changes.home_regions,
        paused: changes.paused,
    };
    app.store
        .partners()
        .update(&admin, id.0, &expected, &change)
        .await?;
    let (view, version) = view(&app, id.0).await?;
    Ok(Private::new(view).version(version))
}

async fn delete(
    app: App,
    Admin(admin): Admin,
    id: PartnerId,
    IfMatch(expected): IfMatch,
    Query(removal): Query<Removal>,
) -> Result<Removed, Problem> {
    app.store
        .partners()
        .delete(&admin, id.0, &expected, removal.with_copies)
        .await?;
    Ok(Removed)
}

async fn approve_deletions(
    app: App,
    Admin(admin): Admin,
    id: PartnerId,
    MayMatch(expected): MayMatch,
    _: Query<()>,
) -> Result<Private<PartnerView>, Problem> {
    app.store
        .partners()
        .approve_deletions(&admin, id.0, &expected)
        .await?;
    let (view, version) = view(&app, id.0).await?;
    Ok(Private::new(view).version(version))
}

async fn view(app: &App, id: Uuid) -> Result<(PartnerView, i64), Problem> {
    let status = app.store.partners().get(id).await?;
    let view = PartnerView::new(&status, app.store.clock().now());
    Ok((view, status.partner.version))
}

/// Rejects an address to which requests are not allowed.
fn checked(app: &App, url: Option<&String>) -> Result<(), Problem> {
    let Some(url) = url else {
        return Ok(());
    };
    let checked = app.outgoing.check(url).and_then(|url| match url.query() {
        Some(_) => Err(format!("\"{url}\" must have no query")),
        None => Ok(()),
    });
    checked.map_err(|why| {
        let fault = Fault::new(FaultCode::NotAllowed).with("why", why);
        StoreError::Invalid(vec![FieldError::new("/url", fault)]).into()
    })
}

#[derive(Debug)]
struct Made(PartnerView);

impl Responder for Made {
    type Body = BoxBody;

    fn respond_to(self, _: &HttpRequest) -> HttpResponse {
        let location = format!("{ALL}/{}", self.0.id());
        HttpResponse::Created()
            .insert_header((header::CACHE_CONTROL, "no-store"))
            .insert_header((header::LOCATION, location))
            .insert_header((header::ETAG, "\"1\""))
            .json(self.0)
    }
}

impl Reply for Made {
    fn describe(draft: &mut Draft) {
        let schema = draft.schema::<PartnerView>();
        let mut response = content("The new partner.", "application/json", &schema);
        for header in ["Location", "ETag", "Cache-Control"] {
            let object = json!({"schema": {"type": "string"}});
            insert(&mut response, &["headers", header], object);
        }
        draft.response(201, response);
    }
}
