mod body;
mod deliveries;
pub mod sender;
pub mod signature;
mod worker;

pub(crate) use deliveries::since;

use crate::exchange::webhooks::signature::new_secret;
use crate::http::problem::{Code, Problem};
use crate::operation::extract::{Admin, App, IfMatch, JsonBody, MayMatch, Query, path_id};
use crate::operation::idempotency::{
    IdempotencyKey, Idempotent, Storable, StoredResponse, respond,
};
use crate::operation::reply::{Private, Removed, content, header_pair};
use crate::operation::routes::{Draft, Reply, Routes};
use actix_web::body::BoxBody;
use actix_web::http::{Method, header};
use actix_web::{HttpRequest, HttpResponse, Responder};
use body::{NewSecret, NewWebhookBody, WebhookChanges, WebhookList, WebhookView};
use domain::base::fault::{Fault, FaultCode, FieldError};
use domain::base::json::insert;
use persistence::StoreError;
use persistence::transaction::WriteOptions;
use persistence::webhook::{NewWebhook, WebhookChange, WebhookStatus};
use serde::Serialize;
use serde_json::{Value, json};
use utoipa::ToSchema;
use uuid::Uuid;

const ALL: &str = "/v1/webhooks";
const ONE: &str = "/v1/webhooks/{id}";
const ROTATE: &str = "/v1/webhooks/{id}/rotate";

#[must_use]
pub fn routes() -> Routes {
    let list = ("list_webhooks", "List webhooks");
    let create = ("create_webhook", "Add a webhook");
    let read = ("get_webhook", "Read a webhook and its state");
    let change = (
        "patch_webhook",
        "Change a webhook, or disable and enable it",
    );
    let remove = ("delete_webhook", "Remove a webhook with its deliveries");
    let rotate = (
        "rotate_webhook",
        "Rotate the secret of a webhook; the previous one signs for another 24 hours",
    );
    Routes::new("Webhooks")
        .get(ALL, list, &[], get_all)
        .route(Method::POST, ALL, create, &[Code::Conflict], create_one)
        .get(ONE, read, &[], get)
        .route(Method::PATCH, ONE, change, &[Code::Conflict], patch)
        .route(Method::DELETE, ONE, remove, &[], delete)
        .route(Method::POST, ROTATE, rotate, &[], rotate_one)
        .and(deliveries::routes())
}

path_id!(WebhookId, "id", "The id of the webhook.");

async fn get_all(app: App, _: Admin, _: Query<()>) -> Result<Private<WebhookList>, Problem> {
    let webhooks = app.store.webhooks().list().await?;
    let now = app.store.clock().now();
    let items = webhooks.iter().map(|one| WebhookView::new(one, now));
    Ok(Private::new(WebhookList {
        items: items.collect(),
    }))
}

async fn create_one(
    app: App,
    Admin(admin): Admin,
    _: Query<()>,
    mut idempotency: IdempotencyKey,
    JsonBody(body): JsonBody<NewWebhookBody>,
) -> Result<Idempotent<Done<WebhookView, 201>>, Problem> {
    checked(&app, Some(&body.url))?;
    let secret = new_secret();
    let new = NewWebhook {
        name: body.name,
        url: body.url,
        kinds: body.kinds,
        home_regions: body.home_regions,
        secret: secret.clone(),
    };
    let now = app.store.clock().now();
    let options = WriteOptions::default();
    let made = idempotency.write(&app, &admin, &options, async |tx| {
        let row = tx.webhooks().create(&new).await?;
        let location = format!("{ALL}/{}", row.id);
        let view = WebhookView::new(&WebhookStatus::fresh(row), now);
        Ok(Done::new(view.with_secret(secret.clone()), 1).at(location))
    });
    let made = made.await?;
    tracing::info!(
        webhook = new.name,
        by = admin.account.map(tracing::field::display),
        "webhook created"
    );
    Ok(made)
}

async fn get(
    app: App,
    _: Admin,
    id: WebhookId,
    _: Query<()>,
) -> Result<Private<WebhookView>, Problem> {
    let (view, version) = view(&app, id.0).await?;
    Ok(Private::new(view).version(version))
}

async fn patch(
    app: App,
    Admin(admin): Admin,
    id: WebhookId,
    IfMatch(expected): IfMatch,
    _: Query<()>,
    JsonBody(changes): JsonBody<WebhookChanges>,
) -> Result<Private<WebhookView>, Problem> {
    checked(&app, changes.url.as_ref())?;
    let change = WebhookChange {
        name: changes.name,
        url: changes.url,
        kinds: changes.kinds,
        home_regions: changes.home_regions,
        active: changes.active,
    };
    app.store
        .webhooks()
        .update(&admin, id.0, &expected, &change)
        .await?;
    let (view, version) = view(&app, id.0).await?;
    Ok(Private::new(view).version(version))
}

async fn delete(
    app: App,
    Admin(admin): Admin,
    id: WebhookId,
    IfMatch(expected): IfMatch,
    _: Query<()>,
) -> Result<Removed, Problem> {
    app.store.webhooks().delete(&admin, id.0, &expected).await?;
    Ok(Removed)
}

async fn rotate_one(
    app: App,
    Admin(admin): Admin,
    id: WebhookId,
    MayMatch(expected): MayMatch,
    _: Query<()>,
    mut idempotency: IdempotencyKey,
) -> Result<Idempotent<Done<NewSecret, 200>>, Problem> {
    let secret = new_secret();
    let options = WriteOptions::default();
    let made = idempotency.write(&app, &admin, &options, async |tx| {
        let row = tx
            .webhooks()
            .rotate_secret(id.0, &expected, &secret)
            .await?;
        Ok(Done::new(NewSecret::new(&row), row.version))
    });
    let made = made.await?;
    tracing::info!(webhook_id = %id.0, by = admin.account.map(tracing::field::display), "webhook secret rotated");
    Ok(made)
}

async fn view(app: &App, id: Uuid) -> Result<(WebhookView, i64), Problem> {
    let status = app.store.webhooks().get(id).await?;
    let view = WebhookView::new(&status, app.store.clock().now());
    Ok((view, status.webhook.version))
}

/// Rejects an address to which requests are not allowed.
fn checked(app: &App, url: Option<&String>) -> Result<(), Problem> {
    let Some(url) = url else {
        return Ok(());
    };
    app.outgoing.check(url).map(drop).map_err(|why| {
        let fault = Fault::new(FaultCode::NotAllowed).with("why", why);
        StoreError::Invalid(vec![FieldError::new("/url", fault)]).into()
    })
}

/// The result with the status `STATUS`; its secret is not repeated.
#[derive(Debug)]
struct Done<T, const STATUS: u16> {
    value: T,
    version: Option<i64>,
    location: Option<String>,
}

impl<T, const STATUS: u16> Done<T, STATUS> {
    fn new(value: T, version: i64) -> Self {
        Self {
            version: Some(version),
            ..Self::untagged(value)
        }
    }

    fn untagged(value: T) -> Self {
        Self {
            value,
            version: None,
            location: None,
        }
    }

    fn at(mut self, location: String) -> Self {
        self.location = Some(location);
        self
    }

    fn answer(&self, body: &Value) -> StoredResponse {
        let mut headers = vec![
            header_pair(&header::CONTENT_TYPE, "application/json"),
            header_pair(&header::CACHE_CONTROL, "no-store"),
        ];
        if let Some(version) = self.version {
            headers.push(header_pair(&header::ETAG, &format!("\"{version}\"")));
        }
        if let Some(location) = &self.location {
            headers.push(header_pair(&header::LOCATION, location));
        }
        StoredResponse {
            status: STATUS,
            headers,
            body: body.to_string(),
        }
    }
}

impl<T: Serialize, const STATUS: u16> Responder for Done<T, STATUS> {
    type Body = BoxBody;

    fn respond_to(self, _: &HttpRequest) -> HttpResponse {
        respond(self.answer(&json!(self.value)))
    }
}

impl<T: Serialize + ToSchema, const STATUS: u16> Storable for Done<T, STATUS> {
    fn to_stored(&self) -> StoredResponse {
        let mut body = json!(self.value);
        if let Some(members) = body.as_object_mut() {
            members.shift_remove("secret");
        }
        self.answer(&body)
    }
}

impl<T: Serialize + ToSchema, const STATUS: u16> Reply for Done<T, STATUS> {
    fn describe(draft: &mut Draft) {
        let schema = draft.schema::<T>();
        let text = "Result. A secret is shown only here, and not in repeated responses.";
        let mut response = content(text, "application/json", &schema);
        for header in ["Location", "ETag", "Cache-Control"] {
            let object = json!({"schema": {"type": "string"}});
            insert(&mut response, &["headers", header], object);
        }
        draft.response(STATUS, response);
    }
}
