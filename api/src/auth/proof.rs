//! What a token proves.

use crate::auth::jwt::BadToken;
use chrono::{DateTime, Utc};
use domain::access::account::Scopes;
use persistence::StoreError;
use persistence::accounts::Subject;

/// What a valid token says.
#[derive(Debug, Clone)]
pub struct Proof {
    /// Whom it speaks of.
    pub subject: Subject,
    /// Its issuer.
    pub issuer: String,
    /// Its `sub`.
    pub name: String,
    /// How far it reaches.
    pub scopes: Scopes,
    /// When it ends.
    pub expires: DateTime<Utc>,
}

/// Why a token proves nothing.
#[derive(Debug, thiserror::Error)]
pub enum TokenError {
    /// It is invalid.
    #[error(transparent)]
    Bad(#[from] BadToken),
    /// Its key cannot be looked up at the moment.
    #[error(transparent)]
    Store(#[from] StoreError),
}
