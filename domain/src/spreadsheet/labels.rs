//! German and English names of members, as headings.

use crate::base::fault::Lang;
use crate::base::kind::Kind;
use crate::base::vocabulary::Coded;
use crate::exchange::table::{Column, columns};
use std::collections::BTreeMap;
use std::sync::LazyLock;

/// Columns with names of their own: path, German, English, and further names.
pub(super) const COLUMNS: &[(&str, &str, &str, &[&str])] = &[
    ("id", "Id", "Id", &[]),
    ("kind", "Datensatzart", "Kind of record", &[]),
    ("version", "Version", "Version", &[]),
    (
        "name",
        "Name",
        "Name",
        &[
            "Bezeichnung",
            "Name der Einrichtung",
            "Einrichtung",
            "Organisation",
            "Institution",
        ],
    ),
    ("slug", "Kurzname", "Slug", &["Kürzel in der Adresse"]),
    ("external_id.system", "Quellsystem", "Source system", &[]),
    (
        "external_id.id",
        "Schlüssel",
        "Key",
        &["Schlüssel im Quellsystem", "Lfd. Nr.", "Nr.", "Nummer"],
    ),
    (
        "home_region",
        "Region",
        "Region",
        &["Heimatregion", "Home region"],
    ),
    (
        "publication",
        "Veröffentlichung",
        "Publication",
        &["Veröffentlicht", "Published"],
    ),
    ("publish_at", "Veröffentlichen am", "Publish at", &[]),
    (
        "summary",
        "Kurzbeschreibung",
        "Summary",
        &["Zusammenfassung", "Kurztext"],
    ),
    ("description", "Beschreibung", "Description", &["Text"]),
    (
        "places.postal_code",
        "PLZ",
        "Postal code",
        &["Postleitzahl", "ZIP", "ZIP code", "Postcode"],
    ),
    ("places.city", "Ort", "Town", &["Stadt", "City", "Gemeinde"]),
    (
        "places.street",
        "Straße",
        "Street",
        &[
            "Straße und Hausnummer",
            "Straße/Nr.",
            "Straße, Hausnummer",
            "Anschrift",
            "Adresse",
            "Address",
            "Street and number",
        ],
    ),
    ("places.quarter", "Ortsteil", "Quarter", &["Stadtteil"]),
    ("places.country", "Land", "Country", &["Staat"]),
    (
        "places.region",
        "Region des Ortes",
        "Region of the place",
        &["Kreis", "Landkreis", "Kreis/kreisfreie Stadt"],
    ),
    (
        "places.label",
        "Bezeichnung des Ortes",
        "Label of the place",
        &[],
    ),
    (
        "places.point.lat",
        "Breitengrad",
        "Latitude",
        &["Breite", "lat", "Geo-Breite", "Geografische Breite"],
    ),
    (
        "places.point.lon",
        "Längengrad",
        "Longitude",
        &[
            "Länge",
            "lon",
            "lng",
            "long",
            "Geo-Länge",
            "Geografische Länge",
        ],
    ),
    (
        "contact.phone",
        "Telefon",
        "Telephone",
        &["Tel.", "Telefonnummer", "Phone", "Rufnummer", "Telefon-Nr."],
    ),
    (
        "contact.email",
        "E-Mail",
        "E-mail",
        &["Mail", "E-Mail-Adresse", "Mailadresse"],
    ),
    (
        "contact.website",
        "Website",
        "Website",
        &[
            "Webseite",
            "Homepage",
            "Internet",
            "Internetadresse",
            "Internetseite",
            "Webadresse",
            "URL",
            "Web",
            "WWW",
        ],
    ),
    (
        "contact.contact_form",
        "Kontaktformular",
        "Contact form",
        &[],
    ),
    (
        "categories",
        "Kategorie",
        "Category",
        &[
            "Kategorien",
            "Categories",
            "Art der Einrichtung",
            "Einrichtungsart",
            "Einrichtungstyp",
        ],
    ),
    ("sector", "Sektor", "Sector", &[]),
    ("value_chain", "Wertschöpfung", "Value chain", &[]),
    ("legal_form", "Rechtsform", "Legal form", &[]),
    ("size", "Größe", "Size", &["Größenklasse"]),
    (
        "care_level",
        "Versorgungsstufe",
        "Level of care",
        &["Care level"],
    ),
    (
        "founded",
        "Gründung",
        "Founded",
        &["Gegründet", "Gründungsjahr", "Gründungsdatum"],
    ),
    ("dissolved", "Auflösung", "Dissolved", &["Aufgelöst"]),
    ("topics", "Themen", "Topics", &["Thema", "Topic"]),
    ("goals", "Ziele", "Goals", &[]),
    ("challenges", "Herausforderungen", "Challenges", &[]),
    ("audiences", "Zielgruppen", "Audiences", &["Zielgruppe"]),
    (
        "network_type",
        "Netzwerktyp",
        "Type of network",
        &["Netzwerkart"],
    ),
    ("phase", "Phase", "Phase", &[]),
    ("activities", "Aktivitäten", "Activities", &[]),
    ("level", "Ebene", "Level", &[]),
    (
        "point.lat",
        "Breitengrad der Region",
        "Latitude of the region",
        &[],
    ),
    (
        "point.lon",
        "Längengrad der Region",
        "Longitude of the region",
        &[],
    ),
    ("period.from", "Beginn", "Start", &["Laufzeit von", "Start"]),
    ("period.to", "Ende", "End", &["Laufzeit bis"]),
    (
        "event_type",
        "Veranstaltungsart",
        "Type of event",
        &["Veranstaltungstyp", "Format"],
    ),
    ("mode", "Durchführung", "Mode", &[]),
    ("status", "Status", "Status", &[]),
    ("start", "Beginn", "Start", &["Datum", "Date", "Von"]),
    ("end", "Ende", "End", &["Bis"]),
    ("timezone", "Zeitzone", "Time zone", &[]),
    (
        "registration_url",
        "Anmeldung",
        "Registration",
        &["Anmeldelink"],
    ),
    ("broader", "Oberbegriff", "Broader topic", &[]),
    ("notation", "Notation", "Notation", &[]),
    (
        "type",
        "Art der Beziehung",
        "Type of relationship",
        &["Beziehung", "Beziehungsart"],
    ),
    ("from", "Von", "From", &[]),
    ("to", "Zu", "To", &["Nach"]),
    ("roles", "Rolle", "Role", &["Rollen", "Roles", "Funktion"]),
    (
        "valid.from",
        "Gültig von",
        "Valid from",
        &["Seit", "Beginn", "Mitglied seit", "Eintritt", "Beitritt"],
    ),
    (
        "valid.to",
        "Gültig bis",
        "Valid to",
        &["Bis", "Ende", "Austritt"],
    ),
    ("position", "Position", "Position", &["Reihenfolge"]),
    ("subject", "Gegenstand", "Subject", &[]),
    ("note", "Anmerkung", "Note", &["Bemerkung", "Notiz"]),
];

/// Members, of which the names of the other columns are made.
const MEMBERS: &[(&str, &str, &str)] = &[
    ("alt", "Alternativtext", "Alternative text"),
    ("approach", "Vorgehen", "Approach"),
    ("as_of", "Stand", "As of"),
    ("as_stated", "Wortlaut", "As stated"),
    ("audiences", "Zielgruppen", "Audiences"),
    ("available_at", "Erhältlich bei", "Available at"),
    ("benefits", "Vorteile", "Benefits"),
    ("by", "Durch", "By"),
    ("caption", "Bildunterschrift", "Caption"),
    ("category", "Kategorie", "Category"),
    ("class", "Klasse", "Class"),
    ("components", "Bestandteile", "Components"),
    ("contact", "Kontakt", "Contact"),
    ("created_at", "Angelegt am", "Created at"),
    ("credit", "Urheber", "Credit"),
    ("date", "Datum", "Date"),
    ("description", "Beschreibung", "Description"),
    ("document", "Dokument", "Document"),
    ("figures", "Zahlen", "Figures"),
    ("focus", "Schwerpunkte", "Focus"),
    ("from", "Von", "From"),
    ("how", "Weg", "How"),
    ("identifiers", "Kennungen", "Identifiers"),
    ("joining", "Mitmachen", "Joining"),
    ("kind", "Datensatzart", "Kind of record"),
    ("label", "Bezeichnung", "Label"),
    ("language", "Sprache", "Language"),
    ("level", "Ebene", "Level"),
    ("licence", "Lizenz", "Licence"),
    ("links", "Links", "Links"),
    ("measure", "Messgröße", "Measure"),
    ("media", "Medien", "Media"),
    ("milestones", "Meilensteine", "Milestones"),
    (
        "name_is_description",
        "Name ist Umschreibung",
        "Name is a description",
    ),
    ("names", "Weitere Namen", "Further names"),
    ("network_type", "Netzwerktyp", "Type of network"),
    ("note", "Anmerkung", "Note"),
    ("open", "Offen", "Open"),
    ("origin", "Herkunft", "Origin"),
    ("other_members", "Sonstiges", "Other members"),
    ("outcomes", "Ergebnisse", "Outcomes"),
    ("phase", "Phase", "Phase"),
    ("phases", "Phasen", "Phases"),
    ("places", "Orte", "Places"),
    ("posted", "Bekanntgabe", "Posted"),
    ("publisher", "Herausgeber", "Publisher"),
    ("qualifier", "Genauigkeit", "Qualifier"),
    ("recognition", "Anerkennung", "Recognition"),
    ("rel", "Bezug", "Relation"),
    ("retrieved_at", "Abgerufen am", "Retrieved at"),
    ("scheme", "Schema", "Scheme"),
    ("since", "Seit", "Since"),
    ("size", "Größe", "Size"),
    ("source", "Quelle", "Source"),
    ("state", "Stand", "State"),
    ("synced_at", "Übernommen am", "Synced at"),
    ("tagline", "Leitsatz", "Tagline"),
    ("title", "Titel", "Title"),
    ("to", "Bis", "To"),
    ("topics", "Themen", "Topics"),
    ("translations", "Übersetzungen", "Translations"),
    ("truncated", "Gekürzt", "Truncated"),
    ("type", "Art", "Type"),
    ("unit", "Einheit", "Unit"),
    ("updated_at", "Geändert am", "Updated at"),
    ("url", "Adresse im Web", "Web address"),
    ("valid", "Gültig", "Valid"),
    ("value", "Wert", "Value"),
    ("value_to", "Wert bis", "Value to"),
    (
        "withheld_members",
        "Zurückgehaltene Angaben",
        "Withheld members",
    ),
];

/// The name of a column for people, unique in a table of its kind.
#[must_use]
pub fn label(kind: Kind, column: &Column, lang: Lang) -> &'static str {
    type Names = BTreeMap<Kind, BTreeMap<&'static str, (String, String)>>;
    static NAMES: LazyLock<Names> = LazyLock::new(|| {
        let all = Kind::ALL.iter().map(|kind| {
            let names = columns(*kind).iter().map(|one| {
                let names = (made(one, Lang::De), made(one, Lang::En));
                (one.name.as_str(), names)
            });
            (*kind, names.collect())
        });
        all.collect()
    });
    let found = NAMES
        .get(&kind)
        .and_then(|names| names.get(column.name.as_str()));
    found.map_or("", |(de, en)| match lang {
        Lang::De => de,
        Lang::En => en,
    })
}

fn made(column: &Column, lang: Lang) -> String {
    if let Some((_, de, en, _)) = COLUMNS.iter().find(|(path, ..)| *path == column.name) {
        return of(lang, de, en).to_owned();
    }
    if column.path_members().next().is_none() {
        return member_label(&column.name, lang).to_owned();
    }
    let members = column.path_members().enumerate().map(|(at, member)| {
        // `to` is an end, and within a period its end.
        let own = COLUMNS.iter().find(|(path, ..)| at == 0 && *path == member);
        own.map_or_else(
            || member_label(member, lang),
            |(_, de, en, _)| of(lang, de, en),
        )
    });
    members.collect::<Vec<_>>().join(": ")
}

/// The name of a member for people; the member itself if it has none.
#[must_use]
pub fn member_label(member: &str, lang: Lang) -> &str {
    if let Some((_, de, en)) = MEMBERS.iter().find(|(name, ..)| *name == member) {
        return of(lang, de, en);
    }
    let column = COLUMNS.iter().find(|(path, ..)| *path == member);
    column.map_or(member, |(_, de, en, _)| of(lang, de, en))
}

fn of<'a>(lang: Lang, de: &'a str, en: &'a str) -> &'a str {
    match lang {
        Lang::De => de,
        Lang::En => en,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::spreadsheet::{Meaning, meaning};

    #[test]
    fn every_column_has_a_name_of_its_own_that_leads_back_to_it() {
        for kind in Kind::ALL {
            for lang in [Lang::De, Lang::En] {
                let mut seen = BTreeMap::new();
                for column in columns(*kind) {
                    let label = label(*kind, column, lang);
                    assert!(
                        !label.is_empty() && !label.contains('_'),
                        "{}: {label}",
                        column.name
                    );
                    let other = seen.insert(label, &column.name);
                    assert_eq!(other, None, "{label} in {kind}");
                    assert_eq!(meaning(*kind, label), Meaning::Column(column.name.as_str()));
                }
            }
        }
    }
}
