//! Keys that are only spelled differently: a spreadsheet removes leading zeros, an export changes
//! case, and the record would be deleted, and created again without its relationships.

use domain::base::kind::Kind;
use domain::value::text::{collation_key, fold_key};
use serde_json::Value;
use std::collections::HashMap;

/// A record that is probably the same as the one that lost its key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rekeyed {
    pub kind: Kind,
    /// The line with the new key.
    pub line: u64,
    pub from: String,
    pub to: String,
}

/// The created records, by what stays the same when a key is spelled differently.
#[derive(Debug, Default)]
pub(super) struct Created {
    lines: Vec<(u64, String)>,
    by_feature: HashMap<(Kind, Feature), usize>,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
enum Feature {
    Key(String),
    NameAndPlace(String),
}

impl Created {
    pub(super) fn add(&mut self, line: u64, kind: Kind, key: &str, record: &Value) {
        for feature in features(key, record) {
            let at = self.lines.len();
            self.by_feature.entry((kind, feature)).or_insert(at);
        }
        self.lines.push((line, key.to_owned()));
    }

    /// The created record that is probably the same as a deleted one.
    pub(super) fn same(&self, kind: Kind, key: &str, record: &Value) -> Option<Rekeyed> {
        let mut features = features(key, record);
        let at = features.find_map(|feature| self.by_feature.get(&(kind, feature)))?;
        let (line, to) = self.lines.get(*at)?;
        Some(Rekeyed {
            kind,
            line: *line,
            from: key.to_owned(),
            to: to.clone(),
        })
    }
}

fn features(key: &str, record: &Value) -> impl Iterator<Item = Feature> + use<> {
    [Some(Feature::Key(fold_key(key))), name_and_place(record)]
        .into_iter()
        .flatten()
}

/// The name with the first address; none without one, since many records share a name.
fn name_and_place(record: &Value) -> Option<Feature> {
    let text = |at: &str| {
        let text = record.pointer(at).and_then(Value::as_str);
        collation_key(text.unwrap_or_default())
    };
    let place = ["postal_code", "city", "street"].map(|part| text(&format!("/places/0/{part}")));
    let name = text("/name");
    let known = !name.is_empty() && place.iter().any(|part| !part.is_empty());
    known.then(|| Feature::NameAndPlace(format!("{name}\n{}", place.join("\n"))))
}
