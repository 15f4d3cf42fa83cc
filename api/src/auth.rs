//! Authentication: tokens of this node and of configured OpenID Connect issuers.
//!
//! A token identifies the caller; permissions are read from the database at each request, and the
//! scopes of the token only narrow them.

mod issuers;
mod jwt;
mod keys;
mod proof;
pub mod secrets;
pub mod sign_ins;

pub use issuers::Issuers;
pub use jwt::{BadToken, MAX_LIFETIME};
pub use keys::{Tokens, as_new, new_key, scope_text};
pub use proof::{Proof, TokenError};

use crate::config::Config;
use chrono::{DateTime, TimeDelta, Utc};
use std::net::SocketAddr;

const AUDIENCE: &str = "verbund";

/// The token endpoint; the only route whose errors are not problem documents (RFC 6749, 5.2).
pub const TOKEN_PATH: &str = "/oauth/token";

/// Lifetime of a token from `/oauth/token`.
pub const USUAL_LIFETIME: TimeDelta = TimeDelta::hours(1);

/// Time for which a retired key still verifies: until every token it signed has expired.
pub const KEEP_KEYS: TimeDelta = TimeDelta::minutes(24 * 60 + 5);

#[derive(Debug, Default)]
pub struct Access {
    pub password_grant: bool,
    /// The URL of this server, without a trailing slash.
    pub base_url: String,
    pub issuers: Issuers,
    /// Web origins whose pages may ask for tokens.
    pub origins: Vec<String>,
}

impl Access {
    /// Reads the configuration of a server that listens at `address`.
    ///
    /// # Errors
    /// If secure connections to issuers cannot be set up.
    pub fn new(config: &Config, address: SocketAddr) -> Result<Self, reqwest::Error> {
        let here = format!("http://{address}");
        let configured = config.public_url.as_ref();
        let base = configured.map_or(here.as_str(), |url| url.as_str());
        Ok(Self {
            password_grant: config.password_grant,
            base_url: base.trim_end_matches('/').to_owned(),
            issuers: Issuers::new(&config.issuers)?,
            origins: config.cors_origins.clone(),
        })
    }
}

/// Verifies a token of any accepted issuer.
pub async fn verify(
    tokens: &Tokens,
    issuers: &Issuers,
    token: &str,
    now: DateTime<Utc>,
) -> Result<Proof, TokenError> {
    let unproved = jwt::read(token)?;
    if unproved.issuer == tokens.issuer() {
        return tokens.verify(&unproved, now).await;
    }
    Ok(issuers.verify(&unproved, now).await?)
}
