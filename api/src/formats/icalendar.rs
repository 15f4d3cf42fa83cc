//! iCalendar (RFC 5545, RFC 7986): events as entries that calendars subscribe to.
//!
//! Only an event with a day or an instant is an entry. A day is `VALUE=DATE` and never shifts; an
//! instant is in UTC, because a `TZID` without its `VTIMEZONE` is read differently by each program.

use crate::formats::place::{label, revised};
use crate::formats::{Context, Documented, Format, Item, ListSchema, RecordSchema, page};
use crate::http::problem::{Code, Problem};
use chrono::{DateTime, Datelike, Days, NaiveDate, NaiveTime, Utc};
use domain::base::fault::Lang;
use domain::base::vocabulary::Coded;
use domain::kinds::event::{EventMode, EventStatus, EventType};
use domain::value::edtf::Moment;
use persistence::StoreError;
use serde_json::{Map, Value, json};

/// How often subscribers should ask: every six hours.
const REFRESH: &str = "PT6H";

#[derive(Debug)]
pub struct ICalendar;

impl Format for ICalendar {
    fn media_type(&self) -> &'static str {
        "text/calendar"
    }

    fn extension(&self) -> &'static str {
        "ics"
    }

    fn name(&self) -> &'static str {
        "iCalendar"
    }

    fn about(&self) -> &'static str {
        "iCalendar (RFC 5545): all of them in one response; without `start_from`, `start_to` and `active_on` those of the last year and later. Events without a day, and reports, are no entries"
    }

    fn content_type(&self) -> &'static str {
        "text/calendar; charset=utf-8; method=PUBLISH"
    }

    fn has_addresses(&self) -> bool {
        true
    }

    fn is_calendar(&self) -> bool {
        true
    }

    fn head(&self, context: &Context, to: &mut String) {
        let place = &context.place;
        let version = env!("CARGO_PKG_VERSION");
        line(to, "BEGIN", "VCALENDAR");
        line(to, "VERSION", "2.0");
        line(to, "PRODID", &format!("-//Verbund//Verbund {version}//EN"));
        line(to, "CALSCALE", "GREGORIAN");
        line(to, "METHOD", "PUBLISH");
        line(to, "NAME", &escaped(&place.title));
        // Before RFC 7986, and still by some.
        line(to, "X-WR-CALNAME", &escaped(&place.title));
        if let Some(rights) = rights(context) {
            line(to, "DESCRIPTION", &escaped(&rights));
        }
        line(to, "REFRESH-INTERVAL;VALUE=DURATION", REFRESH);
        line(to, "X-PUBLISHED-TTL", REFRESH);
        let address = place.site.url(&place.path);
        line(to, "URL", &address);
        line(to, "SOURCE;VALUE=URI", &address);
        write_zone(to);
    }

    fn item(&self, item: &Item<'_>, context: &Context, to: &mut String) -> Result<(), Problem> {
        let event: Value =
            serde_json::from_str(item.json).map_err(|why| StoreError::Corrupt(why.to_string()))?;
        let status = status(&event);
        let postponed = status == Some(EventStatus::Postponed);
        let withdrawn = postponed && entry_dates(&event).is_none();
        let Some((start, end)) = dates(&event, item.more) else {
            return Ok(());
        };
        let row = item.row;
        line(to, "BEGIN", "VEVENT");
        line(to, "UID", &format!("{}@{}", row.id, row.origin));
        line(to, "DTSTAMP", &utc(row.updated_at));
        line(to, "CREATED", &utc(row.created_at));
        line(to, "LAST-MODIFIED", &utc(row.updated_at));
        line(to, "SEQUENCE", &(row.version - 1).to_string());
        line(to, &format!("DTSTART{}", start.parameter()), &start.text());
        if let Some(end) = end {
            line(to, &format!("DTEND{}", end.parameter()), &end.text());
        }
        text(to, "SUMMARY", event.get("name"));
        let description = event.get("description").or_else(|| event.get("summary"));
        text(to, "DESCRIPTION", description);
        let state = match status {
            Some(EventStatus::Cancelled) => "CANCELLED",
            Some(EventStatus::Postponed) if withdrawn => "CANCELLED",
            Some(EventStatus::Postponed) => "TENTATIVE",
            Some(EventStatus::Scheduled | EventStatus::Held) | None => "CONFIRMED",
        };
        line(to, "STATUS", state);
        if postponed {
            line(
                to,
                "COMMENT",
                &escaped(comment(withdrawn, context.place.lang)),
            );
        }
        write_place(&event, context, to);
        let categories = [
            label::<EventType>(event.get("event_type"), context.place.lang),
            label::<EventMode>(event.get("mode"), context.place.lang),
        ];
        let categories: Vec<String> = categories.into_iter().flatten().map(escaped).collect();
        if !categories.is_empty() {
            line(to, "CATEGORIES", &categories.join(","));
        }
        line(to, "URL", &context.place.of(row.kind, row.id));
        if let Some(licence) = event.get("licence").and_then(Value::as_str) {
            line(to, "LINK;LINKREL=\"license\";VALUE=URI", licence);
        }
        if revised(row, &event) {
            line(to, "X-VERBUND-CHANGED", "TRUE");
        }
        line(to, "END", "VEVENT");
        Ok(())
    }

    fn tail(&self, _: &Value, to: &mut String) {
        line(to, "END", "VCALENDAR");
    }

    fn record(&self, item: &Item<'_>, context: &Context, more: &Value) -> Result<String, Problem> {
        let event: Value =
            serde_json::from_str(item.json).map_err(|why| StoreError::Corrupt(why.to_string()))?;
        if dates(&event, item.more).is_none() {
            return Err(Problem::new(Code::NotFound).detail(
                "This event is no entry of a calendar: it has no day, or is a report.",
                "Diese Veranstaltung ist kein Kalendereintrag: Sie hat keinen Tag oder ist ein Bericht.",
            ));
        }
        page(self, context, std::iter::once(*item), more)
    }

    fn document_record(&self, _: &RecordSchema) -> Documented {
        documented()
    }

    fn document_list(&self, _: &ListSchema) -> Documented {
        documented()
    }
}

/// Member of [`Item::more`]: the dates that a postponed event had.
pub const FORMER: &str = "former";

/// The beginning or end of an entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EntryTime {
    Day(NaiveDate),
    At(DateTime<Utc>),
}

impl EntryTime {
    const fn parameter(self) -> &'static str {
        match self {
            Self::Day(_) => ";VALUE=DATE",
            Self::At(_) => "",
        }
    }

    fn text(self) -> String {
        match self {
            Self::Day(day) => day.format("%Y%m%d").to_string(),
            Self::At(at) => utc(at),
        }
    }
}

/// When an event is in a calendar: its beginning and, exclusively, its end, both of one type.
/// `None` if its beginning is not known to the day.
#[must_use]
pub fn entry_dates(event: &Value) -> Option<(EntryTime, Option<EntryTime>)> {
    let moment = |member: &str| event.get(member)?.as_str()?.parse::<Moment>().ok();
    let end = moment("end").filter(is_precise);
    let start = moment("start").filter(is_precise)?;
    let after = |day: NaiveDate| day.checked_add_days(Days::new(1));
    Some(match start {
        Moment::Date(date) => {
            let first = date.earliest();
            let last = end.map_or(first, |end| end.latest()).max(first);
            // A calendar year has four digits.
            let end = after(last).filter(|day| day.year() <= 9999);
            let end = end.map(EntryTime::Day);
            (EntryTime::Day(first), end)
        }
        Moment::At(start) => {
            let end = end.and_then(|end| match end {
                Moment::At(end) => Some(end.at().to_utc()),
                // The whole last day, where it takes place.
                Moment::Date(day) => {
                    let midnight = after(day.latest())?.and_time(NaiveTime::MIN);
                    let there = midnight.and_local_timezone(*start.at().offset());
                    there.single().map(|end| end.to_utc())
                }
            });
            let start = start.at().to_utc();
            let end = end.filter(|end| *end > start).map(EntryTime::At);
            (EntryTime::At(start), end)
        }
    })
}

/// Whether an event is in a calendar by its own dates.
#[must_use]
pub fn has_entry(event: &Value) -> bool {
    dates(event, None).is_some()
}

/// The dates of an entry; `None` if the event is none.
fn dates(event: &Value, more: Option<&Value>) -> Option<(EntryTime, Option<EntryTime>)> {
    if event_type(event) == Some(EventType::Report) {
        return None;
    }
    let own = entry_dates(event);
    let postponed = status(event) == Some(EventStatus::Postponed);
    // A calendar that has the entry must learn that it does not take place then.
    let former = || entry_dates(more?.get(FORMER)?).filter(|_| postponed);
    own.or_else(former)
}

/// Whether a moment is a single day, or an instant, without doubt.
fn is_precise(moment: &Moment) -> bool {
    match moment {
        Moment::Date(date) => date.is_exact() && date.earliest() == date.latest(),
        Moment::At(_) => true,
    }
}

fn event_type(event: &Value) -> Option<EventType> {
    EventType::parse(event.get("event_type")?.as_str()?)
}

fn status(event: &Value) -> Option<EventStatus> {
    EventStatus::parse(event.get("status")?.as_str()?)
}

const fn comment(withdrawn: bool, lang: Lang) -> &'static str {
    match (withdrawn, lang) {
        (true, Lang::De) => "Verschoben; ein neuer Termin steht noch nicht fest.",
        (true, Lang::En) => "Postponed; there is no new date yet.",
        (false, Lang::De) => "Verschoben auf diesen Termin.",
        (false, Lang::En) => "Postponed to this date.",
    }
}

/// Provider and licence, as a sentence.
fn rights(context: &Context) -> Option<String> {
    let site = &context.place.site;
    let known = [site.publisher.as_deref(), site.licence.as_deref()];
    let known: Vec<&str> = known.into_iter().flatten().collect();
    (!known.is_empty()).then(|| known.join(", "))
}

/// `LOCATION` and `GEO`: the first place, or that it is online.
fn write_place(event: &Value, context: &Context, to: &mut String) {
    let place = event.pointer("/places/0");
    let part = |names: &[&str]| {
        let parts = names.iter().filter_map(|name| place?.get(name)?.as_str());
        parts.collect::<Vec<_>>().join(" ")
    };
    let lines = [
        part(&["label"]),
        part(&["street"]),
        part(&["postal_code", "city"]),
    ];
    let lines: Vec<String> = lines.into_iter().filter(|one| !one.is_empty()).collect();
    let online = event.get("mode") == Some(&json!(EventMode::Online));
    if !lines.is_empty() {
        line(to, "LOCATION", &escaped(&lines.join(", ")));
    } else if online {
        line(
            to,
            "LOCATION",
            EventMode::Online.labels().get(context.place.lang),
        );
    }
    let degree = |name: &str| place?.get("point")?.get(name)?.as_f64();
    if let (Some(lat), Some(lon)) = (degree("lat"), degree("lon")) {
        line(to, "GEO", &format!("{lat:.6};{lon:.6}"));
    }
}

/// The zone of all times. A calendar needs a component, and may have no events (RFC 5545, 3.6).
fn write_zone(to: &mut String) {
    for (name, value) in [
        ("BEGIN", "VTIMEZONE"),
        ("TZID", "UTC"),
        ("BEGIN", "STANDARD"),
        ("DTSTART", "19700101T000000"),
        ("TZOFFSETFROM", "+0000"),
        ("TZOFFSETTO", "+0000"),
        ("TZNAME", "UTC"),
        ("END", "STANDARD"),
        ("END", "VTIMEZONE"),
    ] {
        line(to, name, value);
    }
}

fn utc(at: DateTime<Utc>) -> String {
    at.format("%Y%m%dT%H%M%SZ").to_string()
}

fn text(to: &mut String, name: &str, value: Option<&Value>) {
    if let Some(value) = value.and_then(Value::as_str) {
        line(to, name, &escaped(value));
    }
}

/// A text as a value (RFC 5545, 3.3.11). Control characters are not allowed in one.
fn escaped(value: &str) -> String {
    let mut text = String::with_capacity(value.len() + 8);
    for char in value.chars() {
        match char {
            '\\' | ',' | ';' => {
                text.push('\\');
                text.push(char);
            }
            '\n' => text.push_str("\\n"),
            '\t' => text.push(char),
            char if char.is_control() => {}
            char => text.push(char),
        }
    }
    text
}

/// Octets of a line without its end (RFC 5545, 3.1).
const LONGEST: usize = 75;

/// Writes a line, folded between characters where it is too long.
fn line(to: &mut String, name: &str, value: &str) {
    let mut octets = 0;
    for char in name.chars().chain([':']).chain(value.chars()) {
        // Addresses of copies are kept as received.
        if char == '\r' || char == '\n' {
            continue;
        }
        if octets + char.len_utf8() > LONGEST {
            to.push_str("\r\n ");
            octets = 1;
        }
        to.push(char);
        octets += char.len_utf8();
    }
    to.push_str("\r\n");
}

fn documented() -> Documented {
    Documented {
        schema: json!({"type": "string", "description": "RFC 5545. `UID` is the id and the origin of the event, `SEQUENCE` its version minus one. A day is `VALUE=DATE` with an exclusive `DTEND`, an instant is in UTC. An event that was cancelled, or postponed without a new date, stays with `STATUS:CANCELLED`."}),
        example: json!(
            "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//Verbund//Verbund 0.1.0//EN\r\nMETHOD:PUBLISH\r\nBEGIN:VTIMEZONE\r\nTZID:UTC\r\nBEGIN:STANDARD\r\nDTSTART:19700101T000000\r\nTZOFFSETFROM:+0000\r\nTZOFFSETTO:+0000\r\nEND:STANDARD\r\nEND:VTIMEZONE\r\nBEGIN:VEVENT\r\nUID:0193e5a0-0000-7000-8000-000000000000@nordhessen\r\nDTSTAMP:20260131T080000Z\r\nDTSTART;VALUE=DATE:20260312\r\nDTEND;VALUE=DATE:20260313\r\nSUMMARY:Regionaler Workshop\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n"
        ),
        components: Map::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_folded_between_characters() {
        let mut text = String::new();
        line(&mut text, "SUMMARY", &"ä".repeat(100));
        for line in text.split("\r\n") {
            assert!(line.len() <= LONGEST, "{line}");
        }
        let unfolded = text.replace("\r\n ", "");
        assert_eq!(unfolded, format!("SUMMARY:{}\r\n", "ä".repeat(100)));
    }

    #[test]
    fn texts_cannot_add_lines() {
        assert_eq!(
            escaped("a\r\nBEGIN:VEVENT\u{0}, b; c\\"),
            "a\\nBEGIN:VEVENT\\, b\\; c\\\\"
        );
        let mut text = String::new();
        line(&mut text, "URL", "https://a.example/\r\nX:y");
        assert_eq!(text, "URL:https://a.example/X:y\r\n");
    }

    #[test]
    fn reports_and_what_has_no_day_are_no_entries() {
        for (event, entry) in [
            (json!({"start": "2026-03-12"}), true),
            (json!({"start": "2026-03"}), false),
            (json!({"posted": "2026-03-12"}), false),
            (
                json!({"start": "2026-03-12", "event_type": "report"}),
                false,
            ),
        ] {
            assert_eq!(has_entry(&event), entry, "{event}");
        }
        let former = json!({"former": {"start": "2026-03-12"}});
        assert!(dates(&json!({"status": "postponed"}), Some(&former)).is_some());
        assert!(dates(&json!({"status": "cancelled"}), Some(&former)).is_none());
    }

    #[test]
    fn an_entry_needs_a_day() {
        let dates = |start: &str, end: &str| {
            let (start, end) = entry_dates(&json!({"start": start, "end": end}))?;
            let end = end.map(EntryTime::text).unwrap_or_default();
            Some((start.text(), end))
        };
        let expected = |start: &str, end: &str| Some((start.to_owned(), end.to_owned()));
        for (start, end, entry) in [
            ("2026-03-12", "", expected("20260312", "20260313")),
            ("2026-12-30", "2026-12-31", expected("20261230", "20270101")),
            ("2026-03-12", "2026-03", expected("20260312", "20260313")),
            ("9999-12-31", "", expected("99991231", "")),
            ("2026-03", "", None),
            ("2026", "2026-03-12", None),
            ("2026-03-12~", "", None),
            (
                "2026-03-12T09:00:00+01:00",
                "2026-03-12T17:30:00+01:00",
                expected("20260312T080000Z", "20260312T163000Z"),
            ),
            // It ends with its last day in its own time zone.
            (
                "2026-03-12T09:00:00+01:00",
                "2026-03-13",
                expected("20260312T080000Z", "20260313T230000Z"),
            ),
            ("2026-03-12T09:00:00Z", "", expected("20260312T090000Z", "")),
            (
                "2026-03-12",
                "2026-03-13T12:00:00+01:00",
                expected("20260312", "20260314"),
            ),
        ] {
            assert_eq!(dates(start, end), entry, "{start} to {end}");
        }
    }
}
