//! How to reach an organisation.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// How to reach an organisation; never a person (contact persons are not part of records).
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(default)]
pub struct Contact {
    /// Website (http or https).
    #[schema(format = "http-url", max_length = 2000)]
    pub website: Option<String>,
    /// Mailbox of the organisation.
    #[schema(format = "email", max_length = 254)]
    pub email: Option<String>,
    /// Telephone number, as the source writes it.
    #[schema(min_length = 1, max_length = 50, example = "+49 611 95017-8672")]
    pub phone: Option<String>,
    /// Contact form (http or https).
    #[schema(format = "http-url", max_length = 2000)]
    pub contact_form: Option<String>,
}
