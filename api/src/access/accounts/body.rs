//! Bodies of accounts; never a hash.

use crate::auth::secrets::{SecretError, password_fault};
use crate::http::problem::{Code, Problem};
use crate::operation::extract::Body;
use actix_web::http::header;
use domain::access::account::is_name;
use domain::access::rules::Role;
use domain::base::clock::rfc3339;
use domain::base::fault::{Fault, FaultCode, FieldError};
use domain::validation::shape::Shape;
use persistence::accounts::{AccountGrant, AccountWithGrants, External, NewGrant};
use persistence::{Store, StoreError};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::collections::BTreeSet;
use std::sync::LazyLock;
use utoipa::ToSchema;
use uuid::Uuid;

/// A role and where it applies.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = Grant)]
pub(crate) struct GrantBody {
    /// Role of the grant.
    pub(crate) role: Role,
    /// Region in which it applies, by id or slug (shown as its id); absent for the whole node.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(max_length = 200, example = "nordhessen")]
    pub(crate) region: Option<String>,
    /// Whether it also applies below that region.
    #[serde(default)]
    pub(crate) descendants: bool,
    /// For feeders: system whose records they push.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(min_length = 1, max_length = 100, example = "cms")]
    pub(crate) system: Option<String>,
}

/// Account of a person, to be created.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = AccountInput)]
pub(crate) struct NewAccountBody {
    /// Sign-in name; unique among accounts and clients.
    #[schema(pattern = "^[a-z0-9._@-]{2,64}$", example = "anna.muster")]
    pub(crate) name: String,
    /// Password; without it and without `issuer` one is generated and shown once.
    #[schema(max_length = 256)]
    pub(crate) password: Option<String>,
    /// External issuer where the person signs in instead, as in the configuration.
    #[schema(max_length = 500)]
    pub(crate) issuer: Option<String>,
    /// Subject of the person at that issuer; `GET /v1/me` shows it.
    #[schema(min_length = 1, max_length = 255)]
    pub(crate) subject: Option<String>,
    /// Grants of the person.
    #[serde(default)]
    #[schema(max_items = 100)]
    pub(crate) grants: Vec<GrantBody>,
}

/// Client of a program, to be created; its secret is generated and shown once.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = ClientInput)]
pub(crate) struct NewClientBody {
    /// Display name; unique among accounts and clients.
    #[schema(pattern = "^[a-z0-9._@-]{2,64}$", example = "cms-import")]
    pub(crate) name: String,
    /// Grants of the program.
    #[serde(default)]
    #[schema(max_items = 100)]
    pub(crate) grants: Vec<GrantBody>,
}

/// Changes of an account; absent members stay.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct AccountChanges {
    /// Whether the account is locked; its tokens become invalid at once.
    pub(crate) disabled: Option<bool>,
    /// New grants, replacing all previous ones.
    #[schema(max_items = 100)]
    pub(crate) grants: Option<Vec<GrantBody>>,
}

/// Account or client as admins see it.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Account, example = json!({"id": "0193e5a0-0000-7000-8000-000000000003", "name": "anna.muster", "version": 1, "created_at": "2026-03-01T08:00:00.000000Z", "grants": [{"role": "editor", "region": "0193e5a0-0000-7000-8000-000000000001", "descendants": true}]}))]
pub(crate) struct AccountView {
    /// Subject of its tokens; the id in the history.
    id: Uuid,
    /// Sign-in name.
    name: String,
    /// Rises with every change; the `ETag`.
    version: i64,
    /// When the account was created.
    #[schema(format = DateTime)]
    created_at: String,
    /// Since when the account is locked.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(format = DateTime)]
    disabled_at: Option<String>,
    /// External issuer, if the account signs in there.
    #[serde(skip_serializing_if = "Option::is_none")]
    issuer: Option<String>,
    /// Subject at that issuer.
    #[serde(skip_serializing_if = "Option::is_none")]
    subject: Option<String>,
    /// Grants of the account.
    grants: Vec<GrantBody>,
}

/// Page of accounts or clients in the order of creation.
#[derive(Debug, Serialize, ToSchema)]
#[schema(example = json!({"items": [{"id": "0193e5a0-0000-7000-8000-000000000003", "name": "anna.muster", "version": 1, "created_at": "2026-03-01T08:00:00.000000Z", "grants": [{"role": "editor", "region": "0193e5a0-0000-7000-8000-000000000001", "descendants": true}]}], "total": 1}))]
pub(crate) struct AccountList {
    /// Accounts of the page.
    pub(crate) items: Vec<AccountView>,
    /// Number of accounts on all pages.
    pub(crate) total: u64,
    /// Address of the next page, relative to this server; absent on the last page.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) next: Option<String>,
}

/// A new account.
#[derive(Debug, Serialize, ToSchema)]
#[schema(example = json!({"account": {"id": "0193e5a0-0000-7000-8000-000000000003", "name": "anna.muster", "version": 1, "created_at": "2026-03-01T08:00:00.000000Z", "grants": [{"role": "editor", "region": "0193e5a0-0000-7000-8000-000000000001", "descendants": true}]}, "password": "kq3v-7m2x-p9wd-h4tn"}))]
pub(crate) struct MadeAccount {
    /// Created account.
    pub(crate) account: AccountView,
    /// Generated password; it is not shown again.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) password: Option<String>,
}

/// A new client.
#[derive(Debug, Serialize, ToSchema)]
#[schema(example = json!({"account": {"id": "0193e5a0-0000-7000-8000-000000000006", "name": "cms-import", "version": 1, "created_at": "2026-03-01T08:00:00.000000Z", "grants": [{"role": "feeder", "region": "0193e5a0-0000-7000-8000-000000000001", "descendants": false, "system": "cms"}]}, "client_id": "0193e5a0-0000-7000-8000-000000000006", "client_secret": "5f0c…"}))]
pub(crate) struct MadeClient {
    /// Created client.
    pub(crate) account: AccountView,
    /// Client id for signing in (RFC 6749, 2.2).
    pub(crate) client_id: Uuid,
    /// Client secret; not shown again, and absent from repeated responses.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) client_secret: Option<String>,
}

impl AccountView {
    pub(crate) fn new(account: &AccountWithGrants) -> Self {
        let row = &account.account;
        Self {
            id: row.id,
            name: row.name.clone(),
            version: row.version,
            created_at: rfc3339(row.created_at),
            disabled_at: row.disabled_at.map(rfc3339),
            issuer: row.issuer.clone(),
            subject: row.subject.clone(),
            grants: account.grants.iter().map(shown).collect(),
        }
    }
}

pub(crate) fn shown(row: &AccountGrant) -> GrantBody {
    GrantBody {
        role: row.role,
        region: row.region_id.map(|id| id.to_string()),
        descendants: row.descendants,
        system: row.system.clone(),
    }
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
            let fault = password_fault(password, &self.name);
            faults.extend(fault.map(|fault| FieldError::new("/password", fault)));
            if self.issuer.is_some() {
                let why = "an account that signs in elsewhere has no password here";
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

    /// An empty list of grants differs from an absent one.
    fn tidy(_: &mut Value) -> Vec<FieldError> {
        Vec::new()
    }

    fn faults(&self) -> Vec<FieldError> {
        self.grants.as_deref().map_or_else(Vec::new, grant_faults)
    }
}

fn required(pointer: String) -> FieldError {
    let fault = Fault::new(FaultCode::Required)
        .with("what", "")
        .with("what_de", "");
    FieldError::new(pointer, fault)
}

fn not_allowed(pointer: String, why: &str) -> FieldError {
    FieldError::new(pointer, Fault::new(FaultCode::NotAllowed).with("why", why))
}

fn name_fault(name: &str) -> Option<FieldError> {
    let fault = Fault::new(FaultCode::Pattern)
        .with("given", name)
        .with("expected", "[a-z0-9._@-]{2,64}");
    (!is_name(name)).then(|| FieldError::new("/name", fault))
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
            let why = "without a region the grant applies everywhere already";
            faults.push(not_allowed(at("descendants"), why));
        }
    }
    faults
}

pub(crate) async fn granted(store: &Store, grants: &[GrantBody]) -> Result<Vec<NewGrant>, Problem> {
    let keys: BTreeSet<String> = grants.iter().filter_map(|one| one.region.clone()).collect();
    let regions = store.accounts().find_regions(&keys).await?;
    let mut given = Vec::with_capacity(grants.len());
    let mut faults = Vec::new();
    for (index, grant) in grants.iter().enumerate() {
        let region = grant.region.as_ref();
        let found = region.and_then(|key| regions.get(key).copied());
        if let (Some(key), None) = (region, found) {
            let fault = Fault::new(FaultCode::UnknownReference)
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
            SecretError::Busy => Self::new(Code::Busy).header(header::RETRY_AFTER, "5"),
            SecretError::Failed(why) => {
                tracing::error!(error = why, "cannot hash a password");
                Self::new(Code::Internal)
            }
        }
    }
}
