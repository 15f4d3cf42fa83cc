//! Filters of lists as constants of a kind: the index, the parameters and the facets are derived
//! from these tables.

use crate::base::kind::Kind;
use crate::base::vocabulary::Vocabulary;
use serde_json::Value;

#[derive(Debug, Clone, Copy)]
pub struct Filter {
    pub name: &'static str,
    /// JSON pointer (RFC 6901) to the values; `*` is every element, `-` the last one.
    pub path: &'static str,
    pub form: Form,
    pub about: &'static str,
    pub example: &'static str,
}

#[derive(Debug, Clone, Copy)]
pub enum Form {
    /// Codes of a closed vocabulary; copies may have others.
    Code(fn() -> Vocabulary),
    Flag,
    Text,
    Record(Kind),
    /// Records of a kind and everything below them.
    Tree(Kind),
}

impl Filter {
    pub(crate) const fn code(
        name: &'static str,
        path: &'static str,
        vocabulary: fn() -> Vocabulary,
        about: &'static str,
        example: &'static str,
    ) -> Self {
        Self {
            name,
            path,
            form: Form::Code(vocabulary),
            about,
            example,
        }
    }

    /// The values in a body, as texts; values of another type are left out.
    #[must_use]
    pub fn values(&self, body: &Value) -> Vec<String> {
        let found = crate::base::pointer::values(body, self.path).into_iter();
        let texts = found.filter_map(|value| match value {
            Value::String(text) => Some(text.clone()),
            Value::Bool(flag) => Some(flag.to_string()),
            Value::Null | Value::Number(_) | Value::Array(_) | Value::Object(_) => None,
        });
        texts.collect()
    }
}
