//! Violations of whole lines.

use super::limits::{MAX_COLUMNS, MAX_LINE};
use crate::http::problem::Problem;
use domain::base::fault::{Fault, FaultCode, FieldError};
use persistence::StoreError;

/// The violation of a line that is longer than any record.
pub(super) fn too_long() -> FieldError {
    let fault = Fault::new(FaultCode::TooLong).with("max", MAX_LINE);
    FieldError::new("", fault)
}

/// The violation of a row with more cells than a spreadsheet can have.
pub(super) fn too_wide(cells: usize) -> FieldError {
    unfit((
        format!("it has {cells} cells; a row of a spreadsheet has at most {MAX_COLUMNS}"),
        format!(
            "die Zeile hat {cells} Zellen; eine Zeile einer Tabelle hat höchstens {MAX_COLUMNS}"
        ),
    ))
}

/// A violation of a whole line, in English and German.
pub(super) fn unfit((en, de): (String, String)) -> FieldError {
    let fault = Fault::new(FaultCode::InvalidValue)
        .with("why", en)
        .with("why_de", de);
    FieldError::new("", fault)
}

pub(super) fn refused(error: FieldError) -> Problem {
    StoreError::Invalid(vec![error]).into()
}
