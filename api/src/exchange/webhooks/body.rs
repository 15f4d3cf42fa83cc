use crate::exchange::subscription::name_errors;
use crate::operation::extract::Body;
use chrono::{DateTime, Utc};
use domain::base::fault::FieldError;
use domain::base::kind::Kind;
use domain::base::record::{micros, micros_opt};
use domain::exchange::webhook::{DisabledReason, WebhookState};
use domain::validation::shape::Shape;
use persistence::webhook::{Secret, Webhook, WebhookStatus};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::sync::LazyLock;
use utoipa::ToSchema;
use uuid::Uuid;

/// Webhook to be created.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = WebhookInput)]
pub(crate) struct NewWebhookBody {
    /// Name on this node; unique among webhooks.
    #[schema(pattern = "^[a-z0-9._@-]{2,64}$", example = "website")]
    pub(crate) name: String,
    /// URL of the receiver: https, public.
    #[schema(
        min_length = 1,
        max_length = 2000,
        example = "https://website.example/hooks/verbund"
    )]
    pub(crate) url: String,
    /// Kinds of records to report; all if absent.
    #[serde(default)]
    #[schema(max_items = 7)]
    pub(crate) kinds: Vec<Kind>,
    /// Home regions of the records to report, by id; all if absent.
    #[serde(default)]
    #[schema(max_items = 50)]
    pub(crate) home_regions: Vec<Uuid>,
}

/// Changes of a webhook; absent members stay, an empty list means all.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct WebhookChanges {
    /// Name on this node.
    #[schema(pattern = "^[a-z0-9._@-]{2,64}$")]
    pub(crate) name: Option<String>,
    /// URL of the receiver.
    #[schema(min_length = 1, max_length = 2000)]
    pub(crate) url: Option<String>,
    /// Kinds of records to report.
    #[schema(max_items = 7)]
    pub(crate) kinds: Option<Vec<Kind>>,
    /// Home regions of the records to report.
    #[schema(max_items = 50)]
    pub(crate) home_regions: Option<Vec<Uuid>>,
    /// `false` disables the webhook. `true` enables it for future changes, whatever disabled it;
    /// `replay` sends those that it missed.
    pub(crate) active: Option<bool>,
}

impl Body for NewWebhookBody {
    const EXAMPLE: &'static str = r#"{"name": "website", "url": "https://website.example/hooks/verbund", "kinds": ["network", "event"]}"#;

    fn shape() -> &'static Shape {
        static SHAPE: LazyLock<Shape> = LazyLock::new(NewWebhookBody::compile);
        &SHAPE
    }

    fn faults(&self) -> Vec<FieldError> {
        name_errors(&self.name)
    }
}

impl Body for WebhookChanges {
    const EXAMPLE: &'static str = r#"{"active": false}"#;

    fn shape() -> &'static Shape {
        static SHAPE: LazyLock<Shape> = LazyLock::new(WebhookChanges::compile);
        &SHAPE
    }

    // An empty list has a meaning here.
    fn tidy(_: &mut Value) -> Vec<FieldError> {
        Vec::new()
    }

    fn faults(&self) -> Vec<FieldError> {
        self.name.as_deref().map(name_errors).unwrap_or_default()
    }
}

/// All webhooks.
#[derive(Debug, Serialize, ToSchema)]
#[schema(example = json!({"items": [{"id": "0193e5a0-0000-7000-8000-000000000004", "name": "website", "version": 1, "url": "https://website.example/hooks/verbund", "kinds": ["network", "event"], "home_regions": [], "state": "active", "pending": 0, "failed": 0, "failures": 0, "created_at": "2026-03-02T08:00:00.000000Z"}]}))]
pub(crate) struct WebhookList {
    /// By name.
    pub(crate) items: Vec<WebhookView>,
}

/// Webhook as admins see it.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Webhook, example = json!({"id": "0193e5a0-0000-7000-8000-000000000004", "name": "website", "version": 1, "url": "https://website.example/hooks/verbund", "kinds": ["network", "event"], "home_regions": [], "state": "active", "pending": 0, "failed": 0, "failures": 0, "created_at": "2026-03-02T08:00:00.000000Z"}))]
pub(crate) struct WebhookView {
    /// Id of the webhook.
    id: Uuid,
    /// Name on this node.
    name: String,
    /// Rises with every change by an admin; the `ETag`.
    version: i64,
    /// URL of the receiver.
    url: String,
    /// Kinds of records to report; all if empty.
    kinds: Vec<String>,
    /// Home regions of the records to report; all if empty.
    home_regions: Vec<String>,
    /// Signing secret; shown on creation, and never again.
    #[serde(skip_serializing_if = "Option::is_none")]
    secret: Option<String>,
    /// Until when the previous secret signs too.
    #[serde(skip_serializing_if = "Option::is_none", serialize_with = "micros_opt")]
    former_secret_until: Option<DateTime<Utc>>,
    /// Whether deliveries are sent.
    state: WebhookState,
    /// Reason why it is disabled: by an `admin`, the receiver is `gone` (it answered 410), or it
    /// was `failing` for days.
    #[serde(skip_serializing_if = "Option::is_none")]
    disabled_reason: Option<DisabledReason>,
    /// When it was disabled; `replay` since then sends what it missed.
    #[serde(skip_serializing_if = "Option::is_none", serialize_with = "micros_opt")]
    disabled_at: Option<DateTime<Utc>>,
    /// Number of pending deliveries.
    pending: u64,
    /// Number of deliveries abandoned within the last 30 days.
    failed: u64,
    /// Time of the last successful delivery.
    #[serde(skip_serializing_if = "Option::is_none", serialize_with = "micros_opt")]
    succeeded_at: Option<DateTime<Utc>>,
    /// Number of consecutive failed attempts.
    failures: i32,
    /// Error of the last failed attempt; in English.
    #[serde(skip_serializing_if = "Option::is_none")]
    last_error: Option<String>,
    /// End of the pause after a failure.
    #[serde(skip_serializing_if = "Option::is_none", serialize_with = "micros_opt")]
    retry_at: Option<DateTime<Utc>>,
    /// When the webhook was created.
    #[serde(serialize_with = "micros")]
    created_at: DateTime<Utc>,
}

impl WebhookView {
    pub(crate) fn new(status: &WebhookStatus, now: DateTime<Utc>) -> Self {
        let row = &status.webhook;
        Self {
            id: row.id,
            name: row.name.clone(),
            version: row.version,
            url: row.url.clone(),
            kinds: row.kinds.iter().map(Kind::to_string).collect(),
            home_regions: row.home_regions.iter().map(Uuid::to_string).collect(),
            secret: None,
            former_secret_until: row.former_until.filter(|until| now < *until),
            state: row.state,
            disabled_reason: row.disabled_reason,
            disabled_at: row.disabled_at,
            pending: status.pending,
            failed: status.failed,
            succeeded_at: row.succeeded_at,
            failures: row.failures,
            last_error: row.last_error.clone(),
            retry_at: row.retry_at,
            created_at: row.created_at,
        }
    }

    pub(crate) fn with_secret(mut self, secret: Secret) -> Self {
        self.secret = Some(secret.0);
        self
    }
}

/// New secret of a webhook.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = WebhookSecret, example = json!({"secret": "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "former_secret_until": "2026-03-03T08:00:00.000000Z"}))]
pub(crate) struct NewSecret {
    /// Signing secret from now on; shown only here.
    #[schema(required = false)]
    secret: String,
    /// Until when the previous secret signs too.
    #[serde(skip_serializing_if = "Option::is_none", serialize_with = "micros_opt")]
    former_secret_until: Option<DateTime<Utc>>,
}

impl NewSecret {
    pub(crate) fn new(row: &Webhook) -> Self {
        Self {
            secret: row.secret.0.clone(),
            former_secret_until: row.former_until,
        }
    }
}
