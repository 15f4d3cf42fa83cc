//! Events: kick-offs, workshops, conferences, and reports on them.

use crate::base::fault::{Fault, FaultCode};
use crate::base::filter::Filter;
use crate::base::kind::Kind;
use crate::base::rename::Rename;
use crate::base::vocabulary::Coded;
use crate::kinds::common::Described;
use crate::kinds::dates::Dates;
use crate::kinds::record_type::RecordType;
use crate::value::edtf::{self, Moment};
use crate::value::text;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use validator::{Validate, ValidationError};

crate::vocabulary! {
    /// Type of an event.
    EventType "event_type" {
        Kickoff "kickoff" "Auftaktveranstaltung" "Kick-off";
        Workshop "workshop" "Workshop" "Workshop";
        Conference "conference" "Tagung" "Conference";
        Training "training" "Weiterbildung" "Training";
        Meeting "meeting" "Treffen" "Meeting";
        Fair "fair" "Messe" "Fair";
        Report "report" "Bericht" "Report";
    }
}

crate::vocabulary! {
    /// Mode of attendance of an event.
    EventMode "event_mode" {
        InPerson "in_person" "Vor Ort" "In person";
        Online "online" "Online" "Online";
        Hybrid "hybrid" "Hybrid" "Hybrid";
    }
}

crate::vocabulary! {
    /// Whether an event takes place.
    EventStatus "event_status" {
        Scheduled "scheduled" "Geplant" "Scheduled";
        Postponed "postponed" "Verschoben" "Postponed";
        Cancelled "cancelled" "Abgesagt" "Cancelled";
        Held "held" "Durchgeführt" "Held";
    }
}

/// An event, or the report on one. Attendance is a figure.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, ToSchema, Validate)]
#[serde(default)]
#[validate(schema(function = "check", skip_on_field_errors = false))]
pub struct Event {
    /// Members of every described kind.
    #[serde(flatten)]
    #[validate(nested)]
    pub described: Described,
    /// Type of the event.
    pub event_type: Option<EventType>,
    /// Mode of attendance.
    pub mode: Option<EventMode>,
    /// Whether the event takes place.
    pub status: Option<EventStatus>,
    /// When the event begins: a date (all-day, never shifts with the time zone), or a time with its
    /// offset; a local time is taken with the offset of `timezone`.
    pub start: Option<Moment>,
    /// When the event ends; a date is the last day, unlike `DTEND` in iCalendar.
    pub end: Option<Moment>,
    /// When the entry was posted; says nothing about the time of the event.
    pub posted: Option<edtf::EdtfDate>,
    /// IANA time zone of the place.
    #[schema(
        min_length = 1,
        max_length = 64,
        example = "Europe/Berlin",
        format = "time-zone"
    )]
    pub timezone: Option<String>,
    /// Focal points in order.
    #[schema(max_items = 100)]
    pub focus: Vec<text::Line>,
    /// Registration page (http or https).
    #[schema(format = "http-url", max_length = 2000)]
    pub registration_url: Option<String>,
}

fn check(event: &Event) -> Result<(), ValidationError> {
    if let (Some(start), Some(end)) = (&event.start, &event.end)
        && end.is_before(start)
    {
        return Err(Fault::new(FaultCode::Order)
            .with("field", "end")
            .with("later", format!("`end` ({end})"))
            .with("earlier", format!("`start` ({start})"))
            .into());
    }
    Ok(())
}

impl RecordType for Event {
    const KIND: Kind = Kind::Event;
    const A: &'static str = "an event";
    const TAG: &'static str = "Events";
    const TAG_DE: &'static str = "Veranstaltungen";
    const ABOUT: &'static str = "Events, and reports on them.";
    const TEXTS: &'static [&'static str] = &["focus"];
    const RENAMES: &'static [Rename] = &[Rename::member("format", "event_type")];
    const FILTERS: &'static [Filter] = &[
        Filter::code(
            "event_type",
            "/event_type",
            EventType::vocabulary,
            "The type of the event.",
            "workshop",
        ),
        Filter::code(
            "mode",
            "/mode",
            EventMode::vocabulary,
            "Mode of attendance.",
            "online",
        ),
        Filter::code(
            "status",
            "/status",
            EventStatus::vocabulary,
            "Whether the event takes place.",
            "held",
        ),
    ];
    const SUGGESTION_RANK: u8 = 2;
    const DATES: Dates = Dates::Start;
    const EXAMPLE: &'static str = r#"{"name":"Regionaler Workshop Digital Local Care","event_type":"workshop","mode":"online","start":"2021-01-27","figures":[{"measure":"attendance","value":40,"qualifier":"about","as_stated":"Rund 40 Teilnehmende"}],"home_region":"gesundheitsmetropole-ruhr","source":{"document":"004"}}"#;

    fn described(&self) -> Option<&Described> {
        Some(&self.described)
    }
}
