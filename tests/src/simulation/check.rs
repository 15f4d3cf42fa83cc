//! What must be true of copies, along the way and in the end.

use super::station::Station;
use super::{Link, World};
use crate::audit::audiences_are_true;
use persistence::Store;
use persistence::entity::{change, partner, record};
use sea_orm::{
    ColumnTrait, Condition, EntityTrait, PaginatorTrait, QueryFilter, QueryOrder, QuerySelect,
};
use std::collections::BTreeMap;
use uuid::Uuid;

/// A record in short.
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

/// What a partner is to have, told without the feed.
async fn wanted(there: &Store, partner: &partner::Model) -> BTreeMap<Uuid, Short> {
    let shown = Condition::all()
        .add(record::Column::Origin.eq(&there.node().origin))
        .add(record::Column::Shown.eq(true));
    let mut rows = rows(there, shown).await;
    let kinds: Vec<&str> = partner.kinds.split_terminator(',').collect();
    let homes: Vec<&str> = partner.home_regions.split_terminator(',').collect();
    rows.retain(|_, row| {
        let home = row.home.map(|home| home.to_string()).unwrap_or_default();
        (kinds.is_empty() || kinds.contains(&&*row.kind))
            && (homes.is_empty() || homes.contains(&&*home))
    });
    rows
}

/// Every copy is some version that its origin published, and none goes back within a tail. If they
/// are said to be complete, they are what the origin feeds.
pub(super) async fn copies_are_right(
    here: &Station,
    there: &Station,
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
    assert_eq!((partner.refused, partner.skipped), (0, 0), "{partner:?}");
    let tail = partner.phase == "tail";
    if tail && link.in_tail {
        for (id, version) in &link.seen {
            let now = copies.get(id).map_or(i64::MAX, |copy| copy.version);
            assert!(now >= *version, "{id} went from {version} back to {now}");
        }
    }
    link.in_tail = tail;
    link.swept = tail && !partner.unswept;
    if !link.swept {
        link.pages.clear();
    }
    link.seen = copies
        .iter()
        .map(|(id, copy)| (*id, copy.version))
        .collect();
    if complete && partner.seq == there.store.head().await.unwrap() {
        same(&copies, &wanted(&there.store, &partner).await);
    }
}

/// The copies are what the partner feeds, no more and no less.
fn same(copies: &BTreeMap<Uuid, Short>, wanted: &BTreeMap<Uuid, Short>) {
    for (id, row) in wanted {
        assert_eq!(copies.get(id), Some(row), "{id}");
    }
    for (id, copy) in copies {
        assert!(wanted.contains_key(id), "{id} is too much: {copy:?}");
    }
}

pub(super) async fn partner_of(store: &Store, id: Uuid) -> partner::Model {
    let found = partner::Entity::find_by_id(id).one(store.db().reader());
    found.await.unwrap().unwrap()
}

/// At rest: everything that must be true of every database.
pub(super) async fn all_is_well(world: &World<'_>) {
    for (number, link) in world.links.iter().enumerate() {
        let (here, there) = (&world.nodes[link.here], &world.nodes[link.there]);
        let partner = partner_of(&here.store, link.id).await;
        let copies = copies(&here.store, &there.origin).await;
        same(&copies, &wanted(&there.store, &partner).await);
        // It was compared while it came to rest; one is enough to see that this is so.
        if number > 0 {
            continue;
        }
        let theirs = there.store.digests(&partner.filter()).await.unwrap();
        let ours = here.store.copied_digests(&partner).await.unwrap();
        assert_eq!(ours, theirs.kinds, "the digests are equal");
    }
    for node in &world.nodes {
        node.truth.is_kept(&node.store).await;
        audiences_are_true(node.store.db().reader()).await;
        nothing_is_left_of_what_was_erased(world, node).await;
    }
}

async fn nothing_is_left_of_what_was_erased(world: &World<'_>, node: &Station) {
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

/// The last numbers of all logs.
pub(super) async fn heads(world: &World<'_>) -> Vec<i64> {
    let mut heads = Vec::new();
    for node in &world.nodes {
        heads.push(node.store.head().await.unwrap());
    }
    heads
}
