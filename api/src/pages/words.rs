//! Values of records in words: members, codes, dates, figures, ends of relationships.

use crate::pages::locale::Locale;
use chrono::{Datelike, NaiveDate};
use domain::base::kind::Kind;
use domain::base::vocabulary::{Coded, Labels};
use domain::value::edtf::EdtfDate;
use serde_json::Value;
use std::collections::BTreeMap;
use std::sync::LazyLock;

/// A text at a JSON pointer.
pub(super) fn text<'v>(value: &'v Value, pointer: &str) -> Option<&'v str> {
    value
        .pointer(pointer)?
        .as_str()
        .filter(|text| !text.is_empty())
}

/// A list at a JSON pointer; empty if absent.
pub(super) fn list<'v>(value: &'v Value, pointer: &str) -> &'v [Value] {
    let list = value.pointer(pointer).and_then(Value::as_array);
    list.map_or(&[], Vec::as_slice)
}

/// The texts of a list.
pub(super) fn texts<'v>(value: &'v Value, pointer: &str) -> Vec<&'v str> {
    list(value, pointer)
        .iter()
        .filter_map(Value::as_str)
        .collect()
}

pub(super) fn kind(value: &Value) -> Option<Kind> {
    Kind::parse(text(value, "/kind")?)
}

/// The plural of a kind, for headings and navigation.
pub(super) fn plural(kind: Kind, locale: Locale) -> &'static str {
    match kind {
        Kind::Region => locale.t("Regionen", "Regions"),
        Kind::Topic => locale.t("Themen", "Topics"),
        Kind::Actor => locale.t("Akteure", "Actors"),
        Kind::Network => locale.t("Netzwerke", "Networks"),
        Kind::Project => locale.t("Projekte", "Projects"),
        Kind::Event => locale.t("Veranstaltungen", "Events"),
        Kind::Relationship => locale.t("Beziehungen", "Relationships"),
    }
}

type Terms = BTreeMap<(&'static str, &'static str), Labels>;

static TERMS: LazyLock<Terms> = LazyLock::new(|| {
    let all = domain::vocabularies::all().into_iter();
    let terms = all.flat_map(|one| {
        one.items
            .into_iter()
            .map(move |term| ((one.name, term.code), term.labels))
    });
    terms.collect()
});

/// The label of a code; a code of a later release is shown as it is.
pub(super) fn code<'a>(vocabulary: &'a str, code: &'a str, locale: Locale) -> &'a str {
    TERMS
        .get(&(vocabulary, code))
        .map_or(code, |labels| locale.label(*labels))
}

/// The members of a record whose values are codes, and their vocabularies.
pub(super) fn vocabulary(kind: Kind, member: &str) -> Option<&'static str> {
    Some(match (kind, member) {
        (_, "categories") => "category",
        (_, "sector") => "sector",
        (_, "value_chain") => "value_chain",
        (_, "size") => "size",
        (_, "care_level") => "care_level",
        (_, "network_type") => "network_type",
        (Kind::Network, "phase") => "network_phase",
        (_, "level") => "region_level",
        (_, "event_type") => "event_type",
        (_, "mode") => "event_mode",
        (_, "status") => "event_status",
        (_, "publication") => "publication",
        _ => return None,
    })
}

/// German and English names of members and filters.
const MEMBERS: &[(&str, &str, &str)] = &[
    ("name", "Name", "Name"),
    ("names", "Weitere Namen", "Other names"),
    ("slug", "Kurzadresse", "Slug"),
    ("language", "Sprache", "Language"),
    ("summary", "Zusammenfassung", "Summary"),
    ("description", "Beschreibung", "Description"),
    ("translations", "Übersetzungen", "Translations"),
    ("topics", "Themen", "Topics"),
    ("topic", "Thema", "Topic"),
    ("challenges", "Herausforderungen", "Challenges"),
    ("audiences", "Zielgruppen", "Audiences"),
    ("goals", "Ziele", "Goals"),
    ("identifiers", "Kennungen", "Identifiers"),
    ("places", "Orte", "Places"),
    ("contact", "Kontakt", "Contact"),
    ("links", "Links", "Links"),
    ("media", "Medien", "Media"),
    ("figures", "Zahlen", "Figures"),
    (
        "home_region",
        "Gepflegt von der Region",
        "Maintained by the region",
    ),
    (
        "external_id",
        "Schlüssel im Quellsystem",
        "Key in the source system",
    ),
    ("source", "Quelle", "Source"),
    ("publication", "Veröffentlichung", "Publication"),
    ("categories", "Kategorie", "Category"),
    ("category", "Kategorie", "Category"),
    ("sector", "Sektor", "Sector"),
    ("value_chain", "Wertschöpfung", "Value chain"),
    ("legal_form", "Rechtsform", "Legal form"),
    ("size", "Größe", "Size"),
    ("care_level", "Versorgungsstufe", "Level of care"),
    ("founded", "Gegründet", "Founded"),
    ("dissolved", "Aufgelöst", "Dissolved"),
    ("network_type", "Art des Netzwerks", "Type of network"),
    ("phase", "Phase", "Phase"),
    ("activities", "Aktivitäten", "Activities"),
    ("joining", "Mitmachen", "Joining"),
    ("open", "Neue Mitglieder willkommen", "New members welcome"),
    ("phases", "Phasen", "Phases"),
    ("period", "Laufzeit", "Period"),
    ("tagline", "Untertitel", "Tagline"),
    ("approach", "Vorgehen", "Approach"),
    ("focus", "Schwerpunkte", "Focus"),
    ("components", "Bausteine", "Components"),
    ("milestones", "Meilensteine", "Milestones"),
    ("outcomes", "Ergebnisse", "Outcomes"),
    (
        "outcome_audience",
        "Zielgruppe der Ergebnisse",
        "Audience of outcomes",
    ),
    ("event_type", "Art der Veranstaltung", "Type of event"),
    ("mode", "Teilnahme", "Attendance"),
    ("status", "Status", "Status"),
    ("start", "Beginn", "Start"),
    ("end", "Ende", "End"),
    ("posted", "Eingestellt am", "Posted"),
    ("timezone", "Zeitzone", "Time zone"),
    ("registration_url", "Anmeldung", "Registration"),
    ("level", "Ebene", "Level"),
    ("recognition", "Anerkennung", "Recognition"),
    ("point", "Koordinaten", "Coordinates"),
    ("broader", "Oberthema", "Broader topic"),
    ("notation", "Notation", "Notation"),
    ("region", "Region", "Region"),
    ("seat", "Sitz", "Seat"),
    ("serves", "Tätig in", "Serves"),
    ("origin", "Knoten", "Node"),
    ("document", "Quelldokument", "Source document"),
    ("kind", "Art", "Kind"),
    ("type", "Art", "Type"),
    ("from", "Von", "From"),
    ("to", "Zu", "To"),
    ("roles", "Rollen", "Roles"),
    ("valid", "Zeitraum", "Period"),
    ("position", "Position", "Position"),
    ("subject", "Gegenstand", "Subject"),
    ("note", "Anmerkung", "Remarks"),
    ("website", "Website", "Website"),
    ("email", "E-Mail", "E-mail"),
    ("phone", "Telefon", "Telephone"),
    ("contact_form", "Kontaktformular", "Contact form"),
    ("programme", "Programm", "Programme"),
    ("active_on", "Aktiv im Jahr", "Active in"),
];

/// The name of a member or filter; one of a later release is shown as it is.
pub(super) fn member(name: &str, locale: Locale) -> &str {
    let known = MEMBERS.iter().find(|(known, ..)| *known == name);
    known.map_or(name, |(_, de, en)| locale.t(de, en))
}

/// German and English names of the known measures of figures.
const MEASURES: &[(&str, &str, &str)] = &[
    ("members", "Mitglieder", "members"),
    ("sub_networks", "Teilnetzwerke", "sub-networks"),
    ("attendance", "Teilnehmende", "attendees"),
    ("participants", "Teilnehmende", "participants"),
    ("sites", "Standorte", "sites"),
    ("employees", "Beschäftigte", "employees"),
    ("inhabitants", "Einwohner", "inhabitants"),
    ("amount_eur", "Euro", "euros"),
    ("clinics", "Kliniken", "clinics"),
    ("hospitals", "Krankenhäuser", "hospitals"),
    ("partners", "Partner", "partners"),
    ("projects", "Projekte", "projects"),
];

/// A number as JSON has it, with the separators of the language.
fn number(value: &Value, locale: Locale) -> String {
    if let Some(whole) = value.as_u64() {
        return locale.number(whole);
    }
    let text = value.to_string();
    match locale.0 {
        domain::base::fault::Lang::De => text.replace('.', ","),
        domain::base::fault::Lang::En => text,
    }
}

/// A figure in words: number with qualifier, and what it counts.
pub(super) fn figure(figure: &Value, locale: Locale) -> (String, String) {
    let qualifier = text(figure, "/qualifier").unwrap_or("exact");
    let mut amount = String::new();
    if qualifier != "exact" {
        amount.push_str(code("figure_qualifier", qualifier, locale));
        amount.push(' ');
    }
    let value = figure.pointer("/value").unwrap_or(&Value::Null);
    amount.push_str(&number(value, locale));
    if let Some(to) = figure.pointer("/value_to") {
        amount.push_str(locale.t(" bis ", " to "));
        amount.push_str(&number(to, locale));
    }
    if let Some(unit) = text(figure, "/unit") {
        amount.push(' ');
        amount.push_str(unit);
    }
    let measure = text(figure, "/measure").unwrap_or_default();
    let known = MEASURES.iter().find(|(known, ..)| *known == measure);
    let measure = known.map_or_else(
        || measure.replace('_', " "),
        |(_, de, en)| locale.t(de, en).to_owned(),
    );
    (amount, measure)
}

const MONTHS: [(&str, &str); 12] = [
    ("Januar", "January"),
    ("Februar", "February"),
    ("März", "March"),
    ("April", "April"),
    ("Mai", "May"),
    ("Juni", "June"),
    ("Juli", "July"),
    ("August", "August"),
    ("September", "September"),
    ("Oktober", "October"),
    ("November", "November"),
    ("Dezember", "December"),
];

pub(super) fn month(month: u32, locale: Locale) -> &'static str {
    let index = usize::try_from(month).unwrap_or_default().wrapping_sub(1);
    let found = MONTHS.get(index);
    found.map_or("", |(de, en)| locale.t(de, en))
}

/// A date, in EDTF or with a time (RFC 3339), in words; what is neither is shown as it is.
pub(super) fn date(stated: &str, locale: Locale) -> String {
    let (day, time) = match stated.split_once('T') {
        Some((day, time)) => (day, time.get(..5)),
        None => (stated, None),
    };
    let (plain, qualifier) = match day.chars().next_back() {
        Some(symbol @ ('~' | '?' | '%')) => (day.trim_end_matches(symbol), Some(symbol)),
        _ => (day, None),
    };
    let parts: Vec<&str> = plain.split('-').collect();
    let named = |text: &str| text.parse().map_or("", |number| month(number, locale));
    let mut words = match parts.as_slice() {
        [year] => (*year).to_owned(),
        [year, of] => format!("{} {year}", named(of)),
        [year, of, day] => {
            let day = day.trim_start_matches('0');
            match locale.0 {
                domain::base::fault::Lang::De => format!("{day}. {} {year}", named(of)),
                domain::base::fault::Lang::En => format!("{day} {} {year}", named(of)),
            }
        }
        _ => return stated.to_owned(),
    };
    if let Some(time) = time {
        words = match locale.0 {
            domain::base::fault::Lang::De => format!("{words}, {time} Uhr"),
            domain::base::fault::Lang::En => format!("{words}, {time}"),
        };
    }
    let doubt = locale.t(" (unsicher)", " (uncertain)");
    match qualifier {
        Some('~') => format!("{} {words}", locale.t("um", "about")),
        Some('?') => format!("{words}{doubt}"),
        Some('%') => format!("{} {words}{doubt}", locale.t("um", "about")),
        _ => words,
    }
}

/// A period in words.
pub(super) fn period(period: &Value, locale: Locale) -> Option<String> {
    let from = text(period, "/from").map(|from| date(from, locale));
    let to = text(period, "/to");
    let ongoing = to == Some("..");
    let to = to.filter(|to| *to != "..").map(|to| date(to, locale));
    Some(match (from, to) {
        (Some(from), Some(to)) if from == to => from,
        (Some(from), Some(to)) => format!("{from} – {to}"),
        (Some(from), None) => format!("{} {from}", locale.t("seit", "since")),
        (None, Some(to)) => format!("{} {to}", locale.t("bis", "until")),
        (None, None) if ongoing => locale.t("laufend", "ongoing").to_owned(),
        (None, None) => return None,
    })
}

/// Whether a period is over under every reading of its end.
pub(super) fn is_over(period: &Value, today: NaiveDate) -> bool {
    let end = text(period, "/to").and_then(|to| to.parse::<EdtfDate>().ok());
    end.is_some_and(|end| end.possible().1 < today)
}

/// The month in which a moment is, if it is stated.
pub(super) fn month_of(stated: &str) -> Option<(i32, u32)> {
    let day = stated
        .get(..10)
        .and_then(|day| day.parse::<NaiveDate>().ok());
    let day = day.or_else(|| {
        let date: EdtfDate = stated.parse().ok()?;
        (date.earliest().month() == date.latest().month()).then(|| date.earliest())
    })?;
    Some((day.year(), day.month()))
}

/// The class of an open end in words, such as „Akteur, Krankenkasse".
pub(super) fn class(class: &Value, locale: Locale) -> String {
    let mut words = Vec::new();
    if let Some(kind) = kind(class) {
        words.push(locale.label(kind.labels()));
    }
    for (member, vocabulary) in [
        ("/category", "category"),
        ("/size", "size"),
        ("/network_type", "network_type"),
        ("/level", "region_level"),
    ] {
        if let Some(value) = text(class, member) {
            words.push(code(vocabulary, value, locale));
        }
    }
    words.join(", ")
}

/// The main type of a record in words: the category of an actor, the type of a network.
pub(super) fn main_type(record: &Value, locale: Locale) -> Option<&str> {
    let kind = kind(record)?;
    let member = match kind {
        Kind::Actor => "/categories/0",
        Kind::Network => "/network_type",
        Kind::Event => "/event_type",
        Kind::Region => "/level",
        Kind::Project | Kind::Topic | Kind::Relationship => return None,
    };
    let name = member.split('/').nth(1)?;
    Some(code(vocabulary(kind, name)?, text(record, member)?, locale))
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::base::fault::Lang;
    use serde_json::json;

    const DE: Locale = Locale(Lang::De);
    const EN: Locale = Locale(Lang::En);

    #[test]
    fn dates_keep_their_precision_and_their_doubt() {
        for (stated, de, en) in [
            ("2009", "2009", "2009"),
            ("2009~", "um 2009", "about 2009"),
            ("2009-05?", "Mai 2009 (unsicher)", "May 2009 (uncertain)"),
            ("2021-01-27", "27. Januar 2021", "27 January 2021"),
            (
                "2021-01-07T09:30:00+01:00",
                "7. Januar 2021, 09:30 Uhr",
                "7 January 2021, 09:30",
            ),
            ("<b>", "<b>", "<b>"),
        ] {
            assert_eq!(date(stated, DE), de);
            assert_eq!(date(stated, EN), en);
        }
        let valid = json!({"from": "2009", "to": ".."});
        assert_eq!(period(&valid, DE).as_deref(), Some("seit 2009"));
        assert_eq!(period(&json!({}), DE), None);
    }

    #[test]
    fn only_what_is_certainly_over_is_over() {
        let today = NaiveDate::from_ymd_opt(2020, 6, 1).unwrap();
        for (to, over) in [
            ("2019", true),
            ("2019~", false),
            ("2020", false),
            ("..", false),
            ("2020-05-31", true),
        ] {
            assert_eq!(is_over(&json!({"to": to}), today), over, "{to}");
        }
    }

    #[test]
    fn figures_are_as_stated() {
        let about = json!({"measure": "members", "value": 1500, "qualifier": "about"});
        assert_eq!(
            figure(&about, DE),
            ("rund 1500".to_owned(), "Mitglieder".to_owned())
        );
        assert_eq!(
            figure(&about, EN),
            ("about 1,500".to_owned(), "members".to_owned())
        );
    }
}
