//! Topics: the subjects of records, as a tree.

use crate::base::kind::Kind;
use crate::kinds::common::Described;
use crate::kinds::record_type::{Hierarchy, RecordType};
use crate::value::reference::{ReferenceField, Slot};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use validator::Validate;

/// A subject (SKOS concept); its labels are `name` and `translations`.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, ToSchema, Validate)]
#[serde(default)]
pub struct Topic {
    /// Members of every described kind.
    #[serde(flatten)]
    #[validate(nested)]
    pub described: Described,
    /// The next broader topic.
    pub broader: Option<Slot>,
    /// Code of the topic in its scheme.
    #[schema(min_length = 1, max_length = 100, example = "rural-care")]
    pub notation: Option<String>,
}

impl RecordType for Topic {
    const KIND: Kind = Kind::Topic;
    const A: &'static str = "a topic";
    const TAG: &'static str = "Topics";
    const TAG_DE: &'static str = "Themen";
    const ABOUT: &'static str = "Subjects of records, as a tree.";
    const REFERENCES: &'static [ReferenceField] = &[ReferenceField::slot("/broader", Kind::Topic)];
    const NEEDS_HOME_REGION: bool = false;
    const HIERARCHY: Hierarchy = Hierarchy::Broader;
    const STANDS_FOR_ITS_MEMBERS: bool = true;
    const CLASSIFIES: bool = true;
    const SUGGESTION_RANK: u8 = 4;
    const EXAMPLE: &'static str = r#"{"name":"Sektorübergreifende Versorgungsnetzwerke","language":"de","source":{"document":"003"}}"#;

    fn described(&self) -> Option<&Described> {
        Some(&self.described)
    }
}
