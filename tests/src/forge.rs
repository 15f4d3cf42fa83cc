//! Tokens with any header and any claims, signed with the node's own key or with any other.

use crate::node::Node;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::{Algorithm, EncodingKey};
use serde_json::{Value, json};
use uuid::Uuid;

#[derive(Debug, Clone)]
pub struct Forge {
    pub header: Value,
    pub claims: Value,
    key: EncodingKey,
    algorithm: Algorithm,
}

/// Base64url without padding.
#[must_use]
pub fn base64(bytes: impl AsRef<[u8]>) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

/// Two parts of a token with a signature over them.
#[must_use]
pub fn sign(header: &str, claims: &str, key: &EncodingKey, algorithm: Algorithm) -> String {
    let message = format!("{}.{}", base64(header), base64(claims));
    let signature = jsonwebtoken::crypto::sign(message.as_bytes(), key, algorithm).unwrap();
    format!("{message}.{signature}")
}

impl Forge {
    /// A token as the node would issue it for an account.
    pub async fn of(node: &Node, account: Uuid) -> Self {
        let keys = node.store.signing_keys().list().await.unwrap();
        let now = node.store.clock().now().timestamp();
        Self {
            header: json!({"alg": "EdDSA", "typ": "at+jwt", "kid": keys[0].kid}),
            claims: json!({
                "iss": format!("urn:verbund:{}", node.store.node().origin),
                "sub": account, "aud": "verbund", "client_id": account, "jti": domain::base::id::new(),
                "iat": now, "exp": now + 600, "scope": "directory sync admin",
            }),
            key: EncodingKey::from_ed_pem(keys[0].private_pem.as_bytes()).unwrap(),
            algorithm: Algorithm::EdDSA,
        }
    }

    #[must_use]
    pub fn external(header: Value, claims: Value, key: EncodingKey, algorithm: Algorithm) -> Self {
        Self {
            header,
            claims,
            key,
            algorithm,
        }
    }

    /// Replaces a member of the header; `null` removes it.
    #[must_use]
    pub fn header(mut self, name: &str, value: impl Into<Value>) -> Self {
        set(&mut self.header, name, value.into());
        self
    }

    /// Replaces a claim; `null` removes it.
    #[must_use]
    pub fn claim(mut self, name: &str, value: impl Into<Value>) -> Self {
        set(&mut self.claims, name, value.into());
        self
    }

    /// Sets a claim to a time relative to the time of issue, in seconds.
    #[must_use]
    pub fn time(self, name: &str, seconds: i64) -> Self {
        let now = self.claims["iat"].as_i64().unwrap();
        self.claim(name, now + seconds)
    }

    #[must_use]
    pub fn signed_with(mut self, key: EncodingKey, algorithm: Algorithm) -> Self {
        self.key = key;
        self.algorithm = algorithm;
        self
    }

    #[must_use]
    pub fn token(&self) -> String {
        let (header, claims) = (self.header.to_string(), self.claims.to_string());
        sign(&header, &claims, &self.key, self.algorithm)
    }
}

fn set(object: &mut Value, name: &str, value: Value) {
    let members = object.as_object_mut().unwrap();
    if value.is_null() {
        members.remove(name);
    } else {
        members.insert(name.to_owned(), value);
    }
}
