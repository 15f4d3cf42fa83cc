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
    /// Bytes on the disk of what was read. A workbook of kilobytes can unpack to any size, because it
    /// names a text once and uses it in every row.
    pub(super) bytes: u64,
    /// Unreadable lines whose violations are kept; the others are counted.
    pub(super) told: usize,
}

impl Limits {
    pub(crate) const OF_IMPORTS: Self = Self {
        lines: MAX_LINES,
        bytes: MAX_SPOOLED,
        told: 100,
    };

    pub(crate) const OF_DRY_WORKBOOKS: Self = Self {
        lines: MAX_SNAPSHOT,
        bytes: MAX_SPOOLED,
        told: 10_000,
    };

    /// Of dry runs, which are one transaction.
    pub(crate) const OF_DRY_RUNS: Self = Self {
        lines: MAX_SNAPSHOT,
        bytes: MAX_SPOOLED,
        told: 100,
    };

    /// Of imports whose results are a workbook.
    pub(crate) const OF_WORKBOOKS: Self = Self {
        lines: MAX_LINES,
        bytes: MAX_SPOOLED,
        told: 10_000,
    };

    pub(crate) const OF_SNAPSHOTS: Self = Self {
        lines: MAX_SNAPSHOT,
        bytes: MAX_SPOOLED,
        told: 100,
    };

    pub(crate) const OF_COMMANDS: Self = Self {
        lines: u64::MAX,
        bytes: u64::MAX,
        told: 10_000,
    };
}

/// Maximum size of a line: the largest record with room for its notation.
pub(super) const MAX_LINE: u64 = 1024 * 1024;

/// Columns of a spreadsheet.
pub(super) const MAX_COLUMNS: usize = 16_384;

/// Rows of a spreadsheet.
pub(super) const MAX_ROWS: u64 = 1_048_576;

/// Bytes of the file that a row may take, with separators, quotation marks and line breaks.
pub(super) const MAX_RAW: u64 = 4 * MAX_LINE;

const MAX_SPOOLED: u64 = 512 * 1024 * 1024;

pub(super) const MAX_RATIO: u64 = 100;

pub(super) fn too_much() -> Problem {
    Problem::new(Code::PayloadTooLarge).detail(
        format!("The rows of the table have more than {MAX_SPOOLED} bytes together; send it in parts."),
        format!("Die Zeilen der Tabelle haben zusammen mehr als {MAX_SPOOLED} Bytes; senden Sie sie in Teilen."),
    )
}

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
