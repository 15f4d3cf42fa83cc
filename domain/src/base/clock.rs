//! The only source of the current time.

use chrono::{DateTime, SubsecRound, Utc};
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

/// A clock: the machine's, or a fixed one for tests.
#[derive(Debug, Clone, Default)]
pub enum Clock {
    #[default]
    System,
    /// A clock that only tests advance; microseconds since the Unix epoch.
    Fixed(Arc<AtomicI64>),
}

impl Clock {
    #[must_use]
    pub fn fixed(at: DateTime<Utc>) -> Self {
        Self::Fixed(Arc::new(AtomicI64::new(at.timestamp_micros())))
    }

    /// Now, in UTC, truncated to microseconds as in `PostgreSQL`, so that a value read back equals
    /// the value written.
    #[must_use]
    #[expect(clippy::disallowed_methods, reason = "this is the clock")]
    pub fn now(&self) -> DateTime<Utc> {
        match self {
            Self::System => Utc::now().trunc_subsecs(6),
            Self::Fixed(at) => {
                DateTime::from_timestamp_micros(at.load(Ordering::SeqCst)).unwrap_or_default()
            }
        }
    }
}

/// An RFC 3339 timestamp in UTC with microseconds, the format of the API.
#[must_use]
pub fn rfc3339(at: DateTime<Utc>) -> String {
    at.to_rfc3339_opts(chrono::SecondsFormat::Micros, true)
}
