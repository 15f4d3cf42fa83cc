//! The only source of the current time.

use chrono::{DateTime, NaiveDate, SubsecRound, Utc};
pub use chrono_tz::Tz;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

/// A clock, and the time zone that decides which day it is.
#[derive(Debug, Clone)]
pub struct Clock {
    time: Time,
    timezone: Tz,
}

#[derive(Debug, Clone)]
enum Time {
    /// The machine's.
    System,
    /// One that only tests advance; microseconds since the Unix epoch.
    Fixed(Arc<AtomicI64>),
}

impl Default for Clock {
    fn default() -> Self {
        Self::system(DEFAULT_TIMEZONE)
    }
}

/// The time zone of a node without a setting.
pub const DEFAULT_TIMEZONE: Tz = Tz::Europe__Berlin;

impl Clock {
    /// The machine's clock.
    #[must_use]
    pub const fn system(timezone: Tz) -> Self {
        Self {
            time: Time::System,
            timezone,
        }
    }

    /// A clock that stands still until its microseconds since the Unix epoch are changed.
    #[must_use]
    pub const fn fixed(micros: Arc<AtomicI64>) -> Self {
        Self {
            time: Time::Fixed(micros),
            timezone: DEFAULT_TIMEZONE,
        }
    }

    /// Now, in UTC, truncated to microseconds as in `PostgreSQL`, so that a value read back equals
    /// the value written.
    #[must_use]
    #[expect(clippy::disallowed_methods, reason = "this is the clock")]
    pub fn now(&self) -> DateTime<Utc> {
        match &self.time {
            Time::System => Utc::now().trunc_subsecs(6),
            Time::Fixed(at) => {
                DateTime::from_timestamp_micros(at.load(Ordering::SeqCst)).unwrap_or_default()
            }
        }
    }

    /// The current day in the time zone of the node.
    #[must_use]
    pub fn today(&self) -> NaiveDate {
        self.now().with_timezone(&self.timezone).date_naive()
    }
}

/// An RFC 3339 timestamp in UTC with microseconds, the format of the API.
#[must_use]
pub fn rfc3339(at: DateTime<Utc>) -> String {
    at.to_rfc3339_opts(chrono::SecondsFormat::Micros, true)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_day_begins_at_midnight_of_the_time_zone() {
        let day = |text: &str| {
            let at: DateTime<Utc> = text.parse().unwrap();
            let micros = Arc::new(AtomicI64::new(at.timestamp_micros()));
            Clock::fixed(micros).today().to_string()
        };
        assert_eq!(day("2026-06-30T21:59:59Z"), "2026-06-30");
        assert_eq!(day("2026-06-30T22:00:00Z"), "2026-07-01");
        assert_eq!(day("2026-12-31T22:59:59Z"), "2026-12-31");
        assert_eq!(day("2026-12-31T23:00:00Z"), "2027-01-01");
    }
}
