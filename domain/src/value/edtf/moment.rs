//! Moments: dates, or instants with a zone.

use std::fmt;
use std::str::FromStr;

use chrono::{DateTime, Datelike, FixedOffset, NaiveDate, SecondsFormat};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::base::fault::{Fault, FaultCode};
use crate::value::edtf::bounds::span_within;
use crate::value::edtf::{Certainty, EdtfDate, from_text};

/// A date-time with zone offset (RFC 3339), kept as written.
///
/// Capital `T` and `Z` only, so that every consumer can parse it; the year is 0000–9999 in UTC too.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Timestamp {
    text: String,
    at: DateTime<FixedOffset>,
}

impl Timestamp {
    #[must_use]
    pub fn at(&self) -> DateTime<FixedOffset> {
        self.at
    }

    fn parse(given: &str) -> Option<Self> {
        // chrono also accepts a space, small letters and U+2212, which other parsers reject.
        let plain = |char: char| char.is_ascii_digit() || "-+:.TZ".contains(char);
        let at = DateTime::parse_from_rfc3339(given)
            .ok()
            .filter(|_| given.chars().all(plain))?;
        (0..=9999).contains(&at.to_utc().year()).then(|| Self {
            text: given.to_owned(),
            at,
        })
    }
}

/// Time of an event: a whole day (or month, or year) or an instant.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Moment {
    /// All day, in whatever time zone it is read: never shifts.
    Date(EdtfDate),
    At(Timestamp),
}

impl Moment {
    /// First calendar day, as written and not shifted to another zone.
    #[must_use]
    pub fn earliest(&self) -> NaiveDate {
        match self {
            Self::Date(date) => date.earliest(),
            Self::At(time) => time.at.date_naive(),
        }
    }

    /// Last calendar day, as written and not shifted to another zone.
    #[must_use]
    pub fn latest(&self) -> NaiveDate {
        match self {
            Self::Date(date) => date.latest(),
            Self::At(time) => time.at.date_naive(),
        }
    }

    /// Whether the moment is before another under every reading of both: two instants by the clock,
    /// everything else by calendar days as written, see [`EdtfDate::is_before`].
    #[must_use]
    pub fn is_before(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::At(one), Self::At(other)) => one.at < other.at,
            (Self::Date(_), _) | (_, Self::Date(_)) => self.possible().1 < other.possible().0,
        }
    }

    /// Whether the source states it without doubt, see [`EdtfDate::is_exact`].
    #[must_use]
    pub fn is_exact(&self) -> bool {
        match self {
            Self::Date(date) => date.is_exact(),
            Self::At(_) => true,
        }
    }

    #[must_use]
    pub fn possible(&self) -> (NaiveDate, NaiveDate) {
        match self {
            Self::Date(date) => date.possible(),
            Self::At(_) => (self.earliest(), self.latest()),
        }
    }

    /// Text whose byte order is the order in time, in UTC to the nanosecond.
    ///
    /// A date (`2021-01-27`) comes before the times of that UTC day (`2021-01-27T09:00:00.…Z`).
    #[must_use]
    pub fn sort_key(&self) -> String {
        match self {
            Self::Date(date) => date.sort_key(),
            Self::At(time) => time.at.to_utc().to_rfc3339_opts(SecondsFormat::Nanos, true),
        }
    }

    /// Whether the moment is in the span of `from` to `to`, see [`EdtfDate::within`].
    #[must_use]
    pub fn within(&self, from: Option<&EdtfDate>, to: Option<&EdtfDate>) -> Option<Certainty> {
        match self {
            Self::Date(date) => date.within(from, to),
            Self::At(_) => span_within(self.possible(), true, from, to),
        }
    }
}

impl FromStr for Moment {
    type Err = Fault;

    /// Parses a moment; violation `moment` if it is neither a date nor an RFC 3339 date-time.
    fn from_str(given: &str) -> Result<Self, Fault> {
        let date = given.parse().ok().map(Self::Date);
        date.or_else(|| Timestamp::parse(given).map(Self::At))
            .ok_or_else(|| Fault::new(FaultCode::Moment).with("given", given))
    }
}

impl fmt::Display for Moment {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Date(date) => date.fmt(out),
            Self::At(time) => out.write_str(&time.text),
        }
    }
}

impl Serialize for Moment {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Moment {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        from_text(deserializer)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::value::edtf::tests::{date, dates, day};

    #[test]
    fn moments_keep_their_text_and_sort_in_utc() {
        let moment = |text: &str| text.parse::<Moment>().unwrap();
        let time = moment("2021-01-27T00:30:00+01:00");
        assert_eq!(time.to_string(), "2021-01-27T00:30:00+01:00");
        assert_eq!(
            (time.earliest(), time.latest()),
            (day("2021-01-27"), day("2021-01-27"))
        );
        assert_eq!(time.sort_key(), "2021-01-26T23:30:00.000000000Z");
        assert_eq!(
            time.within(Some(&date("2021-01-27")), None),
            Some(Certainty::Certain)
        );
        let morning = moment("2021-01-27T10:00:00+01:00");
        assert!(moment("2021-01-27").sort_key() < morning.sort_key());
        assert!(moment("2021-01-27T09:00:00.5Z").sort_key() > morning.sort_key());
        assert_eq!(moment("2021-01~").latest(), day("2021-01-31"));
        let broken = "2021-01-27T10:00:00|2021-01-27 10:00:00Z|2021-01-27t10:00:00z|..||\
                      2021-01-27T25:00:00Z|2021-01-27T10:00:00−01:00|0000-01-01T00:00:00+01:00|\
                      2021-01-27T10:00Z|2021-01-27T10:00:00+0100|9999-12-31T23:30:00-01:00";
        for text in broken.split('|') {
            let fault = Fault::new(FaultCode::Moment).with("given", text);
            assert_eq!(text.parse::<Moment>(), Err(fault), "{text}");
        }
    }

    #[test]
    fn before_is_by_the_clock_or_by_generous_days() {
        let before = |one: &str, other: &str| {
            let other = other.parse::<Moment>().unwrap();
            one.parse::<Moment>().unwrap().is_before(&other)
        };
        assert!(before("2021-01-27T10:00:00+01:00", "2021-01-27T09:30:00Z"));
        // Later by the clock although the written day is earlier.
        assert!(!before(
            "2021-01-27T23:30:00-05:00",
            "2021-01-28T01:00:00+01:00"
        ));
        assert!(!before("2021-01-27T10:00:00Z", "2021-01-27T10:00:00Z"));
        assert!(!before("2021-01-27", "2021-01-27T10:00:00Z"));
        assert!(before("2021-01-26T23:59:59Z", "2021-01-27"));
        assert!(before("2021-01-26", "2021-01-27T00:00:00Z"));
        assert!(!before("2021-01-26", "2021-01-27~"));
        assert!(!before("2021-01-26~", "2021-01-27T00:00:00Z"));
        assert!(before("2008", "2009") && !before("2008?", "2009"));
    }

    proptest! {
        #[test]
        fn dates_are_moments(text in dates()) {
            prop_assert_eq!(text.parse::<Moment>().unwrap().to_string(), text);
        }

        #[test]
        fn any_text_is_read_or_refused(text in "\\PC*|[-0-9TZ:+.~?%]{0,30}") {
            if let Ok(moment) = text.parse::<Moment>() {
                prop_assert_eq!(moment.to_string(), text);
                prop_assert!(moment.earliest() <= moment.latest());
            }
        }
    }
}
