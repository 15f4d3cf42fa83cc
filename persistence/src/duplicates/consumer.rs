//! The consumer that compares what was written with what is like it.

use super::pairs::{LEAST, reasons_text};
use crate::consumers::{Entry, LogConsumer};
use crate::entity::duplicate_pair;
use crate::entity::record::{self, Column};
use crate::error::Result;
use crate::permits::Urgency;
use crate::record::current;
use crate::search::Search;
use crate::store::Store;
use crate::transaction::{Transaction, WriteOptions};
use domain::access::rules::Caller;
use domain::base::kind::Kind;
use domain::base::vocabulary::Coded;
use domain::matching::score::{Candidate, score};
use domain::validation::body::KindSchema;
use sea_orm::ActiveValue::Set;
use sea_orm::{ColumnTrait, Condition, EntityTrait, QueryFilter, QuerySelect};
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;
use uuid::Uuid;

pub(super) const NAME: &str = "duplicates";

/// Maximum number of records with a common key; more have too little in common to be significant.
/// What was compared before a key became that common remains.
const MAX_GROUP: usize = 40;

/// Written records that are compared at once: their candidates are in memory together.
const CHUNK: usize = 100;

/// Bodies read at once, and pairs written at once.
const ROWS: usize = 500;

/// Pause after a page, in which more may be written.
const REST: Duration = Duration::from_millis(200);

/// Entries that concern no record with a name, after which the cursor is saved.
const FAR: i64 = 1000;

#[derive(Debug)]
pub struct DuplicateConsumer {
    store: Store,
    search: Search,
    /// The cursor as last saved here.
    saved: i64,
}

impl DuplicateConsumer {
    #[must_use]
    pub fn new(store: Store, search: Search) -> Self {
        Self {
            store,
            search,
            saved: 0,
        }
    }

    /// Replaces the pairs of these records, which the index contains.
    async fn compare(&self, ids: &[Uuid]) -> Result<()> {
        let written = candidates(&self.store, ids).await?;
        let keys: Vec<_> = written
            .values()
            .map(|one| one.candidate.hashed_keys())
            .collect();
        let sharing = self.search.sharing(keys, MAX_GROUP).await?;
        let others: BTreeSet<Uuid> = sharing.iter().flatten().copied().collect();
        let others: Vec<Uuid> = others
            .into_iter()
            .filter(|id| !written.contains_key(id))
            .collect();
        let others = candidates(&self.store, &others).await?;
        let written_ids = ids.to_vec();
        let permit = self.store.permits().again(Urgency::Bulk).await?;
        let compare = move || {
            let _permit = permit;
            pairs(&written, &sharing, &others)
        };
        // Comparing must not block other requests.
        let pairs = tokio::task::spawn_blocking(compare).await;
        let pairs = pairs.map_err(|why| crate::StoreError::Corrupt(why.to_string()))?;
        let options = WriteOptions {
            bulk: true,
            ..WriteOptions::default()
        };
        let work = async |tx: &mut Transaction<'_>| replace(tx, &written_ids, &pairs).await;
        self.store.write(&Caller::node(), &options, work).await
    }
}

impl LogConsumer for DuplicateConsumer {
    fn name(&self) -> &'static str {
        NAME
    }

    async fn cursor(&mut self) -> Result<i64> {
        self.saved = self.store.cursors().get(NAME).await?;
        Ok(self.saved)
    }

    async fn ready(&mut self, seq: i64) {
        self.search.contains(seq).await;
    }

    async fn apply(&mut self, entries: &[Entry]) -> Result<()> {
        let Some(last) = entries.last().map(|entry| entry.seq) else {
            return Ok(());
        };
        let named = entries
            .iter()
            .filter(|entry| entry.kind != Kind::Relationship.code());
        let ids: BTreeSet<Uuid> = named.map(|entry| entry.record_id).collect();
        if ids.is_empty() && last - self.saved < FAR {
            return Ok(());
        }
        let ids: Vec<Uuid> = ids.into_iter().collect();
        for chunk in ids.chunks(CHUNK) {
            self.compare(chunk).await?;
        }
        let options = WriteOptions::default();
        let work = async |tx: &mut Transaction<'_>| {
            // Another instance may be further.
            let cursor = tx.cursors().lock(NAME).await?;
            tx.cursors().update(NAME, cursor.max(last)).await
        };
        self.store.write(&Caller::node(), &options, work).await?;
        self.saved = last;
        Ok(())
    }

    async fn rest(&mut self) {
        tokio::time::sleep(REST).await;
    }
}

struct Compared {
    own: bool,
    candidate: Candidate,
}

/// The records among `ids` that can have duplicates.
async fn candidates(store: &Store, ids: &[Uuid]) -> Result<BTreeMap<Uuid, Compared>> {
    let mut found = BTreeMap::new();
    for chunk in ids.chunks(ROWS) {
        let rows: Vec<(Uuid, String, String, String, bool)> = record::Entity::find()
            .select_only()
            .columns([
                Column::Id,
                Column::Kind,
                Column::Origin,
                Column::Body,
                Column::Withholds,
            ])
            .filter(Column::Id.is_in(chunk.iter().copied()))
            .filter(Column::Kind.ne(Kind::Relationship.code()))
            .filter(Column::Suppressed.eq(false))
            .into_tuple()
            .all(store.db().reader())
            .await?;
        for (id, kind, origin, body, withholds) in rows {
            let Some(kind) = Kind::parse(&kind) else {
                continue;
            };
            let mut body = current(kind, &body);
            if withholds {
                KindSchema::of(kind).withhold(&mut body);
            }
            if let Some(candidate) = Candidate::of(kind, &body) {
                let own = origin == store.node().origin;
                found.insert(id, Compared { own, candidate });
            }
        }
    }
    Ok(found)
}

fn pairs(
    written: &BTreeMap<Uuid, Compared>,
    sharing: &[BTreeSet<Uuid>],
    others: &BTreeMap<Uuid, Compared>,
) -> Vec<duplicate_pair::ActiveModel> {
    let mut pairs = BTreeMap::new();
    for ((id, one), sharing) in written.iter().zip(sharing) {
        for other_id in sharing.iter().filter(|other| *other != id) {
            let Some(other) = written.get(other_id).or_else(|| others.get(other_id)) else {
                continue;
            };
            // Nothing can be done here about two copies.
            if one.own || other.own {
                let (a, b) = (*id.min(other_id), *id.max(other_id));
                pairs.entry((a, b)).or_insert((one, other));
            }
        }
    }
    let likely = pairs
        .into_iter()
        .filter_map(|((a_id, b_id), (one, other))| {
            let likeness = score(&one.candidate, &other.candidate)?;
            (likeness.score >= LEAST).then(|| duplicate_pair::ActiveModel {
                a_id: Set(a_id),
                b_id: Set(b_id),
                score: Set(thousandths(likeness.score)),
                reasons: Set(reasons_text(&likeness.reasons)),
            })
        });
    likely.collect()
}

#[expect(
    clippy::cast_possible_truncation,
    reason = "a score is between 0 and 1"
)]
fn thousandths(score: f64) -> i32 {
    (score * 1000.0).round() as i32
}

async fn replace(
    tx: &mut Transaction<'_>,
    ids: &[Uuid],
    pairs: &[duplicate_pair::ActiveModel],
) -> Result<()> {
    // One instance at a time.
    tx.cursors().lock(NAME).await?;
    let among = |column: duplicate_pair::Column| column.is_in(ids.iter().copied());
    let either = Condition::any()
        .add(among(duplicate_pair::Column::AId))
        .add(among(duplicate_pair::Column::BId));
    duplicate_pair::Entity::delete_many()
        .filter(either)
        .exec(&tx.sql)
        .await?;
    for chunk in pairs.chunks(ROWS) {
        duplicate_pair::Entity::insert_many(chunk.to_vec())
            .exec_without_returning(&tx.sql)
            .await?;
    }
    Ok(())
}
