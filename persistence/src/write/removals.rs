//! What disappears in an import or a push, counted for each member.

use crate::write::outcome::{Change, Outcome};
use domain::base::kind::Kind;
use std::collections::BTreeMap;
use uuid::Uuid;

/// Records that are named for each member.
const EXAMPLES: usize = 10;

/// How many of so many records may lose members, or be deleted, without confirmation: one in
/// twenty, or twenty.
#[must_use]
pub fn may_go(records: u64) -> u64 {
    (records / 20).max(20)
}

#[derive(Debug, Default)]
pub struct Removals {
    /// Number of records that lose a member. Lists that become shorter do not count.
    pub records: u64,
    pub members: BTreeMap<(Kind, String), Removed>,
}

/// The records that lose a member.
#[derive(Debug, Default)]
pub struct Removed {
    pub records: u64,
    /// The first of them, with their lines.
    pub examples: Vec<(u64, Uuid)>,
}

impl Removals {
    pub fn add(&mut self, line: u64, kind: Kind, outcome: &Outcome) {
        let Ok(applied) = &outcome.0 else {
            return;
        };
        if let (Some(Change::Updated { removed, .. }), Some(id)) = (&applied.change, applied.id) {
            self.records += u64::from(removed.iter().any(|member| !member.ends_with("[]")));
            for member in removed {
                let of_member = self.members.entry((kind, member.clone())).or_default();
                of_member.records += 1;
                if of_member.examples.len() < EXAMPLES {
                    of_member.examples.push((line, id));
                }
            }
        }
    }

    /// Whether so many of `records` lose members that it must be confirmed.
    #[must_use]
    pub fn are_many(&self, records: u64) -> bool {
        self.records > may_go(records)
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
