//! Accounts and their grants as they are stored.

use crate::entity::{account, account_grant, stored};
use chrono::{DateTime, Utc};
use domain::access::account::AccountKind;
use domain::access::rules::Role;
use uuid::Uuid;

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Account {
    pub id: Uuid,
    pub kind: AccountKind,
    pub version: i64,
    /// Unique; used for signing in.
    pub name: String,
    pub password_hash: Option<String>,
    pub secret_hash: Option<String>,
    pub issuer: Option<String>,
    pub subject: Option<String>,
    pub created_at: DateTime<Utc>,
    pub disabled_at: Option<DateTime<Utc>>,
}

stored!(Account in account {
    same: id, version, name, password_hash, secret_hash, issuer, subject, created_at, disabled_at;
    code: kind;
});

/// A grant of an account, read at each request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AccountGrant {
    pub id: Uuid,
    pub account_id: Uuid,
    pub role: Role,
    pub region_id: Option<Uuid>,
    pub descendants: bool,
    /// For feeders: the system whose records they push.
    pub system: Option<String>,
}

stored!(AccountGrant in account_grant {
    same: id, account_id, region_id, descendants, system;
    code: role;
});

#[derive(Debug, Clone)]
pub struct AccountWithGrants {
    pub account: Account,
    pub grants: Vec<AccountGrant>,
}
