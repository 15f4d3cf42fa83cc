//! Rows of any table, before it is known what they mean.

use domain::base::fault::FieldError;
use domain::exchange::table::Reason;

/// A row as the file has it.
#[derive(Debug, Clone, Default)]
pub(crate) struct Row {
    /// Line of the file; in a workbook, the row.
    pub(crate) line: u64,
    /// Number of the row as a spreadsheet shows it.
    pub(crate) number: u64,
    pub(crate) cells: Vec<Raw>,
    /// Why the row as a whole cannot be read.
    pub(crate) fault: Option<FieldError>,
    /// Whether every row must have as many cells as the heading.
    pub(crate) is_strict: bool,
}

#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Raw {
    pub(crate) text: String,
    pub(crate) kind: RawKind,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) enum RawKind {
    #[default]
    Text,
    /// A number or a truth value of the file, in the notation of JSON.
    Number,
    /// A formula whose result is not in the file.
    WithoutValue,
    /// The value of a merged cell that begins in an earlier row.
    Merged,
}

impl Row {
    pub(crate) fn is_blank(&self) -> bool {
        self.fault.is_none() && self.cells.iter().all(Raw::is_blank)
    }

    pub(crate) fn bytes(&self) -> u64 {
        self.cells.iter().map(|cell| cell.text.len() as u64).sum()
    }
}

impl Raw {
    pub(crate) fn text(text: impl Into<String>) -> Self {
        Self {
            text: text.into(),
            kind: RawKind::Text,
        }
    }

    pub(crate) fn is_blank(&self) -> bool {
        self.text.chars().all(char::is_whitespace) && self.kind != RawKind::WithoutValue
    }
}

/// How a table was read.
#[derive(Debug, Clone, Default)]
pub(crate) struct TableRead {
    pub(crate) encoding: Option<&'static str>,
    pub(crate) separator: Option<char>,
    pub(crate) sheet: Option<String>,
    /// Number of the row with the heading.
    pub(crate) heading: u64,
    /// First rows before the heading that are no records.
    pub(crate) skipped: Vec<u64>,
    pub(crate) columns: Vec<ColumnRead>,
}

/// What a column of the file is.
#[derive(Debug, Clone)]
pub(crate) struct ColumnRead {
    pub(crate) letter: String,
    pub(crate) heading: String,
    /// The column of an export; absent if it is left out.
    pub(crate) member: Option<String>,
    pub(crate) reason: Option<Reason>,
}
