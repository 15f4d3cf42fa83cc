//! The feed for partners: first every public record (the snapshot), then every change since.
//!
//! Only this node's own records that outsiders see are in the feed. Whether a reader had a record
//! and no longer has it follows from the audiences in the log; bodies come from the newest rows
//! alone.

pub mod digest;
pub mod prune;

mod changes;
mod merges;
mod newest;
mod position;
mod snapshot;
mod waiting;

pub use newest::{NewestChange, NewestPage};
pub use waiting::Recent;

use crate::db::SqlTransaction;
use crate::entity::{node, record, tombstone};
use crate::error::{Result, StoreError};
use crate::permits::{Permit, Urgency};
use crate::record::Record;
use crate::store::Store;
use chrono::{DateTime, Utc};
use domain::base::kind::Kind;
use domain::base::vocabulary::Coded;
use domain::exchange::sync::{FeedPhase, WithdrawCause};
use position::{Phase, Position};
use sea_orm::sea_query::{Expr, ExprTrait as _};
use sea_orm::{ColumnTrait, Condition, EntityTrait, QueryFilter, QueryOrder, QuerySelect};
use std::collections::BTreeMap;
use uuid::Uuid;

/// Bytes of bodies per page; a single record may be larger.
pub const PAGE_BYTES: i64 = 4 * 1024 * 1024;

/// Filter of a reader. It depends only on what the log says of a record.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct FeedFilter {
    /// Kinds; all if empty.
    kinds: Vec<Kind>,
    /// Home regions; all if empty.
    home_regions: Vec<Uuid>,
}

impl FeedFilter {
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

    /// Whether a record with this audience, as in the log, matches; its kind does.
    pub(crate) fn wants(&self, audience: Option<&str>) -> bool {
        let Some(home) = audience else {
            return false;
        };
        let home = Uuid::try_parse(home).ok();
        self.home_regions.is_empty() || home.is_some_and(|home| self.home_regions.contains(&home))
    }

    /// The rows of records of `origin` that match, whether they are shown or not.
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

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FeedStart {
    /// With all existing records.
    Snapshot,
    /// With future changes.
    Now,
    After(String),
}

#[derive(Debug)]
pub struct FeedPage {
    /// In the order of the log; in a snapshot in dependency order.
    pub entries: Vec<FeedEntry>,
    pub phase: FeedPhase,
    /// The number of the log after which the page begins: that of its cursor.
    pub after: i64,
    /// The page covers everything up to this number of the log; in a snapshot, only once the
    /// snapshot has been read.
    pub seq: i64,
    pub head: i64,
    /// Whether there is more at once.
    pub has_more: bool,
    pub next: String,
}

#[derive(Debug)]
pub struct FeedEntry {
    /// The number in the log; in a snapshot that of the record's newest version.
    pub seq: i64,
    /// The first number of the transaction; a snapshot has none.
    pub tx: Option<i64>,
    pub kind: String,
    pub id: Uuid,
    pub at: DateTime<Utc>,
    pub news: EntryContent,
}

#[derive(Debug)]
pub enum EntryContent {
    Upsert(Box<Record>),
    Delete {
        version: i64,
        cause: String,
        /// The merge target, if outsiders know it.
        merged_into: Option<Uuid>,
    },
    /// It no longer matches the filter.
    Withdraw(WithdrawCause),
}

impl FeedEntry {
    /// A record in its current state, outside of any transaction.
    fn of(row: Record) -> Self {
        Self {
            seq: row.seq,
            tx: None,
            kind: row.kind.code().to_owned(),
            id: row.id,
            at: row.updated_at,
            news: EntryContent::Upsert(Box::new(row)),
        }
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogState {
    pub head: i64,
    pub floor: i64,
}

/// Room of this node's feed.
#[derive(Debug, Clone, Copy)]
pub struct Feed<'a> {
    pub(crate) store: &'a Store,
}

impl Store {
    #[must_use]
    pub fn feed(&self) -> Feed<'_> {
        Feed { store: self }
    }
}

impl Feed<'_> {
    /// A turn for one page, however many wait: a partner that is refused comes back at once.
    async fn turn(self) -> Result<Permit> {
        self.store.permits().again(Urgency::Bulk).await
    }

    pub async fn state(self) -> Result<LogState> {
        let row = node::Entity::find_by_id(1)
            .one(self.store.db().reader())
            .await?;
        state_of(row)
    }

    /// A page of the feed, read from one state of the database.
    pub async fn page(
        self,
        filter: &FeedFilter,
        start: &FeedStart,
        limit: u64,
    ) -> Result<FeedPage> {
        let _turn = self.turn().await?;
        let tx = self.store.db().begin_read().await?;
        let mut reader = Reader {
            store: self.store,
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

    /// Those of the records `ids` that are in the feed, as many as fit into a page; and the ids of
    /// the rest.
    pub async fn records(self, ids: &[Uuid]) -> Result<(Vec<FeedEntry>, Vec<Uuid>)> {
        let _turn = self.turn().await?;
        let fed = FeedFilter::default()
            .rows(&self.store.node().origin)
            .add(record::Column::IsPublic.eq(true));
        let mut known: Vec<(Uuid, i64)> = record::Entity::find()
            .select_only()
            .column(record::Column::Id)
            .expr_as(body_bytes(), "bytes")
            .filter(fed.clone())
            .filter(record::Column::Id.is_in(ids.iter().copied()))
            .order_by_asc(record::Column::Id)
            .into_tuple()
            .all(self.store.db().reader())
            .await?;
        let rest = known.split_off(fitting(known.iter().map(|(_, bytes)| *bytes)));
        let rows = record::Entity::find()
            .filter(fed)
            .filter(record::Column::Id.is_in(known.iter().map(|(id, _)| *id)))
            .order_by_asc(record::Column::Id)
            .into_model::<Record>()
            .all(self.store.db().reader())
            .await?;
        let entries = rows.into_iter().map(FeedEntry::of).collect();
        Ok((entries, rest.into_iter().map(|(id, _)| id).collect()))
    }
}

fn state_of(row: Option<node::Model>) -> Result<LogState> {
    let row = row.ok_or_else(|| StoreError::Corrupt("sync_state is empty".to_owned()))?;
    Ok(LogState {
        head: row.head,
        floor: row.floor_seq,
    })
}

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
            FeedStart::Now => self.at_head(Phase::Changes {}).await?,
        };
        match &position.phase {
            Phase::Snapshot { after, merged } => {
                let after = after
                    .as_ref()
                    .map(|(kind, id)| (kind.as_str(), *merged, *id));
                self.snapshot(&position, after).await
            }
            Phase::Changes {} => self.changes(&position).await,
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
            Phase::Changes {} => phase == FeedPhase::Changes && next.seq == self.state.head,
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

    async fn rows(&self, ids: &[Uuid]) -> Result<BTreeMap<Uuid, Record>> {
        let rows = record::Entity::find()
            .filter(record::Column::Id.is_in(ids.iter().copied()))
            .into_model::<Record>()
            .all(&self.tx)
            .await?;
        Ok(rows.into_iter().map(|row| (row.id, row)).collect())
    }

    async fn tombstones(&self, ids: &[Uuid]) -> Result<BTreeMap<Uuid, tombstone::Model>> {
        if ids.is_empty() {
            return Ok(BTreeMap::new());
        }
        let tombstones = tombstone::Entity::find()
            .filter(tombstone::Column::Id.is_in(ids.iter().copied()))
            .all(&self.tx)
            .await?;
        Ok(tombstones
            .into_iter()
            .map(|tombstone| (tombstone.id, tombstone))
            .collect())
    }
}

/// The size of the body of the current row, in SQL.
fn body_bytes() -> sea_orm::sea_query::SimpleExpr {
    Expr::cust("octet_length(record.body)").cast_as("bigint")
}

/// How many of the first sizes fit into a page; at least one.
fn fitting(sizes: impl IntoIterator<Item = i64>) -> usize {
    let mut bytes = 0_i64;
    let fitting = sizes.into_iter().take_while(|size| {
        let first = bytes == 0;
        bytes = bytes.saturating_add(*size);
        first || bytes <= PAGE_BYTES
    });
    fitting.count()
}
