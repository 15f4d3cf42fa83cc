//! Holds a database against what must be true of it at any moment between two transactions.

use persistence::entity::{change, edge, merged, node, record, reference, tombstone};
use sea_orm::{DatabaseConnection, EntityTrait, QueryOrder};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use uuid::Uuid;

/// Everything that an audited database holds.
#[derive(Debug)]
pub struct Audited {
    /// The log in its order.
    pub log: Vec<change::Model>,
    /// The living records.
    pub records: BTreeMap<Uuid, record::Model>,
}

/// Reads the whole database and fails if it contradicts itself. Nobody may be writing.
pub async fn audit(database: &DatabaseConnection) -> Audited {
    let log = change::Entity::find()
        .order_by_asc(change::Column::Seq)
        .all(database)
        .await
        .unwrap();
    let records = record::Entity::find().all(database).await.unwrap();
    let records: BTreeMap<_, _> = records.into_iter().map(|row| (row.id, row)).collect();
    let graves = tombstone::Entity::find().all(database).await.unwrap();
    let graves: BTreeMap<_, _> = graves.into_iter().map(|row| (row.id, row)).collect();
    let node = node::Entity::find_by_id(1).one(database).await.unwrap();
    let head = node.unwrap().head_seq;

    the_log_is_gapless(&log, head);
    let newest = versions_follow_each_other(&log);
    for (id, last) in &newest {
        let (alive, buried) = (records.get(id), graves.get(id));
        if last.op == "delete" {
            assert!(alive.is_none(), "{id} is deleted and alive");
            assert_eq!(buried.map(|grave| grave.version), Some(last.version));
        } else {
            assert!(buried.is_none(), "{id} is alive and deleted");
            let row = alive.unwrap_or_else(|| panic!("{id} is in the log only"));
            assert_eq!((row.version, row.seq), (last.version, last.seq), "{id}");
            assert_eq!(row.kind, last.kind, "{id}");
        }
    }
    assert_eq!(newest.len(), records.len() + graves.len());
    let merged = graves.values().filter(|grave| grave.cause == "merged");
    let merged: BTreeSet<Uuid> = merged.map(|grave| grave.id).collect();
    merges_are_followed_to_their_end(database, &graves).await;
    nothing_names_what_is_not_there(database, &records, &merged).await;
    Audited { log, records }
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

/// Versions rise by one; bodies are kept for what is superseded. Answers the newest entries.
fn versions_follow_each_other(log: &[change::Model]) -> BTreeMap<Uuid, &change::Model> {
    let mut newest: BTreeMap<Uuid, &change::Model> = BTreeMap::new();
    for entry in log {
        let before = newest.insert(entry.record_id, entry);
        let expected = before.map_or(1, |before| before.version + 1);
        assert_eq!(entry.version, expected, "versions rise by one: {entry:?}");
    }
    for entry in log {
        let is_last = newest[&entry.record_id].seq == entry.seq;
        assert_eq!(entry.newest, is_last, "one newest row: {entry:?}");
        let keeps = entry.op == "upsert" && !is_last;
        assert_eq!(entry.body.is_some(), keeps, "a body rests once: {entry:?}");
    }
    newest
}

/// Every merged record has one that stands for it, at the end of what the tombstones say.
async fn merges_are_followed_to_their_end(
    database: &DatabaseConnection,
    graves: &BTreeMap<Uuid, tombstone::Model>,
) {
    let rows = merged::Entity::find().all(database).await.unwrap();
    let rows: BTreeMap<_, _> = rows.into_iter().map(|row| (row.loser_id, row)).collect();
    for grave in graves.values() {
        assert_eq!(grave.merged_into.is_some(), grave.cause == "merged");
        let mut at = grave.id;
        while let Some(next) = graves.get(&at).and_then(|grave| grave.merged_into) {
            assert_ne!(next, grave.id, "merged into itself");
            at = next;
        }
        let standing = rows.get(&grave.id).map(|row| row.survivor_id);
        assert_eq!(standing, grave.merged_into.map(|_| at), "{grave:?}");
    }
    assert!(rows.keys().all(|id| graves.contains_key(id)));
}

async fn nothing_names_what_is_not_there(
    database: &DatabaseConnection,
    records: &BTreeMap<Uuid, record::Model>,
    merged: &BTreeSet<Uuid>,
) {
    for named in reference::Entity::find().all(database).await.unwrap() {
        let target = named.target_id;
        let known = records.contains_key(&target) || merged.contains(&target);
        assert!(known, "dangling reference: {named:?}");
    }
    let edges = edge::Entity::find().all(database).await.unwrap();
    for edge in &edges {
        for end in edge.from_id.iter().chain(&edge.to_id) {
            let known = records.contains_key(end) || merged.contains(end);
            assert!(known, "dangling end: {edge:?}");
        }
    }
    let joined: BTreeSet<Uuid> = edges.iter().map(|edge| edge.record_id).collect();
    let told = records.values().filter(|row| row.kind == "relationship");
    assert_eq!(joined, told.map(|row| row.id).collect());
}

impl Audited {
    /// The body of a version, wherever it rests; `None` for a deletion.
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

    /// The entry that made a version.
    #[must_use]
    pub fn entry(&self, id: Uuid, version: i64) -> Option<&change::Model> {
        let mut entries = self.log.iter();
        entries.find(|entry| entry.record_id == id && entry.version == version)
    }

    /// Every body that the database holds.
    pub fn bodies(&self) -> impl Iterator<Item = &str> {
        let newest = self.records.values().map(|row| row.body.as_str());
        newest.chain(self.log.iter().filter_map(|entry| entry.body.as_deref()))
    }
}
