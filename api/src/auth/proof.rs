//! The verified content of a token.

use crate::auth::jwt::BadToken;
use chrono::{DateTime, Utc};
use domain::access::account::Scopes;
use persistence::StoreError;
use persistence::accounts::Subject;

#[derive(Debug, Clone)]
pub struct Proof {
    pub subject: Subject,
    pub issuer: String,
    pub name: String,
    pub scopes: Scopes,
    pub expires: DateTime<Utc>,
}

/// Reason why a token is rejected.
#[derive(Debug, thiserror::Error)]
pub enum TokenError {
    #[error(transparent)]
    Bad(#[from] BadToken),
    /// Its key cannot be looked up at the moment.
    #[error(transparent)]
    Store(#[from] StoreError),
}
