//! The documents that a change of the log affects.

use super::document::{MERGED, RELATIONSHIP};
use super::fields::ID;
use super::index::{CHUNK, Snapshot};
use super::trees::Trees;
use crate::consumers::Entry;
use crate::entity::{edge, merged};
use crate::error::Result;
use crate::merge_targets::{made_one, merge_targets};
use domain::base::kind::Kind;
use domain::base::vocabulary::Coded;
use domain::exchange::change::Op;
use domain::kinds::relationship::RelationshipType;
use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter};
use std::collections::BTreeSet;
use tantivy::Term;
use tantivy::collector::DocSetCollector;
use tantivy::query::TermSetQuery;
use uuid::Uuid;

pub(super) struct Touched {
    pub(super) records: BTreeSet<Uuid>,
    pub(super) trees: bool,
}

impl Touched {
    pub(super) async fn find(
        db: &impl ConnectionTrait,
        entries: &[Entry],
        snapshot: &Snapshot,
    ) -> Result<Self> {
        let relationship = Kind::Relationship.code();
        let (edges, described): (Vec<&Entry>, Vec<&Entry>) =
            entries.iter().partition(|entry| entry.kind == relationship);
        let mut touched = Self {
            records: described.iter().map(|entry| entry.record_id).collect(),
            trees: entries
                .iter()
                .any(|entry| changes_trees(entry, &snapshot.trees))
                || was_merged(db, &described).await?,
        };
        let edges: BTreeSet<Uuid> = edges.iter().map(|entry| entry.record_id).collect();
        touched.held_until_now(&edges, snapshot)?;
        let changed: BTreeSet<Uuid> = described
            .iter()
            .filter(|entry| {
                entry.audience_before != entry.audience_after || entry.audience_after.is_none()
            })
            .map(|entry| entry.record_id)
            .collect();
        touched.ends(db, edge::Column::RecordId, &edges).await?;
        // A change of an audience affects the visibility of related records.
        let changed = made_one(db, &changed).await?;
        touched.ends(db, edge::Column::FromId, &changed).await?;
        touched.ends(db, edge::Column::ToId, &changed).await?;
        // References to a merged record are shown by its merge target.
        let merge_targets = merge_targets(db, touched.records.iter().copied()).await?;
        touched.records.extend(merge_targets.into_values());
        Ok(touched)
    }

    /// The documents that contained these relationships until now, and those of the merge targets
    /// of changed records, which may be restored.
    fn held_until_now(&mut self, edges: &BTreeSet<Uuid>, snapshot: &Snapshot) -> Result<()> {
        let held = edges.iter().map(|id| format!("{RELATIONSHIP}={id}"));
        let merged = self.records.iter().map(|id| format!("{MERGED}={id}"));
        let token = snapshot.fields.token;
        let terms: Vec<Term> = held
            .chain(merged)
            .map(|text| Term::from_field_text(token, &text))
            .collect();
        let found = snapshot
            .searcher
            .search(&TermSetQuery::new(terms), &DocSetCollector)?;
        for address in found {
            let reader = snapshot.searcher.segment_reader(address.segment_ord);
            let Some(column) = reader.fast_fields().str(ID)? else {
                continue;
            };
            let Some(ord) = column.ords().first(address.doc_id) else {
                continue;
            };
            let mut text = String::new();
            column.ord_to_str(ord, &mut text)?;
            self.records.extend(Uuid::try_parse(&text).ok());
        }
        Ok(())
    }

    /// The records at the ends of relationships, found by a column.
    async fn ends(
        &mut self,
        db: &impl ConnectionTrait,
        column: edge::Column,
        ids: &BTreeSet<Uuid>,
    ) -> Result<()> {
        let ids: Vec<Uuid> = ids.iter().copied().collect();
        for chunk in ids.chunks(CHUNK) {
            let rows = edge::Entity::find()
                .filter(column.is_in(chunk.iter().copied()))
                .all(db)
                .await?;
            for row in rows {
                self.trees |= is_tree(&row.r#type);
                self.records
                    .extend([row.from_id, row.to_id].into_iter().flatten());
            }
        }
        Ok(())
    }
}

fn is_tree(r#type: &str) -> bool {
    RelationshipType::parse(r#type).is_some_and(|one| one.rule().shapes_trees)
}

/// Whether a change may change a tree that a record or relationship is in, or make it leave one.
/// New relationships are found by their types.
fn changes_trees(entry: &Entry, trees: &Trees) -> bool {
    // Topics name broader ones.
    entry.kind == Kind::Topic.code()
        || (trees.are_shaped_by(entry.record_id)
            && (entry.flips()
                || entry.is(Op::Delete)
                || entry.kind == Kind::Relationship.code()
                || trees.is_merged(entry.record_id)))
}

/// Whether one of the deleted records was merged into another.
async fn was_merged(db: &impl ConnectionTrait, described: &[&Entry]) -> Result<bool> {
    let deleted = described.iter().filter(|entry| entry.is(Op::Delete));
    let deleted: Vec<Uuid> = deleted.map(|entry| entry.record_id).collect();
    for chunk in deleted.chunks(CHUNK) {
        let found = merged::Entity::find()
            .filter(merged::Column::LoserId.is_in(chunk.iter().copied()))
            .one(db)
            .await?;
        if found.is_some() {
            return Ok(true);
        }
    }
    Ok(false)
}
