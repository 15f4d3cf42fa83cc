//! What one request costs: counted while it is served, so that its caller can be charged for it,
//! and stopped when its client has gone.

use crate::error::{Result, StoreError};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

tokio::task_local! {
    static CURRENT: Meter;
}

/// Documents of a pass between two checks: some tens of microseconds.
pub const BLOCK: usize = 4096;

/// The meter of a request; clones are the same meter.
#[derive(Debug, Clone, Default)]
pub struct Meter(Arc<Counts>);

#[derive(Debug, Default)]
struct Counts {
    caller: u64,
    stopped: AtomicBool,
    documents: AtomicU64,
    terms: AtomicU64,
    rows: AtomicU64,
}

/// Work that was counted.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counted {
    /// Documents of the index that were visited.
    pub documents: u64,
    /// Terms of the index that were read.
    pub terms: u64,
    /// Rows of the database that were read.
    pub rows: u64,
}

impl Meter {
    /// A meter for a caller, who is the same for the same number.
    #[must_use]
    pub fn of(caller: u64) -> Self {
        Self(Arc::new(Counts {
            caller,
            ..Counts::default()
        }))
    }

    #[must_use]
    pub fn caller(&self) -> u64 {
        self.0.caller
    }

    /// The meter of the request that is being served; outside of one, work is counted for no one.
    #[must_use]
    pub fn current() -> Self {
        CURRENT.try_with(Clone::clone).unwrap_or_default()
    }

    /// Counts rows for the request that is being served, if there is one.
    pub(crate) fn count_rows(count: usize) {
        // Outside of a request no one is charged.
        let _ = CURRENT.try_with(|meter| meter.rows(count));
    }

    /// Serves a request: this is its meter meanwhile.
    pub async fn around<F: Future>(&self, serving: F) -> F::Output {
        CURRENT.scope(self.clone(), serving).await
    }

    /// As [`Meter::around`], for one step of serving.
    pub fn during<T>(&self, step: impl FnOnce() -> T) -> T {
        CURRENT.sync_scope(self.clone(), step)
    }

    /// Stops what is done for the request, at the next check.
    pub fn stop(&self) {
        self.0.stopped.store(true, Ordering::Relaxed);
    }

    #[must_use]
    pub fn is_stopped(&self) -> bool {
        self.0.stopped.load(Ordering::Relaxed)
    }

    /// Whether the client still waits for the outcome.
    ///
    /// # Errors
    /// [`StoreError::Abandoned`] if not.
    pub fn check(&self) -> Result<()> {
        if self.is_stopped() {
            return Err(StoreError::Abandoned);
        }
        Ok(())
    }

    pub fn documents(&self, count: u64) {
        self.0.documents.fetch_add(count, Ordering::Relaxed);
    }

    pub fn terms(&self, count: u64) {
        self.0.terms.fetch_add(count, Ordering::Relaxed);
    }

    pub fn rows(&self, count: usize) {
        let count = u64::try_from(count).unwrap_or(u64::MAX);
        self.0.rows.fetch_add(count, Ordering::Relaxed);
    }

    #[must_use]
    pub fn counted(&self) -> Counted {
        Counted {
            documents: self.0.documents.load(Ordering::Relaxed),
            terms: self.0.terms.load(Ordering::Relaxed),
            rows: self.0.rows.load(Ordering::Relaxed),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn work_is_counted_for_the_request_that_is_served() {
        let (one, other) = (Meter::default(), Meter::default());
        one.during(|| {
            Meter::current().rows(2);
            other.during(|| Meter::current().terms(3));
        });
        Meter::current().documents(1);
        let rows = Counted {
            rows: 2,
            ..Counted::default()
        };
        assert_eq!(one.counted(), rows);
        assert_eq!(other.counted().terms, 3);
    }

    #[test]
    fn work_stops_with_the_request() {
        let meter = Meter::default();
        let seen = meter.clone();
        seen.check().unwrap();
        meter.stop();
        assert!(matches!(seen.check(), Err(StoreError::Abandoned)));
    }
}
