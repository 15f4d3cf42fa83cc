//! Lines of a bulk upload, and what they say of a record that is stored already.

use crate::base::fault::FieldError;
use crate::exchange::table::Cells;
use serde_json::Value;

crate::vocabulary! {
    /// Whether a line changes a record or replaces it.
    Update "update" {
        Patch "patch" "ändern: was fehlt, bleibt" "change: what is missing stays";
        Replace "replace" "ersetzen: was fehlt, entfällt" "replace: what is missing is removed";
    }
}

#[derive(Debug, Clone)]
pub struct Line {
    /// From 1, in the file as sent.
    pub number: u64,
    /// A new record as the line states it.
    pub record: Value,
    pub statement: Statement,
}

/// What a line says of a stored record.
#[derive(Debug, Clone, Default)]
pub enum Statement {
    /// The record of the line replaces it.
    #[default]
    Whole,
    /// The record of the line is a merge patch (RFC 7396).
    Merge,
    /// The cells change it.
    Cells(Cells),
}

impl Line {
    /// A line whose record replaces the stored one.
    #[must_use]
    pub fn whole(number: u64, record: Value) -> Self {
        Self {
            number,
            record,
            statement: Statement::Whole,
        }
    }
}

impl Statement {
    /// Adds the cells of violations, if the line is a row.
    pub fn locate(&self, errors: &mut [FieldError]) {
        if let Self::Cells(cells) = self {
            cells.locate(errors);
        }
    }

    /// The same without invalid cells, and the record that it states then; none if that is not
    /// wanted, or not enough.
    #[must_use]
    pub fn without(&self, errors: &[FieldError]) -> Option<(Self, Value)> {
        let Self::Cells(cells) = self else {
            return None;
        };
        let rest = cells.without(errors)?;
        let record = rest.whole_record().ok()?;
        Some((Self::Cells(rest), record))
    }

    /// What was changed while a row was read.
    #[must_use]
    pub fn warnings(&self) -> Vec<FieldError> {
        match self {
            Self::Cells(cells) => cells.warnings(),
            Self::Whole | Self::Merge => Vec::new(),
        }
    }

    /// The text that, with the record, determines the effect of a line.
    #[must_use]
    pub fn fingerprint(&self) -> String {
        match self {
            Self::Whole => String::new(),
            Self::Merge => "merge".to_owned(),
            Self::Cells(cells) => cells.fingerprint(),
        }
    }
}
