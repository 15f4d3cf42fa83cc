//! The end of the log, and its waiters in this process.

use super::{Store, head, logged_micros};
use crate::cursor;
use crate::error::Result;
use chrono::{DateTime, Utc};
use std::collections::BTreeMap;
use std::sync::PoisonError;
use std::sync::atomic::Ordering;
use std::time::Duration;
use tokio::sync::watch;

/// What positions are signed for.
const POSITION: &str = "position";

/// Room of the end of the log.
#[derive(Debug, Clone, Copy)]
pub struct Log<'a> {
    store: &'a Store,
}

impl Store {
    #[must_use]
    pub fn log(&self) -> Log<'_> {
        Log { store: self }
    }
}

impl Log<'_> {
    /// The newest sequence number of the log, from any writer.
    pub async fn head(self) -> Result<i64> {
        let head = head(&self.store.db).await?;
        self.wake(head);
        Ok(head)
    }

    /// The time of the newest entry; absent if nothing was written yet.
    pub async fn updated(self) -> Result<Option<DateTime<Utc>>> {
        let micros = logged_micros(&self.store.db).await?;
        Ok(DateTime::from_timestamp_micros(micros).filter(|_| micros > 0))
    }

    /// An entry of the log as clients see it: opaque, and signed by this node.
    #[must_use]
    pub fn position(self, seq: i64) -> String {
        cursor::encode(&self.store.node.secret, POSITION, &seq)
    }

    /// The entry of a position.
    ///
    /// # Errors
    /// [`StoreError::BadCursor`] if this node has not issued it.
    pub fn entry_at(self, position: &str) -> Result<i64> {
        cursor::decode(&self.store.node.secret, POSITION, position)
    }

    /// The newest sequence number that a read of this process must see: that of its last write,
    /// without bulk loads.
    #[must_use]
    pub fn acknowledged(self) -> i64 {
        self.store.acknowledged.load(Ordering::SeqCst)
    }

    /// Wakes the log consumers in this process; reads wait for the write, unless it was a bulk
    /// load.
    pub(crate) fn announce(self, head: i64, bulk: bool) {
        if !bulk {
            self.store.acknowledged.fetch_max(head, Ordering::SeqCst);
        }
        self.wake(head);
    }

    fn wake(self, head: i64) {
        self.store.head.send_if_modified(|known| {
            let newer = head > *known;
            *known = head.max(*known);
            newer
        });
    }

    /// The newest sequence number known to this process, for waiting. Its own writes count at once,
    /// those of others as soon as a consumer checks.
    #[must_use]
    pub fn watch(self) -> watch::Receiver<i64> {
        self.store.head.subscribe()
    }

    #[must_use]
    pub fn consumers(self) -> BTreeMap<&'static str, i64> {
        let consumers = self.store.consumers.lock();
        let consumers = consumers.unwrap_or_else(PoisonError::into_inner);
        let reached = consumers.iter().map(|(name, at)| (*name, *at.borrow()));
        reached.collect()
    }

    /// Waits until a consumer of this process has reached the entry `seq`, but not longer than
    /// `patience`.
    pub(crate) async fn wait_for(self, consumer: &str, seq: i64, patience: Duration) {
        let reached = {
            let consumers = self.store.consumers.lock();
            let consumers = consumers.unwrap_or_else(PoisonError::into_inner);
            consumers.get(consumer).cloned()
        };
        if let Some(mut reached) = reached {
            let waiting = reached.wait_for(|at| *at >= seq);
            let _ = tokio::time::timeout(patience, waiting).await;
        }
    }

    pub(crate) fn register_consumer(self, name: &'static str, reached: watch::Receiver<i64>) {
        let consumers = self.store.consumers.lock();
        let mut consumers = consumers.unwrap_or_else(PoisonError::into_inner);
        consumers.insert(name, reached);
    }
}
