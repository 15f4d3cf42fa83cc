//! Words of tables: labels of codes, names of countries, yes and no.

use crate::data::REFERENCE;
use crate::vocabularies;
use serde_json::Value;
use std::collections::BTreeMap;
use std::sync::LazyLock;

/// A word without what differs between writers.
fn plain(word: &str) -> String {
    let words: Vec<&str> = word.split_whitespace().collect();
    words.join(" ").to_lowercase()
}

/// The code with this label among these.
pub(super) fn code(codes: &[String], label: &str) -> Option<&'static str> {
    type Labels = Vec<(Vec<&'static str>, BTreeMap<String, &'static str>)>;
    static LABELS: LazyLock<Labels> = LazyLock::new(|| {
        let all = vocabularies::all().into_iter().map(|vocabulary| {
            let codes = vocabulary.items.iter().map(|term| term.code).collect();
            let mut labels = BTreeMap::new();
            for term in &vocabulary.items {
                labels.insert(plain(term.code), term.code);
            }
            for term in &vocabulary.items {
                for label in [term.labels.de, term.labels.en] {
                    labels.entry(plain(label)).or_insert(term.code);
                }
            }
            (codes, labels)
        });
        all.collect()
    });
    let of_these = LABELS.iter().find(|(all, _)| all == codes)?;
    of_these.1.get(&plain(label)).copied()
}

/// The ISO code of a country by its German or English name, or by its code in small letters.
pub(super) fn country(name: &str) -> Option<&'static str> {
    static COUNTRIES: LazyLock<BTreeMap<String, &'static str>> = LazyLock::new(countries);
    COUNTRIES.get(&plain(name)).copied()
}

fn countries() -> BTreeMap<String, &'static str> {
    let mut names = BTreeMap::new();
    let regions = REFERENCE.first().copied().unwrap_or_default();
    for line in regions.lines().filter(|line| line.contains("\"country\"")) {
        let region: Value = serde_json::from_str(line).unwrap_or_default();
        let text = |pointer: &str| region.pointer(pointer).and_then(Value::as_str);
        if text("/level") != Some("country") {
            continue;
        }
        let Some(code) = text("/identifiers/0/value") else {
            continue;
        };
        // Once for the life of the program.
        let code: &'static str = code.to_owned().leak();
        for name in [text("/name"), text("/translations/en/name"), Some(code)]
            .into_iter()
            .flatten()
        {
            names.insert(plain(name), code);
        }
    }
    for (name, code) in [("d", "DE"), ("brd", "DE"), ("a", "AT"), ("ch", "CH")] {
        if names.contains_key(&code.to_lowercase()) {
            names.entry(name.to_owned()).or_insert(code);
        }
    }
    names
}

pub(super) fn truth(word: &str) -> Option<bool> {
    match plain(word).as_str() {
        "true" | "wahr" | "ja" | "yes" | "j" | "y" | "x" | "1" => Some(true),
        "false" | "falsch" | "nein" | "no" | "n" | "0" => Some(false),
        _ => None,
    }
}

/// Whether a cell only says that there is no value.
pub(super) fn is_nothing(word: &str) -> bool {
    matches!(
        plain(word).as_str(),
        "-" | "–"
            | "—"
            | "--"
            | "---"
            | "n/a"
            | "k. a."
            | "k.a."
            | "keine angabe"
            | "n. a."
            | "unbekannt"
            | "null"
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::vocabulary::Coded;
    use crate::kinds::actor::Category;

    #[test]
    fn words_have_codes() {
        let categories: Vec<String> = Category::ALL
            .iter()
            .map(|one| one.code().to_owned())
            .collect();
        assert_eq!(code(&categories, " krankenhaus "), Some("hospital"));
        assert_eq!(code(&categories, "Hospital"), Some("hospital"));
        assert_eq!(code(&categories, "Hospitel"), None);
        for (name, code) in [
            ("Deutschland", "DE"),
            ("germany", "DE"),
            ("de", "DE"),
            ("Österreich", "AT"),
            ("D", "DE"),
        ] {
            assert_eq!(country(name), Some(code), "{name}");
        }
        assert_eq!(country("Deutschlnd"), None);
        assert_eq!(
            [truth("Ja"), truth("0"), truth("vielleicht")],
            [Some(true), Some(false), None]
        );
    }
}
