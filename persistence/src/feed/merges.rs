//! Information about merges for readers: a relationship may reference a merged record, and is shown
//! for its merge target. Readers that never had the merged record, or to which it was never public,
//! learn of the merge with the relationship.

use super::{EntryContent, FeedEntry, Reader};
use crate::entity::{edge, merged, record, tombstone};
use crate::error::Result;
use domain::base::kind::Kind;
use domain::base::vocabulary::Coded;
use domain::exchange::change::Cause;
use sea_orm::{ColumnTrait, Condition, EntityTrait, QueryFilter, QuerySelect, Select};
use std::collections::{BTreeMap, BTreeSet};
use uuid::Uuid;

/// Tombstones of merged records by id: each leads to the next of its chain.
type Tombstones = BTreeMap<Uuid, tombstone::Model>;

impl Reader<'_> {
    /// Inserts before each entry the merges that are needed to understand it: of the records that a
    /// relationship references; of the records merged into one that has become visible
    /// (`appeared`); and the rest of the chain of a reported merge.
    pub(super) async fn with_merges(
        &self,
        entries: Vec<FeedEntry>,
        appeared: &BTreeSet<Uuid>,
    ) -> Result<Vec<FeedEntry>> {
        let mut causes = self.named_losers(&entries).await?;
        for (merge_target, loser) in self.public_losers(appeared).await? {
            causes.entry(merge_target).or_default().push(loser);
        }
        for entry in &entries {
            if let EntryContent::Delete {
                merged_into: Some(into),
                ..
            } = &entry.news
            {
                causes.entry(entry.id).or_default().push(*into);
            }
        }
        if causes.is_empty() {
            return Ok(entries);
        }
        let tombstones = self.chains(causes.values().flatten().copied()).await?;
        let visible = self.visible_ends(&tombstones).await?;
        let mut told: BTreeSet<Uuid> = entries.iter().map(|entry| entry.id).collect();
        let mut all = Vec::with_capacity(entries.len());
        for entry in entries {
            for loser in causes.remove(&entry.id).into_iter().flatten() {
                for tombstone in chain(&tombstones, loser, &visible) {
                    let kind = Kind::parse(&tombstone.kind);
                    let wanted = kind.is_some_and(|kind| self.filter.kinds().contains(&kind));
                    if wanted && told.insert(tombstone.id) {
                        all.push(FeedEntry {
                            seq: entry.seq,
                            tx: entry.tx,
                            ..FeedEntry::merged(tombstone)
                        });
                    }
                }
            }
            all.push(entry);
        }
        Ok(all)
    }

    /// The merged records that the relationships among the entries reference, by relationship.
    async fn named_losers(&self, entries: &[FeedEntry]) -> Result<BTreeMap<Uuid, Vec<Uuid>>> {
        let upserts = entries
            .iter()
            .filter(|entry| matches!(entry.news, EntryContent::Upsert(_)));
        let ids = upserts.filter(|entry| entry.kind == Kind::Relationship.code());
        let ids: Vec<Uuid> = ids.map(|entry| entry.id).collect();
        let mut named = BTreeMap::<Uuid, Vec<Uuid>>::new();
        if ids.is_empty() {
            return Ok(named);
        }
        let edges = edge::Entity::find().filter(edge::Column::RecordId.is_in(ids));
        let edges = edges.all(&self.tx).await?;
        let ends = |edge: &edge::Model| edge.from_id.into_iter().chain(edge.to_id);
        let losers: BTreeSet<Uuid> = edges.iter().flat_map(ends).collect();
        let losers = merged::Entity::find().filter(merged::Column::LoserId.is_in(losers));
        let losers = losers.all(&self.tx).await?;
        let losers: BTreeSet<Uuid> = losers.into_iter().map(|row| row.loser_id).collect();
        for edge in &edges {
            let merged = ends(edge).filter(|id| losers.contains(id));
            named.entry(edge.record_id).or_default().extend(merged);
        }
        named.retain(|_, losers| !losers.is_empty());
        Ok(named)
    }

    /// The records known to outsiders that were merged into some, with these.
    async fn public_losers(&self, merge_targets: &BTreeSet<Uuid>) -> Result<Vec<(Uuid, Uuid)>> {
        if merge_targets.is_empty() {
            return Ok(Vec::new());
        }
        let rows = merged::Entity::find()
            .filter(merged::Column::TargetId.is_in(merge_targets.iter().copied()))
            .all(&self.tx)
            .await?;
        let losers: Vec<Uuid> = rows.iter().map(|row| row.loser_id).collect();
        let public: BTreeSet<Uuid> = self
            .told_tombstones()
            .select_only()
            .column(tombstone::Column::Id)
            .filter(tombstone::Column::Id.is_in(losers))
            .into_tuple()
            .all(&self.tx)
            .await?
            .into_iter()
            .collect();
        let rows = rows
            .into_iter()
            .filter(|row| public.contains(&row.loser_id));
        Ok(rows.map(|row| (row.target_id, row.loser_id)).collect())
    }

    /// The tombstones of merged records of this node that readers with this filter knew.
    pub(super) fn told_tombstones(&self) -> Select<tombstone::Entity> {
        let homes = &self.filter.home_regions;
        let home = tombstone::Column::HomeRegion.is_in(homes.iter().copied());
        let own = tombstone::Column::Origin.eq(&self.store.node().origin);
        tombstone::Entity::find()
            .filter(own)
            .filter(tombstone::Column::MergedInto.is_not_null())
            .filter(tombstone::Column::WasPublic.eq(true))
            .filter(Condition::all().add_option((!homes.is_empty()).then_some(home)))
    }

    /// The tombstones of merged records and of their merge targets, as far as they belong to this
    /// node.
    pub(super) async fn chains(&self, ids: impl Iterator<Item = Uuid>) -> Result<Tombstones> {
        let mut tombstones = Tombstones::new();
        let mut next: BTreeSet<Uuid> = ids.collect();
        while !next.is_empty() {
            let found = tombstone::Entity::find()
                .filter(tombstone::Column::Id.is_in(next))
                .filter(tombstone::Column::MergedInto.is_not_null())
                .filter(tombstone::Column::Origin.eq(&self.store.node().origin))
                .all(&self.tx)
                .await?;
            next = found
                .iter()
                .filter_map(|tombstone| tombstone.merged_into)
                .collect();
            tombstones.extend(found.into_iter().map(|tombstone| (tombstone.id, tombstone)));
            next.retain(|id| !tombstones.contains_key(id));
        }
        Ok(tombstones)
    }

    /// The records at the ends of chains that outsiders see.
    pub(super) async fn visible_ends(&self, tombstones: &Tombstones) -> Result<BTreeSet<Uuid>> {
        let ends = tombstones
            .values()
            .filter_map(|tombstone| tombstone.merged_into);
        let ends: BTreeSet<Uuid> = ends.filter(|id| !tombstones.contains_key(id)).collect();
        if ends.is_empty() {
            return Ok(ends);
        }
        let visible = record::Entity::find()
            .select_only()
            .column(record::Column::Id)
            .filter(record::Column::Id.is_in(ends))
            .filter(record::Column::IsPublic.eq(true))
            .into_tuple::<Uuid>()
            .all(&self.tx)
            .await?;
        Ok(visible.into_iter().collect())
    }
}

/// The tombstones from a merged record to its final merge target, if outsiders see that one.
pub(super) fn chain<'a>(
    tombstones: &'a Tombstones,
    loser: Uuid,
    visible: &BTreeSet<Uuid>,
) -> Vec<&'a tombstone::Model> {
    let mut chain = Vec::new();
    let mut at = loser;
    while let Some(tombstone) = tombstones
        .get(&at)
        .filter(|_| chain.len() <= tombstones.len())
    {
        chain.push(tombstone);
        at = tombstone.merged_into.unwrap_or(at);
    }
    if visible.contains(&at) {
        chain
    } else {
        Vec::new()
    }
}

impl FeedEntry {
    pub(super) fn merged(tombstone: &tombstone::Model) -> Self {
        Self {
            seq: 0,
            tx: None,
            kind: tombstone.kind.clone(),
            id: tombstone.id,
            at: tombstone.deleted_at,
            news: EntryContent::Delete {
                version: tombstone.version,
                cause: if tombstone.cause == Cause::Erased.code() {
                    tombstone.cause.clone()
                } else {
                    Cause::Merged.code().to_owned()
                },
                merged_into: tombstone.merged_into,
            },
        }
    }
}
