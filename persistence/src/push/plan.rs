//! The effects of a snapshot, planned or applied.

use crate::push::rekeyed::{Created, Rekeyed};
use crate::store::hex;
use crate::write::outcome::{Along, Change, Outcome};
use crate::write::readings::Readings;
use crate::write::removals::{Removals, may_go};
use domain::base::kind::Kind;
use domain::base::vocabulary::Coded;
use domain::exchange::sync::PushStatus;
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;
use uuid::Uuid;

const SAMPLES: u64 = 10;

/// Keys and relationships that a plan names.
const NAMED: usize = 100;

#[derive(Debug, Default)]
pub struct Plan {
    pub lines: u64,
    /// Number of the system's records that the caller had supplied before.
    pub records: u64,
    pub counts: BTreeMap<&'static str, u64>,
    /// Number of changed records that another caller had changed before.
    pub overwritten: u64,
    pub relationships: u64,
    /// Number of the system's records to be deleted: those that the snapshot lacks, and the
    /// relationships deleted with them.
    pub going: u64,
    pub unknown: bool,
    pub examples: Vec<Example>,
    pub removals: Removals,
    /// Values that were changed or left out while a table was read.
    pub readings: Readings,
    /// The first keys of created and of deleted records.
    pub new_keys: Vec<(Kind, String)>,
    pub gone_keys: Vec<(Kind, String)>,
    /// The first relationships that are deleted with records.
    pub along: Vec<Uuid>,
    pub rekeyed: Vec<Rekeyed>,
    /// The first keys of records to be deleted that are newer than the export of the snapshot.
    pub newer: Vec<(Kind, String)>,
    pub(super) created: Created,
    hash: Sha256,
}

#[derive(Debug)]
pub struct Example {
    /// The line, from 1; absent for records that the snapshot lacks.
    pub line: Option<u64>,
    pub kind: Kind,
    pub external_id: Option<String>,
    pub outcome: Outcome,
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

    #[must_use]
    pub fn count(&self, status: PushStatus) -> u64 {
        self.counts.get(status.code()).copied().unwrap_or_default()
    }

    #[must_use]
    pub fn hash(&self) -> String {
        format!("sha256:{}", hex(&self.hash.clone().finalize()))
    }

    #[must_use]
    pub fn refused(&self) -> u64 {
        self.count(PushStatus::Failed)
    }

    #[must_use]
    pub fn deletes_too_much(&self) -> bool {
        self.lines == 0 || self.going > may_go(self.records)
    }

    #[must_use]
    pub fn removes_too_much(&self) -> bool {
        self.removals.are_many(self.records)
    }

    /// Adds an outcome; `content` is the hash of the line.
    pub(super) fn note(&mut self, mut sample: Example, content: &str) {
        self.readings.take(&mut sample.outcome);
        let status = sample.outcome.status();
        let key = sample.external_id.as_deref().unwrap_or_default();
        let applied = sample.outcome.0.as_ref().ok();
        let before = applied.map_or(0, |applied| applied.before).to_string();
        self.mix(&[sample.kind.code(), key, status.code(), &before, content]);
        match applied.and_then(|applied| applied.change.as_ref()) {
            Some(Change::Updated { overwritten, .. }) => {
                self.overwritten += u64::from(*overwritten);
            }
            Some(Change::Deleted { along }) => {
                self.note_along(along);
                name(&mut self.gone_keys, &sample);
            }
            Some(Change::Created) => name(&mut self.new_keys, &sample),
            None => {}
        }
        self.removals.add(
            sample.line.unwrap_or_default(),
            sample.kind,
            &sample.outcome,
        );
        let count = self.counts.entry(status.code()).or_default();
        *count += 1;
        if *count <= SAMPLES {
            self.examples.push(sample);
        }
    }

    /// Adds the relationships deleted with a record, each in its version.
    fn note_along(&mut self, along: &[Along]) {
        for one in along {
            self.relationships += 1;
            if self.along.len() < NAMED {
                self.along.push(one.id);
            }
            self.going += u64::from(one.supplied);
            self.mix(&[&one.id.to_string(), &one.version.to_string()]);
        }
    }

    /// Adds a record to be deleted that is newer than the export of the snapshot.
    pub(super) fn note_newer(&mut self, kind: Kind, key: &str) {
        if self.newer.len() < NAMED {
            self.newer.push((kind, key.to_owned()));
        }
    }

    pub(super) fn note_unreadable(&mut self, count: u64, content: &str) {
        self.lines += count;
        self.unknown |= count > 0;
        *self.counts.entry(PushStatus::Failed.code()).or_default() += count;
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

fn name(keys: &mut Vec<(Kind, String)>, sample: &Example) {
    if let (true, Some(key)) = (keys.len() < NAMED, &sample.external_id) {
        keys.push((sample.kind, key.clone()));
    }
}
