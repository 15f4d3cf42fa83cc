//! Opaque cursors: the position after a page, signed, and bound to its query.

use crate::error::{Result, StoreError};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hmac::{Hmac, Mac};
use serde::Serialize;
use serde::de::DeserializeOwned;
use sha2::Sha256;

const TAG: usize = 16;

/// Encodes a position in the pages of `query`.
pub(crate) fn encode(secret: &[u8], query: &str, position: &impl Serialize) -> String {
    let payload = serde_json::to_vec(position).unwrap_or_default();
    let mut bytes = sign(secret, query, &payload);
    bytes.truncate(TAG);
    bytes.extend(payload);
    URL_SAFE_NO_PAD.encode(bytes)
}

/// Decodes a position.
///
/// # Errors
/// [`StoreError::BadCursor`] if the cursor is forged, damaged or of another query.
pub(crate) fn decode<T: DeserializeOwned>(secret: &[u8], query: &str, cursor: &str) -> Result<T> {
    let bytes = URL_SAFE_NO_PAD
        .decode(cursor)
        .map_err(|_| StoreError::BadCursor)?;
    let (tag, payload) = bytes.split_at_checked(TAG).ok_or(StoreError::BadCursor)?;
    mac(secret, query, payload)
        .verify_truncated_left(tag)
        .map_err(|_| StoreError::BadCursor)?;
    serde_json::from_slice(payload).map_err(|_| StoreError::BadCursor)
}

/// Decodes a cursor without verifying it.
pub(crate) fn unproved<T: DeserializeOwned>(cursor: &str) -> Result<T> {
    let bytes = URL_SAFE_NO_PAD
        .decode(cursor)
        .map_err(|_| StoreError::BadCursor)?;
    let (_, payload) = bytes.split_at_checked(TAG).ok_or(StoreError::BadCursor)?;
    serde_json::from_slice(payload).map_err(|_| StoreError::BadCursor)
}

pub(crate) fn sign(secret: &[u8], query: &str, payload: &[u8]) -> Vec<u8> {
    mac(secret, query, payload).finalize().into_bytes().to_vec()
}

fn mac(secret: &[u8], query: &str, payload: &[u8]) -> Hmac<Sha256> {
    // HMAC accepts keys of every length, so this cannot fail; an empty key would still bind.
    let mut mac = Hmac::<Sha256>::new_from_slice(secret)
        .unwrap_or_else(|_| Hmac::new(&hmac::digest::Key::<Hmac<Sha256>>::default()));
    mac.update(query.as_bytes());
    mac.update(&[0]);
    mac.update(payload);
    mac
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_is_good_for_its_query_and_its_node_only() {
        let cursor = encode(b"secret", "type=funds", &(1, "a"));
        let read = |secret: &[u8], query| decode::<(i32, String)>(secret, query, &cursor);
        assert_eq!(read(b"secret", "type=funds").unwrap(), (1, "a".to_owned()));
        assert!(read(b"secret", "type=serves").is_err());
        assert!(read(b"other", "type=funds").is_err());
        assert!(decode::<(i32, String)>(b"secret", "", "AAAA").is_err());
        assert!(decode::<(i32, String)>(b"secret", "", "%%%").is_err());
    }
}
