//! What the cells of a column hold.

use super::Column;
use crate::base::kind::Kind;
use crate::base::vocabulary::Coded;
use serde_json::Value;

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Content {
    Text,
    /// A key, a slug or another text without blanks.
    Key,
    Url,
    Email,
    /// A date of the EDTF subset, or the end of a period.
    Date,
    /// A date, or a date and a time.
    Moment,
    Number,
    WholeNumber,
    Truth,
    /// One of these codes.
    Code(Vec<String>),
    /// ISO 3166-1 alpha-2.
    Country,
    /// An id or a slug of a record of this kind.
    Reference(Kind),
    /// A record at the end of a relationship.
    Record,
    Json,
}

impl Content {
    pub(super) fn of_text(schema: &Value) -> Self {
        let text = |name: &str| schema.get(name).and_then(Value::as_str);
        if let Some(Value::Array(codes)) = schema.get("enum") {
            let codes = codes.iter().filter_map(Value::as_str);
            return Self::Code(codes.map(str::to_owned).collect());
        }
        if schema.get("const").is_some() {
            let codes = Kind::ALL.iter().map(|kind| kind.code().to_owned());
            return Self::Code(codes.collect());
        }
        match (text("format"), text("pattern")) {
            (Some("http-url"), _) => Self::Url,
            (Some("email"), _) => Self::Email,
            (Some("edtf-date" | "edtf-end"), _) => Self::Date,
            (Some("edtf-moment" | "timestamp" | "date-time"), _) => Self::Moment,
            (_, Some("^[A-Z]{2}$")) => Self::Country,
            (Some("slug" | "uuid" | "language" | "identifier-scheme"), _) | (_, Some(_)) => {
                Self::Key
            }
            _ => Self::Text,
        }
    }

    pub(super) fn of_plain(schema: &Value) -> Self {
        match schema.get("type").and_then(Value::as_str) {
            Some("boolean") => Self::Truth,
            Some("integer") => Self::WholeNumber,
            _ => Self::Number,
        }
    }
}

impl Column {
    #[must_use]
    pub fn content(&self) -> &Content {
        &self.content
    }

    /// Whether a cell holds a list.
    #[must_use]
    pub fn is_list(&self) -> bool {
        self.path.iter().any(|step| step.list)
    }

    /// The members of the path, from the record down.
    pub fn path_members(&self) -> impl Iterator<Item = &str> {
        self.path.iter().map(|step| step.member.as_str())
    }
}
