//! How large bodies in bulk may be.

use crate::http::problem::Problem;

/// How many bytes a body may have, unpacked.
pub(super) const MAX_BYTES: u64 = 64 * 1024 * 1024;

/// How many lines a body may have.
pub(super) const MAX_LINES: u64 = 10_000;

/// How many bytes a line may have: the largest record with room for how it is written.
pub(super) const MAX_LINE: u64 = 1024 * 1024;

/// How many bytes of text a byte that was sent may unpack to.
pub(super) const MAX_RATIO: u64 = 100;

/// The body is larger.
pub(super) fn too_large() -> Problem {
    Problem::new("payload-too-large").detail(
        format!("The body may have {MAX_BYTES} bytes unpacked, {MAX_RATIO} for each byte that is sent, and {MAX_LINES} lines; send it in parts."),
        format!("Der Body darf entpackt {MAX_BYTES} Bytes haben, {MAX_RATIO} je gesendetem Byte, und {MAX_LINES} Zeilen; senden Sie ihn in Teilen."),
    )
}
