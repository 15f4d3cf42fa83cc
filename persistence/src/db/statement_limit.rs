//! Interrupts statements of SQLite that take too long, or whose caller has gone.
//!
//! SQLite calls a connection's progress handler every few thousand steps. The handler checks a
//! [`StatementLimit`], which is set before each statement.

use std::sync::LazyLock;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

/// Steps of SQLite's virtual machine between two checks: well below a millisecond.
#[cfg(not(test))]
pub(super) const STEPS: i32 = 4000;
#[cfg(test)]
pub(super) const STEPS: i32 = 10;

static START: LazyLock<Instant> = LazyLock::new(Instant::now);

const NEVER: u64 = u64::MAX;

#[derive(Debug)]
pub(super) struct StatementLimit {
    timeout: u64,
    /// Milliseconds since [`START`].
    until: AtomicU64,
    #[cfg(test)]
    checks: AtomicU64,
}

fn milliseconds(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(NEVER)
}

fn now() -> u64 {
    milliseconds(START.elapsed())
}

impl StatementLimit {
    pub(super) fn new(timeout: Duration) -> Self {
        Self {
            timeout: milliseconds(timeout),
            until: AtomicU64::new(NEVER),
            #[cfg(test)]
            checks: AtomicU64::default(),
        }
    }

    /// Steps of its connection so far.
    #[cfg(test)]
    pub(super) fn steps(&self) -> u64 {
        self.checks.load(Ordering::Relaxed) * u64::try_from(STEPS).unwrap_or_default()
    }

    pub(super) fn arm(&self) {
        let until = now().saturating_add(self.timeout);
        self.until.store(until, Ordering::Release);
    }

    pub(super) fn may_go_on(&self) -> bool {
        #[cfg(test)]
        self.checks.fetch_add(1, Ordering::Relaxed);
        let until = self.until.load(Ordering::Acquire);
        until == NEVER || now() < until
    }

    pub(super) fn watch(&self) -> Watched<'_> {
        self.arm();
        Watched(Some(self))
    }
}

/// A running statement; it is interrupted if this is dropped before its end.
pub(super) struct Watched<'a>(Option<&'a StatementLimit>);

impl Watched<'_> {
    pub(super) fn ended(mut self) {
        if let Some(limit) = self.0.take() {
            limit.until.store(NEVER, Ordering::Release);
        }
    }
}

impl Drop for Watched<'_> {
    fn drop(&mut self) {
        if let Some(limit) = self.0 {
            limit.until.store(0, Ordering::Release);
        }
    }
}
