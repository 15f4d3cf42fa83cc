//! The origin of a record and of its statements.

use crate::value::edtf;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// The key of a record in the system that supplies it (a partner's CMS, a spreadsheet).
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
pub struct ExternalId {
    /// Supplying system.
    #[schema(
        max_length = 63,
        pattern = "^[a-z0-9][a-z0-9._-]*$",
        example = "cms-nordhessen"
    )]
    pub system: String,
    #[schema(min_length = 1, max_length = 200, pattern = r"^\S+$", example = "42")]
    pub id: String,
}

/// Where statements were read. The publisher of a page is not its subject.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(default)]
pub struct Source {
    /// Groups the records of one page or file.
    #[schema(min_length = 1, max_length = 200, example = "000")]
    pub document: Option<String>,
    /// Publisher of the source.
    #[schema(min_length = 1, max_length = 300)]
    pub publisher: Option<String>,
    /// Address on the web (http or https).
    #[schema(format = "http-url", max_length = 2000)]
    pub url: Option<String>,
    /// When the source was read.
    pub retrieved_at: Option<edtf::EdtfDate>,
    /// Day whose state the source describes.
    pub as_of: Option<edtf::EdtfDate>,
    /// Licence of the content.
    #[schema(min_length = 1, max_length = 200)]
    pub licence: Option<String>,
}
