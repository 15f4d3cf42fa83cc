//! Checks the invariants of a database that hold between any two transactions.

use crate::tables::{change, edge, merged, node, record, reference, tombstone};
use persistence::db::{Db, SqlTransaction, Timeouts};
use persistence::store::REFERENCE_ORIGIN;
use sea_orm::{EntityTrait, QueryOrder};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use uuid::Uuid;

#[derive(Debug)]
pub struct Audited {
    pub log: Vec<change::Model>,
    pub records: BTreeMap<Uuid, record::Model>,
    made: BTreeMap<(Uuid, i64), usize>,
}

/// [`audit`] of the database at a URL.
pub async fn audit_at(url: &str) -> Audited {
    let db = Db::connect(url, Timeouts::default()).await.unwrap();
    let audited = audit(&db).await;
    db.close().await;
    audited
}

/// Reads one state of the whole database and fails if it is inconsistent.
pub async fn audit(db: &Db) -> Audited {
    let database = &db.begin_read().await.unwrap();
    let log = change::Entity::find()
        .order_by_asc(change::Column::Seq)
        .all(database)
        .await
        .unwrap();
    let records = record::Entity::find().all(database).await.unwrap();
    let records: BTreeMap<_, _> = records.into_iter().map(|row| (row.id, row)).collect();
    let tombstones = tombstone::Entity::find().all(database).await.unwrap();
    let tombstones: BTreeMap<_, _> = tombstones.into_iter().map(|row| (row.id, row)).collect();
    let node = node::Entity::find_by_id(1).one(database).await.unwrap();
    let node = node.unwrap();
    let own = |origin: &str| [node.origin.as_str(), REFERENCE_ORIGIN].contains(&origin);

    the_log_is_gapless(&log, node.head);
    let newest = versions_follow_each_other(&log, own);
    audiences_follow_each_other(&log, &records);
    let mut forgotten = 0;
    for (id, last) in &newest {
        let (alive, dead) = (records.get(id), tombstones.get(id));
        if last.op == "delete" {
            assert!(alive.is_none(), "{id} is deleted and alive");
            // A copy that its origin no longer publishes leaves nothing behind.
            let left = !own(&last.origin) && dead.is_none();
            assert!(left || dead.map(|dead| dead.version) == Some(last.version));
            forgotten += usize::from(left);
        } else {
            assert!(dead.is_none(), "{id} is alive and deleted");
            let row = alive.unwrap_or_else(|| panic!("{id} is in the log only"));
            assert_eq!((row.version, row.seq), (last.version, last.seq), "{id}");
            assert_eq!(row.kind, last.kind, "{id}");
        }
    }
    assert_eq!(newest.len(), records.len() + tombstones.len() + forgotten);
    let merged = tombstones
        .values()
        .filter(|tombstone| tombstone.cause == "merged" || tombstone.merged_into.is_some());
    // Copies may be removed even if own records reference them.
    let copied = log.iter().filter(|entry| !own(&entry.origin));
    let merged = merged.map(|tombstone| tombstone.id);
    let gone: BTreeSet<Uuid> = merged.chain(copied.map(|entry| entry.record_id)).collect();
    what_is_erased_is_blank(&log, &tombstones);
    merges_are_followed_to_their_end(database, &tombstones, own).await;
    nothing_names_what_is_not_there(database, &records, &gone, own).await;
    let mut made = BTreeMap::new();
    for (place, entry) in log.iter().enumerate() {
        // An entry that touches a version comes after the one that created it.
        let version = (entry.record_id, entry.version);
        made.entry(version).or_insert(place);
    }
    Audited { log, records, made }
}

/// 1, 2, 3 … to the head, and the entries of a transaction side by side.
fn the_log_is_gapless(log: &[change::Model], head: i64) {
    for (entry, seq) in log.iter().zip(1..) {
        assert_eq!(entry.seq, seq, "a gap before {entry:?}");
    }
    let last = log.last().map_or(0, |entry| entry.seq);
    assert_eq!(last, head, "the head is the last entry");
    let mut open = 0;
    for entry in log {
        if entry.tx == entry.seq {
            open = entry.tx;
        }
        assert_eq!(entry.tx, open, "a transaction is in one piece: {entry:?}");
    }
}

/// Versions of own records rise by one; bodies of superseded versions are kept. Returns the newest
/// entries.
fn versions_follow_each_other(
    log: &[change::Model],
    own: impl Fn(&str) -> bool,
) -> BTreeMap<Uuid, &change::Model> {
    let mut newest: BTreeMap<Uuid, &change::Model> = BTreeMap::new();
    for entry in log.iter().filter(|entry| entry.op != "visibility") {
        let before = newest.insert(entry.record_id, entry);
        let expected = before.map_or(1, |before| before.version + 1);
        let follows = entry.version == expected || !own(&entry.origin);
        assert!(follows, "versions rise by one: {entry:?}");
    }
    for entry in log {
        // A change of visibility creates no version.
        let is_last = newest[&entry.record_id].seq == entry.seq;
        assert_eq!(entry.newest, is_last, "one newest row: {entry:?}");
        let keeps = entry.op == "upsert" && !is_last && !entry.erased;
        let kept = entry.body.is_some() == keeps;
        // Copies may lose their history.
        let forgotten = entry.body.is_none() && !own(&entry.origin);
        assert!(kept || forgotten, "a body is stored once: {entry:?}");
    }
    newest
}

/// Each entry continues the audience of the one before it; the row has that of the last one.
fn audiences_follow_each_other(log: &[change::Model], records: &BTreeMap<Uuid, record::Model>) {
    let mut last: BTreeMap<Uuid, &change::Model> = BTreeMap::new();
    for entry in log {
        let before = last.insert(entry.record_id, entry);
        let told = before.and_then(|before| before.audience_after.as_ref());
        // Outsiders knew of the merge; now the record is hidden.
        let was_merged = before.is_some_and(|before| before.op == "delete");
        let withdrawn = was_merged && entry.op == "upsert" && entry.audience_after.is_none();
        // A hidden record that outsiders knew was merged into one that they see.
        let merged = entry.op != "upsert" && entry.audience_after.is_none();
        let reported_again = merged && told.is_none();
        if !withdrawn && !reported_again {
            assert_eq!(entry.audience_before.as_ref(), told, "{entry:?}");
        }
        if entry.op == "visibility" {
            assert_eq!(Some(entry.version), before.map(|before| before.version));
            // A record that is hidden or disputed may have been invisible to outsiders all the
            // time.
            let hidden_by_hand = entry.by.is_some();
            let flips = entry.audience_before != entry.audience_after;
            let tells = flips || hidden_by_hand || entry.erased;
            assert!(tells, "for nothing: {entry:?}");
        }
    }
    for (id, entry) in last {
        let shown = records.get(&id).is_some_and(|row| row.is_public);
        assert_eq!(shown, entry.audience_after.is_some(), "{entry:?}");
    }
}

/// Fails if the log and the visibility of a record to outsiders disagree. The log consumers must be
/// at the end of the log.
pub async fn audiences_are_true(db: &Db) {
    let Audited { records, .. } = audit(db).await;
    let database = db.reader();
    let published = |id: &Uuid| {
        records
            .get(id)
            .is_some_and(|r| r.publication == "published" && !r.suppressed)
    };
    let edges = edge::Entity::find().all(database).await.unwrap();
    let edges: BTreeMap<_, _> = edges.iter().map(|edge| (edge.record_id, edge)).collect();
    let standing = merged::Entity::find().all(database).await.unwrap();
    let standing: BTreeMap<_, _> = standing
        .iter()
        .map(|row| (row.loser_id, &row.target_id))
        .collect();
    for (id, row) in &records {
        let edge = edges.get(id);
        let ends = edge.iter().flat_map(|e| e.from_id.iter().chain(&e.to_id));
        let ends: Vec<_> = ends.map(|end| *standing.get(end).unwrap_or(&end)).collect();
        // A copied relationship has an end of its origin.
        let own = |end: &&Uuid| records.get(*end).is_some_and(|r| r.origin == row.origin);
        let copied = row.synced_at.is_some() && edge.is_some();
        let stated = !copied || ends.iter().any(own);
        let public = published(id) && stated && ends.iter().copied().all(published);
        assert_eq!(row.is_public, public, "{row:?}");
    }
}

fn what_is_erased_is_blank(log: &[change::Model], tombstones: &BTreeMap<Uuid, tombstone::Model>) {
    for tombstone in tombstones
        .values()
        .filter(|tombstone| tombstone.cause == "erased")
    {
        let names = [&tombstone.slug, &tombstone.system, &tombstone.external_id];
        assert_eq!(names, [&None; 3], "{tombstone:?}");
        for entry in log.iter().filter(|entry| entry.record_id == tombstone.id) {
            assert_eq!(entry.body, None, "{entry:?}");
            assert!(entry.erased || entry.op != "upsert", "{entry:?}");
            assert!(entry.newest || entry.reason.is_none(), "{entry:?}");
        }
    }
}

/// Every merged record has a merge target, at the end of the chain of tombstones.
async fn merges_are_followed_to_their_end(
    database: &SqlTransaction,
    tombstones: &BTreeMap<Uuid, tombstone::Model>,
    own: impl Fn(&str) -> bool,
) {
    let rows = merged::Entity::find().all(database).await.unwrap();
    let rows: BTreeMap<_, _> = rows.into_iter().map(|row| (row.loser_id, row)).collect();
    for tombstone in tombstones.values() {
        let merged = tombstone.cause == "merged";
        // Partners need not state what a record was merged into.
        let unsaid = merged && tombstone.merged_into.is_none() && !own(&tombstone.origin);
        let erased = tombstone.cause == "erased";
        assert!(
            unsaid || erased || tombstone.merged_into.is_some() == merged,
            "{tombstone:?}"
        );
        let mut at = tombstone.id;
        while let Some(next) = tombstones
            .get(&at)
            .and_then(|tombstone| tombstone.merged_into)
        {
            assert_ne!(next, tombstone.id, "merged into itself");
            at = next;
        }
        let standing = rows.get(&tombstone.id).map(|row| row.target_id);
        assert_eq!(standing, tombstone.merged_into.map(|_| at), "{tombstone:?}");
    }
    assert!(rows.keys().all(|id| tombstones.contains_key(id)));
}

async fn nothing_names_what_is_not_there(
    database: &SqlTransaction,
    records: &BTreeMap<Uuid, record::Model>,
    gone: &BTreeSet<Uuid>,
    own: impl Fn(&str) -> bool,
) {
    for named in reference::Entity::find().all(database).await.unwrap() {
        let target = named.target_id;
        if !own(&records[&named.record_id].origin) {
            continue;
        }
        let known = records.contains_key(&target) || gone.contains(&target);
        assert!(known, "dangling reference: {named:?}");
    }
    let edges = edge::Entity::find().all(database).await.unwrap();
    // Copies may reference records that are not here.
    let here = |edge: &&edge::Model| own(&records[&edge.record_id].origin);
    for edge in edges.iter().filter(here) {
        for end in edge.from_id.iter().chain(&edge.to_id) {
            let known = records.contains_key(end) || gone.contains(end);
            assert!(known, "dangling end: {edge:?}");
        }
    }
    let joined = edges.iter().filter(here).map(|edge| edge.record_id);
    let told = records.values().filter(|row| row.kind == "relationship");
    let told = told.filter(|row| own(&row.origin)).map(|row| row.id);
    assert_eq!(joined.collect::<BTreeSet<_>>(), told.collect());
}

impl Audited {
    /// The body of a version, from the row or the log; `None` for a deletion.
    #[must_use]
    pub fn body(&self, id: Uuid, version: i64) -> Option<Value> {
        let entry = self.entry(id, version)?;
        let text = if entry.newest {
            self.records.get(&id).map(|row| &row.body)
        } else {
            entry.body.as_ref()
        };
        text.map(|text| serde_json::from_str(text).unwrap())
    }

    #[must_use]
    pub fn entry(&self, id: Uuid, version: i64) -> Option<&change::Model> {
        self.made.get(&(id, version)).map(|place| &self.log[*place])
    }

    pub fn bodies(&self) -> impl Iterator<Item = &str> {
        let newest = self.records.values().map(|row| row.body.as_str());
        newest.chain(self.log.iter().filter_map(|entry| entry.body.as_deref()))
    }
}
