//! Partners, their progress, and the entries that could not be applied.

use crate::entity::{partner, quarantine, stored};
use crate::feed::FeedFilter;
use chrono::{DateTime, Utc};
use domain::base::kind::Kind;
use domain::exchange::sync::{FeedPhase, PartnerState};
use uuid::Uuid;

/// A node from which records are copied, and the progress.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Partner {
    pub id: Uuid,
    pub name: String,
    pub version: i64,
    pub url: String,
    /// The origin of its records; known from the first contact on, unique.
    pub origin: Option<String>,
    /// The kinds to copy; all if empty.
    pub kinds: Vec<Kind>,
    /// The home regions to copy; all if empty.
    pub home_regions: Vec<Uuid>,
    pub state: PartnerState,
    /// The phase of the last applied page.
    pub phase: FeedPhase,
    /// The address of the next page; the beginning if absent.
    pub next: Option<String>,
    /// Whether copies that the snapshot lacks are still to be removed.
    pub unswept: bool,
    /// Whether unchanged copies are read again, until the next sweep.
    pub rereads: bool,
    /// The hash of the schemas with which its copies were read.
    pub reader: String,
    pub seq: i64,
    pub head_seq: i64,
    /// Number of entries since it was last resumed.
    pub taken: i64,
    pub skipped: i64,
    pub refused: i64,
    /// Number of copies that would be deleted without the need for approval.
    pub held_deletions: Option<i64>,
    pub held_copies: Option<i64>,
    /// Number of copies that may be deleted at once after an approval.
    pub allowed_deletions: i64,
    /// Number of copies that were deleted without approval within a day from `deletions_since`.
    pub deletions: i64,
    pub deletions_since: Option<DateTime<Utc>>,
    pub contacted_at: Option<DateTime<Utc>>,
    /// When the copies were last complete.
    pub up_to_date_at: Option<DateTime<Utc>>,
    pub compared_at: Option<DateTime<Utc>>,
    pub failures: i32,
    pub last_error: Option<String>,
    /// Time of the last failure, if it has not succeeded since.
    pub failed_at: Option<DateTime<Utc>>,
    pub retry_at: Option<DateTime<Utc>>,
    /// Rises with every lease: the holder of an older one writes nothing any more.
    pub fence: i64,
    /// Until when one instance has the exclusive right to read from it.
    pub leased_until: Option<DateTime<Utc>>,
    pub created_at: DateTime<Utc>,
}

stored!(Partner in partner {
    same: id, name, version, url, origin, next, unswept, rereads, reader, seq, head_seq, taken,
        skipped, refused, held_deletions, held_copies, allowed_deletions, deletions,
        deletions_since, contacted_at,
        up_to_date_at, compared_at, failures, last_error, failed_at, retry_at, fence, leased_until,
        created_at;
    code: state, phase;
    kinds: kinds; ids: home_regions;
});

impl Partner {
    /// Number of entries of its log that are not applied yet; `None` during the snapshot, whose
    /// pages do not say how many records are left.
    #[must_use]
    pub fn lag(&self) -> Option<i64> {
        let caught_up = self.phase == FeedPhase::Changes;
        caught_up.then(|| (self.head_seq - self.seq).max(0))
    }

    #[must_use]
    pub fn filter(&self) -> FeedFilter {
        FeedFilter::new(self.kinds.clone(), self.home_regions.clone())
    }
}

/// An entry of a partner that could not be applied.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Quarantined {
    /// The kind in the entry, if it can be parsed.
    pub kind: Option<String>,
    /// The record in the entry, if it can be parsed.
    pub record_id: Option<Uuid>,
    pub reason: String,
    pub entry: String,
    pub at: DateTime<Utc>,
}

impl From<quarantine::Model> for Quarantined {
    fn from(row: quarantine::Model) -> Self {
        Self {
            kind: row.kind,
            record_id: row.record_id,
            reason: row.reason,
            entry: row.entry,
            at: row.at,
        }
    }
}

/// A partner with its copies and its quarantine.
#[derive(Debug)]
pub struct PartnerStatus {
    pub partner: Partner,
    pub copies: u64,
    pub quarantined: u64,
    pub latest: Vec<Quarantined>,
}
