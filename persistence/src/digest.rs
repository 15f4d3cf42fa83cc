//! Comparing what two nodes hold: digests, and the versions and hashes behind them.

use crate::cursor;
use crate::entity::{node, record};
use crate::error::Result;
use crate::feed::FeedFilter;
use crate::store::Store;
use domain::json;
use domain::sync::Digest;
use sea_orm::{
    ColumnTrait, Condition, ConnectionTrait, DatabaseTransaction, EntityTrait, QueryFilter,
    QueryOrder, QuerySelect,
};
use std::collections::BTreeMap;
use std::sync::Arc;
use tokio::sync::Mutex;
use uuid::Uuid;

/// How many bodies are read at once.
const CHUNK: u64 = 200;

/// How many digests are kept.
const MAX_KEPT: usize = 100;

/// The digests of the records that are fed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Digests {
    /// The end of the log of which they are.
    pub seq: i64,
    /// By the kind's code.
    pub kinds: BTreeMap<String, Digest>,
}

/// The digests since the log was last written, by their filters. Whoever comes while one is being
/// made waits for it.
pub(crate) type Kept = Arc<Mutex<BTreeMap<String, Digests>>>;

/// A record in short.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hashed {
    /// The record.
    pub id: Uuid,
    /// The kind's code.
    pub kind: String,
    /// Its version.
    pub version: i64,
    /// The hash of its canonical body.
    pub hash: String,
}

impl Store {
    /// The digests of the records that pass a filter.
    ///
    /// # Errors
    /// The database's.
    pub async fn digests(&self, filter: &FeedFilter) -> Result<Digests> {
        let mut kept = self.kept_digests().lock().await;
        let head = self.head().await?;
        kept.retain(|_, one| one.seq == head);
        let name = filter.text();
        if let Some(known) = kept.get(&name) {
            return Ok(known.clone());
        }
        let tx = self.db().begin_read().await?;
        let made = digests_now(&tx, &self.fed(filter)).await;
        tx.commit().await?;
        let digests = made?;
        if kept.len() < MAX_KEPT {
            kept.insert(name, digests.clone());
        }
        Ok(digests)
    }

    /// A page of the records that pass a filter in short, and the cursor of the next one.
    ///
    /// # Errors
    /// [`crate::StoreError::BadCursor`].
    pub async fn fed_hashes(
        &self,
        filter: &FeedFilter,
        limit: usize,
        at: Option<&str>,
    ) -> Result<(Vec<Hashed>, Option<String>)> {
        let secret = &self.node().secret;
        let query = format!("ids?{}", filter.text());
        let mut last = at
            .map(|at| cursor::decode::<Uuid>(secret, &query, at))
            .transpose()?;
        let fed = self.fed(filter);
        let mut found = Vec::new();
        while found.len() <= limit {
            let more = hashed(self.db().reader(), &fed, last).await?;
            let Some(end) = more.last() else {
                return Ok((found, None));
            };
            last = Some(end.id);
            found.extend(more);
        }
        found.truncate(limit);
        let next = found
            .last()
            .map(|last| cursor::encode(secret, &query, &last.id));
        Ok((found, next))
    }

    /// The rows that are fed.
    fn fed(&self, filter: &FeedFilter) -> Condition {
        filter
            .rows(&self.node().origin)
            .add(record::Column::Shown.eq(true))
    }
}

async fn digests_now(tx: &DatabaseTransaction, fed: &Condition) -> Result<Digests> {
    let node = node::Entity::find_by_id(1).one(tx).await?;
    Ok(Digests {
        seq: node.map_or(0, |node| node.head_seq),
        kinds: digests(tx, fed).await?,
    })
}

/// The digests of the rows that meet a condition, by the kind's code.
pub(crate) async fn digests(
    db: &impl ConnectionTrait,
    rows: &Condition,
) -> Result<BTreeMap<String, Digest>> {
    let mut kinds: BTreeMap<String, Digest> = BTreeMap::new();
    let mut last = None;
    loop {
        let more = hashed(db, rows, last).await?;
        let Some(end) = more.last() else {
            return Ok(kinds);
        };
        last = Some(end.id);
        for one in more {
            let digest = kinds.entry(one.kind).or_default();
            digest.add(one.id, one.version, &one.hash);
        }
    }
}

/// The next rows that meet a condition, by id.
async fn hashed(
    db: &impl ConnectionTrait,
    rows: &Condition,
    after: Option<Uuid>,
) -> Result<Vec<Hashed>> {
    let rows: Vec<(Uuid, String, i64, String)> = record::Entity::find()
        .select_only()
        .columns([
            record::Column::Id,
            record::Column::Kind,
            record::Column::Version,
            record::Column::Body,
        ])
        .filter(rows.clone())
        .filter(Condition::all().add_option(after.map(|after| record::Column::Id.gt(after))))
        .order_by_asc(record::Column::Id)
        .limit(CHUNK)
        .into_tuple()
        .all(db)
        .await?;
    let hashed = rows.into_iter().map(|(id, kind, version, body)| Hashed {
        id,
        kind,
        version,
        hash: json::hash(&body),
    });
    Ok(hashed.collect())
}
