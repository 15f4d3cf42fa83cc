//! The catalogue of kinds: one line each, and their schemas.

use crate::base::kind::Kind;
use crate::validation::body::KindSchema;
use std::sync::LazyLock;

/// Expands a macro over every kind of record, in dependency order: variant, code, collection in
/// URLs, German and English label, type. Append-only: the order is part of stored data.
///
/// A new kind is a file in `kinds/` and a line here.
macro_rules! for_each_kind {
    ($apply:ident) => {
        $apply! {
            Region "region" "regions" "Region" "Region" crate::kinds::region::Region;
            Topic "topic" "topics" "Thema" "Topic" crate::kinds::topic::Topic;
            Actor "actor" "actors" "Akteur" "Actor" crate::kinds::actor::Actor;
            Network "network" "networks" "Netzwerk" "Network" crate::kinds::network::Network;
            Project "project" "projects" "Projekt" "Project" crate::kinds::project::Project;
            Event "event" "events" "Veranstaltung" "Event" crate::kinds::event::Event;
            Relationship "relationship" "relationships" "Beziehung" "Relationship" crate::kinds::relationship::Relationship;
        }
    };
}

macro_rules! schemas {
    ($($variant:ident $code:literal $plural:literal $de:literal $en:literal $type:path;)+) => {
        impl KindSchema {
            #[must_use]
            pub fn of(kind: Kind) -> &'static Self {
                match kind {
                    $(Kind::$variant => {
                        static SCHEMA: LazyLock<KindSchema> = LazyLock::new(KindSchema::new::<$type>);
                        &SCHEMA
                    })+
                }
            }
        }
    };
}
for_each_kind!(schemas);
