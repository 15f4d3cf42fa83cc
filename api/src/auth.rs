//! Tokens signed by this node: `EdDSA`, RFC 9068 (`at+jwt`). A token proves who calls; what the
//! caller may is read from the database at each request.

use chrono::{DateTime, TimeDelta, Utc};
use ed25519_dalek::SigningKey;
use ed25519_dalek::pkcs8::EncodePrivateKey;
use ed25519_dalek::pkcs8::spki::der::pem::LineEnding;
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header, Validation};
use persistence::{Store, StoreError};
use rand::Rng;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// The audience of this node's tokens.
const AUDIENCE: &str = "verbund";

/// The media type in the header (RFC 9068, 2.1).
const TYPE: &str = "at+jwt";

/// How long a token may be valid at most.
pub const MAX_LIFETIME: TimeDelta = TimeDelta::hours(24);

/// How far clocks may differ.
const LEEWAY: TimeDelta = TimeDelta::seconds(30);

/// The keys of this node.
pub struct Tokens {
    issuer: String,
    keys: Vec<Key>,
}

/// A key and the algorithm that it is pinned to.
struct Key {
    kid: String,
    encoding: EncodingKey,
    decoding: DecodingKey,
    retired: bool,
}

/// What a token says (RFC 9068, 2.2).
#[derive(Debug, Serialize, Deserialize)]
struct Claims {
    iss: String,
    sub: String,
    aud: String,
    client_id: String,
    jti: String,
    iat: i64,
    exp: i64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    nbf: Option<i64>,
}

/// Why a token is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BadToken {
    /// It is no JWT of this node: form, algorithm, key, header or signature.
    Forged,
    /// Another issuer or audience.
    Elsewhere,
    /// It has expired.
    Expired,
    /// It is not valid yet.
    Early,
    /// It would be valid for too long.
    TooLong,
}

impl BadToken {
    /// What the caller is told.
    #[must_use]
    pub const fn message(self) -> &'static str {
        match self {
            Self::Forged => "This is not a token of this node.",
            Self::Elsewhere => "The token was issued for another service.",
            Self::Expired => "The token has expired; get a new one.",
            Self::Early => "The token is not valid yet; check the clocks.",
            Self::TooLong => "The token claims a lifetime of more than 24 hours.",
        }
    }
}

impl Tokens {
    /// Loads the keys of the node, or makes the first one, and proves that they work.
    ///
    /// # Errors
    /// The store's, or [`StoreError::Setup`] if a key cannot sign what it verifies.
    pub async fn load(store: &Store) -> persistence::Result<Self> {
        // Several providers may be compiled in; whoever comes first has chosen.
        let _ = jsonwebtoken::crypto::rust_crypto::DEFAULT_PROVIDER.install_default();
        let mut rows = store.signing_keys().await?;
        if rows.is_empty() {
            let (kid, pem) = generate()?;
            store.first_signing_key(&kid, "EdDSA", &pem).await?;
            rows = store.signing_keys().await?;
        }
        let mut keys = Vec::with_capacity(rows.len());
        for row in rows {
            let pair = <SigningKey as ed25519_dalek::pkcs8::DecodePrivateKey>::from_pkcs8_pem(
                &row.private_pem,
            )
            .map_err(broken)?;
            keys.push(Key {
                kid: row.kid,
                encoding: EncodingKey::from_ed_pem(row.private_pem.as_bytes()).map_err(broken)?,
                decoding: DecodingKey::from_ed_der(pair.verifying_key().as_bytes()),
                retired: row.retired_at.is_some(),
            });
        }
        let tokens = Self {
            issuer: format!("urn:verbund:{}", store.node().origin),
            keys,
        };
        let now = store.clock().now();
        let probe = tokens.issue(Uuid::nil(), now, TimeDelta::minutes(1))?;
        match tokens.verify(&probe, now) {
            Ok(_) => Ok(tokens),
            Err(why) => Err(StoreError::Setup(why.message().to_owned())),
        }
    }

    /// A token for an account.
    ///
    /// # Errors
    /// [`StoreError::Setup`] if no key signs.
    pub fn issue(
        &self,
        account: Uuid,
        now: DateTime<Utc>,
        lifetime: TimeDelta,
    ) -> persistence::Result<String> {
        let key = self
            .keys
            .iter()
            .find(|key| !key.retired)
            .ok_or_else(|| StoreError::Setup("every signing key is retired".to_owned()))?;
        let mut header = Header::new(Algorithm::EdDSA);
        header.typ = Some(TYPE.to_owned());
        header.kid = Some(key.kid.clone());
        let claims = Claims {
            iss: self.issuer.clone(),
            sub: account.to_string(),
            aud: AUDIENCE.to_owned(),
            client_id: account.to_string(),
            jti: domain::id::new().to_string(),
            iat: now.timestamp(),
            exp: (now + lifetime.min(MAX_LIFETIME)).timestamp(),
            nbf: None,
        };
        jsonwebtoken::encode(&header, &claims, &key.encoding).map_err(broken)
    }

    /// The account that a token proves.
    ///
    /// # Errors
    /// [`BadToken`]; the crate's own checks are not enough (it takes any `typ`, unknown `crit`,
    /// future `iat`), so every line of RFC 8725 and RFC 9068 that matters is checked here.
    pub fn verify(&self, token: &str, now: DateTime<Utc>) -> Result<Uuid, BadToken> {
        let key = self.key(token)?;
        let mut validation = Validation::new(Algorithm::EdDSA);
        validation.set_audience(&[AUDIENCE]);
        validation.set_issuer(&[&self.issuer]);
        validation.set_required_spec_claims(&["exp", "iss", "aud", "sub"]);
        // Times are compared with this node's clock, below.
        validation.validate_exp = false;
        validation.validate_nbf = false;
        let data =
            jsonwebtoken::decode::<Claims>(token, &key.decoding, &validation).map_err(|why| {
                match why.kind() {
                    jsonwebtoken::errors::ErrorKind::InvalidIssuer
                    | jsonwebtoken::errors::ErrorKind::InvalidAudience => BadToken::Elsewhere,
                    _ => BadToken::Forged,
                }
            })?;
        times(&data.claims, now)?;
        Uuid::try_parse(&data.claims.sub).map_err(|_| BadToken::Forged)
    }

    /// The key that the header names, if the header is one that this node writes. Members such as
    /// `jku`, `x5u`, `jwk` or `crit` would let the sender choose how to be checked.
    fn key(&self, token: &str) -> Result<&Key, BadToken> {
        use base64::Engine as _;
        let head = token.split('.').next().unwrap_or_default();
        let head = base64::engine::general_purpose::URL_SAFE_NO_PAD
            .decode(head)
            .map_err(|_| BadToken::Forged)?;
        let head = domain::json::parse(&head).map_err(|_| BadToken::Forged)?;
        let members = head.as_object().ok_or(BadToken::Forged)?;
        let plain = members
            .keys()
            .all(|member| ["alg", "typ", "kid"].contains(&member.as_str()));
        let text = |member: &str| members.get(member).and_then(serde_json::Value::as_str);
        let typed = text("typ").is_some_and(|typ| {
            let typ = typ.to_ascii_lowercase();
            typ == TYPE || typ == "application/at+jwt"
        });
        if !plain || !typed || text("alg") != Some("EdDSA") {
            return Err(BadToken::Forged);
        }
        let kid = text("kid").ok_or(BadToken::Forged)?;
        let key = self.keys.iter().find(|key| key.kid == kid);
        key.ok_or(BadToken::Forged)
    }
}

impl std::fmt::Debug for Tokens {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // Never the keys.
        f.debug_struct("Tokens")
            .field("issuer", &self.issuer)
            .finish_non_exhaustive()
    }
}

fn times(claims: &Claims, now: DateTime<Utc>) -> Result<(), BadToken> {
    let at = |seconds: i64| DateTime::from_timestamp(seconds, 0).ok_or(BadToken::Forged);
    let (issued, expires) = (at(claims.iat)?, at(claims.exp)?);
    let begins = claims.nbf.map_or(Ok(issued), at)?;
    if expires + LEEWAY <= now {
        return Err(BadToken::Expired);
    }
    if issued > now + LEEWAY || begins > now + LEEWAY {
        return Err(BadToken::Early);
    }
    if expires - issued > MAX_LIFETIME {
        return Err(BadToken::TooLong);
    }
    Ok(())
}

fn generate() -> persistence::Result<(String, String)> {
    let pair = SigningKey::from_bytes(&rand::rng().random::<[u8; 32]>());
    let pem = pair.to_pkcs8_pem(LineEnding::LF).map_err(broken)?;
    Ok((domain::id::new().to_string(), pem.to_string()))
}

fn broken(why: impl std::fmt::Display) -> StoreError {
    StoreError::Setup(format!("a signing key is unusable: {why}"))
}
