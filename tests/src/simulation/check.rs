//! Invariants of copies, during the run and at its end.

use super::node::SimNode;
use super::{Link, World};
use crate::audit::audiences_are_true;
use crate::tables::{change, hidden, quarantine, record, tombstone};
use domain::access::rules::Caller;
use domain::base::kind::Kind;
use domain::base::vocabulary::Coded;
use domain::exchange::sync::FeedPhase;
use persistence::Store;
use persistence::partner::Partner;
use sea_orm::{
    ColumnTrait, Condition, EntityTrait, PaginatorTrait, QueryFilter, QueryOrder, QuerySelect,
};
use std::collections::{BTreeMap, BTreeSet};
use uuid::Uuid;

#[derive(Debug, Clone, PartialEq, Eq)]
struct Short {
    kind: String,
    home: Option<Uuid>,
    version: i64,
    body: String,
}

type Columns = (Uuid, String, Option<Uuid>, i64, String);

async fn rows(store: &Store, which: Condition) -> BTreeMap<Uuid, Short> {
    let rows: Vec<Columns> = record::Entity::find()
        .select_only()
        .column(record::Column::Id)
        .column(record::Column::Kind)
        .column(record::Column::HomeRegion)
        .column(record::Column::Version)
        .column(record::Column::Body)
        .filter(which)
        .into_tuple()
        .all(store.db().reader())
        .await
        .unwrap();
    let rows = rows.into_iter().map(|(id, kind, home, version, body)| {
        let short = Short {
            kind,
            home,
            version,
            body,
        };
        (id, short)
    });
    rows.collect()
}

async fn copies(here: &Store, origin: &str) -> BTreeMap<Uuid, Short> {
    rows(
        here,
        Condition::all().add(record::Column::Origin.eq(origin)),
    )
    .await
}

/// The expected copies of a partner, computed without the feed.
async fn wanted(there: &Store, partner: &Partner) -> BTreeMap<Uuid, Short> {
    let shown = Condition::all()
        .add(record::Column::Origin.eq(&there.node().origin))
        .add(record::Column::IsPublic.eq(true));
    let mut rows = rows(there, shown).await;
    let (kinds, homes) = (&partner.kinds, &partner.home_regions);
    rows.retain(|_, row| {
        (kinds.is_empty() || kinds.iter().any(|kind| kind.code() == row.kind))
            && (homes.is_empty() || row.home.is_some_and(|home| homes.contains(&home)))
    });
    rows
}

/// Every copy is a version that its origin published, and none goes back within the changes. Copies
/// that are considered complete equal the feed of the origin.
pub(super) async fn copies_are_right(
    here: &SimNode,
    there: &SimNode,
    link: &mut Link,
    complete: bool,
) {
    let copies = copies(&here.store, &there.origin).await;
    for (id, copy) in &copies {
        let version = (*id, copy.version, copy.body.clone());
        assert!(there.ever.contains(&version), "invented: {id} {copy:?}");
        assert!(
            copy.body.contains(r#""publication":"published""#),
            "{copy:?}"
        );
    }
    let partner = partner_of(&here.store, link.id).await;
    assert_eq!(partner.skipped, 0, "{partner:?}");
    let unread = quarantined(&here.store, link.id).await;
    let tail = partner.phase == FeedPhase::Changes;
    if tail && link.in_tail {
        for (id, version) in &link.seen {
            let now = copies.get(id).map_or(i64::MAX, |copy| copy.version);
            assert!(now >= *version, "{id} went from {version} back to {now}");
        }
    }
    link.in_tail = tail;
    let swept = tail && !partner.unswept;
    let wanted = wanted(&there.store, &partner).await;
    if swept && !link.swept {
        for id in unread.iter().filter(|id| wanted.contains_key(id)) {
            // After two versions or more it may have been withdrawn and published again.
            let lost = link.seen.get(id).is_some_and(|seen| {
                let now = wanted.get(id).map_or(0, |entry| entry.version);
                !copies.contains_key(id) && now < seen + 2
            });
            assert!(!lost, "{id} cannot be read, but it is there");
        }
    }
    link.swept = swept;
    if !link.swept {
        link.pages.clear();
    }
    link.seen = copies
        .iter()
        .map(|(id, copy)| (*id, copy.version))
        .collect();
    if complete && partner.seq == there.store.log().head().await.unwrap() {
        let read = |rows: BTreeMap<Uuid, Short>| -> BTreeMap<Uuid, Short> {
            let rows = rows.into_iter();
            rows.filter(|(id, _)| !unread.contains(id)).collect()
        };
        same(&read(copies), &read(wanted));
    }
}

async fn quarantined(store: &Store, partner: Uuid) -> BTreeSet<Uuid> {
    let rows = quarantine::Entity::find().filter(quarantine::Column::PartnerId.eq(partner));
    let rows = rows.all(store.db().reader()).await.unwrap();
    rows.into_iter().filter_map(|row| row.record_id).collect()
}

/// The versions in a node's feed, computed without the feed.
pub(super) async fn fed(store: &Store) -> BTreeMap<Uuid, i64> {
    let shown = Condition::all()
        .add(record::Column::Origin.eq(&store.node().origin))
        .add(record::Column::IsPublic.eq(true));
    let rows = rows(store, shown).await.into_iter();
    rows.map(|(id, row)| (id, row.version)).collect()
}

fn same(copies: &BTreeMap<Uuid, Short>, wanted: &BTreeMap<Uuid, Short>) {
    for (id, row) in wanted {
        assert_eq!(copies.get(id), Some(row), "{id}");
    }
    for (id, copy) in copies {
        assert!(wanted.contains_key(id), "{id} is too much: {copy:?}");
    }
}

pub(super) async fn partner_of(store: &Store, id: Uuid) -> Partner {
    store.partners().get(id).await.unwrap().partner
}

/// At rest: all invariants of every database.
pub(super) async fn all_is_well(world: &World<'_>) {
    for link in &world.links {
        let (here, there) = (&world.nodes[link.here], &world.nodes[link.there]);
        let partner = partner_of(&here.store, link.id).await;
        let copies = copies(&here.store, &there.origin).await;
        let mut wanted = wanted(&there.store, &partner).await;
        // What was erased does not come back with a restored backup of its origin.
        let closed = erased(&here.store).await;
        let all = wanted.len();
        wanted.retain(|id, _| !closed.contains(id));
        same(&copies, &wanted);
        let filter = partner.filter();
        let theirs = there.store.feed().digests(&filter).await.unwrap();
        let ours = here.store.copies().digests(&partner).await.unwrap();
        let equal = ours == theirs.kinds;
        assert_eq!(equal, wanted.len() == all, "the digests are equal");
        the_same_is_shown(here, there, &partner).await;
    }
    for node in &world.nodes {
        node.truth.is_kept(&node.store).await;
        audiences_are_true(node.store.db()).await;
        nothing_is_left_of_what_was_erased(world, node).await;
    }
}

/// The records that were erased at a node.
async fn erased(store: &Store) -> BTreeSet<Uuid> {
    let erased = tombstone::Entity::find()
        .select_only()
        .column(tombstone::Column::Id)
        .filter(tombstone::Column::Cause.eq("erased"));
    let erased = erased.into_tuple::<Uuid>().all(store.db().reader()).await;
    erased.unwrap().into_iter().collect()
}

async fn shows(node: &SimNode, id: Uuid) -> bool {
    let (anybody, key) = (Caller::anonymous(), id.to_string());
    let read = node.store.records().get(&anybody, Kind::Relationship, &key);
    read.await.is_ok()
}

/// A relationship between records of its origin is shown with its copies if and only if it is shown
/// there, unless part of it is hidden or not copied.
async fn the_same_is_shown(here: &SimNode, there: &SimNode, partner: &Partner) {
    let copies = copies(&here.store, &there.origin).await;
    let hidden = hidden::Entity::find().all(here.store.db().reader()).await;
    let hidden: BTreeSet<Uuid> = hidden.unwrap().iter().map(|row| row.record_id).collect();
    let kinds = &partner.kinds;
    for id in copies
        .keys()
        .filter(|id| there.truth.alive.contains_key(id))
    {
        let Some(ends) = there.truth.ends(*id) else {
            continue;
        };
        let visible = ends.iter().all(|(kind, end)| {
            let kind_is_fed = kinds.is_empty() || kinds.contains(kind);
            kind_is_fed && copies.contains_key(end) && !hidden.contains(end)
        });
        let (expected, shown) = (shows(there, *id).await, shows(here, *id).await);
        if visible && !hidden.contains(id) {
            let (here, there) = (&here.origin, &there.origin);
            assert_eq!(shown, expected, "{id} of {there} at {here}");
        }
        assert!(expected || !shown, "{id} is shown here only");
    }
}

async fn nothing_is_left_of_what_was_erased(world: &World<'_>, node: &SimNode) {
    let erased = world.nodes.iter().flat_map(|node| &node.truth.erased);
    let erased: Vec<Uuid> = erased.copied().collect();
    let left = change::Entity::find()
        .filter(change::Column::RecordId.is_in(erased))
        .filter(change::Column::Body.is_not_null())
        .order_by_asc(change::Column::Seq);
    if left.clone().count(node.store.db().reader()).await.unwrap() > 0 {
        let left = left.all(node.store.db().reader()).await.unwrap();
        panic!("{} keeps what was erased: {left:#?}", node.origin);
    }
}

pub(super) async fn heads(world: &World<'_>) -> Vec<i64> {
    let mut heads = Vec::new();
    for node in &world.nodes {
        heads.push(node.store.log().head().await.unwrap());
    }
    heads
}
