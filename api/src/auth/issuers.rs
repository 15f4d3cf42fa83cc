//! External OpenID Connect issuers: discovery, their keys, and the verification of their tokens.
//!
//! Keys are kept while an issuer is unreachable, but no longer than a day; whatever key ids tokens
//! contain, an issuer is asked at most once a minute.

use crate::auth::jwt::{BadToken, Unproved, VerifyingKey};
use crate::auth::proof::Proof;
use crate::config::{IssuerConfig, WebUrl};
use crate::http::outbound::causes;
use chrono::{DateTime, TimeDelta, Utc};
use domain::access::account::Scopes;
use jsonwebtoken::jwk::{AlgorithmParameters, EllipticCurve, Jwk, PublicKeyUse};
use jsonwebtoken::{Algorithm, DecodingKey};
use persistence::accounts::{External, Subject};
use reqwest::Client;
use serde_json::Value;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{Mutex, RwLock};

const MAX_DOCUMENT: usize = 256 * 1024;

const PATIENCE: Duration = Duration::from_secs(3);

const PAUSE: TimeDelta = TimeDelta::minutes(1);

const FRESH: TimeDelta = TimeDelta::minutes(10);

/// Time for which the last valid keys are kept.
const KEEP: TimeDelta = TimeDelta::hours(24);

const MAX_KEYS: usize = 50;

/// Maximum length of a subject (OpenID Connect Core, 2).
const MAX_SUBJECT: usize = 255;

#[derive(Debug, Default)]
pub struct Issuers(Vec<Arc<Issuer>>);

#[derive(Debug)]
struct Issuer {
    config: IssuerConfig,
    client: Client,
    state: RwLock<State>,
    turn: Mutex<()>,
}

#[derive(Debug, Clone, Default)]
struct State {
    keys: Option<Arc<Keys>>,
    asked_at: Option<DateTime<Utc>>,
}

struct Keys {
    keys: Vec<VerifyingKey>,
    read_at: DateTime<Utc>,
}

impl std::fmt::Debug for Keys {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let ids = self.keys.iter().map(|key| &key.kid);
        f.debug_list().entries(ids).finish()
    }
}

impl Issuers {
    /// The issuers of a configuration; no request is sent yet.
    pub fn new(configured: &[IssuerConfig]) -> Result<Self, reqwest::Error> {
        if configured.is_empty() {
            return Ok(Self::default());
        }
        crate::http::crypto::install();
        let client = Client::builder()
            .timeout(PATIENCE)
            .redirect(reqwest::redirect::Policy::none())
            .build()?;
        let issuer = |config: &IssuerConfig| {
            Arc::new(Issuer {
                config: config.clone(),
                client: client.clone(),
                state: RwLock::default(),
                turn: Mutex::default(),
            })
        };
        Ok(Self(configured.iter().map(issuer).collect()))
    }

    pub(super) async fn verify(
        &self,
        token: &Unproved<'_>,
        now: DateTime<Utc>,
    ) -> Result<Proof, BadToken> {
        let mut issuers = self.0.iter();
        let issuer = issuers.find(|one| one.config.url.as_str() == token.issuer);
        let issuer = issuer.ok_or(BadToken::Elsewhere)?;
        let key = issuer.key(&token.kid, now).await.ok_or(BadToken::Forged)?;
        let claims = token.proved_by(&key)?;
        if !claims.is_for_among_others(&issuer.config.audience) {
            return Err(BadToken::Elsewhere);
        }
        let expires = claims.hold(now)?;
        let named = claims.sub.chars().any(char::is_control);
        if named || claims.sub.is_empty() || claims.sub.len() > MAX_SUBJECT {
            return Err(BadToken::Forged);
        }
        let scopes = claims.scopes();
        let subject = External {
            issuer: claims.iss.clone(),
            subject: claims.sub.clone(),
        };
        Ok(Proof {
            subject: Subject::External(subject),
            // Scopes of other services are irrelevant here.
            scopes: if scopes.is_empty() {
                issuer.config.scopes.iter().copied().collect::<Scopes>()
            } else {
                scopes
            },
            expires,
            issuer: claims.iss,
            name: claims.sub,
        })
    }
}

impl Issuer {
    async fn key(self: &Arc<Self>, kid: &str, now: DateTime<Utc>) -> Option<VerifyingKey> {
        let state = self.state.read().await.clone();
        if let Some(key) = state.key(kid, now) {
            if state.is_stale(now) && state.may_ask(now) {
                // A known key is used without waiting.
                let issuer = self.clone();
                actix_web::rt::spawn(async move { issuer.ask(now).await });
            }
            return Some(key);
        }
        if state.may_ask(now) {
            self.ask(now).await;
        } else {
            // Another request may already be fetching the keys.
            drop(self.turn.lock().await);
        }
        self.state.read().await.key(kid, now)
    }

    /// Fetches the keys of the issuer; if that fails, the last valid ones stay.
    async fn ask(&self, now: DateTime<Utc>) {
        let _turn = self.turn.lock().await;
        {
            let mut state = self.state.write().await;
            if !state.may_ask(now) {
                return;
            }
            state.asked_at = Some(now);
        }
        match self.fetch().await {
            Ok(keys) => {
                let keys = Arc::new(Keys { keys, read_at: now });
                self.state.write().await.keys = Some(keys);
            }
            Err(why) => {
                let issuer = self.config.url.as_str();
                tracing::warn!(issuer, error = why, "cannot read the keys of an issuer");
            }
        }
    }

    async fn fetch(&self) -> Result<Vec<VerifyingKey>, String> {
        let keys = match &self.config.jwks_url {
            Some(url) => self.document(url.as_str()).await?,
            None => self.document(&self.discover().await?).await?,
        };
        let list = keys.get("keys").and_then(Value::as_array);
        let list = list.ok_or("the document has no member `keys`")?;
        Ok(list.iter().take(MAX_KEYS).filter_map(usable).collect())
    }

    /// The URL of the keys (OpenID Connect Discovery, 4).
    async fn discover(&self) -> Result<String, String> {
        let issuer = self.config.url.as_str();
        let base = issuer.trim_end_matches('/');
        let url = format!("{base}/.well-known/openid-configuration");
        let document = self.document(&url).await?;
        let member = |name: &str| document.get(name).and_then(Value::as_str);
        if member("issuer") != Some(issuer) {
            return Err(format!("{url} describes another issuer"));
        }
        let keys = member("jwks_uri").ok_or_else(|| format!("{url} has no jwks_uri"))?;
        let address = WebUrl::try_from(keys.to_owned())?;
        if address.host() != self.config.url.host() {
            let why = "is on another host than the issuer; set jwks_url if that is right";
            return Err(format!("jwks_uri {keys} {why}"));
        }
        Ok(keys.to_owned())
    }

    async fn document(&self, url: &str) -> Result<Value, String> {
        let failed = |why: reqwest::Error| format!("{url}: {}", causes(&why.without_url()));
        let mut response = self.client.get(url).send().await.map_err(failed)?;
        if !response.status().is_success() {
            return Err(format!("{url} responds with {}", response.status()));
        }
        let mut body = Vec::new();
        while let Some(chunk) = response.chunk().await.map_err(failed)? {
            if body.len() + chunk.len() > MAX_DOCUMENT {
                return Err(format!("{url} has more than {MAX_DOCUMENT} bytes"));
            }
            body.extend_from_slice(&chunk);
        }
        domain::base::json::parse(&body).map_err(|why| format!("{url} is not JSON: {why}"))
    }
}

impl State {
    fn key(&self, kid: &str, now: DateTime<Utc>) -> Option<VerifyingKey> {
        let known = self.keys.as_ref()?;
        if now - known.read_at > KEEP {
            return None;
        }
        known.keys.iter().find(|key| key.kid == kid).cloned()
    }

    fn is_stale(&self, now: DateTime<Utc>) -> bool {
        self.keys
            .as_ref()
            .is_none_or(|keys| (now - keys.read_at).abs() >= FRESH)
    }

    fn may_ask(&self, now: DateTime<Utc>) -> bool {
        self.asked_at.is_none_or(|at| (now - at).abs() >= PAUSE)
    }
}

/// A verification key, with the one algorithm for its type; `None` for others.
fn usable(value: &Value) -> Option<VerifyingKey> {
    let jwk: Jwk = serde_json::from_value(value.clone()).ok()?;
    let algorithm = match &jwk.algorithm {
        // Less than 2048 bits can be broken; far more only costs time.
        AlgorithmParameters::RSA(rsa) if (342..=1366).contains(&rsa.n.len()) => Algorithm::RS256,
        AlgorithmParameters::EllipticCurve(ec) if ec.curve == EllipticCurve::P256 => {
            Algorithm::ES256
        }
        AlgorithmParameters::OctetKeyPair(pair) if pair.curve == EllipticCurve::Ed25519 => {
            Algorithm::EdDSA
        }
        _ => return None,
    };
    let signs = matches!(
        jwk.common.public_key_use,
        None | Some(PublicKeyUse::Signature)
    );
    let named = value.get("alg").and_then(Value::as_str);
    let fits = named.is_none_or(|named| named == format!("{algorithm:?}"));
    let kid = jwk.common.key_id.clone().filter(|_| signs && fits)?;
    let key = DecodingKey::from_jwk(&jwk).ok()?;
    Some(VerifyingKey::new(kid, algorithm, key))
}
