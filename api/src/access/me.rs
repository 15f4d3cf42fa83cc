//! The account of a token and its permissions.

use crate::access::accounts::{GrantBody, shown};
use crate::access::oauth::too_many_attempts;
use crate::auth::secrets;
use crate::http::problem::{Code, Problem};
use crate::operation::extract::{App, Authenticated, Body, ClientAddress, JsonBody, Query};
use crate::operation::reply::{Private, Removed};
use crate::operation::routes::Routes;
use actix_web::http::Method;
use domain::access::account::{AccountKind, TokenScope};
use domain::base::clock::rfc3339;
use domain::base::fault::{Fault, FaultCode, FieldError};
use domain::validation::shape::Shape;
use persistence::StoreError;
use persistence::accounts::AccountChange;
use persistence::write::Precondition;
use serde::{Deserialize, Serialize};
use std::sync::LazyLock;
use std::time::Instant;
use utoipa::ToSchema;
use uuid::Uuid;

#[must_use]
pub fn routes() -> Routes {
    let names = ("get_me", "Read your account and its grants");
    let password = ("put_password", "Change your password");
    let problems = [Code::ValidationFailed, Code::RateLimited, Code::Busy];
    Routes::new("Access").get("/v1/me", names, &[], get).route(
        Method::PUT,
        "/v1/me/password",
        password,
        &problems,
        put_password,
    )
}

/// Identity of the caller.
#[derive(Debug, Serialize, ToSchema)]
#[schema(example = json!({"account": "0193e5a0-0000-7000-8000-000000000003", "name": "anna.muster", "issuer": "urn:verbund:nordhessen", "subject": "0193e5a0-0000-7000-8000-000000000003", "grants": [{"role": "editor", "region": "0193e5a0-0000-7000-8000-000000000001", "descendants": true}], "scopes": ["directory"], "expires_at": "2026-03-02T09:00:00.000000Z"}))]
struct Me {
    /// Id of the account; absent for a subject of an external issuer without an account.
    #[serde(skip_serializing_if = "Option::is_none")]
    account: Option<Uuid>,
    /// Name of the account.
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<String>,
    /// Issuer of the token.
    issuer: String,
    /// Subject at the issuer; an admin needs both to create an account.
    subject: String,
    /// Grants of the account.
    grants: Vec<GrantBody>,
    /// Scopes of the token.
    scopes: Vec<TokenScope>,
    /// When the token expires.
    #[schema(format = DateTime)]
    expires_at: String,
}

/// New password of the caller's own account.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = PasswordInput)]
struct NewPassword {
    /// Current password.
    #[schema(max_length = 256)]
    current_password: String,
    /// New password: at least 12 characters, and not one that is easily guessed.
    #[schema(max_length = 256)]
    password: String,
}

impl Body for NewPassword {
    const EXAMPLE: &'static str =
        r#"{"current_password": "kq3v-7m2x-p9wd-h4tn", "password": "zu-dritt-am-teich-gefroren"}"#;

    fn shape() -> &'static Shape {
        static SHAPE: LazyLock<Shape> = LazyLock::new(NewPassword::compile);
        &SHAPE
    }
}

/// A thief of a token cannot set a password with it: the current one is asked for, and guesses count.
async fn put_password(
    app: App,
    Authenticated(identity): Authenticated,
    ClientAddress(address): ClientAddress,
    _: Query<()>,
    JsonBody(body): JsonBody<NewPassword>,
) -> Result<Removed, Problem> {
    let invalid = |pointer: &str, fault| {
        Problem::from(StoreError::Invalid(vec![FieldError::new(pointer, fault)]))
    };
    let account = identity.principal.account.as_ref();
    let account = account.filter(|one| one.password_hash.is_some());
    let Some(account) = account else {
        let fault = Fault::new(FaultCode::NotAllowed)
            .with("why", "this account has no password on this node")
            .with("why_de", "dieses Konto hat hier kein Passwort");
        return Err(invalid("/password", fault));
    };
    if let Some(fault) = secrets::password_fault(&body.password, &account.name) {
        return Err(invalid("/password", fault));
    }
    let attempts = &app.sign_ins;
    attempts
        .admit(&account.name, address, Instant::now())
        .map_err(too_many_attempts)?;
    let hash = account.password_hash.clone();
    match secrets::is_password(body.current_password, hash).await {
        Ok(true) => attempts.succeeded(&account.name, address, Instant::now()),
        Ok(false) => {
            let fault = Fault::new(FaultCode::WrongPassword);
            return Err(invalid("/current_password", fault));
        }
        Err(why) => {
            attempts.undecided(&account.name, address);
            return Err(why.into());
        }
    }
    let change = AccountChange {
        password_hash: Some(secrets::hash(body.password).await?),
        ..AccountChange::default()
    };
    let key = (AccountKind::Person, account.id);
    let accounts = app.store.accounts();
    accounts
        .update(&identity.caller(), key, &Precondition::Any, &change)
        .await?;
    Ok(Removed)
}

async fn get(Authenticated(identity): Authenticated, _: Query<()>) -> Result<Private<Me>, Problem> {
    let account = identity.principal.account;
    let grants = identity.principal.given.iter().map(shown);
    Ok(Private::new(Me {
        account: account.as_ref().map(|row| row.id),
        name: account.map(|row| row.name),
        issuer: identity.proof.issuer,
        subject: identity.proof.name,
        grants: grants.collect(),
        scopes: identity.proof.scopes.into_iter().collect(),
        expires_at: rfc3339(identity.proof.expires),
    }))
}
