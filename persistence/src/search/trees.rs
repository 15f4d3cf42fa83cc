//! Hierarchies of regions, topics and parts, and groups of equal records, kept in memory.
//!
//! Documents contain direct ids only, so one edit under a state need not change ten thousand of
//! them; a query is expanded when it is built. Only public records shape the trees: filters reveal
//! nothing about drafts.

use crate::error::Result;
use sea_orm::{ConnectionTrait, Statement};
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use uuid::Uuid;

#[derive(Debug, Default)]
pub(super) struct Trees {
    children: BTreeMap<Uuid, Vec<Uuid>>,
    parents: BTreeMap<Uuid, Vec<Uuid>>,
    same: BTreeMap<Uuid, Vec<Uuid>>,
    merge_targets: BTreeMap<Uuid, Uuid>,
    losers: BTreeMap<Uuid, Vec<Uuid>>,
    /// Everything that shapes them: the records in them, and the relationships between these.
    shaping: HashSet<Uuid>,
    /// Differs whenever they were read.
    generation: u64,
    /// How many are below a record, as far as it was asked for.
    sizes: Mutex<HashMap<Uuid, usize>>,
}

static GENERATIONS: AtomicU64 = AtomicU64::new(1);

const PART_OF: &str = "SELECT e.type, f.id, t.id, e.record_id FROM edge e \
     LEFT JOIN merged mf ON mf.loser_id = e.from_id \
     LEFT JOIN merged mt ON mt.loser_id = e.to_id \
     JOIN record r ON r.id = e.record_id AND r.publication = 'published' AND NOT r.suppressed \
     JOIN record f ON f.id = COALESCE(mf.target_id, e.from_id) AND f.publication = 'published' \
         AND NOT f.suppressed \
     JOIN record t ON t.id = COALESCE(mt.target_id, e.to_id) AND t.publication = 'published' \
         AND NOT t.suppressed \
     WHERE e.type IN ('part_of', 'same_as')";

const BROADER: &str = "SELECT 'part_of', r.id, t.id, r.id FROM record r \
     JOIN reference ON reference.record_id = r.id AND reference.field = '/broader' \
     LEFT JOIN merged ON merged.loser_id = reference.target_id \
     JOIN record t ON t.id = COALESCE(merged.target_id, reference.target_id) \
         AND t.publication = 'published' \
         AND NOT t.suppressed \
     WHERE r.kind = 'topic' AND r.publication = 'published' AND NOT r.suppressed";

const MERGED: &str = "SELECT 'merged', loser_id, target_id, loser_id FROM merged";

impl Trees {
    pub(super) async fn read(db: &impl ConnectionTrait) -> Result<Self> {
        let mut trees = Self {
            generation: GENERATIONS.fetch_add(1, Ordering::Relaxed),
            ..Self::default()
        };
        for sql in [PART_OF, BROADER, MERGED] {
            let statement = Statement::from_string(db.get_database_backend(), sql);
            let rows = db.query_all_raw(statement).await?;
            for row in rows {
                let link: String = row.try_get_by_index(0)?;
                trees.add(&link, row.try_get_by_index(1)?, row.try_get_by_index(2)?);
                trees.shaping.insert(row.try_get_by_index(3)?);
            }
        }
        Ok(trees)
    }

    fn add(&mut self, link: &str, from: Uuid, to: Uuid) {
        self.shaping.extend([from, to]);
        match link {
            "part_of" => {
                self.children.entry(to).or_default().push(from);
                self.parents.entry(from).or_default().push(to);
            }
            "same_as" => {
                self.same.entry(from).or_default().push(to);
                self.same.entry(to).or_default().push(from);
            }
            _ => {
                self.merge_targets.insert(from, to);
                self.losers.entry(to).or_default().push(from);
            }
        }
    }

    /// The record of an id: itself, or its merge target.
    pub(super) fn merge_target(&self, id: Uuid) -> Uuid {
        self.merge_targets.get(&id).copied().unwrap_or(id)
    }

    pub(super) fn generation(&self) -> u64 {
        self.generation
    }

    /// Whether the trees may change with this record or relationship.
    pub(super) fn are_shaped_by(&self, id: Uuid) -> bool {
        self.shaping.contains(&id)
    }

    pub(super) fn is_merged(&self, id: Uuid) -> bool {
        self.merge_targets.contains_key(&id)
    }

    pub(super) fn losers(&self, id: Uuid) -> impl Iterator<Item = Uuid> {
        self.losers.get(&id).into_iter().flatten().copied()
    }

    /// Everything equal to one of `ids`: the same things, and the records merged into them.
    pub(super) fn same(&self, ids: &[Uuid]) -> BTreeSet<Uuid> {
        self.closure(ids, Self::equal)
    }

    pub(super) fn below(&self, ids: &[Uuid]) -> BTreeSet<Uuid> {
        self.closure(ids, |trees, id| {
            let mut next = trees.equal(id);
            next.extend(trees.children.get(&id).into_iter().flatten());
            next
        })
    }

    /// The number of [`Trees::below`] a record.
    pub(super) fn size_below(&self, id: Uuid) -> usize {
        let known = || self.sizes.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(size) = known().get(&id) {
            return *size;
        }
        let size = self.below(&[id]).len();
        // Records in no tree are not kept: a query may name any id.
        if size > 1 {
            known().insert(id, size);
        }
        size
    }

    pub(super) fn above(&self, id: Uuid) -> BTreeSet<Uuid> {
        self.closure(&[id], |trees, id| {
            let mut next = trees.equal(id);
            next.extend(trees.parents.get(&id).into_iter().flatten());
            next
        })
    }

    fn equal(&self, id: Uuid) -> Vec<Uuid> {
        let mut next: Vec<Uuid> = self.same.get(&id).into_iter().flatten().copied().collect();
        next.extend(self.losers(id));
        next.extend(self.merge_targets.get(&id));
        next
    }

    fn closure(&self, ids: &[Uuid], next: impl Fn(&Self, Uuid) -> Vec<Uuid>) -> BTreeSet<Uuid> {
        let mut found: BTreeSet<Uuid> = ids.iter().copied().collect();
        let mut open: Vec<Uuid> = ids.to_vec();
        while let Some(id) = open.pop() {
            for id in next(self, id) {
                if found.insert(id) {
                    open.push(id);
                }
            }
        }
        found
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_the_same_is_above_and_below_the_same() {
        let id = |n: u128| Uuid::from_u128(n);
        let mut trees = Trees::default();
        let (nrw, district, bochum, wattenscheid, old) = (id(1), id(2), id(3), id(4), id(5));
        trees.add("part_of", district, nrw);
        trees.add("same_as", district, bochum);
        trees.add("part_of", wattenscheid, bochum);
        trees.add("merged", old, wattenscheid);
        assert_eq!(
            trees.below(&[nrw]),
            [nrw, district, bochum, wattenscheid, old].into()
        );
        assert_eq!(
            trees.above(old),
            [nrw, district, bochum, wattenscheid, old].into()
        );
        assert_eq!(trees.same(&[district]), [district, bochum].into());
        assert_eq!([nrw, nrw, old].map(|id| trees.size_below(id)), [5, 5, 2]);
        assert_eq!(trees.merge_target(old), wattenscheid);
        assert!(trees.losers(wattenscheid).eq([old]));
        // Cycles end.
        trees.add("part_of", nrw, wattenscheid);
        assert_eq!(trees.below(&[nrw]).len(), 5);
    }
}
