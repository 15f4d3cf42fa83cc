//! What a heading means.

use super::labels::{COLUMNS, label};
use crate::base::fault::Lang;
use crate::base::kind::Kind;
use crate::base::nearest::nearest;
use crate::base::vocabulary::Coded;
use crate::exchange::table::{Content, columns};
use crate::value::text::transliterated;
use std::collections::BTreeMap;
use std::sync::LazyLock;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Meaning {
    /// The column of this path.
    Column(&'static str),
    /// The name of a referenced record next to its id, as exports write it on request.
    NameBeside,
    /// A natural person, who is in no record.
    Person,
    Unknown,
}

/// Ends of headings of [`Meaning::NameBeside`].
const BESIDE: [(&str, Lang); 2] = [(" (Name)", Lang::De), (" (name)", Lang::En)];

const PERSONS: [&str; 22] = [
    "ansprechpartner",
    "ansprechpartnerin",
    "ansprechperson",
    "ansprechpartnerin",
    "kontaktperson",
    "contactperson",
    "person",
    "vorname",
    "nachname",
    "familienname",
    "firstname",
    "lastname",
    "anrede",
    "geschaeftsfuehrer",
    "geschaeftsfuehrerin",
    "geschaeftsfuehrung",
    "leiter",
    "leiterin",
    "inhaber",
    "inhaberin",
    "aerztlicheleitung",
    "vorsitzender",
];

type Known = BTreeMap<Kind, BTreeMap<String, &'static str>>;

fn known(kind: Kind) -> &'static BTreeMap<String, &'static str> {
    static KNOWN: LazyLock<Known> =
        LazyLock::new(|| Kind::ALL.iter().map(|kind| (*kind, make(*kind))).collect());
    static NONE: BTreeMap<String, &'static str> = BTreeMap::new();
    KNOWN.get(&kind).unwrap_or(&NONE)
}

fn make(kind: Kind) -> BTreeMap<String, &'static str> {
    let mut known = BTreeMap::new();
    for column in columns(kind) {
        for lang in [Lang::De, Lang::En] {
            known.insert(plain(label(kind, column, lang)), column.name.as_str());
        }
    }
    // Further names, unless they are the name of another column.
    for column in columns(kind) {
        let names = COLUMNS.iter().filter(|(path, ..)| *path == column.name);
        for name in names.flat_map(|(.., names)| *names) {
            known.entry(plain(name)).or_insert(column.name.as_str());
        }
    }
    known
}

/// What a heading of a table of this kind means: its path, or a name of it.
#[must_use]
pub fn meaning(kind: Kind, heading: &str) -> Meaning {
    let heading = heading.trim();
    let exact = columns(kind).iter().find(|column| column.name == heading);
    if let Some(column) = exact {
        return Meaning::Column(column.name.as_str());
    }
    if is_name_beside(kind, heading) {
        return Meaning::NameBeside;
    }
    let plain = plain(heading);
    match known(kind).get(&plain) {
        Some(path) => Meaning::Column(path),
        None if PERSONS.contains(&plain.as_str()) => Meaning::Person,
        None => Meaning::Unknown,
    }
}

fn is_name_beside(kind: Kind, heading: &str) -> bool {
    let stem = BESIDE.iter().find_map(|(end, _)| heading.strip_suffix(end));
    let Some(stem) = stem else { return false };
    let Meaning::Column(path) = meaning(kind, stem) else {
        return false;
    };
    let column = columns(kind).iter().find(|column| column.name == path);
    column.is_some_and(|column| matches!(column.content(), Content::Reference(_) | Content::Record))
}

/// The heading or path most similar to an unknown one.
#[must_use]
pub fn nearest_heading(kind: Kind, heading: &str) -> Option<&'static str> {
    let paths = columns(kind).iter().map(|column| column.name.as_str());
    let labels = columns(kind)
        .iter()
        .flat_map(|column| [Lang::De, Lang::En].map(|lang| label(kind, column, lang)));
    if let Some(path) = nearest(&plain(heading), known(kind).keys().map(String::as_str)) {
        return known(kind).get(path).copied();
    }
    nearest(heading, paths.chain(labels))
}

/// A heading without what differs between writers: case, umlauts, blanks, punctuation.
fn plain(heading: &str) -> String {
    let plain = transliterated(heading).to_lowercase();
    plain.chars().filter(char::is_ascii_alphanumeric).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headings_are_known_by_path_and_by_their_usual_names() {
        for (heading, path) in [
            ("name", "name"),
            ("Name", "name"),
            ("PLZ", "places.postal_code"),
            (" Ort ", "places.city"),
            ("Straße", "places.street"),
            ("STRASSE", "places.street"),
            ("Telefon", "contact.phone"),
            ("Tel.", "contact.phone"),
            ("E-Mail", "contact.email"),
            ("eMail", "contact.email"),
            ("Kategorie", "categories"),
            ("Veröffentlicht", "publication"),
            ("Veroeffentlicht", "publication"),
            ("Region", "home_region"),
            ("city", "places.city"),
            ("lat", "places.point.lat"),
            ("plz", "places.postal_code"),
            ("Zahlen: Wert", "figures.value"),
            ("Url", "contact.website"),
        ] {
            assert_eq!(
                meaning(Kind::Actor, heading),
                Meaning::Column(path),
                "{heading}"
            );
        }
        for heading in ["home_region (Name)", "Region (Name)", "Themen (Name)"] {
            assert_eq!(
                meaning(Kind::Actor, heading),
                Meaning::NameBeside,
                "{heading}"
            );
        }
        assert_eq!(meaning(Kind::Actor, "Ansprechpartner"), Meaning::Person);
        assert_eq!(meaning(Kind::Actor, "Bettenzahl"), Meaning::Unknown);
        assert_eq!(
            nearest_heading(Kind::Actor, "Telefonn"),
            Some("contact.phone")
        );
        assert_eq!(
            nearest_heading(Kind::Actor, "categroies"),
            Some("categories")
        );
    }
}
