//! The account of a token and its permissions.

use crate::access::accounts::{GrantBody, shown};
use crate::http::problem::Problem;
use crate::operation::extract::{Authenticated, Query};
use crate::operation::reply::Private;
use crate::operation::routes::Routes;
use domain::access::account::TokenScope;
use domain::base::clock::rfc3339;
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

#[must_use]
pub fn routes() -> Routes {
    let names = ("get_me", "Read your account and its grants");
    Routes::new("Access").get("/v1/me", names, &[], get)
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
