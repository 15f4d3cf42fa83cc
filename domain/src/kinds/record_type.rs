//! The trait of a kind: everything else is written once over it.

use crate::base::filter::Filter;
use crate::base::kind::Kind;
use crate::base::rename::Rename;
use crate::kinds::common::{self, Described};
use crate::kinds::dates::Dates;
use crate::value::reference::ReferenceField;
use serde::Serialize;
use serde::de::DeserializeOwned;
use utoipa::ToSchema;
use validator::Validate;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Hierarchy {
    /// By relationships of the type `part_of`.
    PartOf,
    /// By their member `broader`.
    Broader,
}

/// The kind of a record: the struct has its members, the constants have the facts that differ by
/// kind.
pub trait RecordType: Serialize + DeserializeOwned + Validate + ToSchema + 'static {
    const KIND: Kind;
    /// The English noun with its indefinite article.
    const A: &'static str;
    /// Section of its operations in the OpenAPI document.
    const TAG: &'static str;
    /// The same in German; both are titles of feeds and calendars.
    const TAG_DE: &'static str;
    /// Description of that section.
    const ABOUT: &'static str;
    const REFERENCES: &'static [ReferenceField] = &[];
    /// Members that contain text and may be translated.
    const TEXTS: &'static [&'static str] = &[];
    /// Members with another name in earlier releases, in the order in which they were renamed.
    const RENAMES: &'static [Rename] = &[];
    const FILTERS: &'static [Filter] = &[];
    /// The members that all kinds but relationships share, as references, texts and filters.
    const COMMON: (
        &'static [ReferenceField],
        &'static [&'static str],
        &'static [Filter],
    ) = (common::REFERENCES, common::TEXTS, common::FILTERS);
    const NEEDS_HOME_REGION: bool = true;
    const HIERARCHY: Hierarchy = Hierarchy::PartOf;
    /// Whether a search for the name of a record also finds its members.
    const STANDS_FOR_ITS_MEMBERS: bool = false;
    /// Whether equally good hits of other kinds are listed first, because records of this kind only
    /// classify.
    const CLASSIFIES: bool = false;
    const SUGGESTION_RANK: u8;
    const DATES: Dates = Dates::None;
    /// A body from the seed pages, for the documentation.
    const EXAMPLE: &'static str;

    /// The members that all kinds but relationships share.
    fn described(&self) -> Option<&Described>;
}
