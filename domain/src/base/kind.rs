//! The closed list of record kinds and what every kind can tell of itself.

use crate::base::filter::Filter;
use crate::base::vocabulary::Coded;
use crate::kinds::common::Described;
use crate::kinds::relationship::Relationship;
use crate::value::reference::ReferenceField;
use serde::Serialize;
use serde::de::DeserializeOwned;
use utoipa::ToSchema;
use validator::Validate;

crate::vocabulary! {
    /// The kinds of records, in dependency order. Append-only.
    Kind "kind" {
        Region "region" "Region" "Region";
        Topic "topic" "Thema" "Topic";
        Actor "actor" "Akteur" "Actor";
        Network "network" "Netzwerk" "Network";
        Project "project" "Projekt" "Project";
        Event "event" "Veranstaltung" "Event";
        Relationship "relationship" "Beziehung" "Relationship";
    }
}

impl Kind {
    /// The collection's name in URLs.
    #[must_use]
    pub const fn plural(self) -> &'static str {
        match self {
            Self::Region => "regions",
            Self::Topic => "topics",
            Self::Actor => "actors",
            Self::Network => "networks",
            Self::Project => "projects",
            Self::Event => "events",
            Self::Relationship => "relationships",
        }
    }
}

impl std::fmt::Display for Kind {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.code())
    }
}

/// A kind of record: its fields (the implementing struct) and the few facts that differ by kind.
///
/// Everything else (routes, storage, validation, history, documentation) is written once over this trait.
pub trait Resource: Serialize + DeserializeOwned + Validate + ToSchema + 'static {
    /// Which kind this is.
    const KIND: Kind;
    /// Members beyond the common ones that hold references.
    const REFERENCES: &'static [ReferenceField];
    /// Members beyond the common ones that hold text and may be translated.
    const TEXTS: &'static [&'static str];
    /// Members beyond the common ones that lists can be narrowed by.
    const FILTERS: &'static [Filter];
    /// A body from the seed pages, for the documentation.
    const EXAMPLE: &'static str;

    /// The fields that all described kinds share; `None` for relationships.
    fn described(&self) -> Option<&Described>;

    /// The relationship, if this is one.
    fn relationship(&self) -> Option<&Relationship> {
        None
    }
}
