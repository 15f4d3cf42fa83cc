//! Likely duplicates among all records, found without comparing all with all: only records that
//! share a key (a rare word, a word and a town, an identifier, a website …) are compared.
//!
//! The pairs are cached until the next write; permissions are checked at each request.

use crate::cursor;
use crate::db::SqlTransaction;
use crate::entity::record::{self, Column};
use crate::entity::{edge, node};
use crate::error::{Result, StoreError};
use crate::merge_targets::merge_targets;
use crate::read::relationships::AllOf;
use crate::record::{Record, current};
use crate::store::Store;
use domain::access::rules::{Caller, Subject};
use domain::base::kind::Kind;
use domain::base::vocabulary::Coded;
use domain::kinds::common::Publication;
use domain::kinds::relationship::RelationshipType;
use domain::matching::score::{Candidate, Reason, score};
use futures::TryStreamExt;
use sea_orm::sea_query::Query;
use sea_orm::{ColumnTrait, EntityTrait, FromQueryResult, QueryFilter, QueryOrder, QuerySelect};
use serde::{Deserialize, Serialize};
use std::cmp::Reverse;
use std::collections::hash_map::DefaultHasher;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::hash::{Hash, Hasher};
use std::sync::Arc;
use tokio::sync::Mutex;
use uuid::Uuid;

/// Minimum requestable score; pairs below it are not cached.
pub const LEAST: f64 = 0.5;

/// Maximum number of records with a common key; more have too little in common to be significant.
const MAX_GROUP: usize = 40;

#[derive(Debug, Clone)]
pub struct DuplicateFilter {
    pub kinds: AllOf<Kind>,
    pub home_regions: AllOf<Uuid>,
    pub min_score: f64,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Side {
    pub kind: Kind,
    pub id: Uuid,
    pub slug: Option<String>,
    pub name: Option<String>,
    pub origin: String,
    seen: Seen,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Seen {
    own: bool,
    kind: Kind,
    home_region: Option<Uuid>,
    publication: Publication,
    system: Option<String>,
}

#[derive(Debug, Clone, PartialEq)]
pub struct DuplicatePair {
    pub score: f64,
    pub reasons: Vec<Reason>,
    /// By their ids.
    pub records: [Side; 2],
    /// The `same_as` relationships that already state it.
    joined: Vec<Seen>,
}

#[derive(Debug)]
pub struct DuplicatePage {
    pub items: Vec<DuplicatePair>,
    pub total: u64,
    pub next: Option<String>,
}

/// The pairs that were found at this end of the log.
#[derive(Debug, Default)]
struct Found {
    head: i64,
    pairs: Arc<Vec<DuplicatePair>>,
}

/// Likely duplicates, cached between requests; concurrent ones wait for one computation.
#[derive(Debug, Clone)]
pub struct Duplicates {
    store: Store,
    kept: Arc<Mutex<Option<Found>>>,
}

/// The position after the last pair of a page: thousandths of the score, then the ids.
#[derive(Serialize, Deserialize, PartialEq, Eq, PartialOrd, Ord)]
struct Position(Reverse<i64>, Uuid, Uuid);

impl Seen {
    fn subject(&self) -> Subject<'_> {
        Subject {
            own: self.own,
            kind: self.kind,
            home_region: self.home_region,
            publication: self.publication,
            system: self.system.as_deref(),
        }
    }
}

impl DuplicatePair {
    /// Whether both are this node's own, so that they can be merged here.
    #[must_use]
    pub fn can_be_merged(&self) -> bool {
        self.records.iter().all(|one| one.seen.own)
    }

    #[expect(
        clippy::cast_possible_truncation,
        reason = "a score is between 0 and 1"
    )]
    fn position(&self) -> Position {
        let thousandths = (self.score * 1000.0).round() as i64;
        Position(Reverse(thousandths), self.records[0].id, self.records[1].id)
    }

    /// Whether the caller sees both and no relationship that joins them.
    fn is_shown_to(&self, caller: &Caller) -> bool {
        let sees = |seen: &Seen| caller.can_read(&seen.subject());
        self.records.iter().all(|one| sees(&one.seen)) && !self.joined.iter().any(sees)
    }

    fn fits(&self, filter: &DuplicateFilter) -> bool {
        let homes = self.records.each_ref().map(|one| one.seen.home_region);
        let any_home = |list: &Vec<Uuid>| {
            let mut homes = homes.iter().flatten();
            homes.any(|home| list.contains(home))
        };
        self.score >= filter.min_score
            && filter
                .kinds
                .iter()
                .all(|list| list.contains(&self.records[0].kind))
            && filter.home_regions.iter().all(any_home)
    }
}

impl Duplicates {
    #[must_use]
    pub fn new(store: Store) -> Self {
        let kept = Arc::default();
        Self { store, kept }
    }

    /// Lists pairs of likely duplicates of which the caller sees both.
    ///
    /// Excluded are pairs of copies, since nothing can be done about them here, and those that a
    /// `same_as` relationship joins already. `query` is the query's text without the cursor, to
    /// which cursors are bound.
    pub async fn list(
        &self,
        caller: &Caller,
        filter: &DuplicateFilter,
        (limit, at): (usize, Option<&str>),
        query: &str,
    ) -> Result<DuplicatePage> {
        let secret = &self.store.node().secret;
        let after: Option<Position> = at
            .map(|text| cursor::decode(secret, query, text))
            .transpose()?;
        let pairs = self.likely_pairs().await?;
        let shown = pairs
            .iter()
            .filter(|pair| pair.fits(filter) && pair.is_shown_to(caller));
        let total = shown.clone().count() as u64;
        let rest = shown.filter(|pair| after.as_ref().is_none_or(|at| pair.position() > *at));
        let mut items: Vec<DuplicatePair> = rest.take(limit + 1).cloned().collect();
        let more = items.len() > limit;
        items.truncate(limit);
        let last = items.last().filter(|_| more);
        let next = last.map(|pair| cursor::encode(secret, query, &pair.position()));
        Ok(DuplicatePage { items, total, next })
    }

    /// All pairs, most likely first, at the end of the log.
    async fn likely_pairs(&self) -> Result<Arc<Vec<DuplicatePair>>> {
        let mut kept = self.kept.lock().await;
        let tx = self.store.db().begin_read().await?;
        let node = node::Entity::find_by_id(1).one(&tx).await?;
        let head = node.map_or(0, |node| node.head);
        if let Some(found) = kept.as_ref().filter(|found| found.head == head) {
            return Ok(found.pairs.clone());
        }
        let records = candidates(&self.store, &tx).await?;
        let joined = joined(&self.store, &tx).await?;
        tx.commit().await?;
        // Seconds of computing must not block other requests.
        let pairs = tokio::task::spawn_blocking(move || find_pairs(&records, joined))
            .await
            .map_err(|why| StoreError::Corrupt(why.to_string()))?;
        let pairs = Arc::new(pairs);
        *kept = Some(Found {
            head,
            pairs: pairs.clone(),
        });
        Ok(pairs)
    }
}

/// Every described record prepared for comparison, read one by one.
async fn candidates(store: &Store, tx: &SqlTransaction) -> Result<Vec<(Side, Candidate)>> {
    let mut rows = record::Entity::find()
        .select_only()
        .columns([
            Column::Id,
            Column::Kind,
            Column::Origin,
            Column::Slug,
            Column::Name,
            Column::System,
            Column::HomeRegion,
            Column::Publication,
            Column::Body,
        ])
        .filter(Column::Kind.ne(Kind::Relationship.code()))
        .filter(Column::Suppressed.eq(false))
        .order_by_asc(Column::Id)
        .into_model::<Row>()
        .stream(tx)
        .await?;
    let mut found = Vec::new();
    while let Some(row) = rows.try_next().await? {
        let (Some(kind), Some(publication)) =
            (Kind::parse(&row.kind), Publication::parse(&row.publication))
        else {
            continue;
        };
        let body = current(kind, &row.body);
        let Some(candidate) = Candidate::of(kind, &body) else {
            continue;
        };
        let side = Side {
            kind,
            id: row.id,
            slug: row.slug,
            name: row.name,
            seen: Seen {
                own: row.origin == store.node().origin,
                kind,
                home_region: row.home_region,
                publication,
                system: row.system,
            },
            origin: row.origin,
        };
        found.push((side, candidate));
    }
    Ok(found)
}

/// The pairs of records that a `same_as` relationship joins, with those relationships.
async fn joined(store: &Store, tx: &SqlTransaction) -> Result<Joined> {
    let same = edge::Column::Type.eq(RelationshipType::SameAs.code());
    let edges = edge::Entity::find().filter(same.clone()).all(tx).await?;
    let mut ids = Query::select();
    ids.column(edge::Column::RecordId)
        .from(edge::Entity)
        .cond_where(same);
    let rows = record::Entity::find()
        .filter(Column::Id.in_subquery(ids))
        .into_model::<Record>()
        .all(tx)
        .await?;
    let rows: BTreeMap<Uuid, Record> = rows.into_iter().map(|row| (row.id, row)).collect();
    let ends = edges.iter().flat_map(|edge| [edge.from_id, edge.to_id]);
    let standing = merge_targets(tx, ends.flatten()).await?;
    let mut joined = Joined::new();
    for edge in edges {
        let (Some(row), Some(from), Some(to)) =
            (rows.get(&edge.record_id), edge.from_id, edge.to_id)
        else {
            continue;
        };
        let [from, to] = [from, to].map(|id| standing.get(&id).copied().unwrap_or(id));
        let subject = store.subject(row);
        let seen = Seen {
            own: subject.own,
            kind: subject.kind,
            home_region: subject.home_region,
            publication: subject.publication,
            system: row.system.clone(),
        };
        joined
            .entry((from.min(to), from.max(to)))
            .or_default()
            .push(seen);
    }
    Ok(joined)
}

/// `same_as` relationships by the two records that they join, the smaller id first.
type Joined = BTreeMap<(Uuid, Uuid), Vec<Seen>>;

#[derive(FromQueryResult)]
struct Row {
    id: Uuid,
    kind: String,
    origin: String,
    slug: Option<String>,
    name: Option<String>,
    system: Option<String>,
    home_region: Option<Uuid>,
    publication: String,
    body: String,
}

/// Compares the records that share a key. They are in the order of their ids.
fn find_pairs(records: &[(Side, Candidate)], mut joined: Joined) -> Vec<DuplicatePair> {
    let mut pairs = Vec::new();
    for (first, second) in sharing(records) {
        let (Some((a, one)), Some((b, other))) = (records.get(first), records.get(second)) else {
            continue;
        };
        if !a.seen.own && !b.seen.own {
            continue;
        }
        let Some(likeness) = score(one, other).filter(|likeness| likeness.score >= LEAST) else {
            continue;
        };
        pairs.push(DuplicatePair {
            score: likeness.score,
            reasons: likeness.reasons,
            records: [a.clone(), b.clone()],
            joined: joined.remove(&(a.id, b.id)).unwrap_or_default(),
        });
    }
    pairs.sort_by_key(DuplicatePair::position);
    pairs
}

fn sharing(records: &[(Side, Candidate)]) -> BTreeSet<(usize, usize)> {
    let mut groups: HashMap<u64, Vec<usize>> = HashMap::new();
    for (at, (side, candidate)) in records.iter().enumerate() {
        for key in candidate.keys() {
            // Sixty-four bits instead of the text: a collision costs a comparison.
            let mut hasher = DefaultHasher::new();
            (side.kind as u8, key).hash(&mut hasher);
            groups.entry(hasher.finish()).or_default().push(at);
        }
    }
    let mut pairs = BTreeSet::new();
    for group in groups
        .into_values()
        .filter(|group| group.len() <= MAX_GROUP)
    {
        for (at, first) in group.iter().enumerate() {
            pairs.extend(group.iter().skip(at + 1).map(|second| (*first, *second)));
        }
    }
    pairs
}
