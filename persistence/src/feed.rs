//! The feed: what partners read of this node. First every record that they may have (the
//! snapshot), then every change (the tail).
//!
//! Only this node's own records that outsiders see are fed. What a reader had and has no longer
//! is told from the audiences in the log; bodies come from the newest rows alone.

pub mod digest;
pub mod trim;

mod merges;
mod position;
mod snapshot;
mod tail;

use crate::db::SqlTransaction;
use crate::entity::{node, record, tombstone};
use crate::error::{Result, StoreError};
use crate::store::Store;
use chrono::{DateTime, Utc};
use domain::base::kind::Kind;
use domain::base::vocabulary::Coded;
use domain::exchange::sync::{FeedPhase, LeaveCause};
use position::{Phase, Position};
use sea_orm::sea_query::{Expr, ExprTrait as _};
use sea_orm::{ColumnTrait, Condition, EntityTrait, QueryFilter, QueryOrder, QuerySelect};
use std::collections::BTreeMap;
use uuid::Uuid;

/// How many bytes of bodies a page holds; a single record may be larger.
pub const PAGE_BYTES: i64 = 4 * 1024 * 1024;

/// Which records a reader wants. It looks only at what the log says of a record itself.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct FeedFilter {
    /// Of these kinds; of all kinds if there is none.
    kinds: Vec<Kind>,
    /// With one of these home regions; whatever their home if there is none.
    home_regions: Vec<Uuid>,
}

impl FeedFilter {
    /// Of these kinds and home regions; an empty list means all.
    #[must_use]
    pub fn new(mut kinds: Vec<Kind>, mut home_regions: Vec<Uuid>) -> Self {
        kinds.sort_unstable();
        kinds.dedup();
        home_regions.sort_unstable();
        home_regions.dedup();
        Self {
            kinds,
            home_regions,
        }
    }

    /// As it rests beside a partner or a webhook: codes and ids with commas between them.
    pub(crate) fn kept(kinds: &str, home_regions: &str) -> Self {
        let kinds = kinds.split(',').filter_map(Kind::parse);
        let homes = home_regions.split(',');
        let homes = homes.filter_map(|id| Uuid::try_parse(id).ok());
        Self::new(kinds.collect(), homes.collect())
    }

    /// The kinds, in dependency order.
    #[must_use]
    pub fn kinds(&self) -> &[Kind] {
        if self.kinds.is_empty() {
            Kind::ALL
        } else {
            &self.kinds
        }
    }

    /// The filter as a text that is equal for equal filters.
    #[must_use]
    pub fn text(&self) -> String {
        let kinds: Vec<&str> = self.kinds.iter().map(|kind| kind.code()).collect();
        let homes: Vec<String> = self.home_regions.iter().map(Uuid::to_string).collect();
        format!("kind={}&home_region={}", kinds.join(","), homes.join(","))
    }

    /// Whether a record with this audience, as the log writes it, is wanted; its kind is.
    pub(crate) fn wants(&self, audience: Option<&str>) -> bool {
        let Some(home) = audience else {
            return false;
        };
        let home = Uuid::try_parse(home).ok();
        self.home_regions.is_empty() || home.is_some_and(|home| self.home_regions.contains(&home))
    }

    /// The rows of records of `origin` that are wanted, whether they are shown or not.
    pub(crate) fn rows(&self, origin: &str) -> Condition {
        let homes = self.home_regions.iter().copied();
        let kinds = self.kinds.iter().map(|kind| kind.code());
        Condition::all()
            .add(record::Column::Origin.eq(origin))
            .add_option((!self.kinds.is_empty()).then(|| record::Column::Kind.is_in(kinds)))
            .add_option(
                (!self.home_regions.is_empty()).then(|| record::Column::HomeRegion.is_in(homes)),
            )
    }
}

/// Where a reader wants to begin.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FeedStart {
    /// With every record that there is.
    Snapshot,
    /// With the changes from now on.
    Now,
    /// Where a page ended.
    After(String),
}

/// A page of the feed.
#[derive(Debug)]
pub struct FeedPage {
    /// What is told, in the order of the log; in a snapshot in dependency order.
    pub entries: Vec<FeedEntry>,
    /// Which part of the feed it is of.
    pub phase: FeedPhase,
    /// The number of the log after which it begins: that of its cursor.
    pub after: i64,
    /// Everything up to this number of the log has been told when the page has been read; in a
    /// snapshot, when the snapshot has been read.
    pub seq: i64,
    /// The newest number of the log.
    pub head: i64,
    /// Whether there is more to be told at once.
    pub has_more: bool,
    /// Where the next page begins.
    pub next: String,
}

/// What is told of a record.
#[derive(Debug)]
pub struct FeedEntry {
    /// The number in the log; in a snapshot that of the record's newest version.
    pub seq: i64,
    /// The first number of the transaction; a snapshot has none.
    pub tx: Option<i64>,
    /// The kind's code.
    pub kind: String,
    /// The record.
    pub id: Uuid,
    /// When.
    pub at: DateTime<Utc>,
    /// What.
    pub news: News,
}

/// What has become of a record.
#[derive(Debug)]
pub enum News {
    /// It is like this.
    Upsert(Box<record::Model>),
    /// It is deleted.
    Delete {
        /// The version that the deletion made.
        version: i64,
        /// The code of the reason.
        cause: String,
        /// The record that stands for it, if outsiders know that one.
        merged_into: Option<Uuid>,
    },
    /// It is none of the wanted ones any more.
    Leave(LeaveCause),
}

impl FeedEntry {
    /// A record as it is, outside any transaction.
    fn of(row: record::Model) -> Self {
        Self {
            seq: row.seq,
            tx: None,
            kind: row.kind.clone(),
            id: row.id,
            at: row.updated_at,
            news: News::Upsert(Box::new(row)),
        }
    }
}

/// How far the log goes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogState {
    /// The newest number.
    pub head: i64,
    /// The newest number that was trimmed.
    pub floor: i64,
}

impl Store {
    /// How far the log goes.
    ///
    /// # Errors
    /// The database's.
    pub async fn log_state(&self) -> Result<LogState> {
        let row = node::Entity::find_by_id(1).one(self.db().reader()).await?;
        state_of(row)
    }

    /// A page of the feed, all of it read from one state of the database.
    ///
    /// # Errors
    /// [`StoreError::Resync`] if the reader must begin anew, [`StoreError::BadCursor`].
    pub async fn feed(
        &self,
        filter: &FeedFilter,
        start: &FeedStart,
        limit: u64,
    ) -> Result<FeedPage> {
        let tx = self.db().begin_read().await?;
        let mut reader = Reader {
            store: self,
            end_nonce: 0,
            state: state_of(node::Entity::find_by_id(1).one(&tx).await?)?,
            tx,
            filter,
            limit,
        };
        reader.end_nonce = reader.nonce(reader.state.head).await?.unwrap_or_default();
        let page = reader.read(start).await;
        reader.tx.commit().await?;
        page
    }

    /// Those of the records `ids` that are fed, as many as fit in a page; and the ids of the rest
    /// of them.
    ///
    /// # Errors
    /// The database's.
    pub async fn fed_records(&self, ids: &[Uuid]) -> Result<(Vec<FeedEntry>, Vec<Uuid>)> {
        let fed = FeedFilter::default()
            .rows(&self.node().origin)
            .add(record::Column::Shown.eq(true));
        let mut known: Vec<(Uuid, i64)> = record::Entity::find()
            .select_only()
            .column(record::Column::Id)
            .expr_as(body_bytes(), "bytes")
            .filter(fed.clone())
            .filter(record::Column::Id.is_in(ids.iter().copied()))
            .order_by_asc(record::Column::Id)
            .into_tuple()
            .all(self.db().reader())
            .await?;
        let rest = known.split_off(fitting(known.iter().map(|(_, bytes)| *bytes)));
        let rows = record::Entity::find()
            .filter(fed)
            .filter(record::Column::Id.is_in(known.iter().map(|(id, _)| *id)))
            .order_by_asc(record::Column::Id)
            .all(self.db().reader())
            .await?;
        let entries = rows.into_iter().map(FeedEntry::of).collect();
        Ok((entries, rest.into_iter().map(|(id, _)| id).collect()))
    }
}

fn state_of(row: Option<node::Model>) -> Result<LogState> {
    let row = row.ok_or_else(|| StoreError::Corrupt("sync_state is empty".to_owned()))?;
    Ok(LogState {
        head: row.head_seq,
        floor: row.floor_seq,
    })
}

/// Reads one page.
struct Reader<'a> {
    store: &'a Store,
    tx: SqlTransaction,
    state: LogState,
    /// The nonce of the newest entry of the log.
    end_nonce: i64,
    filter: &'a FeedFilter,
    limit: u64,
}

impl Reader<'_> {
    async fn read(&self, start: &FeedStart) -> Result<FeedPage> {
        let position = match start {
            FeedStart::After(cursor) => {
                let position = Position::read(self.store.node(), self.filter, cursor)?;
                self.check(&position).await?;
                position
            }
            FeedStart::Snapshot => {
                let (after, merged) = (None, false);
                self.at_head(Phase::Snapshot { after, merged }).await?
            }
            FeedStart::Now => self.at_head(Phase::Tail {}).await?,
        };
        match &position.phase {
            Phase::Snapshot { after, merged } => {
                let after = after
                    .as_ref()
                    .map(|(kind, id)| (kind.as_str(), *merged, *id));
                self.snapshot(&position, after).await
            }
            Phase::Tail {} => self.tail(&position).await,
        }
    }

    fn page(
        &self,
        phase: FeedPhase,
        entries: Vec<FeedEntry>,
        (from, next): (&Position, &Position),
    ) -> FeedPage {
        let told = match next.phase {
            Phase::Snapshot { .. } => false,
            Phase::Tail {} => phase == FeedPhase::Tail && next.seq == self.state.head,
        };
        FeedPage {
            entries,
            phase,
            after: from.seq,
            seq: next.seq,
            head: self.state.head,
            has_more: !told,
            next: next
                .read_at(self.state.head, self.end_nonce)
                .write(self.store.node()),
        }
    }

    /// The rows of records by id.
    async fn rows(&self, ids: &[Uuid]) -> Result<BTreeMap<Uuid, record::Model>> {
        let rows = record::Entity::find()
            .filter(record::Column::Id.is_in(ids.iter().copied()))
            .all(&self.tx)
            .await?;
        Ok(rows.into_iter().map(|row| (row.id, row)).collect())
    }

    /// The tombstones of records by id.
    async fn graves(&self, ids: &[Uuid]) -> Result<BTreeMap<Uuid, tombstone::Model>> {
        if ids.is_empty() {
            return Ok(BTreeMap::new());
        }
        let graves = tombstone::Entity::find()
            .filter(tombstone::Column::Id.is_in(ids.iter().copied()))
            .all(&self.tx)
            .await?;
        Ok(graves.into_iter().map(|grave| (grave.id, grave)).collect())
    }
}

/// How many bytes the body of the row at hand has, in SQL.
fn body_bytes() -> sea_orm::sea_query::SimpleExpr {
    Expr::cust("octet_length(record.body)").cast_as("bigint")
}

/// How many of the first sizes fit in a page; at least one.
fn fitting(sizes: impl IntoIterator<Item = i64>) -> usize {
    let mut bytes = 0_i64;
    let fitting = sizes.into_iter().take_while(|size| {
        let first = bytes == 0;
        bytes = bytes.saturating_add(*size);
        first || bytes <= PAGE_BYTES
    });
    fitting.count()
}
