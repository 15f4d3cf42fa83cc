//! The snapshot: every record of the feed, in dependency order, and after those of a kind the
//! records merged into them. Other tombstones are not part of it.

use super::merges::chain;
use super::position::{Phase, Position};
use super::{FeedEntry, FeedPage, Reader, body_bytes, fitting};
use crate::entity::{change, record, tombstone};
use crate::error::Result;
use domain::base::kind::Kind;
use domain::base::vocabulary::Coded;
use domain::exchange::sync::FeedPhase;
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect};
use std::collections::{BTreeMap, BTreeSet};
use uuid::Uuid;

/// A position in a snapshot: by kind, the living before the merged.
type Place = (Kind, bool, Uuid);

impl Reader<'_> {
    /// The page after a record; the last one leads to the changes from where the snapshot began.
    pub(super) async fn snapshot(
        &self,
        position: &Position,
        after: Option<(&str, bool, Uuid)>,
    ) -> Result<FeedPage> {
        let reached = after.and_then(|(kind, merged, id)| Some((Kind::parse(kind)?, merged, id)));
        let (places, more) = self.next_places(reached).await?;
        let next = position.with(match places.last().filter(|_| more) {
            Some((kind, merged, id)) => Phase::Snapshot {
                after: Some((kind.code().to_owned(), *id)),
                merged: *merged,
            },
            None => Phase::Changes {},
        });
        let entries = self.entries_at(&places).await?;
        let entries = self.with_merges(entries, &BTreeSet::new()).await?;
        Ok(self.page(FeedPhase::Snapshot, entries, (position, &next)))
    }

    /// The content of the page after `reached`, and whether there is more.
    async fn next_places(&self, reached: Option<Place>) -> Result<(Vec<Place>, bool)> {
        let wanted = usize::try_from(self.limit).unwrap_or(usize::MAX);
        let mut found: Vec<(Place, i64)> = Vec::new();
        for kind in self.filter.kinds() {
            for merged in [false, true] {
                let after = match reached {
                    Some((last, of, _)) if (last, of) > (*kind, merged) => continue,
                    Some((last, of, id)) if (last, of) == (*kind, merged) => id,
                    Some(_) | None => Uuid::nil(),
                };
                let most = (wanted + 1).saturating_sub(found.len());
                if most == 0 {
                    break;
                }
                let rows = if merged {
                    self.merged_after(*kind, after, most).await?
                } else {
                    self.living_after(*kind, after, most).await?
                };
                found.extend(
                    rows.into_iter()
                        .map(|(id, size)| ((*kind, merged, id), size)),
                );
            }
        }
        let total = found.len();
        found.truncate(wanted);
        found.truncate(fitting(found.iter().map(|(_, bytes)| *bytes)));
        let more = found.len() < total;
        Ok((found.into_iter().map(|(place, _)| place).collect(), more))
    }

    /// Records of a kind by id, and the sizes of their bodies.
    async fn living_after(&self, kind: Kind, after: Uuid, most: usize) -> Result<Vec<(Uuid, i64)>> {
        Ok(record::Entity::find()
            .select_only()
            .column(record::Column::Id)
            .expr_as(body_bytes(), "bytes")
            .filter(self.filter.rows(&self.store.node().origin))
            .filter(record::Column::Kind.eq(kind.code()))
            .filter(record::Column::IsPublic.eq(true))
            .filter(record::Column::Id.gt(after))
            .order_by_asc(record::Column::Id)
            .limit(most as u64)
            .into_tuple()
            .all(&self.tx)
            .await?)
    }

    /// Records merged into visible ones, by id; they have no bodies.
    async fn merged_after(&self, kind: Kind, after: Uuid, most: usize) -> Result<Vec<(Uuid, i64)>> {
        let mut found = Vec::new();
        let mut last = after;
        loop {
            let ids: Vec<Uuid> = self
                .told_tombstones()
                .select_only()
                .column(tombstone::Column::Id)
                .filter(tombstone::Column::Kind.eq(kind.code()))
                .filter(tombstone::Column::Id.gt(last))
                .order_by_asc(tombstone::Column::Id)
                .limit(most as u64)
                .into_tuple()
                .all(&self.tx)
                .await?;
            let Some(end) = ids.last() else {
                return Ok(found);
            };
            last = *end;
            let chains = self.chains(ids.iter().copied()).await?;
            let visible = self.visible_ends(&chains).await?;
            let told = ids.iter();
            let told = told.filter(|id| !chain(&chains, **id, &visible).is_empty());
            found.extend(told.map(|id| (*id, 0)));
            if found.len() >= most {
                found.truncate(most);
                return Ok(found);
            }
        }
    }

    async fn entries_at(&self, places: &[Place]) -> Result<Vec<FeedEntry>> {
        let ids = |of: bool| {
            let places = places.iter().filter(move |(_, merged, _)| *merged == of);
            places.map(|(_, _, id)| *id).collect::<Vec<Uuid>>()
        };
        let mut living = self.rows(&ids(false)).await?;
        let dead = ids(true);
        let tombstones = self.tombstones(&dead).await?;
        let seqs = self.newest_seqs(&dead).await?;
        let entries = places
            .iter()
            .filter_map(|(_, _, id)| match tombstones.get(id) {
                Some(tombstone) => Some(FeedEntry {
                    seq: seqs.get(id).copied().unwrap_or_default(),
                    ..FeedEntry::merged(tombstone)
                }),
                None => living.remove(id).map(FeedEntry::of),
            });
        Ok(entries.collect())
    }

    /// The numbers of the entries that created the newest versions of records.
    async fn newest_seqs(&self, ids: &[Uuid]) -> Result<BTreeMap<Uuid, i64>> {
        if ids.is_empty() {
            return Ok(BTreeMap::new());
        }
        let seqs: Vec<(Uuid, i64)> = change::Entity::find()
            .select_only()
            .columns([change::Column::RecordId, change::Column::Seq])
            .filter(change::Column::RecordId.is_in(ids.iter().copied()))
            .filter(change::Column::Newest.eq(true))
            .into_tuple()
            .all(&self.tx)
            .await?;
        Ok(seqs.into_iter().collect())
    }
}
