use crate::access::{accounts, me, oauth};
use crate::exchange::{feed, partners, push, webhooks};
use crate::node::{discovery, health, metrics, problems, service, vocabularies};
use crate::operation::routes::Routes;
use crate::records::{
    applications, catalogue, confirmation, contact_persons, crud, duplicates, erase, export,
    geometry, graph, hidden, history, import, list, merge, ogc, reconcile, relationships, restore,
    suggest,
};
use domain::base::kind::Kind;
use domain::validation::body::KindSchema;

#[must_use]
pub fn all() -> Routes {
    let described = list::parameters::DESCRIBED.iter();
    let described = described.fold(service::routes(), |routes, kind| {
        let schema = KindSchema::of(*kind);
        routes
            .and(list::routes(schema))
            .and(list::events_of(schema))
            .and(ogc::of(schema))
            .and(crud::routes(schema))
            .and(relationships::around(schema))
            .and(merge::routes(schema))
            .and(restore::routes(schema))
            .and(beside(schema))
    });
    let relationship = KindSchema::of(Kind::Relationship);
    described
        .and(applications::routes())
        .and(geometry::routes())
        .and(relationships::list())
        .and(crud::routes(relationship))
        .and(restore::routes(relationship))
        .and(confirmation::routes())
        .and(beside(relationship))
        .and(list::search())
        .and(suggest::routes())
        .and(ogc::routes())
        .and(reconcile::routes())
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
        .and(catalogue::routes())
        .and(discovery::routes())
        .and(health::routes())
        .and(metrics::routes())
}

/// The routes below the records of a kind: history, contact persons, hiding a copy, erasing.
fn beside(schema: &KindSchema) -> Routes {
    history::routes(schema)
        .and(hidden::routes(schema))
        .and(contact_persons::of(schema))
        .and(erase::routes(schema))
}
