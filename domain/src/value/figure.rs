//! Counts and statistics with the uncertainty that the source states.

use crate::base::fault::{Fault, FaultCode};
use crate::value::edtf;
use crate::value::external::Source;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use validator::{Validate, ValidationError};

crate::vocabulary! {
    /// Exactness of a figure („rund 50" is about, „über 35" is `more_than`).
    Qualifier "figure_qualifier" {
        Exact "exact" "genau" "exactly";
        About "about" "rund" "about";
        AtLeast "at_least" "mindestens" "at least";
        MoreThan "more_than" "über" "more than";
        AtMost "at_most" "höchstens" "at most";
        FewerThan "fewer_than" "weniger als" "fewer than";
    }
}

/// A count or statistic. A declared count is not the number of records; both are shown.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema, Validate)]
#[validate(schema(function = "check", skip_on_field_errors = false))]
pub struct Figure {
    /// Measure of the figure. An open vocabulary with known codes: `members`, `sub_networks`,
    /// `attendance`, `participants`, `sites`, `employees`, `inhabitants`, `amount_eur` and others.
    #[schema(max_length = 63, pattern = "^[a-z][a-z0-9_]*$", example = "members")]
    pub measure: String,
    /// Number in `unit`.
    #[schema(value_type = f64, example = 50)]
    pub value: serde_json::Number,
    /// Upper end, if the source states a span.
    #[schema(value_type = Option<f64>)]
    pub value_to: Option<serde_json::Number>,
    /// Exactness of the number.
    pub qualifier: Qualifier,
    /// Unit, if the figure is not a plain count.
    #[schema(min_length = 1, max_length = 50)]
    pub unit: Option<String>,
    #[schema(min_length = 1, max_length = 500, example = "rund 50 Mitglieder")]
    pub as_stated: Option<String>,
    /// Date of the figure.
    pub as_of: Option<edtf::EdtfDate>,
    /// Remarks.
    #[schema(min_length = 1, max_length = 1000)]
    pub note: Option<String>,
    /// Source, if it differs from the record's.
    pub source: Option<Source>,
}

fn check(figure: &Figure) -> Result<(), ValidationError> {
    let (from, to) = (
        figure.value.as_f64(),
        figure
            .value_to
            .as_ref()
            .and_then(serde_json::Number::as_f64),
    );
    match (from, to) {
        (Some(from), Some(to)) if to < from => Err(Fault::new(FaultCode::ValueOrder)
            .with("field", "value_to")
            .with("from", from)
            .with("to", to)
            .into()),
        _ => Ok(()),
    }
}
