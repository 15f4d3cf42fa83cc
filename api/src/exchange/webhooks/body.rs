//! What is sent and shown of webhooks.

use crate::operation::extract::Body;
use chrono::{DateTime, Utc};
use domain::access::account::is_name;
use domain::base::fault::{Fault, FieldError};
use domain::base::kind::Kind;
use domain::base::record::{micros, micros_opt};
use domain::base::vocabulary::Coded;
use domain::exchange::webhook::{DisabledReason, WebhookState};
use domain::validation::shape::Shape;
use persistence::Result;
use persistence::entity::webhook::{self, Secret};
use persistence::webhook::Webhook;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::sync::LazyLock;
use utoipa::ToSchema;
use uuid::Uuid;

/// A webhook as it is to be made.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = WebhookInput)]
pub(crate) struct NewWebhookBody {
    /// What it is called here; unique among webhooks.
    #[schema(pattern = "^[a-z0-9._@-]{2,64}$", example = "website")]
    pub(crate) name: String,
    /// Where deliveries go: https, at a public address.
    #[schema(
        min_length = 1,
        max_length = 2000,
        example = "https://website.example/hooks/verbund"
    )]
    pub(crate) url: String,
    /// The kinds of records of which it is told; all when absent.
    #[serde(default)]
    #[schema(max_items = 7)]
    pub(crate) kinds: Vec<Kind>,
    /// The home regions of the records of which it is told, by id; all when absent.
    #[serde(default)]
    #[schema(max_items = 50)]
    pub(crate) home_regions: Vec<Uuid>,
}

/// What is to be changed; absent members stay, an empty list means all.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct WebhookChanges {
    /// What it is called here.
    #[schema(pattern = "^[a-z0-9._@-]{2,64}$")]
    pub(crate) name: Option<String>,
    /// Where deliveries go.
    #[schema(min_length = 1, max_length = 2000)]
    pub(crate) url: Option<String>,
    /// The kinds of records.
    #[schema(max_items = 7)]
    pub(crate) kinds: Option<Vec<Kind>>,
    /// Their home regions.
    #[schema(max_items = 50)]
    pub(crate) home_regions: Option<Vec<Uuid>>,
    /// `false` switches it off. `true` switches it on, whatever had disabled it: it is told of what
    /// happens from then on; `replay` tells what it missed.
    pub(crate) active: Option<bool>,
}

impl Body for NewWebhookBody {
    const EXAMPLE: &'static str = r#"{"name": "website", "url": "https://website.example/hooks/verbund", "kinds": ["network", "event"]}"#;

    fn shape() -> &'static Shape {
        static SHAPE: LazyLock<Shape> = LazyLock::new(NewWebhookBody::compile);
        &SHAPE
    }

    fn faults(&self) -> Vec<FieldError> {
        named(&self.name)
    }
}

impl Body for WebhookChanges {
    const EXAMPLE: &'static str = r#"{"active": false}"#;

    fn shape() -> &'static Shape {
        static SHAPE: LazyLock<Shape> = LazyLock::new(WebhookChanges::compile);
        &SHAPE
    }

    // An empty list says something here.
    fn tidy(_: &mut Value) {}

    fn faults(&self) -> Vec<FieldError> {
        self.name.as_deref().map(named).unwrap_or_default()
    }
}

fn named(name: &str) -> Vec<FieldError> {
    if is_name(name) {
        return Vec::new();
    }
    let why = "2 to 64 of a-z, 0-9 and . _ @ -";
    let fault = Fault::new("not-allowed").with("why", why);
    vec![FieldError::new("/name", fault)]
}

/// Every webhook.
#[derive(Debug, Serialize, ToSchema)]
#[schema(example = json!({"items": [{"id": "0193e5a0-0000-7000-8000-000000000004", "name": "website", "version": 1, "url": "https://website.example/hooks/verbund", "kinds": ["network", "event"], "home_regions": [], "state": "active", "pending": 0, "failed": 0, "failures": 0, "created_at": "2026-03-02T08:00:00.000000Z"}]}))]
pub(crate) struct WebhookList {
    /// By name.
    pub(crate) items: Vec<WebhookView>,
}

/// A webhook as admins see it.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Webhook, example = json!({"id": "0193e5a0-0000-7000-8000-000000000004", "name": "website", "version": 1, "url": "https://website.example/hooks/verbund", "kinds": ["network", "event"], "home_regions": [], "state": "active", "pending": 0, "failed": 0, "failures": 0, "created_at": "2026-03-02T08:00:00.000000Z"}))]
pub(crate) struct WebhookView {
    /// Its id.
    id: Uuid,
    /// What it is called here.
    name: String,
    /// Rises with every change by an admin; the `ETag`.
    version: i64,
    /// Where deliveries go.
    url: String,
    /// The kinds of records of which it is told; all if empty.
    kinds: Vec<String>,
    /// Their home regions; all if empty.
    home_regions: Vec<String>,
    /// Signs deliveries; shown when it is made, and never again.
    #[serde(skip_serializing_if = "Option::is_none")]
    secret: Option<String>,
    /// Until when the former secret signs too.
    #[serde(skip_serializing_if = "Option::is_none", serialize_with = "micros_opt")]
    former_secret_until: Option<DateTime<Utc>>,
    /// Whether it is told of changes.
    state: WebhookState,
    /// Why it is not: `admin` switched it off, the receiver is `gone` (it answered 410), it was
    /// `failing` for days.
    #[serde(skip_serializing_if = "Option::is_none")]
    disabled_reason: Option<DisabledReason>,
    /// Since when; `replay` from then on tells what it missed.
    #[serde(skip_serializing_if = "Option::is_none", serialize_with = "micros_opt")]
    disabled_at: Option<DateTime<Utc>>,
    /// How many deliveries are to be made still.
    pending: u64,
    /// How many were given up within the last 30 days.
    failed: u64,
    /// When something last got through.
    #[serde(skip_serializing_if = "Option::is_none", serialize_with = "micros_opt")]
    succeeded_at: Option<DateTime<Utc>>,
    /// How many attempts in a row failed.
    failures: i32,
    /// Why the last of them did; in English.
    #[serde(skip_serializing_if = "Option::is_none")]
    last_error: Option<String>,
    /// Until when it is let alone after that.
    #[serde(skip_serializing_if = "Option::is_none", serialize_with = "micros_opt")]
    retry_at: Option<DateTime<Utc>>,
    /// When it was made.
    #[serde(serialize_with = "micros")]
    created_at: DateTime<Utc>,
}

impl WebhookView {
    /// A webhook at a moment, without its secrets.
    pub(crate) fn new(webhook: &Webhook, now: DateTime<Utc>) -> Result<Self> {
        let row = &webhook.row;
        let listed = |text: &str| {
            let items = text.split(',').filter(|item| !item.is_empty());
            items.map(str::to_owned).collect()
        };
        let reason = row.disabled_reason.as_deref();
        Ok(Self {
            id: row.id,
            name: row.name.clone(),
            version: row.version,
            url: row.url.clone(),
            kinds: listed(&row.kinds),
            home_regions: listed(&row.home_regions),
            secret: None,
            former_secret_until: row.former_until.filter(|until| now < *until),
            state: row.state()?,
            disabled_reason: reason.and_then(DisabledReason::parse),
            disabled_at: row.disabled_at,
            pending: webhook.pending,
            failed: webhook.failed,
            succeeded_at: row.succeeded_at,
            failures: row.failures,
            last_error: row.last_error.clone(),
            retry_at: row.retry_at,
            created_at: row.created_at,
        })
    }

    /// With a secret that was just made.
    pub(crate) fn with_secret(mut self, secret: Secret) -> Self {
        self.secret = Some(secret.0);
        self
    }
}

/// A secret that was just made.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = WebhookSecret, example = json!({"secret": "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "former_secret_until": "2026-03-03T08:00:00.000000Z"}))]
pub(crate) struct NewSecret {
    /// Signs deliveries from now on; shown only here.
    #[schema(required = false)]
    secret: String,
    /// Until when the former secret signs too.
    #[serde(skip_serializing_if = "Option::is_none", serialize_with = "micros_opt")]
    former_secret_until: Option<DateTime<Utc>>,
}

impl NewSecret {
    /// The secret of a webhook that was just rotated.
    pub(crate) fn new(row: &webhook::Model) -> Self {
        Self {
            secret: row.secret.0.clone(),
            former_secret_until: row.former_until,
        }
    }
}
