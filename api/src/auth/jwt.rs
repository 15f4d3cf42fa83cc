//! Parsing and verifying a token: form, header, signature, claims.
//!
//! The defaults of the crate are not enough (it accepts any `typ`, unknown `crit`, a future `iat`,
//! absent claims), so every relevant rule of RFC 8725 and RFC 9068 is checked here.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chrono::{DateTime, TimeDelta, Utc};
use domain::access::account::{Scopes, TokenScope};
use domain::base::vocabulary::Coded;
use jsonwebtoken::{Algorithm, DecodingKey, Validation};
use serde::Deserialize;
use serde_json::{Map, Value};
use sha2::{Digest, Sha256};
use std::collections::HashSet;
use std::sync::{Arc, Mutex, PoisonError};

/// Maximum lifetime of a token.
pub const MAX_LIFETIME: TimeDelta = TimeDelta::hours(24);

/// Tolerated difference of clocks.
const LEEWAY: TimeDelta = TimeDelta::seconds(30);

pub(super) const TYPE: &str = "at+jwt";

const MAX_TOKEN: usize = 8 * 1024;

/// Header members by which the sender would choose how to be verified.
const SELF_SERVING: [&str; 6] = ["crit", "jku", "jwk", "x5u", "x5c", "b64"];

#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{}", self.message())]
pub enum BadToken {
    /// Not a verifiable token: form, algorithm, key, header or signature.
    Forged,
    /// Another issuer or audience.
    Elsewhere,
    Expired,
    Early,
    TooLong,
}

impl BadToken {
    #[must_use]
    pub const fn message(self) -> &'static str {
        let [en, _] = self.messages();
        en
    }

    #[must_use]
    pub const fn messages(self) -> [&'static str; 2] {
        match self {
            Self::Forged => [
                "This node does not trust the token.",
                "Das ist kein Token, dem dieser Knoten traut.",
            ],
            Self::Elsewhere => [
                "The token was issued by or for another service.",
                "Das Token stammt von einem anderen Dienst oder gilt für einen anderen.",
            ],
            Self::Expired => [
                "The token has expired; get a new one.",
                "Das Token ist abgelaufen; holen Sie ein neues.",
            ],
            Self::Early => [
                "The token is not valid yet; check the clocks.",
                "Das Token gilt noch nicht; prüfen Sie die Uhren.",
            ],
            Self::TooLong => [
                "The token claims a lifetime of more than 24 hours.",
                "Das Token will länger als 24 Stunden gelten.",
            ],
        }
    }
}

#[derive(Debug)]
pub(super) struct Unproved<'a> {
    text: &'a str,
    algorithm: Algorithm,
    pub(super) kid: String,
    pub(super) issuer: String,
    payload: Map<String, Value>,
}

#[derive(Clone)]
pub(super) struct VerifyingKey {
    pub(super) kid: String,
    algorithm: Algorithm,
    key: DecodingKey,
    /// The SHA-256 of tokens whose signatures were verified with this key: clients send the same
    /// token again and again, and a signature costs more than reading a record.
    proved: Arc<Mutex<HashSet<[u8; 32]>>>,
}

/// Tokens after which all are verified again: some 700 KB.
const MAX_PROVED: usize = 10_000;

impl VerifyingKey {
    pub(super) fn new(kid: String, algorithm: Algorithm, key: DecodingKey) -> Self {
        Self {
            kid,
            algorithm,
            key,
            proved: Arc::default(),
        }
    }

    /// Verifies the signature of a token, unless it has done so before.
    fn prove(&self, token: &str) -> Result<(), BadToken> {
        // A poisoned lock only means that another thread panicked; the set is valid.
        let proved = || self.proved.lock().unwrap_or_else(PoisonError::into_inner);
        let digest: [u8; 32] = Sha256::digest(token).into();
        if proved().contains(&digest) {
            return Ok(());
        }
        // The crate verifies only the signature; the caller checks the claims.
        let mut validation = Validation::new(self.algorithm);
        validation.required_spec_claims.clear();
        validation.validate_exp = false;
        validation.validate_aud = false;
        jsonwebtoken::decode::<Value>(token, &self.key, &validation)
            .map_err(|_| BadToken::Forged)?;
        let mut proved = proved();
        if proved.len() >= MAX_PROVED {
            proved.clear();
        }
        proved.insert(digest);
        Ok(())
    }
}

/// The claims of a token (RFC 9068, 2.2).
#[derive(Debug, Deserialize)]
pub(super) struct Claims {
    pub(super) iss: String,
    pub(super) sub: String,
    aud: Audience,
    iat: i64,
    exp: i64,
    #[serde(default)]
    nbf: Option<i64>,
    #[serde(default)]
    scope: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(untagged)]
enum Audience {
    One(String),
    Many(Vec<String>),
}

/// Parses a token without verifying it.
pub(super) fn read(text: &str) -> Result<Unproved<'_>, BadToken> {
    let mut parts = text.split('.');
    let (Some(head), Some(payload), Some(signature), None) =
        (parts.next(), parts.next(), parts.next(), parts.next())
    else {
        return Err(BadToken::Forged);
    };
    if text.len() > MAX_TOKEN || signature.is_empty() {
        return Err(BadToken::Forged);
    }
    let (head, payload) = (members(head)?, members(payload)?);
    let member = |name: &str| head.get(name).and_then(Value::as_str);
    let typed = member("typ").is_some_and(|typ| {
        let typ = typ.to_ascii_lowercase();
        typ == TYPE || typ == "application/at+jwt"
    });
    if !typed || SELF_SERVING.iter().any(|name| head.contains_key(*name)) {
        return Err(BadToken::Forged);
    }
    let algorithm = match member("alg") {
        Some("EdDSA") => Algorithm::EdDSA,
        Some("ES256") => Algorithm::ES256,
        Some("RS256") => Algorithm::RS256,
        Some(_) | None => return Err(BadToken::Forged),
    };
    let kid = member("kid").ok_or(BadToken::Forged)?.to_owned();
    let issuer = payload.get("iss").and_then(Value::as_str);
    Ok(Unproved {
        text,
        algorithm,
        kid,
        issuer: issuer.ok_or(BadToken::Forged)?.to_owned(),
        payload,
    })
}

/// The members of a part of a token; duplicate keys are rejected.
fn members(part: &str) -> Result<Map<String, Value>, BadToken> {
    let bytes = URL_SAFE_NO_PAD.decode(part).map_err(|_| BadToken::Forged)?;
    match domain::base::json::parse(&bytes) {
        Ok(Value::Object(members)) => Ok(members),
        Ok(_) | Err(_) => Err(BadToken::Forged),
    }
}

impl Unproved<'_> {
    pub(super) fn proved_by(&self, key: &VerifyingKey) -> Result<Claims, BadToken> {
        if self.algorithm != key.algorithm {
            return Err(BadToken::Forged);
        }
        key.prove(self.text)?;
        let claims = serde_json::from_value(Value::Object(self.payload.clone()));
        claims.map_err(|_| BadToken::Forged)
    }
}

impl Claims {
    pub(super) fn is_for(&self, audience: &str) -> bool {
        matches!(&self.aud, Audience::One(one) if one == audience)
    }

    pub(super) fn is_for_among_others(&self, audience: &str) -> bool {
        match &self.aud {
            Audience::One(one) => one == audience,
            Audience::Many(many) => many.iter().any(|one| one == audience),
        }
    }

    pub(super) fn scopes(&self) -> Scopes {
        let named = self.scope.as_deref().unwrap_or_default();
        named.split(' ').filter_map(TokenScope::parse).collect()
    }

    pub(super) fn hold(&self, now: DateTime<Utc>) -> Result<DateTime<Utc>, BadToken> {
        let at = |seconds: i64| DateTime::from_timestamp(seconds, 0).ok_or(BadToken::Forged);
        let (issued, expires) = (at(self.iat)?, at(self.exp)?);
        let begins = self.nbf.map_or(Ok(issued), at)?;
        if expires <= now - LEEWAY {
            return Err(BadToken::Expired);
        }
        if issued > now + LEEWAY || begins > now + LEEWAY {
            return Err(BadToken::Early);
        }
        if expires - issued > MAX_LIFETIME {
            return Err(BadToken::TooLong);
        }
        Ok(expires)
    }
}
