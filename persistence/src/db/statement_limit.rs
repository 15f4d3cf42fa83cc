//! Statements that take too long, or whose caller has gone, are interrupted (SQLite).
//!
//! SQLite asks a connection's progress handler every few thousand steps whether to go on. The
//! handler looks at a [`StatementLimit`], which whoever runs a statement sets before it.

use std::sync::LazyLock;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

/// How many steps of SQLite's virtual machine pass between two looks: well below a millisecond.
pub(super) const STEPS: i32 = 4000;

static START: LazyLock<Instant> = LazyLock::new(Instant::now);

/// Never.
const NEVER: u64 = u64::MAX;

/// Until when the statement of a connection may run.
#[derive(Debug)]
pub(super) struct StatementLimit {
    /// How long a statement may run, in milliseconds.
    timeout: u64,
    /// Milliseconds since [`START`].
    until: AtomicU64,
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
        }
    }

    /// Lets a statement run for as long as one may.
    pub(super) fn arm(&self) {
        let until = now().saturating_add(self.timeout);
        self.until.store(until, Ordering::Release);
    }

    /// Whether the statement under way may go on.
    pub(super) fn may_go_on(&self) -> bool {
        let until = self.until.load(Ordering::Acquire);
        until == NEVER || now() < until
    }

    /// Watches a statement that is about to run.
    pub(super) fn watch(&self) -> Watched<'_> {
        self.arm();
        Watched(Some(self))
    }
}

/// A statement under way; when this is dropped before it has ended, it is interrupted.
pub(super) struct Watched<'a>(Option<&'a StatementLimit>);

impl Watched<'_> {
    /// The statement has ended by itself.
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
