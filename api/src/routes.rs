//! The routes that only one kind has, and those that are about the node itself.

use crate::access::{accounts, me, oauth};
use crate::exchange::{feed, partners, push, webhooks};
use crate::node::{health, metrics, problems, service, vocabularies};
use crate::operation::routes::Routes;
use crate::records::crud::resource;
use crate::records::{
    applications, confirmation, contact_persons, duplicates, erase, export, geometry, graph,
    hidden, history, import, list, merge, relationships, suggest,
};
use domain::base::kind::Resource;
use domain::kinds::actor::Actor;
use domain::kinds::event::Event;
use domain::kinds::network::Network;
use domain::kinds::project::Project;
use domain::kinds::region::Region;
use domain::kinds::relationship::Relationship;
use domain::kinds::topic::Topic;

/// Every route of the API, in the order of the document.
#[must_use]
pub fn all() -> Routes {
    service::routes()
        .and(list::routes::<Actor>("Actors"))
        .and(resource::<Actor>("Actors"))
        .and(relationships::around::<Actor>("Actors"))
        .and(merge::routes::<Actor>("Actors"))
        .and(beside::<Actor>("Actors"))
        .and(list::routes::<Network>("Networks"))
        .and(resource::<Network>("Networks"))
        .and(relationships::around::<Network>("Networks"))
        .and(merge::routes::<Network>("Networks"))
        .and(beside::<Network>("Networks"))
        .and(applications::routes())
        .and(list::routes::<Region>("Regions"))
        .and(resource::<Region>("Regions"))
        .and(relationships::around::<Region>("Regions"))
        .and(merge::routes::<Region>("Regions"))
        .and(beside::<Region>("Regions"))
        .and(geometry::routes())
        .and(list::routes::<Project>("Projects"))
        .and(resource::<Project>("Projects"))
        .and(relationships::around::<Project>("Projects"))
        .and(merge::routes::<Project>("Projects"))
        .and(beside::<Project>("Projects"))
        .and(list::routes::<Event>("Events"))
        .and(resource::<Event>("Events"))
        .and(relationships::around::<Event>("Events"))
        .and(merge::routes::<Event>("Events"))
        .and(beside::<Event>("Events"))
        .and(list::routes::<Topic>("Topics"))
        .and(resource::<Topic>("Topics"))
        .and(relationships::around::<Topic>("Topics"))
        .and(merge::routes::<Topic>("Topics"))
        .and(beside::<Topic>("Topics"))
        .and(relationships::list())
        .and(resource::<Relationship>("Relationships"))
        .and(confirmation::routes())
        .and(beside::<Relationship>("Relationships"))
        .and(list::search())
        .and(suggest::routes())
        .and(graph::routes())
        .and(export::routes())
        .and(import::routes())
        .and(feed::routes())
        .and(push::routes())
        .and(partners::routes())
        .and(webhooks::routes())
        .and(duplicates::routes())
        .and(contact_persons::routes())
        .and(vocabularies::routes())
        .and(me::routes())
        .and(oauth::routes())
        .and(accounts::routes())
        .and(problems::routes())
        .and(history::audit())
        .and(health::routes())
        .and(metrics::routes())
}

/// What stands beside the records of a kind: their history, contact persons, whether a copy is
/// hidden here, and how to erase them.
fn beside<T: Resource>(tag: &'static str) -> Routes {
    history::routes::<T>(tag)
        .and(hidden::routes::<T>(tag))
        .and(contact_persons::of::<T>())
        .and(erase::routes::<T>(tag))
}
