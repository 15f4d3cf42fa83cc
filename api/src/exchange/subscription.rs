//! What partners and webhooks have in common.

use domain::access::account::is_name;
use domain::base::fault::{Fault, FaultCode, FieldError};

/// Violations of a name: a partner or webhook is named like an account.
pub(crate) fn name_errors(name: &str) -> Vec<FieldError> {
    if is_name(name) {
        return Vec::new();
    }
    let why = "2 to 64 of a-z, 0-9 and . _ @ -";
    let fault = Fault::new(FaultCode::NotAllowed).with("why", why);
    vec![FieldError::new("/name", fault)]
}
