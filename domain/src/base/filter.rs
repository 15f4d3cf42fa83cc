//! What lists can be narrowed to, as facts per kind: the index, the parameters and the facets are
//! made from these tables.

use crate::base::kind::Kind;
use crate::base::vocabulary::Vocabulary;
use serde_json::Value;

/// A member that lists can be narrowed by.
#[derive(Debug, Clone, Copy)]
pub struct Filter {
    /// The name of the parameter, and of the facet.
    pub name: &'static str,
    /// Where records hold the values: a JSON pointer (RFC 6901) in which `*` is every element and
    /// `-` the last one.
    pub path: &'static str,
    /// What the values are.
    pub form: Form,
    /// What it means, for the documentation.
    pub about: &'static str,
    /// A value from the seed pages.
    pub example: &'static str,
}

/// What the values of a filter are.
#[derive(Debug, Clone, Copy)]
pub enum Form {
    /// Codes of a closed vocabulary; copies may hold others.
    Code(fn() -> Vocabulary),
    /// True or false.
    Flag,
    /// Any text, compared as it is.
    Text,
    /// Records of a kind.
    Record(Kind),
    /// Records of a kind and everything below them.
    Tree(Kind),
}

impl Filter {
    /// A filter by the codes of a vocabulary.
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

    /// The values that a body holds, as texts; what has another shape is left out.
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
