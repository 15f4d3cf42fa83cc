//! Leases and pauses that end by the clock, which may have been wrong when they began.

use chrono::{DateTime, TimeDelta, Utc};
use sea_orm::{ColumnTrait, Condition};

/// Maximum difference between the clocks of instances of one node. Times further ahead were written
/// by a clock that has been corrected since.
pub(crate) const SKEW: TimeDelta = TimeDelta::seconds(30);

/// Whether the time in a column is absent or in the past.
pub(crate) fn is_over(at: impl ColumnTrait, now: DateTime<Utc>) -> Condition {
    Condition::any().add(at.is_null()).add(at.lte(now))
}
