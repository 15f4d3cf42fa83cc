//! The only source of record ids.

use uuid::Uuid;

/// A new record id: `UUIDv7` (RFC 9562), which sorts by creation time.
#[must_use]
#[expect(clippy::disallowed_methods, reason = "this is where ids are made")]
pub fn new() -> Uuid {
    Uuid::now_v7()
}

/// The id of reference data: `UUIDv5` over `{scheme}:{code}`, equal on every node.
#[must_use]
pub fn reference(scheme: &str, code: &str) -> Uuid {
    let namespace = Uuid::new_v5(&Uuid::NAMESPACE_URL, b"urn:verbund:reference");
    Uuid::new_v5(&namespace, format!("{scheme}:{code}").as_bytes())
}
