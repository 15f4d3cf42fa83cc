//! What a snapshot does, or would do.

use super::{Along, Change, Pushed};
use crate::store::hex;
use domain::base::kind::Kind;
use domain::base::vocabulary::Coded;
use domain::exchange::sync::PushStatus;
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;

/// How many samples of each outcome are shown.
const SAMPLES: u64 = 10;

/// How many records of so many may go without an admin: one in twenty, or twenty.
fn may_go(records: u64) -> u64 {
    (records / 20).max(20)
}

/// What a snapshot does, or would do.
#[derive(Debug, Default)]
pub struct Plan {
    /// How many lines it has.
    pub lines: u64,
    /// How many records of the system the caller had supplied before.
    pub records: u64,
    /// How many records have which outcome, by the code of [`PushStatus`].
    pub counts: BTreeMap<&'static str, u64>,
    /// How many of the changed ones somebody else had changed before.
    pub overwritten: u64,
    /// How many relationships go along with what they name.
    pub relationships: u64,
    /// How many records of the system would go: those that the snapshot does not hold any more, and
    /// the relationships that go along with them.
    pub going: u64,
    /// Whether there are lines of which it is unknown which record they are.
    pub unknown: bool,
    /// The first of each outcome.
    pub samples: Vec<Sample>,
    hash: Sha256,
}

/// An outcome as an example.
#[derive(Debug)]
pub struct Sample {
    /// The line, counted from 1; absent for what the snapshot does not hold.
    pub line: Option<u64>,
    /// The kind.
    pub kind: Kind,
    /// The key, if the line has one.
    pub external_id: Option<String>,
    /// What became of it.
    pub pushed: Pushed,
}

impl Plan {
    pub(super) fn new(system: &str, kinds: &[Kind]) -> Self {
        let mut plan = Self {
            counts: PushStatus::ALL.iter().map(|one| (one.code(), 0)).collect(),
            ..Self::default()
        };
        plan.mix(&[system]);
        for kind in kinds {
            plan.mix(&[kind.code()]);
        }
        plan
    }

    /// How many have an outcome.
    #[must_use]
    pub fn count(&self, status: PushStatus) -> u64 {
        self.counts.get(status.code()).copied().unwrap_or_default()
    }

    /// What tells this plan from every other one.
    #[must_use]
    pub fn hash(&self) -> String {
        format!("sha256:{}", hex(&self.hash.clone().finalize()))
    }

    /// How many items were refused.
    #[must_use]
    pub fn refused(&self) -> u64 {
        self.count(PushStatus::Conflict) + self.count(PushStatus::Invalid)
    }

    /// Whether so much would go that an admin must confirm it.
    #[must_use]
    pub fn deletes_too_much(&self) -> bool {
        self.lines == 0 || self.going > may_go(self.records)
    }

    /// Takes an outcome in; `content` is the hash of the line.
    pub(super) fn note(&mut self, sample: Sample, content: &str) {
        let status = sample.pushed.status();
        let key = sample.external_id.as_deref().unwrap_or_default();
        let applied = sample.pushed.0.as_ref().ok();
        let before = applied.map_or(0, |applied| applied.before).to_string();
        self.mix(&[sample.kind.code(), key, status.code(), &before, content]);
        match applied.and_then(|applied| applied.change.as_ref()) {
            Some(Change::Updated { overwritten, .. }) => {
                self.overwritten += u64::from(*overwritten);
            }
            Some(Change::Deleted { along }) => self.note_along(along),
            Some(Change::Created) | None => {}
        }
        let count = self.counts.entry(status.code()).or_default();
        *count += 1;
        if *count <= SAMPLES {
            self.samples.push(sample);
        }
    }

    /// Takes in the relationships that go along with a record, each in its version.
    fn note_along(&mut self, along: &[Along]) {
        for one in along {
            self.relationships += 1;
            self.going += u64::from(one.supplied);
            self.mix(&[&one.id.to_string(), &one.version.to_string()]);
        }
    }

    /// Takes in how many lines could not be read, and what they held.
    pub(super) fn note_unreadable(&mut self, count: u64, content: &str) {
        self.lines += count;
        self.unknown |= count > 0;
        *self.counts.entry(PushStatus::Invalid.code()).or_default() += count;
        self.mix(&[content]);
    }

    fn mix(&mut self, parts: &[&str]) {
        for part in parts {
            self.hash.update(part.as_bytes());
            self.hash.update([0]);
        }
        self.hash.update([1]);
    }
}

#[cfg(test)]
mod tests {
    use super::may_go;

    #[test]
    fn one_in_twenty_may_go_and_twenty_always() {
        for (records, allowed) in [(0, 20), (19, 20), (400, 20), (420, 21), (1000, 50)] {
            assert_eq!(may_go(records), allowed);
        }
    }
}
