//! All changes since the snapshot, in the order of the log, with whole transactions unless they are too
//! large.
//!
//! Within a page a record is reported once, where it first appears, in its current state. Its
//! removal is reported to every reader that may have had it at any time since the cursor, whether
//! or not it was reported to them: a page may have reported a later state, and a reader may have
//! stored a page without its cursor.

use super::merges::chain;
use super::position::Position;
use super::{EntryContent, FeedEntry, FeedPage, Reader, body_bytes, fitting};
use crate::entity::{change, record, tombstone};
use crate::error::{Result, StoreError};
use crate::record::Record;
use crate::transaction::MAX_ENTRIES;
use chrono::{DateTime, Utc};
use domain::base::vocabulary::Coded;
use domain::exchange::change::Op;
use domain::exchange::sync::{FeedPhase, WithdrawCause};
use sea_orm::{
    ColumnTrait, Condition, DerivePartialModel, EntityTrait, QueryFilter, QueryOrder, QuerySelect,
    Select,
};
use std::collections::{BTreeMap, BTreeSet};
use uuid::Uuid;

/// Maximum number of log entries that a page scans, so that a narrow filter cannot make one page
/// read all of it.
const WINDOW: i64 = 20_000;

/// The columns of a log entry that the feed needs.
#[derive(Debug, Clone, DerivePartialModel)]
#[sea_orm(entity = "change::Entity")]
struct Row {
    seq: i64,
    nonce: i64,
    tx: i64,
    kind: String,
    record_id: Uuid,
    audience_before: Option<String>,
    audience_after: Option<String>,
    op: String,
    erased: bool,
    at: DateTime<Utc>,
}

impl Row {
    /// Whether the remains of a deleted record were erased: its deletion is invisible by now, and
    /// readers that had it must erase it too.
    fn erases_the_dead(&self) -> bool {
        self.erased && self.op == Op::Delete.code()
    }
}

struct First {
    row: Row,
    had: bool,
    /// Whether they may have had it before it was deleted.
    erased: bool,
    /// Whether outsiders did not see it before.
    appeared: bool,
}

impl Reader<'_> {
    pub(super) async fn changes(&self, position: &Position) -> Result<FeedPage> {
        let window = self.window(position.seq).await?;
        let (mut rows, cut) = self.relevant(position.seq, window).await?;
        let end = if self.cut_to_size(&mut rows).await? || cut {
            rows.last().map(|row| (row.seq, row.nonce))
        } else {
            None
        };
        let (seq, nonce) = match end {
            Some(end) => end,
            None if window == position.seq => return Ok(self.nothing_new(position)),
            None => (
                window,
                self.nonce(window).await?.ok_or_else(|| gap(window))?,
            ),
        };
        let entries = self.told(&self.firsts(&rows)).await?;
        Ok(self.page(
            FeedPhase::Changes,
            entries,
            (position, &position.moved(seq, nonce)),
        ))
    }

    fn nothing_new(&self, position: &Position) -> FeedPage {
        self.page(FeedPhase::Changes, Vec::new(), (position, position))
    }

    /// The end of a page that begins after `seq`: the end of a transaction.
    async fn window(&self, seq: i64) -> Result<i64> {
        let wanted = seq.saturating_add(WINDOW);
        if wanted >= self.state.head {
            return Ok(self.state.head);
        }
        let next = change::Entity::find()
            .select_only()
            .column(change::Column::Seq)
            .filter(change::Column::Seq.gt(wanted))
            .filter(change::Column::Tx.gt(wanted))
            .order_by_asc(change::Column::Seq)
            .into_tuple::<i64>()
            .one(&self.tx)
            .await?;
        Ok(next.map_or(self.state.head, |next| next - 1))
    }

    /// The entries in `(seq, window]` of records that were visible with this filter before or
    /// after, up to the end of the transaction that reaches the limit, if its size permits; and
    /// whether there are more.
    async fn relevant(&self, seq: i64, window: i64) -> Result<(Vec<Row>, bool)> {
        let limit = usize::try_from(self.limit).unwrap_or(usize::MAX);
        let mut rows = self
            .entries(seq, window)
            .limit(self.limit + 1)
            .into_partial_model::<Row>()
            .all(&self.tx)
            .await?;
        let Some(over) = rows.get(limit).cloned() else {
            return Ok((rows, false));
        };
        rows.truncate(limit);
        if rows.last().is_some_and(|last| last.tx == over.tx) {
            let rest = self
                .entries(over.seq - 1, window)
                .filter(change::Column::Tx.eq(over.tx))
                .limit(MAX_ENTRIES as u64)
                .into_partial_model::<Row>()
                .all(&self.tx)
                .await?;
            rows.extend(rest);
        }
        Ok((rows, true))
    }

    fn entries(&self, after: i64, window: i64) -> Select<change::Entity> {
        let seen = |audience: change::Column| {
            let homes = &self.filter.home_regions;
            if homes.is_empty() {
                audience.is_not_null()
            } else {
                audience.is_in(homes.iter().map(Uuid::to_string))
            }
        };
        let either = Condition::any()
            .add(seen(change::Column::AudienceBefore))
            .add(seen(change::Column::AudienceAfter))
            .add(erases_the_dead());
        let kinds = self.filter.kinds().iter().map(|kind| kind.code());
        change::Entity::find()
            .filter(change::Column::Seq.gt(after))
            .filter(change::Column::Seq.lte(window))
            .filter(change::Column::Origin.eq(&self.store.node().origin))
            .filter(change::Column::Kind.is_in(kinds))
            .filter(either)
            .order_by_asc(change::Column::Seq)
    }

    /// Leaves out the transactions with which the page would be too large, and the excess of a
    /// single one, since its records may have grown; returns whether there was any.
    async fn cut_to_size(&self, rows: &mut Vec<Row>) -> Result<bool> {
        let sizes = self.sizes(rows).await?;
        let mut known = BTreeSet::new();
        let size = |row: &Row| {
            let new = known.insert(row.record_id);
            let size = sizes.get(&row.record_id).filter(|_| new);
            size.copied().unwrap_or_default()
        };
        let fitting = fitting(rows.iter().map(size));
        let Some(over) = rows.get(fitting).map(|row| row.tx) else {
            return Ok(false);
        };
        let whole = rows.partition_point(|row| row.tx < over);
        rows.truncate(if whole == 0 { fitting } else { whole });
        Ok(true)
    }

    async fn sizes(&self, rows: &[Row]) -> Result<BTreeMap<Uuid, i64>> {
        let ids: BTreeSet<Uuid> = rows.iter().map(|row| row.record_id).collect();
        let sizes: Vec<(Uuid, i64)> = record::Entity::find()
            .select_only()
            .column(record::Column::Id)
            .expr_as(body_bytes(), "bytes")
            .filter(record::Column::Id.is_in(ids))
            .into_tuple()
            .all(&self.tx)
            .await?;
        Ok(sizes.into_iter().collect())
    }

    /// Each record where it first appears, and whether readers may have had it at some time since.
    fn firsts(&self, rows: &[Row]) -> Vec<First> {
        let mut firsts: Vec<First> = Vec::new();
        let mut places: BTreeMap<Uuid, usize> = BTreeMap::new();
        for row in rows {
            let place = *places.entry(row.record_id).or_insert_with(|| {
                firsts.push(First {
                    row: row.clone(),
                    had: false,
                    erased: false,
                    appeared: row.audience_before.is_none(),
                });
                firsts.len() - 1
            });
            if let Some(first) = firsts.get_mut(place) {
                let audiences = [&row.audience_before, &row.audience_after];
                first.had |= audiences
                    .into_iter()
                    .any(|audience| self.filter.wants(audience.as_deref()));
                first.erased |= row.erases_the_dead();
            }
        }
        firsts
    }

    async fn told(&self, firsts: &[First]) -> Result<Vec<FeedEntry>> {
        let ids: Vec<Uuid> = firsts.iter().map(|first| first.row.record_id).collect();
        let mut alive = self.rows(&ids).await?;
        let dead: Vec<Uuid> = ids
            .into_iter()
            .filter(|id| !alive.contains_key(id))
            .collect();
        let tombstones = self.tombstones(&dead).await?;
        let merge_targets = self.known_merge_targets(&tombstones).await?;
        let mut entries = Vec::with_capacity(firsts.len());
        let mut appeared = BTreeSet::new();
        for First {
            row,
            had,
            erased,
            appeared: new,
        } in firsts
        {
            let id = row.record_id;
            let tombstone = tombstones.get(&id);
            // Whatever its home when it was deleted, it may have been elsewhere before.
            let had = *had || *erased && tombstone.is_some_and(|tombstone| tombstone.was_public);
            let (at, news) = match (alive.remove(&id), tombstone) {
                (Some(now), _) if self.is_wanted(&now) => {
                    appeared.extend(new.then_some(id));
                    (now.updated_at, EntryContent::Upsert(Box::new(now)))
                }
                _ if !had => continue,
                (Some(now), _) => {
                    let filtered = if now.is_public {
                        WithdrawCause::Filter
                    } else {
                        WithdrawCause::Visibility
                    };
                    (row.at, EntryContent::Withdraw(filtered))
                }
                (None, Some(tombstone)) => {
                    let merged_into = tombstone.merged_into;
                    let news = EntryContent::Delete {
                        version: tombstone.version,
                        cause: tombstone.cause.clone(),
                        merged_into: merged_into.filter(|into| merge_targets.contains(into)),
                    };
                    (tombstone.deleted_at, news)
                }
                (None, None) => return Err(gap(row.seq)),
            };
            entries.push(FeedEntry {
                seq: row.seq,
                tx: Some(row.tx),
                kind: row.kind.clone(),
                id,
                at,
                news,
            });
        }
        self.with_merges(entries, &appeared).await
    }

    fn is_wanted(&self, row: &Record) -> bool {
        let homes = &self.filter.home_regions;
        let at_home = row.home_region.is_some_and(|home| homes.contains(&home));
        row.is_public && (homes.is_empty() || at_home)
    }

    /// The merge targets that outsiders know, or whose final merge target they see.
    async fn known_merge_targets(
        &self,
        tombstones: &BTreeMap<Uuid, tombstone::Model>,
    ) -> Result<BTreeSet<Uuid>> {
        let into: BTreeSet<Uuid> = tombstones
            .values()
            .filter_map(|tombstone| tombstone.merged_into)
            .collect();
        if into.is_empty() {
            return Ok(into);
        }
        let alive = record::Entity::find()
            .select_only()
            .column(record::Column::Id)
            .filter(record::Column::Id.is_in(into.iter().copied()))
            .filter(record::Column::IsPublic.eq(true))
            .into_tuple::<Uuid>()
            .all(&self.tx)
            .await?;
        let dead = tombstone::Entity::find()
            .select_only()
            .column(tombstone::Column::Id)
            .filter(tombstone::Column::Id.is_in(into.iter().copied()))
            .filter(tombstone::Column::WasPublic.eq(true))
            .into_tuple::<Uuid>()
            .all(&self.tx)
            .await?;
        let chains = self.chains(into.into_iter()).await?;
        let visible = self.visible_ends(&chains).await?;
        let chained = chains.keys().copied();
        let chained = chained.filter(|id| !chain(&chains, *id, &visible).is_empty());
        Ok(alive.into_iter().chain(dead).chain(chained).collect())
    }
}

/// [`Row::erases_the_dead`] in SQL.
pub(super) fn erases_the_dead() -> Condition {
    Condition::all()
        .add(change::Column::Erased.eq(true))
        .add(change::Column::Op.eq(Op::Delete.code()))
}

fn gap(seq: i64) -> StoreError {
    StoreError::Corrupt(format!("the log has no entry {seq}, or it is of nothing"))
}
