//! Passwords and client secrets: generation, hashing, verification. Nothing here is ever logged.

use argon2::Argon2;
use argon2::password_hash::phc::PasswordHash;
use argon2::password_hash::{PasswordHasher, PasswordVerifier};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use rand::Rng;
use rand::seq::IndexedRandom;
use sha2::{Digest, Sha256};
use std::sync::LazyLock;
use std::time::Duration;
use subtle::ConstantTimeEq;
use tokio::sync::Semaphore;

pub const LEAST_PASSWORD: usize = 12;

pub const MOST_PASSWORD: usize = 256;

const PATIENCE: Duration = Duration::from_secs(5);

/// A hash takes 19 MiB and a core, so at most one per core is computed at a time.
static TURNS: LazyLock<Semaphore> =
    LazyLock::new(|| Semaphore::new(std::thread::available_parallelism().map_or(1, usize::from)));

/// Verified if there is no password, so that an unknown name takes as long as a wrong password.
static NOBODY: LazyLock<Option<String>> = LazyLock::new(|| hash_now(&random_secret()).ok());

/// Reason why a password cannot be hashed or verified now.
#[derive(Debug, thiserror::Error)]
pub enum SecretError {
    /// Too many callers are signing in.
    #[error("too many are signing in at the moment")]
    Busy,
    #[error("a password cannot be hashed: {0}")]
    Failed(String),
}

/// Hashes a password with argon2id, off the threads that serve requests.
pub async fn hash(password: String) -> Result<String, SecretError> {
    aside(move || hash_now(&password)).await?
}

/// Verifies a password; takes as long if there is no hash.
pub async fn is_password(password: String, hash: Option<String>) -> Result<bool, SecretError> {
    aside(move || {
        let (known, nobody) = (hash.is_some(), NOBODY.as_deref());
        let text = hash.as_deref().or(nobody);
        let text = text.ok_or_else(|| SecretError::Failed("no hash".to_owned()))?;
        let parsed = PasswordHash::new(text).map_err(failed)?;
        let fits = Argon2::default().verify_password(password.as_bytes(), &parsed);
        Ok(fits.is_ok() && known)
    })
    .await?
}

async fn aside<T: Send + 'static>(
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<T, SecretError> {
    let turn = tokio::time::timeout(PATIENCE, TURNS.acquire()).await;
    let Ok(Ok(_turn)) = turn else {
        return Err(SecretError::Busy);
    };
    tokio::task::spawn_blocking(work).await.map_err(failed)
}

fn hash_now(password: &str) -> Result<String, SecretError> {
    let hash = Argon2::default().hash_password(password.as_bytes());
    hash.map(|hash| hash.to_string()).map_err(failed)
}

fn failed(why: impl std::fmt::Display) -> SecretError {
    SecretError::Failed(why.to_string())
}

#[must_use]
pub fn random_secret() -> String {
    URL_SAFE_NO_PAD.encode(rand::rng().random::<[u8; 32]>())
}

/// A password of 100 random bits that can be read aloud.
#[must_use]
pub fn random_password() -> String {
    // Without characters that look alike.
    const LETTERS: &[u8; 32] = b"abcdefghijkmnpqrstuvwxyz23456789";
    let mut random = rand::rng();
    let groups: Vec<String> = (0..4)
        .map(|_| {
            let letters = (0..5).filter_map(|_| LETTERS.choose(&mut random));
            letters.copied().map(char::from).collect()
        })
        .collect();
    groups.join("-")
}

/// Hashes a client's secret.
///
/// SHA-256 is enough: 256 random bits cannot be guessed, however fast the hash is, and a slow one
/// would make every token request of a machine expensive.
#[must_use]
pub fn hash_secret(secret: &str) -> String {
    URL_SAFE_NO_PAD.encode(Sha256::digest(secret.as_bytes()))
}

#[must_use]
pub fn is_secret(secret: &str, hash: Option<&str>) -> bool {
    let given = hash_secret(secret);
    // The hash of no secret.
    let kept = hash.unwrap_or("-");
    given.as_bytes().ct_eq(kept.as_bytes()).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_fits_its_hash_only() {
        let hash = hash_now("correct horse").unwrap();
        assert!(hash.starts_with("$argon2id$"), "{hash}");
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_time()
            .build()
            .unwrap();
        let fits = |password: &str, hash: Option<&str>| {
            let hash = hash.map(str::to_owned);
            runtime
                .block_on(is_password(password.to_owned(), hash))
                .unwrap()
        };
        assert!(fits("correct horse", Some(&hash)));
        assert!(!fits("wrong horse", Some(&hash)));
        assert!(!fits("correct horse", None));
    }

    #[test]
    fn a_secret_fits_its_hash_only() {
        let secret = random_secret();
        assert_eq!(secret.len(), 43);
        assert!(is_secret(&secret, Some(&hash_secret(&secret))));
        assert!(!is_secret(&random_secret(), Some(&hash_secret(&secret))));
        assert!(!is_secret(&secret, None));
    }

    #[test]
    fn a_generated_password_is_long_enough() {
        let password = random_password();
        assert_eq!(password.len(), 23);
        assert!(password.len() >= LEAST_PASSWORD);
        assert_ne!(password, random_password());
    }
}
