//! Parameters of requests with a table.

use super::encoding::named;
use super::mapping::Mapping;
use crate::http::problem::Problem;
use crate::operation::extract::{Pairs, Parameter};
use crate::operation::param;
use crate::operation::param::Known;
use domain::base::kind::Kind;
use encoding_rs::Encoding;
use persistence::{Store, StoreError};

pub(crate) const CHARSET: Parameter = param::text(
    "charset",
    "Encoding of a table as text, such as `windows-1252` or `macintosh`; found when absent, unless `Content-Type` declares it.",
)
.max(40);

pub(crate) const SHEET: Parameter = param::text(
    "sheet",
    "Sheet of a workbook with the table; when absent, the one with the plural of the kind as its name, or the first.",
)
.max(200);

pub(crate) const FIX: Parameter = param::codes(
    "fix",
    "`urls`: addresses on the web in a table that lack `https://` get it, and the report says so.",
    Known::These(&["urls"]),
);

/// How a table is to be read.
#[derive(Debug, Default)]
pub(crate) struct Options {
    /// The charset, if it is declared.
    pub(crate) charset: Option<&'static Encoding>,
    /// The sheet of a workbook.
    pub(crate) sheet: Option<String>,
    /// Whether addresses on the web without `https://` get it.
    pub(crate) fix_urls: bool,
    /// Whether an invalid cell is left out, instead of its row.
    pub(crate) skip_invalid: bool,
}

impl Options {
    /// # Errors
    /// `invalid-parameter` for an unknown charset.
    pub(crate) fn read(pairs: &Pairs) -> Result<Self, Problem> {
        Ok(Self {
            charset: pairs.one(CHARSET.name).map(named).transpose()?,
            sheet: pairs.one(SHEET.name).map(str::to_owned),
            fix_urls: pairs.words(FIX.name).concat().contains(&"urls"),
            skip_invalid: pairs.one("skip_invalid") == Some("members"),
        })
    }
}

/// The mapping that is stored with a source for tables of one of the kinds, if there is one.
pub(crate) async fn stored_mapping(
    store: &Store,
    system: &str,
    kinds: &[Kind],
) -> Result<Mapping, StoreError> {
    let [kind] = kinds else {
        return Ok(Mapping::default());
    };
    let stored = store.push().columns(system, *kind).await?;
    let mapping = stored.map(serde_json::from_value).transpose();
    let mapping = mapping.map_err(|why| StoreError::Corrupt(why.to_string()))?;
    Ok(mapping.unwrap_or_default())
}
