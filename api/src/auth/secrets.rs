//! Passwords and client secrets: generation, hashing, verification. Nothing here is ever logged.

use argon2::password_hash::phc::{Output, ParamsString, PasswordHash, Salt};
use argon2::{Algorithm, Argon2, Block, Params, Version};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use domain::base::fault::{Fault, FaultCode};
use rand::Rng;
use rand::seq::IndexedRandom;
use sha2::{Digest, Sha256};
use std::sync::{LazyLock, Mutex, PoisonError};
use std::time::Duration;
use subtle::ConstantTimeEq;
use tokio::sync::Semaphore;

pub const LEAST_PASSWORD: usize = 12;

pub const MOST_PASSWORD: usize = 256;

/// Guesses that a password has to withstand, as powers of ten: those that an attacker who is slowed
/// down per account makes in years (OWASP ASVS 4, 2.1.7 and 2.1.8).
const LEAST_GUESSES: f64 = 8.0;

/// Characters of a password that are judged. The time grows faster than their number: 256 of the
/// worst take half a second.
const JUDGED: usize = 32;

/// What is wrong with a password that was chosen for an account of this name.
#[must_use]
pub fn password_fault(password: &str, name: &str) -> Option<Fault> {
    if password.chars().count() < LEAST_PASSWORD {
        return Some(Fault::new(FaultCode::TooShort).with("min", LEAST_PASSWORD));
    }
    if password.len() > MOST_PASSWORD {
        return Some(Fault::new(FaultCode::TooLong).with("max", MOST_PASSWORD));
    }
    let judged: String = password.chars().take(JUDGED).collect();
    let strength = zxcvbn::zxcvbn(&judged, &[name, "verbund"]);
    (strength.guesses_log10() < LEAST_GUESSES).then(|| Fault::new(FaultCode::GuessablePassword))
}

const PATIENCE: Duration = Duration::from_secs(5);

/// Hashes that are computed at a time: each takes 19 MiB and a core for some 20 ms.
const TURNS_AT_ONCE: usize = 2;

static TURNS: Semaphore = Semaphore::const_new(TURNS_AT_ONCE);

/// The memory of hashes that have been computed, for the next ones: if each took its own, the
/// allocator would keep that of every thread that ever computed one.
static MEMORY: Mutex<Vec<Vec<Block>>> = Mutex::new(Vec::new());

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
        Ok(fits(&password, &parsed)? && known)
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
    let argon2 = Argon2::default();
    let salt: [u8; Salt::RECOMMENDED_LENGTH] = rand::rng().random();
    let output = compute(&argon2, password, &salt, Params::DEFAULT_OUTPUT_LEN)?;
    let hash = PasswordHash {
        algorithm: Algorithm::default().ident(),
        version: Some(Version::default().into()),
        params: ParamsString::try_from(argon2.params()).map_err(failed)?,
        salt: Some(Salt::new(&salt).map_err(failed)?),
        hash: Some(output),
    };
    Ok(hash.to_string())
}

fn fits(password: &str, hash: &PasswordHash) -> Result<bool, SecretError> {
    let incomplete = || SecretError::Failed("a hash without salt or output".to_owned());
    let expected = hash.hash.as_ref().ok_or_else(incomplete)?;
    let salt = hash.salt.as_ref().ok_or_else(incomplete)?;
    let algorithm = Algorithm::try_from(hash.algorithm.as_str()).map_err(failed)?;
    let version = hash.version.map(Version::try_from).transpose();
    let version = version.map_err(failed)?.unwrap_or_default();
    let params = Params::try_from(hash).map_err(failed)?;
    let argon2 = Argon2::new(algorithm, version, params);
    let output = compute(&argon2, password, salt.as_ref(), expected.len())?;
    // In constant time.
    Ok(output == *expected)
}

fn compute(
    argon2: &Argon2<'_>,
    password: &str,
    salt: &[u8],
    length: usize,
) -> Result<Output, SecretError> {
    let kept = || MEMORY.lock().unwrap_or_else(PoisonError::into_inner);
    let mut memory = kept().pop().unwrap_or_default();
    let blocks = argon2.params().block_count();
    if memory.len() < blocks {
        memory.resize(blocks, Block::new());
    }
    let mut output = [0; Output::MAX_LENGTH];
    let output = output.get_mut(..length);
    let output = output.ok_or_else(|| SecretError::Failed("too long a hash".to_owned()))?;
    let password = password.as_bytes();
    let part = memory.get_mut(..blocks).unwrap_or_default();
    let done = argon2.hash_password_into_with_memory(password, salt, output, part);
    let mut kept = kept();
    if kept.len() < TURNS_AT_ONCE {
        kept.push(memory);
    }
    drop(kept);
    done.map_err(failed)?;
    Output::new(output).map_err(failed)
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
    fn a_password_is_judged_in_bounded_time() {
        let worst = "4@8({[3969!1|70$5+2%".repeat(12);
        let begun = std::time::Instant::now();
        assert!(password_fault(&worst, "anna").is_none());
        assert!(begun.elapsed() < Duration::from_secs(2), "unoptimized");
    }

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
