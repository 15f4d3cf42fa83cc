//! What the newest entries of the log concern, in memory: every write wakes all who wait for
//! changes, and most writes concern few of them.

use super::FeedFilter;
use super::changes::erases_the_dead;
use crate::entity::change;
use crate::error::Result;
use crate::store::Store;
use domain::base::kind::Kind;
use domain::base::vocabulary::Coded;
use sea_orm::{
    ColumnTrait, Condition, DerivePartialModel, EntityTrait, QueryFilter, QueryOrder, QuerySelect,
};
use std::collections::VecDeque;
use tokio::sync::Mutex;

/// Entries that are kept; who waits since before them reads a page.
const MOST: u16 = 5_000;

/// The newest entries that concern readers of the feed.
#[derive(Debug, Default)]
pub struct Recent(Mutex<Window>);

#[derive(Debug, Default)]
struct Window {
    /// All entries in `(from, to]` that concern readers are here.
    from: i64,
    to: i64,
    entries: VecDeque<Entry>,
}

#[derive(Debug, DerivePartialModel)]
#[sea_orm(entity = "change::Entity")]
struct Entry {
    seq: i64,
    kind: String,
    audience_before: Option<String>,
    audience_after: Option<String>,
}

impl Recent {
    /// Whether an entry of the log after `seq` concerns readers with this filter, as far as this
    /// process knows the log; also if that is no longer known.
    ///
    /// # Errors
    /// If the log cannot be read.
    pub async fn has_news(&self, store: &Store, seq: i64, filter: &FeedFilter) -> Result<bool> {
        let mut recent = self.0.lock().await;
        recent.read_on(store, seq).await?;
        Ok(seq < recent.from || recent.concern(seq, filter))
    }
}

impl Window {
    /// Reads what has been logged meanwhile; `seq` is where a new reader begins.
    async fn read_on(&mut self, store: &Store, seq: i64) -> Result<()> {
        let head = *store.log().watch().borrow();
        if head < self.to || self.to == 0 {
            // Others may have waited longer.
            let from = seq.saturating_sub(MOST.into()).max(0);
            *self = Self {
                from,
                to: from,
                entries: VecDeque::new(),
            };
        }
        if head <= self.to {
            return Ok(());
        }
        let told = Condition::any()
            .add(change::Column::AudienceBefore.is_not_null())
            .add(change::Column::AudienceAfter.is_not_null())
            .add(erases_the_dead());
        let mut newest = change::Entity::find()
            .filter(change::Column::Seq.gt(self.to))
            .filter(change::Column::Seq.lte(head))
            .filter(change::Column::Origin.eq(&store.node().origin))
            .filter(told)
            .order_by_desc(change::Column::Seq)
            .limit(u64::from(MOST))
            .into_partial_model::<Entry>()
            .all(store.db().reader())
            .await?;
        newest.reverse();
        self.entries.extend(newest);
        self.to = head;
        while self.entries.len() >= MOST.into() {
            if let Some(oldest) = self.entries.pop_front() {
                self.from = oldest.seq;
            }
        }
        Ok(())
    }

    fn concern(&self, seq: i64, filter: &FeedFilter) -> bool {
        let newer = self.entries.partition_point(|entry| entry.seq <= seq);
        let mut newer = self.entries.iter().skip(newer);
        newer.any(|entry| entry.concerns(filter))
    }
}

impl Entry {
    fn concerns(&self, filter: &FeedFilter) -> bool {
        let kind = Kind::parse(&self.kind);
        let audiences = [&self.audience_before, &self.audience_after];
        let mut audiences = audiences.into_iter().flatten();
        // Without an audience, it erases what readers may have had before it was deleted.
        let nobody = self.audience_before.is_none() && self.audience_after.is_none();
        kind.is_some_and(|kind| filter.kinds().contains(&kind))
            && (nobody || audiences.any(|audience| filter.wants(Some(audience))))
    }
}
