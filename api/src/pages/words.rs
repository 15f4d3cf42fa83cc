//! Values of records in words: members, codes, dates, figures, ends of relationships.

use crate::pages::locale::Locale;
use chrono::{DateTime, Datelike, NaiveDate};
use domain::base::clock::Tz;
use domain::base::kind::Kind;
use domain::base::vocabulary::{Coded, Labels};
use domain::kinds::relationship::table::{RULES, Side};
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
    ("near", "In der Nähe von", "Near"),
    ("radius", "Umkreis", "Within"),
    ("bbox", "Kartenausschnitt", "Part of the map"),
    ("start_from", "Beginn ab", "Start from"),
    ("start_to", "Beginn bis", "Start until"),
    ("end_from", "Ende ab", "End from"),
    ("end_to", "Ende bis", "End until"),
    ("founded_from", "Gegründet ab", "Founded from"),
    ("founded_to", "Gegründet bis", "Founded until"),
    ("dissolved_from", "Aufgelöst ab", "Dissolved from"),
    ("dissolved_to", "Aufgelöst bis", "Dissolved until"),
    ("certainty", "Gewissheit", "Certainty"),
    (
        "attendance_min",
        "Teilnehmende mindestens",
        "Attendees at least",
    ),
    ("updated_since", "Geändert seit", "Changed since"),
    ("relationships_on", "Beziehungen am", "Relationships on"),
    ("id", "Kennung", "Id"),
    ("identifier", "Kennung", "Identifier"),
    ("licence", "Lizenz", "Licence"),
    ("part_of.direct", "Direkt Teil von", "Directly part of"),
];

/// The name of a member or filter; one of a later release is shown as it is.
pub(super) fn member(name: &str, locale: Locale) -> &str {
    let known = MEMBERS.iter().find(|(known, ..)| *known == name);
    let known = known.map(|(_, de, en)| locale.t(de, en));
    known.or_else(|| related(name, locale)).unwrap_or(name)
}

/// How a type of relationship reads that is a filter of lists, from either end.
fn related(name: &str, locale: Locale) -> Option<&'static str> {
    RULES.iter().find_map(|rule| {
        let side = if rule.code.code() == name {
            Side::From
        } else if rule.inverse == name {
            Side::To
        } else {
            return None;
        };
        Some(locale.label(rule.label(side)))
    })
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

/// The begin or end of an event, with the time that clocks show where it takes place: in its own
/// time zone, or in that of the node if it names none. An unknown zone leaves it as stated.
pub(super) fn local(event: &Value, pointer: &str, usual: Tz) -> Option<String> {
    let stated = text(event, pointer)?;
    let zone = text(event, "/timezone").map_or(Some(usual), |name| name.parse().ok());
    let at = DateTime::parse_from_rfc3339(stated).ok();
    let there = at
        .zip(zone)
        .map(|(at, zone)| at.with_timezone(&zone).format("%Y-%m-%dT%H:%M").to_string());
    Some(there.unwrap_or_else(|| stated.to_owned()))
}

/// The begin or end of an event in words; see [`local`].
pub(super) fn moment(event: &Value, pointer: &str, usual: Tz, locale: Locale) -> Option<String> {
    local(event, pointer, usual).map(|stated| date(&stated, locale))
}

/// A time of RFC 3339 in words, with its offset if it has one.
fn time(stated: &str, locale: Locale) -> Option<String> {
    let clock = stated.get(..5)?;
    let rest = stated.get(5..).unwrap_or_default();
    let offset = match rest.find(['Z', '+', '-']).and_then(|at| rest.get(at..)) {
        None => String::new(),
        Some("Z" | "+00:00" | "-00:00") => " UTC".to_owned(),
        Some(offset) => format!(" UTC{offset}"),
    };
    Some(match locale.0 {
        domain::base::fault::Lang::De => format!("{clock} Uhr{offset}"),
        domain::base::fault::Lang::En => format!("{clock}{offset}"),
    })
}

/// A date, in EDTF or with a time (RFC 3339), in words; what is neither is shown as it is.
pub(super) fn date(stated: &str, locale: Locale) -> String {
    let (day, time) = match stated.split_once('T') {
        Some((day, clock)) => (day, time(clock, locale)),
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
        words = format!("{words}, {time}");
    }
    let doubt = locale.t(" (unsicher)", " (uncertain)");
    match qualifier {
        Some('~') => format!("{} {words}", locale.t("um", "about")),
        Some('?') => format!("{words}{doubt}"),
        Some('%') => format!("{} {words}{doubt}", locale.t("um", "about")),
        _ => words,
    }
}

/// A period in words. `..` says that it has not ended; an absent end says nothing.
pub(super) fn period(period: &Value, locale: Locale) -> Option<String> {
    let from = text(period, "/from").map(|from| date(from, locale));
    let to = text(period, "/to");
    let ongoing = to == Some("..");
    let to = to.filter(|to| *to != "..").map(|to| date(to, locale));
    Some(match (from, to) {
        (Some(from), Some(to)) if from == to => from,
        (Some(from), Some(to)) => format!("{from} – {to}"),
        (Some(from), None) if ongoing => format!("{} {from}", locale.t("seit", "since")),
        (Some(from), None) => {
            let open = locale.t("(Ende nicht genannt)", "(end not stated)");
            format!("{} {from} {open}", locale.t("ab", "from"))
        }
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
                "7. Januar 2021, 09:30 Uhr UTC+01:00",
                "7 January 2021, 09:30 UTC+01:00",
            ),
            (
                "2021-01-07T09:30:00.5Z",
                "7. Januar 2021, 09:30 Uhr UTC",
                "7 January 2021, 09:30 UTC",
            ),
            ("<b>", "<b>", "<b>"),
        ] {
            assert_eq!(date(stated, DE), de);
            assert_eq!(date(stated, EN), en);
        }
    }

    #[test]
    fn an_event_has_the_time_of_its_place() {
        let shown = |start: &str, zone: Value| {
            let event = json!({"start": start, "timezone": zone});
            moment(&event, "/start", Tz::Europe__Berlin, DE).unwrap()
        };
        let stated = "2026-07-01T08:00:00Z";
        for (zone, words) in [
            (Value::Null, "1. Juli 2026, 10:00 Uhr"),
            (json!("Europe/Berlin"), "1. Juli 2026, 10:00 Uhr"),
            (json!("America/New_York"), "1. Juli 2026, 04:00 Uhr"),
            (json!("Mars/Olympus"), "1. Juli 2026, 08:00 Uhr UTC"),
        ] {
            assert_eq!(shown(stated, zone.clone()), words, "{zone}");
        }
        // The day is that of the place too, and a day has no zone.
        let late = shown("2026-06-30T22:30:00Z", Value::Null);
        assert_eq!(late, "1. Juli 2026, 00:30 Uhr");
        assert_eq!(shown("2026-06-30", Value::Null), "30. Juni 2026");
        assert_eq!(shown("<b>", Value::Null), "<b>");
    }

    #[test]
    fn only_what_has_not_ended_goes_on_since() {
        for (valid, de, en) in [
            (
                json!({"from": "2009", "to": ".."}),
                "seit 2009",
                "since 2009",
            ),
            (
                json!({"from": "2009"}),
                "ab 2009 (Ende nicht genannt)",
                "from 2009 (end not stated)",
            ),
            (json!({"to": "2012"}), "bis 2012", "until 2012"),
            (json!({"to": ".."}), "laufend", "ongoing"),
            (
                json!({"from": "2009", "to": "2012"}),
                "2009 – 2012",
                "2009 – 2012",
            ),
        ] {
            assert_eq!(period(&valid, DE).as_deref(), Some(de), "{valid}");
            assert_eq!(period(&valid, EN).as_deref(), Some(en), "{valid}");
        }
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
    fn filters_have_names_in_both_languages() {
        for (name, de, en) in [
            ("near", "In der Nähe von", "Near"),
            ("start_from", "Beginn ab", "Start from"),
            ("serves", "Tätig in", "Serves"),
            ("later", "later", "later"),
        ] {
            assert_eq!(member(name, DE), de);
            assert_eq!(member(name, EN), en);
        }
        for rule in RULES.iter().copied() {
            assert_ne!(member(rule.inverse, DE), rule.inverse);
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
