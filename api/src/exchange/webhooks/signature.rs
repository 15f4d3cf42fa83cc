//! Secrets and signatures of Standard Webhooks, version 1.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, Mac};
use persistence::webhook::Secret;
use rand::Rng;
use sha2::Sha256;

const PREFIX: &str = "whsec_";

/// A new secret: `whsec_` and 32 random bytes in base64.
#[must_use]
pub fn new_secret() -> Secret {
    let bytes = rand::rng().random::<[u8; 32]>();
    Secret(format!("{PREFIX}{}", STANDARD.encode(bytes)))
}

/// `v1,` and the HMAC-SHA256 of `id.timestamp.body` in base64.
pub fn sign(secret: &str, id: &str, timestamp: &str, body: &str) -> Result<String, String> {
    let key = secret.strip_prefix(PREFIX).unwrap_or(secret);
    let key = STANDARD
        .decode(key)
        .map_err(|_| "the secret is not base64".to_owned())?;
    let mac = Hmac::<Sha256>::new_from_slice(&key);
    let mut mac = mac.map_err(|why| why.to_string())?;
    mac.update(format!("{id}.{timestamp}.{body}").as_bytes());
    Ok(format!(
        "v1,{}",
        STANDARD.encode(mac.finalize().into_bytes())
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn signatures_are_those_of_the_specification() {
        // The test vector of the reference implementations.
        let signed = sign(
            "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
            "msg_p5jXN8AQM9LWM0D4loKWxJek",
            "1614265330",
            r#"{"test": 2432232314}"#,
        );
        let expected = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=";
        assert_eq!(signed.unwrap(), expected);
        assert!(sign("whsec_%", "a", "1", "{}").is_err());
    }

    #[test]
    fn secrets_are_long_enough_and_never_the_same() {
        let secret = new_secret().0;
        let bytes = STANDARD
            .decode(secret.strip_prefix(PREFIX).unwrap())
            .unwrap();
        assert!((24..=64).contains(&bytes.len()));
        assert_ne!(new_secret().0, secret);
        assert_eq!(format!("{:?}", new_secret()), "Secret(…)");
    }
}
