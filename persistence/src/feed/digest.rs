//! Comparison of two nodes: digests, and the versions and hashes behind them.

use crate::cursor;
use crate::db::SqlTransaction;
use crate::entity::record;
use crate::error::{Result, StoreError};
use crate::feed::{Feed, FeedFilter};
use crate::record::Record;
use crate::store::Store;
use crate::transaction::digests::DigestChanges;
use crate::transaction::{Transaction, WriteOptions};
use domain::access::rules::Caller;
use domain::base::json;
use domain::base::kind::Kind;
use domain::base::vocabulary::Coded;
use domain::exchange::sync::{Digest, LIMBS};
use sea_orm::sea_query::{Alias, Expr, ExprTrait, Query};
use sea_orm::{
    ColumnTrait, Condition, ConnectionTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect,
};
use std::collections::BTreeMap;
use uuid::Uuid;

/// Number of bodies read at once.
const CHUNK: u64 = 200;

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Digests {
    pub seq: i64,
    pub kinds: BTreeMap<Kind, Digest>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hashed {
    pub id: Uuid,
    pub kind: Kind,
    pub version: i64,
    pub hash: String,
}

impl Feed<'_> {
    /// The digests of the records that match a filter.
    ///
    /// They are kept by every write; an earlier release on the same database leaves them behind.
    pub async fn digests(self, filter: &FeedFilter) -> Result<Digests> {
        let _turn = self.turn().await?;
        let tx = self.store.db().begin_read().await?;
        let kept = kept(&tx, filter).await?;
        tx.commit().await?;
        match kept {
            Some(digests) => Ok(digests),
            None => rebuilt(self.store, filter).await,
        }
    }

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
        let _turn = self.turn().await?;
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

/// The kept digests, if they are up to date.
async fn kept(tx: &SqlTransaction, filter: &FeedFilter) -> Result<Option<Digests>> {
    let mut state = Query::select();
    state
        .exprs(["head", "digest_seq"].map(Expr::col))
        .from("sync_state");
    let state = tx.query_one(&state).await?;
    let state = state.ok_or_else(|| StoreError::Corrupt("sync_state is empty".to_owned()))?;
    let (seq, digested): (i64, i64) = (state.try_get_by_index(0)?, state.try_get_by_index(1)?);
    if seq != digested {
        return Ok(None);
    }
    let mut kinds: BTreeMap<Kind, Digest> = filter
        .kinds()
        .iter()
        .map(|kind| (*kind, Digest::default()))
        .collect();
    let homes = filter.home_regions.iter().copied();
    let mut select = Query::select();
    select
        .columns(["kind", "count"])
        .columns((0..LIMBS).map(|limb| Alias::new(format!("limb_{limb}"))))
        .from("digest")
        .cond_where(Condition::all().add_option(
            (!filter.home_regions.is_empty()).then(|| Expr::col("home_region").is_in(homes)),
        ));
    for row in tx.query_all(&select).await? {
        let kind = Kind::parse(row.try_get_by_index::<String>(0)?.as_str());
        let Some(digest) = kind.and_then(|kind| kinds.get_mut(&kind)) else {
            continue;
        };
        let mut limbs = [0; LIMBS];
        for (at, limb) in limbs.iter_mut().enumerate() {
            *limb = row.try_get_by_index(at + 2)?;
        }
        digest.merge(&Digest::of(row.try_get_by_index(1)?, limbs));
    }
    Ok(Some(Digests { seq, kinds }))
}

/// Computes all digests from the records, and keeps them.
async fn rebuilt(store: &Store, filter: &FeedFilter) -> Result<Digests> {
    let (caller, options) = (Caller::node(), WriteOptions::default());
    let work = async |tx: &mut Transaction<'_>| {
        // Other writes wait from here on, and add to what is saved here.
        tx.execute("UPDATE sync_state SET digest_seq = head", [])
            .await?;
        tx.execute("DELETE FROM digest", []).await?;
        let mut digests = DigestChanges::default();
        for kind in Kind::ALL {
            let mut last = Uuid::nil();
            loop {
                let rows = record::Entity::find()
                    .filter(record::Column::Origin.eq(store.node().origin.as_str()))
                    .filter(record::Column::Kind.eq(kind.code()))
                    .filter(record::Column::IsPublic.eq(true))
                    .filter(record::Column::Id.gt(last))
                    .order_by_asc(record::Column::Id)
                    .limit(CHUNK)
                    .into_model::<Record>()
                    .all(&tx.sql)
                    .await?;
                let Some(end) = rows.last() else { break };
                last = end.id;
                for row in &rows {
                    digests.add(row);
                }
            }
        }
        digests.save(&tx.sql).await?;
        let digests = kept(&tx.sql, filter).await?;
        digests.ok_or_else(|| StoreError::Corrupt("no digests".to_owned()))
    };
    store.write(&caller, &options, work).await
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
