//! The test harness of the stories: a node in process, over real HTTP, with its own database, on
//! SQLite and on PostgreSQL. Every response is validated against the OpenAPI document.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::missing_panics_doc,
    clippy::return_self_not_must_use,
    reason = "a test fails by panicking"
)]

pub mod audit;
pub mod call;
pub mod conform;
pub mod database;
pub mod disk;
pub mod fixture;
pub mod forge;
pub mod generate;
pub mod instance;
pub mod neighbour;
pub mod node;
pub mod process;
pub mod proxy;
pub mod raw;
pub mod receiver;
pub mod replica;
pub mod settings;
pub mod simulation;

/// The tables behind the store, for stories that look into rows or change them. The storage layer
/// shows its tables to no other crate, so they are compiled here again, from the same files.
#[path = "../../persistence/src/entity"]
pub mod tables {
    pub mod account;
    pub mod account_grant;
    pub mod change;
    pub mod contact_person;
    pub mod edge;
    pub mod geometry;
    pub mod hidden;
    pub mod idempotency_record;
    pub mod identifier;
    pub mod log_consumer;
    pub mod merged;
    pub mod node;
    pub mod partner;
    pub mod quarantine;
    pub mod record;
    pub mod reference;
    pub mod signing_key;
    pub mod tombstone;
    pub mod webhook;
    pub mod webhook_delivery;
}

pub use call::{Answer, Call};
pub use database::{Backend, Content};
pub use forge::Forge;
pub use instance::Instance;
pub use neighbour::{Intake, Neighbour};
pub use node::{Node, Told, run, told};
pub use receiver::{Hook, Receiver};
pub use replica::Replica;

/// Declares an asynchronous function of a backend as a test, on SQLite and on PostgreSQL.
#[macro_export]
macro_rules! on_both {
    ($name:ident) => {
        mod $name {
            #[test]
            fn sqlite() {
                let told = super::$name($crate::Backend::Sqlite);
                actix_web::rt::System::new().block_on(told);
            }

            #[test]
            fn postgres() {
                let told = super::$name($crate::Backend::Postgres);
                actix_web::rt::System::new().block_on(told);
            }
        }
    };
}

/// Declares a story that runs on SQLite and on PostgreSQL, each with its own database.
///
/// `story!(name, async |node| { … })` starts with the reference data only; `story!(name, Seeded,
/// async |node| { … })` with the seed pages too.
#[macro_export]
macro_rules! story {
    ($name:ident, $story:expr) => {
        $crate::story!($name, Empty, $story);
    };
    ($name:ident, $content:ident, $story:expr) => {
        mod $name {
            use super::*;

            // Once, not per database: the stories are most of what is compiled.
            const STORY: fn(&$crate::Node) -> $crate::Told<'_> = |node| $crate::told($story, node);

            #[test]
            fn sqlite() {
                $crate::run($crate::Backend::Sqlite, $crate::Content::$content, STORY);
            }

            #[test]
            fn postgres() {
                $crate::run($crate::Backend::Postgres, $crate::Content::$content, STORY);
            }
        }
    };
}
