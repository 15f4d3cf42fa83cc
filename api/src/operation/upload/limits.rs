//! Limits of bulk bodies.

use crate::http::problem::{Code, Problem};

pub(super) const MAX_BYTES: u64 = 64 * 1024 * 1024;

/// Lines of an import, which is many transactions.
pub(super) const MAX_LINES: u64 = 200_000;

/// Lines of a snapshot, which is one transaction.
const MAX_SNAPSHOT: u64 = 10_000;

/// How much of an upload is read and reported.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Limits {
    pub(super) lines: u64,
    /// Unreadable lines whose violations are kept; the others are counted.
    pub(super) told: usize,
}

impl Limits {
    pub(crate) const OF_IMPORTS: Self = Self {
        lines: MAX_LINES,
        told: 100,
    };

    pub(crate) const OF_DRY_WORKBOOKS: Self = Self {
        lines: MAX_SNAPSHOT,
        told: 10_000,
    };

    /// Of dry runs, which are one transaction.
    pub(crate) const OF_DRY_RUNS: Self = Self {
        lines: MAX_SNAPSHOT,
        told: 100,
    };

    /// Of imports whose results are a workbook.
    pub(crate) const OF_WORKBOOKS: Self = Self {
        lines: MAX_LINES,
        told: 10_000,
    };

    pub(crate) const OF_SNAPSHOTS: Self = Self {
        lines: MAX_SNAPSHOT,
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
        format!("The body may have {MAX_BYTES} bytes decompressed, and {MAX_RATIO} per byte sent; send it in parts."),
        format!("Der Body darf entpackt {MAX_BYTES} Bytes haben, und {MAX_RATIO} je gesendetem Byte; senden Sie ihn in Teilen."),
    )
}

pub(super) fn too_many(most: u64) -> Problem {
    Problem::new(Code::PayloadTooLarge).detail(
        format!("The body may have {most} lines; send fewer at once."),
        format!("Der Body darf {most} Zeilen haben; senden Sie weniger auf einmal."),
    )
}
