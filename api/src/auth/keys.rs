//! The signing keys of this node: `EdDSA`, stored in the database, rotated without a restart.
//!
//! Every instance reloads the keys every few seconds of use. A new key signs only once every
//! instance must have loaded it; an old one verifies until its last token has expired.

use crate::auth::jwt::{BadToken, TYPE, Unproved, VerifyingKey};
use crate::auth::{AUDIENCE, KEEP_KEYS, MAX_LIFETIME, Proof, TokenError};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chrono::{DateTime, TimeDelta, Utc};
use domain::access::account::{Scopes, TokenScope};
use domain::base::vocabulary::Coded;
use ed25519_dalek::SigningKey;
use ed25519_dalek::pkcs8::spki::der::pem::LineEnding;
use ed25519_dalek::pkcs8::{DecodePrivateKey, EncodePrivateKey};
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header};
use persistence::accounts::Subject;
use persistence::accounts::keys::NewKey;
use persistence::accounts::keys::TokenKey;
use persistence::{Store, StoreError};
use rand::Rng;
use serde::Serialize;
use serde_json::{Value, json};
use std::sync::Arc;
use tokio::sync::{Mutex, RwLock};
use uuid::Uuid;

const ALGORITHM: &str = "EdDSA";

const FRESH: TimeDelta = TimeDelta::seconds(5);

/// Minimum age before an unknown key id causes a reload.
const UNKNOWN: TimeDelta = TimeDelta::seconds(2);

/// Age at which a new key signs: every instance has loaded it by then.
const BEGINS: TimeDelta = TimeDelta::seconds(10);

pub struct Tokens {
    store: Store,
    issuer: String,
    ring: RwLock<Arc<Ring>>,
    /// Held during a reload, so that one request reloads for all.
    turn: Mutex<()>,
}

struct Ring {
    keys: Vec<Key>,
    read_at: DateTime<Utc>,
}

struct Key {
    signing: EncodingKey,
    verifying: VerifyingKey,
    public: String,
    created_at: DateTime<Utc>,
    retired_at: Option<DateTime<Utc>>,
}

#[derive(Debug, Serialize)]
struct Issued<'a> {
    iss: &'a str,
    sub: String,
    aud: &'a str,
    client_id: String,
    jti: String,
    iat: i64,
    exp: i64,
    scope: String,
}

/// Generates a key: its id and its PEM.
pub fn new_key() -> persistence::Result<(String, String)> {
    let pair = SigningKey::from_bytes(&rand::rng().random::<[u8; 32]>());
    let pem = pair.to_pkcs8_pem(LineEnding::LF).map_err(broken)?;
    Ok((domain::base::id::new().to_string(), pem.to_string()))
}

#[must_use]
pub fn as_new<'a>(kid: &'a str, private_pem: &'a str) -> NewKey<'a> {
    NewKey {
        kid,
        alg: ALGORITHM,
        private_pem,
    }
}

#[must_use]
pub fn scope_text(scopes: &Scopes) -> String {
    let codes: Vec<&str> = scopes.iter().map(|scope| scope.code()).collect();
    codes.join(" ")
}

impl Tokens {
    /// Loads the keys of the node, or creates the first one, and verifies that they work.
    pub async fn load(store: &Store) -> persistence::Result<Self> {
        crate::http::crypto::install();
        if store.signing_keys().list().await?.is_empty() {
            let (kid, pem) = new_key()?;
            store
                .signing_keys()
                .create_first(as_new(&kid, &pem))
                .await?;
        }
        let now = store.clock().now();
        let tokens = Self {
            issuer: format!("urn:verbund:{}", store.node().origin),
            ring: RwLock::new(Arc::new(Ring::read(store, now).await?)),
            turn: Mutex::new(()),
            store: store.clone(),
        };
        let probe = tokens
            .issue(Uuid::nil(), now, TimeDelta::minutes(1))
            .await?;
        let read = crate::auth::jwt::read(&probe).map_err(|why| broken(why.message()))?;
        match tokens.verify(&read, now).await {
            Ok(_) => Ok(tokens),
            Err(TokenError::Bad(why)) => Err(broken(why.message())),
            Err(TokenError::Store(why)) => Err(why),
        }
    }

    #[must_use]
    pub fn issuer(&self) -> &str {
        &self.issuer
    }

    pub async fn issue(
        &self,
        account: Uuid,
        now: DateTime<Utc>,
        lifetime: TimeDelta,
    ) -> persistence::Result<String> {
        let scopes = TokenScope::ALL.iter().copied().collect();
        self.issue_for(account, account, &scopes, (now, lifetime))
            .await
    }

    /// A token for an account that signs in through a client, narrowed to scopes.
    pub async fn issue_for(
        &self,
        account: Uuid,
        client: Uuid,
        scopes: &Scopes,
        (now, lifetime): (DateTime<Utc>, TimeDelta),
    ) -> persistence::Result<String> {
        let ring = self.ring(now, FRESH).await?;
        let key = ring
            .signing(now)
            .ok_or_else(|| broken("there is no signing key"))?;
        let mut header = Header::new(Algorithm::EdDSA);
        header.typ = Some(TYPE.to_owned());
        header.kid = Some(key.verifying.kid.clone());
        let claims = Issued {
            iss: &self.issuer,
            sub: account.to_string(),
            aud: AUDIENCE,
            client_id: client.to_string(),
            jti: domain::base::id::new().to_string(),
            iat: now.timestamp(),
            exp: (now + lifetime.min(MAX_LIFETIME)).timestamp(),
            scope: scope_text(scopes),
        };
        jsonwebtoken::encode(&header, &claims, &key.signing).map_err(broken)
    }

    pub(super) async fn verify(
        &self,
        token: &Unproved<'_>,
        now: DateTime<Utc>,
    ) -> Result<Proof, TokenError> {
        let mut ring = self.ring(now, FRESH).await?;
        if ring.verifying(&token.kid, now).is_none() {
            ring = self.ring(now, UNKNOWN).await?;
        }
        let key = ring.verifying(&token.kid, now).ok_or(BadToken::Forged)?;
        let claims = token.proved_by(&key.verifying)?;
        if !claims.is_for(AUDIENCE) {
            return Err(BadToken::Elsewhere.into());
        }
        let expires = claims.hold(now)?;
        let account = Uuid::try_parse(&claims.sub).map_err(|_| BadToken::Forged)?;
        Ok(Proof {
            subject: Subject::Account(account),
            scopes: claims.scopes(),
            expires,
            issuer: claims.iss,
            name: claims.sub,
        })
    }

    /// The public keys (RFC 7517) of everything that still verifies, newest first.
    pub async fn jwks(&self) -> persistence::Result<Value> {
        let now = self.store.clock().now();
        let ring = self.ring(now, FRESH).await?;
        let keys = ring.keys.iter().filter(|key| key.verifies(now));
        let keys = keys.map(|key| {
            json!({
                "kty": "OKP",
                "crv": "Ed25519",
                "use": "sig",
                "alg": ALGORITHM,
                "kid": key.verifying.kid,
                "x": key.public,
            })
        });
        Ok(keys.collect())
    }

    /// The keys, at most `age` old.
    async fn ring(&self, now: DateTime<Utc>, age: TimeDelta) -> persistence::Result<Arc<Ring>> {
        // A clock that was set back makes them outdated too.
        let fresh = |ring: &Ring| (now - ring.read_at).abs() < age;
        let ring = self.ring.read().await.clone();
        if fresh(&ring) {
            return Ok(ring);
        }
        let _turn = self.turn.lock().await;
        let ring = self.ring.read().await.clone();
        if fresh(&ring) {
            return Ok(ring);
        }
        let ring = Arc::new(Ring::read(&self.store, now).await?);
        *self.ring.write().await = ring.clone();
        Ok(ring)
    }
}

impl Ring {
    async fn read(store: &Store, now: DateTime<Utc>) -> persistence::Result<Self> {
        let rows = store.signing_keys().list().await?;
        let keys = rows.into_iter().map(Key::new).collect::<Result<_, _>>()?;
        Ok(Self { keys, read_at: now })
    }

    /// The newest key that every instance knows; the oldest if all are newer.
    fn signing(&self, now: DateTime<Utc>) -> Option<&Key> {
        let known = |key: &&Key| key.created_at + BEGINS <= now;
        self.keys.iter().find(known).or(self.keys.last())
    }

    fn verifying(&self, kid: &str, now: DateTime<Utc>) -> Option<&Key> {
        let mut keys = self.keys.iter().filter(|key| key.verifies(now));
        keys.find(|key| key.verifying.kid == kid)
    }
}

impl Key {
    fn new(row: TokenKey) -> persistence::Result<Self> {
        if row.alg != ALGORITHM {
            return Err(broken(format!("{} is not supported", row.alg)));
        }
        let pair = SigningKey::from_pkcs8_pem(&row.private_pem).map_err(broken)?;
        let public = pair.verifying_key();
        Ok(Self {
            signing: EncodingKey::from_ed_pem(row.private_pem.as_bytes()).map_err(broken)?,
            verifying: VerifyingKey::new(
                row.kid,
                Algorithm::EdDSA,
                DecodingKey::from_ed_der(public.as_bytes()),
            ),
            public: URL_SAFE_NO_PAD.encode(public.as_bytes()),
            created_at: row.created_at,
            retired_at: row.retired_at,
        })
    }

    fn verifies(&self, now: DateTime<Utc>) -> bool {
        self.retired_at.is_none_or(|at| now < at + KEEP_KEYS)
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

fn broken(why: impl std::fmt::Display) -> StoreError {
    StoreError::Setup(format!("a signing key is unusable: {why}"))
}
