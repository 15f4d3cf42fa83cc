//! The reference model: the acknowledged records of a node, now and ever.

use crate::tables::record;
use domain::base::kind::Kind;
use domain::base::vocabulary::Coded;
use domain::kinds::common::Publication;
use persistence::transaction::Transaction;
use persistence::write::{Edit, Precondition, Saved};
use persistence::{Result, Store, StoreError};
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use uuid::Uuid;

pub(super) type Version = (Uuid, i64, String);

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Row {
    pub(super) kind: Kind,
    pub(super) version: i64,
    pub(super) body: String,
    pub(super) published: bool,
    ends: BTreeSet<Uuid>,
}

#[derive(Debug, Clone, Default)]
pub(super) struct Truth {
    pub(super) alive: BTreeMap<Uuid, Row>,
    pub(super) merged: BTreeMap<Uuid, Uuid>,
    pub(super) dead: BTreeMap<Uuid, Kind>,
    pub(super) erased: BTreeSet<Uuid>,
    /// Versions created since the last check.
    pub(super) fresh: Vec<Version>,
}

#[derive(Debug, Clone)]
pub(super) enum Act {
    Create(Kind, Value),
    Patch(Kind, Uuid, Value),
    Delete(Kind, Uuid),
    Merge(Kind, Uuid, Uuid),
    Erase(Kind, Uuid),
    /// Deletes a record and creates it again in the same transaction.
    Renew(Kind, Uuid),
}

impl Row {
    fn new(kind: Kind, version: i64, published: bool, text: &str) -> Self {
        let body: Value = serde_json::from_str(text).unwrap();
        let ends = ["/from/id", "/to/id"].map(|end| body.pointer(end).and_then(Value::as_str));
        let ends = ends.into_iter().flatten().map(|id| id.parse().unwrap());
        Self {
            kind,
            version,
            published,
            ends: ends.collect(),
            body: text.to_owned(),
        }
    }
}

impl Truth {
    /// Performs an action and records its effects.
    pub(super) async fn carry_out(&mut self, tx: &mut Transaction<'_>, act: &Act) -> Result<()> {
        let any = Precondition::Any;
        match act {
            Act::Create(kind, body) => {
                let saved = tx
                    .records()
                    .create(*kind, domain::base::id::new(), body.clone())
                    .await?;
                self.keep(&saved);
            }
            Act::Patch(kind, id, patch) => {
                let old = tx.records().lock(*kind, *id, &any).await?;
                let saved = tx.records().update(old, Edit::Patch(patch.clone())).await?;
                self.keep(&saved);
            }
            Act::Delete(kind, id) => {
                let old = tx.records().lock(*kind, *id, &any).await?;
                tx.records().delete(old).await?;
                self.replace_with_tombstone(*id);
            }
            Act::Merge(kind, id, into) => {
                let into = serde_json::json!({"id": into});
                let merge_target = tx.records().merge((*kind, *id), &into, &any).await?;
                self.leave(&BTreeSet::from([*id]));
                self.merged.insert(*id, merge_target.id);
            }
            Act::Erase(kind, id) => {
                tx.records().erase(*kind, *id, &any).await?;
                let gone = if self.alive.contains_key(id) {
                    self.replace_with_tombstone(*id)
                } else {
                    // References to a merged record stay.
                    self.with_losers(*id)
                };
                self.dead.retain(|id, _| !gone.contains(id));
                self.erased.extend(gone);
            }
            Act::Renew(kind, id) => {
                let old = tx.records().lock(*kind, *id, &any).await?;
                let body: Value = serde_json::from_str(&old.body).unwrap();
                if body.get("external_id").is_none() {
                    return Err(StoreError::NotFound);
                }
                tx.records().delete(old).await?;
                self.replace_with_tombstone(*id);
                let saved = tx
                    .records()
                    .create(*kind, domain::base::id::new(), body)
                    .await?;
                assert_eq!(saved.row.id, *id, "a key brings its record back");
                self.keep(&saved);
            }
        }
        Ok(())
    }

    pub(super) fn keep(&mut self, saved: &Saved) {
        let record = &saved.row;
        let published = record.publication == Publication::Published;
        let row = Row::new(record.kind, record.version, published, &record.body);
        self.fresh
            .push((saved.row.id, row.version, row.body.clone()));
        self.merged.remove(&saved.row.id);
        self.dead.remove(&saved.row.id);
        self.alive.insert(saved.row.id, row);
    }

    /// Deletes a record with its relationships; returns what was deleted, and what was merged into
    /// it.
    fn replace_with_tombstone(&mut self, id: Uuid) -> BTreeSet<Uuid> {
        let same = self.with_losers(id);
        let edges = self.alive.iter();
        let edges = edges.filter(|(_, row)| !row.ends.is_disjoint(&same));
        let mut gone: BTreeSet<Uuid> = edges.map(|(id, _)| *id).collect();
        gone.extend(same);
        self.leave(&gone);
        gone
    }

    fn leave(&mut self, gone: &BTreeSet<Uuid>) {
        let left = self.alive.extract_if(.., |id, _| gone.contains(id));
        self.dead.extend(left.map(|(id, row)| (id, row.kind)));
    }

    /// The ends of a relationship, if both are records of this node.
    pub(super) fn ends(&self, id: Uuid) -> Option<Vec<(Kind, Uuid)>> {
        let row = self.alive.get(&id)?;
        if row.kind != Kind::Relationship {
            return None;
        }
        let ends = row.ends.iter().map(|end| {
            let mut at = *end;
            while let Some(into) = self.merged.get(&at) {
                at = *into;
            }
            Some((self.alive.get(&at)?.kind, at))
        });
        ends.collect()
    }

    fn with_losers(&self, id: Uuid) -> BTreeSet<Uuid> {
        let mut same = BTreeSet::from([id]);
        loop {
            let losers = self.merged.iter().filter(|(_, into)| same.contains(into));
            let losers: Vec<Uuid> = losers.map(|(loser, _)| *loser).collect();
            let before = same.len();
            same.extend(losers);
            if same.len() == before {
                return same;
            }
        }
    }

    /// Fails unless the database equals the model.
    pub(super) async fn is_kept(&self, store: &Store) {
        let mut rows = own_rows(store).await;
        for (id, row) in &self.alive {
            let found = rows.remove(id);
            assert_eq!(found.as_ref(), Some(row), "{id} was acknowledged");
        }
        assert!(rows.is_empty(), "unexpected rows {rows:?}");
    }

    pub(super) async fn see_published(&mut self, store: &Store) {
        for (id, row) in own_rows(store).await {
            let known = self
                .alive
                .get(&id)
                .expect("nothing new comes by publishing");
            if *known != row {
                assert!(!known.published && row.published && known.body.contains("publish_at"));
                assert_eq!(row.version, known.version + 1);
                self.fresh.push((id, row.version, row.body.clone()));
                self.alive.insert(id, row);
            }
        }
    }
}

async fn own_rows(store: &Store) -> BTreeMap<Uuid, Row> {
    let rows = record::Entity::find().filter(record::Column::Origin.eq(&store.node().origin));
    let rows = rows.all(store.db().reader()).await.unwrap();
    let rows = rows.into_iter().map(|row| {
        let kind = Kind::parse(&row.kind).unwrap();
        let published = row.publication == "published";
        (row.id, Row::new(kind, row.version, published, &row.body))
    });
    rows.collect()
}
