//! Topics: the subjects that records are about, as a tree.

use crate::base::filter::Filter;
use crate::base::kind::{Kind, Resource};
use crate::kinds::common::Described;
use crate::value::reference::{ReferenceField, Slot};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use validator::Validate;

/// A subject (SKOS concept); its labels are `name` and `translations`.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, ToSchema, Validate)]
#[serde(default)]
pub struct Topic {
    /// What every described kind shares.
    #[serde(flatten)]
    #[validate(nested)]
    pub described: Described,
    /// The next wider topic.
    pub broader: Option<Slot>,
    /// A code of the topic in its scheme.
    #[schema(min_length = 1, max_length = 100, example = "rural-care")]
    pub notation: Option<String>,
}

impl Resource for Topic {
    const KIND: Kind = Kind::Topic;
    const REFERENCES: &'static [ReferenceField] = &[ReferenceField::slot("/broader", Kind::Topic)];
    const TEXTS: &'static [&'static str] = &[];
    const FILTERS: &'static [Filter] = &[];
    const EXAMPLE: &'static str = r#"{"name":"Sektorübergreifende Versorgungsnetzwerke","language":"de","source":{"document":"003"}}"#;

    fn described(&self) -> Option<&Described> {
        Some(&self.described)
    }
}
