//! Leases: one instance at a time works on a partner or a webhook. A lease has a rising number, and
//! the holder of an older one writes nothing any more (fencing).
//!
//! Leases and pauses end by the clock, which may have been wrong when they began.

use crate::error::Result;
use crate::store::Store;
use crate::transaction::WriteOptions;
use chrono::{DateTime, TimeDelta, Utc};
use domain::access::rules::Caller;
use sea_orm::{ColumnTrait, Condition};
use uuid::Uuid;

/// Maximum difference between the clocks of instances of one node. Times further ahead were written
/// by a clock that has been corrected since.
pub(crate) const SKEW: TimeDelta = TimeDelta::seconds(30);

/// Tables with leased rows.
const LEASED: [&str; 2] = ["partner", "webhook"];

#[derive(Debug, Clone)]
pub struct Lease {
    pub id: Uuid,
    fence: i64,
}

/// The columns of a table with leased rows, and the duration of a lease.
pub(crate) struct Leasing<C> {
    pub(crate) fence: C,
    pub(crate) leased_until: C,
    pub(crate) failed_at: C,
    pub(crate) retry_at: C,
    pub(crate) lasts: TimeDelta,
}

impl<C: ColumnTrait> Leasing<C> {
    /// Whether a row has no lease and no pause at a moment.
    pub(crate) fn is_free(&self, now: DateTime<Utc>) -> Condition {
        let ahead = now + self.lasts + SKEW;
        let unleased = is_over(self.leased_until, now).add(self.leased_until.gt(ahead));
        let rested = is_over(self.retry_at, now).add(self.failed_at.gt(now + SKEW));
        Condition::all().add(unleased).add(rested)
    }

    /// Whether a row still has this lease.
    pub(crate) fn is_held_by(&self, lease: &Lease) -> Condition {
        Condition::all().add(self.fence.eq(lease.fence))
    }

    pub(crate) fn take(
        &self,
        id: Uuid,
        (fence, leased_until): (&mut i64, &mut Option<DateTime<Utc>>),
        now: DateTime<Utc>,
    ) -> Lease {
        *fence += 1;
        *leased_until = Some(now + self.lasts);
        Lease { id, fence: *fence }
    }
}

/// Whether the time in a column is absent or in the past.
pub(crate) fn is_over(at: impl ColumnTrait, now: DateTime<Utc>) -> Condition {
    Condition::any().add(at.is_null()).add(at.lte(now))
}

/// Room of the leases.
#[derive(Debug, Clone, Copy)]
pub struct Leases<'a> {
    store: &'a Store,
}

impl Store {
    #[must_use]
    pub fn leases(&self) -> Leases<'_> {
        Leases { store: self }
    }
}

impl Leases<'_> {
    /// Takes the leases of dead instances: SQLite has no instance but this one.
    pub async fn take_over(self) -> Result<()> {
        if self.store.db().is_postgres() {
            return Ok(());
        }
        let options = WriteOptions::default();
        self.store
            .write(&Caller::node(), &options, async |tx| {
                for table in LEASED {
                    let sql = format!(
                        "UPDATE {table} SET leased_until = NULL, fence = fence + 1 \
                         WHERE leased_until IS NOT NULL"
                    );
                    tx.execute(&sql, []).await?;
                }
                Ok(())
            })
            .await
    }
}
