//! Records that an import has named already.

use super::line::Keys;
use domain::base::kind::Kind;
use std::collections::HashMap;
use uuid::Uuid;

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
enum Name {
    Id(Uuid),
    Key(Kind, String, String),
}

/// The first line of every record.
#[derive(Debug, Default)]
pub(super) struct Seen {
    lines: HashMap<Name, u64>,
}

impl Seen {
    /// The line that named a record before.
    pub(super) fn line_of(&self, keys: &Keys) -> Option<u64> {
        let mut names = names(keys);
        names.find_map(|name| self.lines.get(&name).copied())
    }

    pub(super) fn line_of_id(&self, id: Uuid) -> Option<u64> {
        self.lines.get(&Name::Id(id)).copied()
    }

    /// Adds a line, and the record that it turned out to be.
    pub(super) fn add(&mut self, line: u64, keys: &Keys, id: Option<Uuid>) {
        for name in names(keys).chain(id.map(Name::Id)) {
            self.lines.entry(name).or_insert(line);
        }
    }

    pub(super) fn extend(&mut self, later: Self) {
        self.lines.extend(later.lines);
    }
}

fn names(keys: &Keys) -> impl Iterator<Item = Name> + use<> {
    let key = keys.external.clone();
    let key = key.map(|(system, id)| Name::Key(keys.kind, system, id));
    keys.id.map(Name::Id).into_iter().chain(key)
}
