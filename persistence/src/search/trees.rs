//! Hierarchies of regions, topics and parts, and groups of equal records, kept in memory.
//!
//! Documents contain direct ids only, so one edit under a state need not change ten thousand of
//! them; a query is expanded when it is built. Only public records shape the trees: filters reveal
//! nothing about drafts. And only those who may: see [`statements`].

mod statements;

use crate::error::Result;
use crate::search::trees::statements::{Statements, read_statement};
use domain::kinds::relationship::RelationshipType;
use domain::kinds::relationship::on::RelationshipsOn;
use domain::value::edtf::Bounds;
use sea_orm::{ConnectionTrait, Statement};
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use uuid::Uuid;

#[derive(Debug, Default)]
pub(super) struct Trees {
    children: BTreeMap<Uuid, Vec<Link>>,
    parents: BTreeMap<Uuid, Vec<Link>>,
    same: BTreeMap<Uuid, Vec<Uuid>>,
    merge_targets: BTreeMap<Uuid, Uuid>,
    losers: BTreeMap<Uuid, Vec<Uuid>>,
    /// Everything that shapes them: the records in them, and the relationships between these.
    shaping: HashSet<Uuid>,
    /// The relationships that would shape them if others agreed.
    without_effect: HashSet<Uuid>,
    /// Differs whenever they were read.
    generation: u64,
    /// How many are below a record, as far as it was asked for.
    sizes: Mutex<HashMap<Uuid, usize>>,
}

/// A part of something, or what something is a part of, and when.
#[derive(Debug, Clone, Copy)]
struct Link {
    to: Uuid,
    bounds: Bounds,
}

static GENERATIONS: AtomicU64 = AtomicU64::new(1);

/// The public statements that records are parts of others or the same, with what decides who makes
/// them.
const STATEMENTS: &str = "SELECT e.type, e.record_id, r.origin, r.home_region, \
     f.id, f.origin, f.home_region, cf.end_id, t.id, t.origin, t.home_region, ct.end_id, \
     f.kind, e.from_earliest, e.from_latest, e.to_earliest, e.to_latest FROM edge e \
     LEFT JOIN merged mf ON mf.loser_id = e.from_id \
     LEFT JOIN merged mt ON mt.loser_id = e.to_id \
     JOIN record r ON r.id = e.record_id AND r.publication = 'published' AND NOT r.suppressed \
     JOIN record f ON f.id = COALESCE(mf.target_id, e.from_id) AND f.publication = 'published' \
         AND NOT f.suppressed \
     JOIN record t ON t.id = COALESCE(mt.target_id, e.to_id) AND t.publication = 'published' \
         AND NOT t.suppressed \
     LEFT JOIN confirmation cf ON cf.record_id = e.record_id AND cf.end_id = e.from_id \
         AND cf.state = 'confirmed' \
     LEFT JOIN confirmation ct ON ct.record_id = e.record_id AND ct.end_id = e.to_id \
         AND ct.state = 'confirmed' \
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
    pub(super) async fn read(db: &impl ConnectionTrait, own: &str) -> Result<Self> {
        let mut trees = Self {
            generation: GENERATIONS.fetch_add(1, Ordering::Relaxed),
            ..Self::default()
        };
        let all = |sql| Statement::from_string(db.get_database_backend(), sql);
        let mut statements = Statements::default();
        for row in db.query_all_raw(all(STATEMENTS)).await? {
            let statement = read_statement(&row)?;
            // Another statement may make it effective.
            trees.shaping.insert(statement.relationship);
            trees
                .shaping
                .extend(statement.ends.iter().map(|end| end.id));
            statements.add(statement, own);
        }
        trees.without_effect.extend(statements.without_effect());
        for (link, ends, bounds) in statements.effective() {
            trees.add(link, ends, bounds);
        }
        for sql in [BROADER, MERGED] {
            for row in db.query_all_raw(all(sql)).await? {
                let link: String = row.try_get_by_index(0)?;
                let ends = [row.try_get_by_index(1)?, row.try_get_by_index(2)?];
                trees.add(&link, ends, Bounds::default());
                trees.shaping.insert(row.try_get_by_index(3)?);
            }
        }
        Ok(trees)
    }

    fn add(&mut self, link: &str, [from, to]: [Uuid; 2], bounds: Bounds) {
        self.shaping.extend([from, to]);
        match link {
            "part_of" => {
                let link = |to| Link { to, bounds };
                self.children.entry(to).or_default().push(link(from));
                self.parents.entry(from).or_default().push(link(to));
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

    /// Whether a relationship states what others have not agreed to: filters do not follow it.
    pub(super) fn is_without_effect(&self, relationship: Uuid) -> bool {
        self.without_effect.contains(&relationship)
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

    /// Everything below one of `ids`, by the parts that count on a day.
    pub(super) fn below(&self, ids: &[Uuid], on: RelationshipsOn) -> BTreeSet<Uuid> {
        self.linked(ids, &self.children, on)
    }

    /// The number of records that were ever [`Trees::below`] one.
    pub(super) fn size_below(&self, id: Uuid) -> usize {
        let known = || self.sizes.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(size) = known().get(&id) {
            return *size;
        }
        let size = self.below(&[id], RelationshipsOn::Any).len();
        // Records in no tree are not kept: a query may name any id.
        if size > 1 {
            known().insert(id, size);
        }
        size
    }

    pub(super) fn above(&self, id: Uuid, on: RelationshipsOn) -> BTreeSet<Uuid> {
        self.linked(&[id], &self.parents, on)
    }

    fn linked(
        &self,
        ids: &[Uuid],
        links: &BTreeMap<Uuid, Vec<Link>>,
        on: RelationshipsOn,
    ) -> BTreeSet<Uuid> {
        let holds = on.of(Some(RelationshipType::PartOf.rule()));
        self.closure(ids, |trees, id| {
            let mut next = trees.equal(id);
            let links = links.get(&id).into_iter().flatten();
            let links = links.filter(|link| holds.is_none_or(|day| day.includes(&link.bounds)));
            next.extend(links.map(|link| link.to));
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
    use domain::value::edtf::Period;

    const ANY: RelationshipsOn = RelationshipsOn::Any;

    #[test]
    fn what_is_the_same_is_above_and_below_the_same() {
        let id = |n: u128| Uuid::from_u128(n);
        let mut trees = Trees::default();
        let mut add = |link: &str, from, to| trees.add(link, [from, to], Bounds::default());
        let (nrw, district, bochum, wattenscheid, old) = (id(1), id(2), id(3), id(4), id(5));
        add("part_of", district, nrw);
        add("same_as", district, bochum);
        add("part_of", wattenscheid, bochum);
        add("merged", old, wattenscheid);
        assert_eq!(
            trees.below(&[nrw], ANY),
            [nrw, district, bochum, wattenscheid, old].into()
        );
        assert_eq!(
            trees.above(old, ANY),
            [nrw, district, bochum, wattenscheid, old].into()
        );
        assert_eq!(trees.same(&[district]), [district, bochum].into());
        assert_eq!([nrw, nrw, old].map(|id| trees.size_below(id)), [5, 5, 2]);
        assert_eq!(trees.merge_target(old), wattenscheid);
        assert!(trees.losers(wattenscheid).eq([old]));
        // Cycles end.
        trees.add("part_of", [nrw, wattenscheid], Bounds::default());
        assert_eq!(trees.below(&[nrw], ANY).len(), 5);
    }

    #[test]
    fn a_part_counts_while_it_is_one() {
        let id = |n: u128| Uuid::from_u128(n);
        let mut trees = Trees::default();
        let period: Period = serde_json::from_str(r#"{"from": "2010", "to": "2015"}"#).unwrap();
        trees.add("part_of", [id(2), id(1)], period.bounds(None));
        trees.add("part_of", [id(3), id(2)], Bounds::default());
        let today =
            |year| RelationshipsOn::Today(chrono::NaiveDate::from_ymd_opt(year, 6, 1).unwrap());
        assert_eq!(trees.below(&[id(1)], today(2012)).len(), 3);
        assert_eq!(trees.below(&[id(1)], today(2016)), [id(1)].into());
        assert_eq!(trees.above(id(3), today(2009)), [id(2), id(3)].into());
        assert_eq!(trees.above(id(3), ANY).len(), 3);
    }
}
