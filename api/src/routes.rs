//! The routes that only one kind has, and those that are about the node itself.

pub mod accounts;
pub mod geometry;
pub mod health;
pub mod me;
pub mod oauth;
pub mod problems;
pub mod relationships;
pub mod service;
pub mod vocabularies;

use crate::mount::resource;
use crate::operation::Routes;
use domain::actor::Actor;
use domain::event::Event;
use domain::network::Network;
use domain::project::Project;
use domain::region::Region;
use domain::relationship::Relationship;
use domain::topic::Topic;

/// Every route of the API, in the order of the document.
#[must_use]
pub fn all() -> Routes {
    service::routes()
        .and(resource::<Actor>("Actors"))
        .and(relationships::around::<Actor>("Actors"))
        .and(resource::<Network>("Networks"))
        .and(relationships::around::<Network>("Networks"))
        .and(resource::<Region>("Regions"))
        .and(relationships::around::<Region>("Regions"))
        .and(geometry::routes())
        .and(resource::<Project>("Projects"))
        .and(relationships::around::<Project>("Projects"))
        .and(resource::<Event>("Events"))
        .and(relationships::around::<Event>("Events"))
        .and(resource::<Topic>("Topics"))
        .and(relationships::around::<Topic>("Topics"))
        .and(relationships::list())
        .and(resource::<Relationship>("Relationships"))
        .and(vocabularies::routes())
        .and(me::routes())
        .and(oauth::routes())
        .and(accounts::routes())
        .and(problems::routes())
        .and(health::routes())
}
