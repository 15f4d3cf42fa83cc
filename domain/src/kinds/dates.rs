//! The dates of a kind, from which its date filters and sort orders follow.

use crate::value::edtf::{Bounds, EdtfDate, End, Moment, Period};
use chrono::NaiveDate;
use serde::de::DeserializeOwned;
use serde_json::Value;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Dates {
    None,
    /// A member `period` of activity, and the periods of `phases`.
    Period,
    /// Members `start` and `end`; `posted` if there is no start.
    Start,
    /// Members `founded` and `dissolved`.
    Lifetime,
}

/// When something begins and ends, as far as that is stated.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Span {
    pub begin: Option<Moment>,
    pub end: Option<Moment>,
    /// When it is going on; `None` if it is not something that goes on, or nothing is stated of an
    /// event.
    pub bounds: Option<Bounds>,
}

impl Dates {
    /// The names by which lists filter and sort by begin and end.
    #[must_use]
    pub const fn names(self) -> Option<(&'static str, &'static str)> {
        match self {
            Self::None => None,
            Self::Period | Self::Start => Some(("start", "end")),
            Self::Lifetime => Some(("founded", "dissolved")),
        }
    }

    /// Whether records go on between begin and end, so that lists have `active_on`.
    #[must_use]
    pub const fn go_on(self) -> bool {
        matches!(self, Self::Period | Self::Start)
    }

    /// When what a body describes begins and ends. Members that cannot be read, as in copies of a
    /// newer release, count as absent.
    ///
    /// `known_on` is a day on which the body was known to be true: what was completed by then has
    /// ended.
    #[must_use]
    pub fn span(self, body: &Value, known_on: NaiveDate) -> Span {
        match self {
            Self::None => Span::default(),
            Self::Period => project(body, known_on),
            Self::Start => event(read(body, "/start"), read(body, "/end")),
            Self::Lifetime => Span {
                begin: read(body, "/founded"),
                end: read(body, "/dissolved"),
                bounds: None,
            },
        }
    }
}

fn event(begin: Option<Moment>, end: Option<Moment>) -> Span {
    let last = end.as_ref().or(begin.as_ref());
    let bounds = begin.as_ref().zip(last).map(|(begin, last)| {
        let (from, to) = (begin.possible(), last.possible());
        Bounds {
            from_earliest: Some(from.0),
            from_latest: begin.is_exact().then_some(from.1),
            to_earliest: last.is_exact().then_some(to.0),
            to_latest: Some(to.1),
        }
    });
    // Of an event of one day, the begin is all that is said of its end.
    let end = end.or_else(|| begin.clone());
    Span { begin, end, bounds }
}

/// The phases in which a project is no longer going on.
const OVER: [&str; 2] = ["completed", "cancelled"];

/// The period of a project, completed by its phases where it says nothing.
fn project(body: &Value, known_on: NaiveDate) -> Span {
    let period: Period = read(body, "/period").unwrap_or_default();
    let as_of: Option<EdtfDate> = read(body, "/source/as_of");
    let phases = body.get("phases").and_then(Value::as_array);
    let phases: Vec<(&str, Period)> = phases
        .into_iter()
        .flatten()
        .map(|phase| {
            let code = phase.get("phase").and_then(Value::as_str);
            let valid = read(phase, "/valid").unwrap_or_default();
            (code.unwrap_or_default(), valid)
        })
        .collect();
    let from = period.from.or_else(|| {
        let mut phases = phases.iter();
        phases.find_map(|(_, valid)| valid.from)
    });
    let last = phases.last();
    let over = last.is_some_and(|(code, _)| OVER.contains(code));
    let to = period.to.or_else(|| match last {
        Some((_, valid)) if over => valid.from.map(End::Date),
        Some((_, valid)) => valid.to,
        None => None,
    });
    let mut bounds = Period { from, to }.bounds(as_of.as_ref());
    if over && !matches!(to, Some(End::Date(_))) {
        let known_on = as_of.map_or(known_on, |date| date.possible().1);
        bounds.to_earliest = None;
        bounds.to_latest = Some(known_on);
    }
    Span {
        begin: from.map(Moment::Date),
        end: match to {
            Some(End::Date(date)) => Some(Moment::Date(date)),
            Some(End::Open) | None => None,
        },
        bounds: Some(bounds),
    }
}

fn read<T: DeserializeOwned>(body: &Value, pointer: &str) -> Option<T> {
    serde_json::from_value(body.pointer(pointer)?.clone()).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::vocabulary::Coded;
    use crate::kinds::project::ProjectPhase;
    use crate::value::edtf::Certainty;
    use serde_json::json;

    fn active(dates: Dates, body: &Value, on: &str) -> Option<Certainty> {
        let known_on = NaiveDate::from_ymd_opt(2024, 5, 1).unwrap();
        let span = dates.span(body, known_on);
        span.bounds?.active_on(&on.parse().unwrap())
    }

    #[test]
    fn an_event_is_on_from_its_start_to_its_end() {
        let congress = json!({"start": "2026-11-28", "end": "2026-12-02"});
        let certain = Some(Certainty::Certain);
        for (body, on, expected) in [
            (&congress, "2026-11-30", certain),
            (&congress, "2026-11-27", None),
            (&congress, "2026-12-03", None),
            (&json!({"start": "2026-11-30"}), "2026-11-30", certain),
            (&json!({"start": "2026-11-30"}), "2026-12-01", None),
            (
                &json!({"start": "2026-11-30T19:00:00+01:00"}),
                "2026-11-30",
                certain,
            ),
            (
                &json!({"start": "2026"}),
                "2026-11-30",
                Some(Certainty::Possible),
            ),
            // A posting date says nothing about the event.
            (&json!({"posted": "2026-11-30"}), "2026-11-30", None),
        ] {
            assert_eq!(active(Dates::Start, body, on), expected, "{body} {on}");
        }
    }

    #[test]
    fn a_project_goes_on_as_long_as_its_phases_say() {
        let over = [ProjectPhase::Completed, ProjectPhase::Cancelled];
        assert_eq!(over.map(ProjectPhase::code), OVER);
        let (certain, possible) = (Some(Certainty::Certain), Some(Certainty::Possible));
        let phases = json!({"phases": [
            {"phase": "running", "valid": {"from": "2010", "to": "2014"}},
            {"phase": "completed", "valid": {"from": "2015"}},
        ]});
        let completed = json!({"phases": [{"phase": "completed"}]});
        let told = json!({"phases": [{"phase": "completed"}], "source": {"as_of": "2012"}});
        let stated = json!({"period": {"to": "2030"}, "phases": [{"phase": "completed"}]});
        for (body, on, expected) in [
            (&phases, "2009", None),
            (&phases, "2012", certain),
            (&phases, "2015", possible),
            (&phases, "2016", None),
            (&completed, "2023", possible),
            (&completed, "2040", None),
            (&told, "2012", possible),
            (&told, "2013", None),
            (&stated, "2029", possible),
            (&json!({}), "2040", possible),
        ] {
            assert_eq!(active(Dates::Period, body, on), expected, "{body} {on}");
        }
    }

    #[test]
    fn begin_and_end_are_those_of_the_kind() {
        let day = NaiveDate::default();
        let moment = |text: &str| Some(text.parse::<Moment>().unwrap());
        let span = Dates::Lifetime.span(&json!({"founded": "2005~", "dissolved": "2011"}), day);
        assert_eq!((span.begin, span.end), (moment("2005~"), moment("2011")));
        assert_eq!(span.bounds, None);
        let span = Dates::Period.span(&json!({"period": {"from": "2020", "to": ".."}}), day);
        assert_eq!((span.begin, span.end), (moment("2020"), None));
        let span = Dates::Start.span(&json!({"start": "2020-01-02", "end": 7}), day);
        assert_eq!(span.end, moment("2020-01-02"));
        assert_eq!(
            Dates::None.span(&json!({"start": "2020"}), day),
            Span::default()
        );
    }
}
