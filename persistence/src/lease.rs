//! Leases and pauses that end by the clock, which may have been wrong when they began.

use chrono::{DateTime, TimeDelta, Utc};
use sea_orm::{ColumnTrait, Condition};

/// How far the clocks of instances of one node may be apart. What is further ahead was noted by a
/// clock that has been put right since.
pub(crate) const SKEW: TimeDelta = TimeDelta::seconds(30);

/// Whether there is no time in a column, or none that is still to come.
pub(crate) fn is_over(at: impl ColumnTrait, now: DateTime<Utc>) -> Condition {
    Condition::any().add(at.is_null()).add(at.lte(now))
}
