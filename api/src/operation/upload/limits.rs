//! Limits of bulk bodies.

use crate::http::problem::{Code, Problem};

pub(super) const MAX_BYTES: u64 = 64 * 1024 * 1024;

pub(super) const MAX_LINES: u64 = 10_000;

/// How much of an upload is read and reported.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Limits {
    pub(super) lines: u64,
    /// Unreadable lines whose violations are kept; the others are counted.
    pub(super) told: usize,
}

impl Limits {
    pub(crate) const OF_REQUESTS: Self = Self {
        lines: MAX_LINES,
        told: 100,
    };

    pub(crate) const OF_COMMANDS: Self = Self {
        lines: u64::MAX,
        told: 10_000,
    };
}

/// Maximum size of a line: the largest record with room for its notation.
pub(super) const MAX_LINE: u64 = 1024 * 1024;

pub(super) const MAX_RATIO: u64 = 100;

pub(super) fn too_large() -> Problem {
    Problem::new(Code::PayloadTooLarge).detail(
        format!("The body may have {MAX_BYTES} bytes decompressed, {MAX_RATIO} per byte sent, and {MAX_LINES} lines; send it in parts."),
        format!("Der Body darf entpackt {MAX_BYTES} Bytes haben, {MAX_RATIO} je gesendetem Byte, und {MAX_LINES} Zeilen; senden Sie ihn in Teilen."),
    )
}
