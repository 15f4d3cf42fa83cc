//! What is sent and shown of accounts; never a hash.

use crate::auth::secrets::{LEAST_PASSWORD, MOST_PASSWORD, SecretError};
use crate::http::problem::Problem;
use crate::operation::extract::Body;
use actix_web::http::header;
use domain::access::account::is_name;
use domain::access::rules::Role;
use domain::base::clock::rfc3339;
use domain::base::fault::{Fault, FieldError};
use domain::base::vocabulary::Coded;
use domain::validation::shape::Shape;
use persistence::accounts::{Account, External, NewGrant};
use persistence::{Store, StoreError};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::collections::BTreeSet;
use std::sync::LazyLock;
use utoipa::ToSchema;
use uuid::Uuid;

/// A role, and where it holds.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = Grant)]
pub(crate) struct GrantBody {
    /// What it allows.
    pub(crate) role: Role,
    /// The region in which it holds, by id or slug (shown as its id); absent for the whole node.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(max_length = 200, example = "nordhessen")]
    pub(crate) region: Option<String>,
    /// Whether it holds below that region too.
    #[serde(default)]
    pub(crate) descendants: bool,
    /// For feeders: the system whose records they push.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(min_length = 1, max_length = 100, example = "cms")]
    pub(crate) system: Option<String>,
}

/// A person's account as it is to be made.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = AccountInput)]
pub(crate) struct NewAccountBody {
    /// What the person signs in with; unique among accounts and clients.
    #[schema(pattern = "^[a-z0-9._@-]{2,64}$", example = "anna.muster")]
    pub(crate) name: String,
    /// The password; without it and without `issuer` one is generated and shown once.
    #[schema(max_length = 256)]
    pub(crate) password: Option<String>,
    /// The issuer where the person signs in instead, as the configuration names it.
    #[schema(max_length = 500)]
    pub(crate) issuer: Option<String>,
    /// What that issuer calls the person; `GET /v1/me` shows it.
    #[schema(min_length = 1, max_length = 255)]
    pub(crate) subject: Option<String>,
    /// What the person may.
    #[serde(default)]
    #[schema(max_items = 100)]
    pub(crate) grants: Vec<GrantBody>,
}

/// A program as it is to be made; its secret is generated and shown once.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = ClientInput)]
pub(crate) struct NewClientBody {
    /// What people call it; unique among accounts and clients.
    #[schema(pattern = "^[a-z0-9._@-]{2,64}$", example = "cms-import")]
    pub(crate) name: String,
    /// What it may.
    #[serde(default)]
    #[schema(max_items = 100)]
    pub(crate) grants: Vec<GrantBody>,
}

/// What is to be changed; absent members stay.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct AccountChanges {
    /// Whether it is locked out; its tokens stop at once.
    pub(crate) disabled: Option<bool>,
    /// What it may, instead of what it could so far.
    #[schema(max_items = 100)]
    pub(crate) grants: Option<Vec<GrantBody>>,
}

/// An account or client as admins see it.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Account, example = json!({"id": "0193e5a0-0000-7000-8000-000000000003", "name": "anna.muster", "version": 1, "created_at": "2026-03-01T08:00:00.000000Z", "grants": [{"role": "editor", "region": "0193e5a0-0000-7000-8000-000000000001", "descendants": true}]}))]
pub(crate) struct AccountView {
    /// The subject of its tokens; what the history names.
    id: Uuid,
    /// What it signs in with.
    name: String,
    /// Rises with every change; the `ETag`.
    version: i64,
    /// When it was made.
    #[schema(format = DateTime)]
    created_at: String,
    /// Since when it is locked out.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(format = DateTime)]
    disabled_at: Option<String>,
    /// Where it signs in instead of here.
    #[serde(skip_serializing_if = "Option::is_none")]
    issuer: Option<String>,
    /// What that issuer calls it.
    #[serde(skip_serializing_if = "Option::is_none")]
    subject: Option<String>,
    /// What it may.
    grants: Vec<GrantBody>,
}

/// A page of accounts or clients in the order in which they were made.
#[derive(Debug, Serialize, ToSchema)]
#[schema(example = json!({"items": [{"id": "0193e5a0-0000-7000-8000-000000000003", "name": "anna.muster", "version": 1, "created_at": "2026-03-01T08:00:00.000000Z", "grants": [{"role": "editor", "region": "0193e5a0-0000-7000-8000-000000000001", "descendants": true}]}], "total": 1}))]
pub(crate) struct AccountList {
    /// The accounts.
    pub(crate) items: Vec<AccountView>,
    /// How many there are in all pages.
    pub(crate) total: u64,
    /// Where the next page is, relative to this server; absent on the last page.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) next: Option<String>,
}

/// A new account.
#[derive(Debug, Serialize, ToSchema)]
#[schema(example = json!({"account": {"id": "0193e5a0-0000-7000-8000-000000000003", "name": "anna.muster", "version": 1, "created_at": "2026-03-01T08:00:00.000000Z", "grants": [{"role": "editor", "region": "0193e5a0-0000-7000-8000-000000000001", "descendants": true}]}, "password": "kq3v-7m2x-p9wd-h4tn"}))]
pub(crate) struct MadeAccount {
    /// The account.
    pub(crate) account: AccountView,
    /// The generated password; it is not shown again.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) password: Option<String>,
}

/// A new client.
#[derive(Debug, Serialize, ToSchema)]
#[schema(example = json!({"account": {"id": "0193e5a0-0000-7000-8000-000000000006", "name": "cms-import", "version": 1, "created_at": "2026-03-01T08:00:00.000000Z", "grants": [{"role": "feeder", "region": "0193e5a0-0000-7000-8000-000000000001", "descendants": false, "system": "cms"}]}, "client_id": "0193e5a0-0000-7000-8000-000000000006", "client_secret": "5f0c…"}))]
pub(crate) struct MadeClient {
    /// The client.
    pub(crate) account: AccountView,
    /// What it signs in with (RFC 6749, 2.2).
    pub(crate) client_id: Uuid,
    /// Its secret; it is not shown again, and absent where the answer is given again.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) client_secret: Option<String>,
}

impl AccountView {
    pub(crate) fn new(account: &Account) -> Self {
        let row = &account.row;
        Self {
            id: row.id,
            name: row.name.clone(),
            version: row.version,
            created_at: rfc3339(row.created_at),
            disabled_at: row.disabled_at.map(rfc3339),
            issuer: row.issuer.clone(),
            subject: row.subject.clone(),
            grants: account.grants.iter().filter_map(shown).collect(),
        }
    }
}

/// A grant as it is shown.
pub(crate) fn shown(row: &persistence::entity::account_grant::Model) -> Option<GrantBody> {
    Some(GrantBody {
        role: Role::parse(&row.role)?,
        region: row.region_id.map(|id| id.to_string()),
        descendants: row.descendants,
        system: row.system.clone(),
    })
}

impl NewAccountBody {
    pub(crate) fn external(&self) -> Option<External> {
        Some(External {
            issuer: self.issuer.clone()?,
            subject: self.subject.clone()?,
        })
    }
}

impl Body for NewAccountBody {
    const EXAMPLE: &'static str =
        r#"{"name": "anna.muster", "grants": [{"role": "editor", "region": "nordhessen"}]}"#;

    fn shape() -> &'static Shape {
        static SHAPE: LazyLock<Shape> = LazyLock::new(NewAccountBody::compile);
        &SHAPE
    }

    fn faults(&self) -> Vec<FieldError> {
        let mut faults = grant_faults(&self.grants);
        faults.extend(name_fault(&self.name));
        if let Some(password) = &self.password {
            faults.extend(password_fault(password));
            if self.issuer.is_some() {
                let why = "who signs in elsewhere has no password here";
                faults.push(not_allowed("/password".to_owned(), why));
            }
        }
        let missing = match (&self.issuer, &self.subject) {
            (Some(_), None) => Some("/subject"),
            (None, Some(_)) => Some("/issuer"),
            (Some(_), Some(_)) | (None, None) => None,
        };
        faults.extend(missing.map(|pointer| required(pointer.to_owned())));
        faults
    }
}

impl Body for NewClientBody {
    const EXAMPLE: &'static str = r#"{"name": "cms-import", "grants": [{"role": "feeder", "region": "nordhessen", "system": "cms"}]}"#;

    fn shape() -> &'static Shape {
        static SHAPE: LazyLock<Shape> = LazyLock::new(NewClientBody::compile);
        &SHAPE
    }

    fn faults(&self) -> Vec<FieldError> {
        let mut faults = grant_faults(&self.grants);
        faults.extend(name_fault(&self.name));
        faults
    }
}

impl Body for AccountChanges {
    const TYPES: &'static [&'static str] = &["application/merge-patch+json", "application/json"];
    const EXAMPLE: &'static str =
        r#"{"grants": [{"role": "approver", "region": "nordhessen", "descendants": true}]}"#;

    fn shape() -> &'static Shape {
        static SHAPE: LazyLock<Shape> = LazyLock::new(AccountChanges::compile);
        &SHAPE
    }

    /// No grants at all are not the same as grants that stay.
    fn tidy(_: &mut Value) {}

    fn faults(&self) -> Vec<FieldError> {
        self.grants.as_deref().map_or_else(Vec::new, grant_faults)
    }
}

fn required(pointer: String) -> FieldError {
    let fault = Fault::new("required").with("what", "").with("what_de", "");
    FieldError::new(pointer, fault)
}

fn not_allowed(pointer: String, why: &str) -> FieldError {
    FieldError::new(pointer, Fault::new("not-allowed").with("why", why))
}

fn name_fault(name: &str) -> Option<FieldError> {
    let fault = Fault::new("pattern")
        .with("given", name)
        .with("expected", "[a-z0-9._@-]{2,64}");
    (!is_name(name)).then(|| FieldError::new("/name", fault))
}

fn password_fault(password: &str) -> Option<FieldError> {
    let fault = if password.chars().count() < LEAST_PASSWORD {
        Fault::new("too-short").with("min", LEAST_PASSWORD)
    } else if password.len() > MOST_PASSWORD {
        Fault::new("too-long").with("max", MOST_PASSWORD)
    } else {
        return None;
    };
    Some(FieldError::new("/password", fault))
}

fn grant_faults(grants: &[GrantBody]) -> Vec<FieldError> {
    let mut faults = Vec::new();
    for (index, grant) in grants.iter().enumerate() {
        let at = |member: &str| format!("/grants/{index}/{member}");
        match (grant.role, &grant.system) {
            (Role::Feeder, None) => faults.push(required(at("system"))),
            (Role::Reader | Role::Editor | Role::Approver | Role::Admin, Some(_)) => {
                faults.push(not_allowed(at("system"), "only feeders have a system"));
            }
            (Role::Feeder, Some(_))
            | (Role::Reader | Role::Editor | Role::Approver | Role::Admin, None) => {}
        }
        if grant.descendants && grant.region.is_none() {
            let why = "without a region the grant holds everywhere already";
            faults.push(not_allowed(at("descendants"), why));
        }
    }
    faults
}

/// Grants with the ids of their regions.
///
/// # Errors
/// `validation-failed` for regions that do not exist.
pub(crate) async fn granted(store: &Store, grants: &[GrantBody]) -> Result<Vec<NewGrant>, Problem> {
    let keys: BTreeSet<String> = grants.iter().filter_map(|one| one.region.clone()).collect();
    let regions = store.regions_named(&keys).await?;
    let mut given = Vec::with_capacity(grants.len());
    let mut faults = Vec::new();
    for (index, grant) in grants.iter().enumerate() {
        let region = grant.region.as_ref();
        let found = region.and_then(|key| regions.get(key).copied());
        if let (Some(key), None) = (region, found) {
            let fault = Fault::new("unknown-reference")
                .with("kind", "region")
                .with("given", key);
            faults.push(FieldError::new(format!("/grants/{index}/region"), fault));
        }
        given.push(NewGrant {
            role: grant.role,
            region: found,
            descendants: grant.descendants,
            system: grant.system.clone(),
        });
    }
    if faults.is_empty() {
        return Ok(given);
    }
    Err(StoreError::Invalid(faults).into())
}

impl From<SecretError> for Problem {
    fn from(error: SecretError) -> Self {
        match error {
            SecretError::Busy => Self::new("busy").header(header::RETRY_AFTER, "5"),
            SecretError::Failed(why) => {
                tracing::error!(error = why, "cannot hash a password");
                Self::new("internal")
            }
        }
    }
}
