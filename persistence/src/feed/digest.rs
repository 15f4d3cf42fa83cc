//! Comparison of two nodes: digests, and the versions and hashes behind them.

use crate::cursor;
use crate::db::SqlTransaction;
use crate::entity::{node, record};
use crate::error::Result;
use crate::feed::{Feed, FeedFilter};
use crate::store::Store;
use domain::base::json;
use domain::base::kind::Kind;
use domain::base::vocabulary::Coded;
use domain::exchange::sync::Digest;
use sea_orm::{
    ColumnTrait, Condition, ConnectionTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect,
};
use std::collections::BTreeMap;
use std::sync::Arc;
use tokio::sync::Mutex;
use uuid::Uuid;

/// Number of bodies read at once.
const CHUNK: u64 = 200;

const MAX_KEPT: usize = 100;

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Digests {
    pub seq: i64,
    pub kinds: BTreeMap<Kind, Digest>,
}

/// The digests since the last write, by filter. Concurrent requests wait for one computation.
#[derive(Debug, Clone)]
pub struct DigestCache {
    store: Store,
    kept: Arc<Mutex<BTreeMap<String, Digests>>>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hashed {
    pub id: Uuid,
    pub kind: Kind,
    pub version: i64,
    pub hash: String,
}

impl DigestCache {
    #[must_use]
    pub fn new(store: Store) -> Self {
        let kept = Arc::default();
        Self { store, kept }
    }

    pub async fn get(&self, filter: &FeedFilter) -> Result<Digests> {
        let mut kept = self.kept.lock().await;
        let head = self.store.log().head().await?;
        kept.retain(|_, one| one.seq == head);
        let name = filter.text();
        if let Some(known) = kept.get(&name) {
            return Ok(known.clone());
        }
        let tx = self.store.db().begin_read().await?;
        let made = digests_now(&tx, filter, &fed(&self.store, filter)).await;
        tx.commit().await?;
        let digests = made?;
        if kept.len() < MAX_KEPT {
            kept.insert(name, digests.clone());
        }
        Ok(digests)
    }
}

impl Feed<'_> {
    /// A page of the hashes of the records that match a filter, and the next cursor.
    pub async fn hashes(
        self,
        filter: &FeedFilter,
        limit: usize,
        at: Option<&str>,
    ) -> Result<(Vec<Hashed>, Option<String>)> {
        let secret = &self.store.node().secret;
        let query = format!("ids?{}", filter.text());
        let after: Option<(Kind, Uuid)> = at
            .map(|at| cursor::decode(secret, &query, at))
            .transpose()?;
        let mut found = Vec::new();
        for kind in filter.kinds() {
            let mut last = match after {
                Some((reached, _)) if reached > *kind => continue,
                Some((reached, id)) if reached == *kind => Some(id),
                Some(_) | None => None,
            };
            while found.len() <= limit {
                let more = hashed(
                    self.store.db().reader(),
                    &fed(self.store, filter),
                    *kind,
                    last,
                )
                .await?;
                let Some(end) = more.last() else { break };
                last = Some(end.id);
                found.extend(more);
            }
        }
        if found.len() <= limit {
            return Ok((found, None));
        }
        found.truncate(limit);
        let last = found.last().map(|last| (last.kind, last.id));
        let next = last.map(|last| cursor::encode(secret, &query, &last));
        Ok((found, next))
    }
}

fn fed(store: &Store, filter: &FeedFilter) -> Condition {
    filter
        .rows(&store.node().origin)
        .add(record::Column::IsPublic.eq(true))
}

async fn digests_now(tx: &SqlTransaction, filter: &FeedFilter, fed: &Condition) -> Result<Digests> {
    let node = node::Entity::find_by_id(1).one(tx).await?;
    Ok(Digests {
        seq: node.map_or(0, |node| node.head),
        kinds: digests(tx, filter, fed).await?,
    })
}

/// The digests of the rows that match a condition, by kind.
pub(crate) async fn digests(
    db: &impl ConnectionTrait,
    filter: &FeedFilter,
    rows: &Condition,
) -> Result<BTreeMap<Kind, Digest>> {
    let mut kinds: BTreeMap<Kind, Digest> = BTreeMap::new();
    for kind in filter.kinds() {
        let digest = kinds.entry(*kind).or_default();
        let mut last = None;
        loop {
            let more = hashed(db, rows, *kind, last).await?;
            let Some(end) = more.last() else { break };
            last = Some(end.id);
            for one in more {
                digest.add(one.id, one.version, &one.hash);
            }
        }
    }
    Ok(kinds)
}

/// The next rows of a kind that match a condition, by id.
async fn hashed(
    db: &impl ConnectionTrait,
    rows: &Condition,
    kind: Kind,
    after: Option<Uuid>,
) -> Result<Vec<Hashed>> {
    let rows: Vec<(Uuid, i64, String)> = record::Entity::find()
        .select_only()
        .columns([
            record::Column::Id,
            record::Column::Version,
            record::Column::Body,
        ])
        .filter(rows.clone())
        .filter(record::Column::Kind.eq(kind.code()))
        .filter(Condition::all().add_option(after.map(|after| record::Column::Id.gt(after))))
        .order_by_asc(record::Column::Id)
        .limit(CHUNK)
        .into_tuple()
        .all(db)
        .await?;
    let hashed = rows.into_iter().map(|(id, version, body)| Hashed {
        id,
        kind,
        version,
        hash: json::hash(&body),
    });
    Ok(hashed.collect())
}
