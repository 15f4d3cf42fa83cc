//! Likely duplicates among all records, found without comparing all with all: only records that
//! share a key (a rare word, a word and a town, an identifier, a website …) are compared.
//!
//! A log consumer compares what was written and keeps the pairs in a table. Permissions are checked
//! at each request.

mod consumer;
mod pairs;

pub use consumer::DuplicateConsumer;
pub use pairs::{DuplicatePair, LEAST, Side};

use crate::cursor;
use crate::entity::{log_consumer, node};
use crate::error::Result;
use crate::read::relationships::AllOf;
use crate::store::Store;
use domain::access::rules::Caller;
use domain::base::kind::Kind;
use pairs::Position;
use sea_orm::EntityTrait;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Mutex;
use uuid::Uuid;

/// Time in which a list waits for writes that were acknowledged before it; it is listed without
/// them later.
const PATIENCE: Duration = Duration::from_secs(2);

#[derive(Debug, Clone)]
pub struct DuplicateFilter {
    pub kinds: AllOf<Kind>,
    pub home_regions: AllOf<Uuid>,
    pub min_score: f64,
}

#[derive(Debug)]
pub struct DuplicatePage {
    pub items: Vec<DuplicatePair>,
    pub total: u64,
    pub next: Option<String>,
}

/// The pairs that were read at this end of the log.
#[derive(Debug, Default)]
struct Read {
    /// The end of the log, and the last entry whose records were compared.
    at: (i64, i64),
    pairs: Arc<Vec<DuplicatePair>>,
}

/// Likely duplicates, cached between writes; concurrent requests wait for one to read them.
#[derive(Debug, Clone)]
pub struct Duplicates {
    store: Store,
    kept: Arc<Mutex<Option<Read>>>,
}

impl DuplicateFilter {
    fn takes(&self, pair: &DuplicatePair) -> bool {
        let homes = pair.records.each_ref().map(|one| one.seen.home_region);
        let any_home = |list: &Vec<Uuid>| {
            let mut homes = homes.iter().flatten();
            homes.any(|home| list.contains(home))
        };
        pair.score >= self.min_score
            && self
                .kinds
                .iter()
                .all(|list| list.contains(&pair.records[0].kind))
            && self.home_regions.iter().all(any_home)
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
            .filter(|pair| filter.takes(pair) && pair.is_shown_to(caller));
        let total = shown.clone().count() as u64;
        let rest = shown.filter(|pair| after.as_ref().is_none_or(|at| pair.position() > *at));
        let mut items: Vec<DuplicatePair> = rest.take(limit + 1).cloned().collect();
        let more = items.len() > limit;
        items.truncate(limit);
        let last = items.last().filter(|_| more);
        let next = last.map(|pair| cursor::encode(secret, query, &pair.position()));
        Ok(DuplicatePage { items, total, next })
    }

    /// All pairs, most likely first.
    async fn likely_pairs(&self) -> Result<Arc<Vec<DuplicatePair>>> {
        let log = self.store.log();
        log.wait_for(consumer::NAME, log.acknowledged(), PATIENCE)
            .await;
        let mut kept = self.kept.lock().await;
        let tx = self.store.db().begin_read().await?;
        let node = node::Entity::find_by_id(1).one(&tx).await?;
        let cursor = log_consumer::Entity::find_by_id(consumer::NAME)
            .one(&tx)
            .await?;
        let at = (
            node.map_or(0, |node| node.head),
            cursor.map_or(0, |cursor| cursor.seq),
        );
        if let Some(read) = kept.as_ref().filter(|read| read.at == at) {
            return Ok(read.pairs.clone());
        }
        let pairs = Arc::new(pairs::read(&self.store, &tx).await?);
        tx.commit().await?;
        *kept = Some(Read {
            at,
            pairs: pairs.clone(),
        });
        Ok(pairs)
    }
}
