//! What the file of a kind says of it; everything else is written once over this.

use crate::base::filter::Filter;
use crate::base::kind::Kind;
use crate::kinds::common::{self, Described};
use crate::value::reference::ReferenceField;
use serde::Serialize;
use serde::de::DeserializeOwned;
use utoipa::ToSchema;
use validator::Validate;

/// How records of a kind hang below each other.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Hierarchy {
    /// By relationships of the type `part_of`.
    PartOf,
    /// By their member `broader`.
    Broader,
}

/// Which dates the records of a kind have, and with them filters and orders.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Dates {
    /// None.
    None,
    /// A member `period` in which they are active.
    Period,
    /// A member `start`, and `posted` where there is none.
    Start,
}

/// The kind of a record: the struct holds its members, the constants the facts that differ by kind.
pub trait RecordType: Serialize + DeserializeOwned + Validate + ToSchema + 'static {
    /// The kind.
    const KIND: Kind;
    /// The English noun with its indefinite article.
    const A: &'static str;
    /// The section of its operations in the OpenAPI document …
    const TAG: &'static str;
    /// … and what the section is about.
    const ABOUT: &'static str;
    /// Members that hold references.
    const REFERENCES: &'static [ReferenceField] = &[];
    /// Members that hold text and may be translated.
    const TEXTS: &'static [&'static str] = &[];
    /// Members by which lists can be filtered.
    const FILTERS: &'static [Filter] = &[];
    /// The members that all kinds but relationships share, as references, texts and filters.
    const COMMON: (
        &'static [ReferenceField],
        &'static [&'static str],
        &'static [Filter],
    ) = (common::REFERENCES, common::TEXTS, common::FILTERS);
    /// Whether every record has a home region.
    const NEEDS_HOME_REGION: bool = true;
    /// How records hang below each other.
    const HIERARCHY: Hierarchy = Hierarchy::PartOf;
    /// Whether a search for the name of a record also finds what belongs to it.
    const STANDS_FOR_ITS_MEMBERS: bool = false;
    /// Whether a search lists others first when they fit as well: records that classify.
    const CLASSIFIES: bool = false;
    /// The place of the kind among suggestions, 0 first.
    const SUGGESTION_RANK: u8;
    /// Its dates.
    const DATES: Dates = Dates::None;
    /// A body from the seed pages, for the documentation.
    const EXAMPLE: &'static str;

    /// The members that all kinds but relationships share.
    fn described(&self) -> Option<&Described>;
}
