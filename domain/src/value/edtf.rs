//! Dates as the sources state them: a subset of EDTF (ISO 8601-2:2019, Library of Congress EDTF).
//!
//! A page says "2009", "about 2009" or nothing at all, and the directory must not be more precise.
//! So an [`EdtfDate`] keeps its precision and its doubt, a [`Period`] may lack either side, and
//! only [`Bounds`], which are derived and never served, turn both into calendar days that a
//! database can compare. Questions are answered with a [`Certainty`] instead of yes or no.

use std::fmt;
use std::str::FromStr;

use chrono::{Datelike, Days, Months, NaiveDate};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::base::fault::{Fault, FaultCode};

mod bounds;
mod moment;

use bounds::span_within;
pub use bounds::{Bounds, Certainty, Period};
pub use moment::{Moment, Timestamp};

/// Lower limit of stated and derived days: EDTF years have four digits.
const FIRST_DAY: NaiveDate = match NaiveDate::from_ymd_opt(0, 1, 1) {
    Some(day) => day,
    None => NaiveDate::MIN,
};

const LAST_DAY: NaiveDate = match NaiveDate::from_ymd_opt(9999, 12, 31) {
    Some(day) => day,
    None => NaiveDate::MAX,
};

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Precision {
    Year,
    Month,
    Day,
}

impl Precision {
    fn next(self, day: NaiveDate) -> Option<NaiveDate> {
        match self {
            Self::Year => day.checked_add_months(Months::new(12)),
            Self::Month => day.checked_add_months(Months::new(1)),
            Self::Day => day.checked_add_days(Days::new(1)),
        }
    }

    fn previous(self, day: NaiveDate) -> Option<NaiveDate> {
        match self {
            Self::Year => day.checked_sub_months(Months::new(12)),
            Self::Month => day.checked_sub_months(Months::new(1)),
            Self::Day => day.checked_sub_days(Days::new(1)),
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Qualifier {
    Approximate,
    Uncertain,
    Both,
}

impl Qualifier {
    fn from_symbol(symbol: char) -> Option<Self> {
        match symbol {
            '~' => Some(Self::Approximate),
            '?' => Some(Self::Uncertain),
            '%' => Some(Self::Both),
            _ => None,
        }
    }

    fn symbol(self) -> char {
        match self {
            Self::Approximate => '~',
            Self::Uncertain => '?',
            Self::Both => '%',
        }
    }
}

/// A calendar date as stated: `YYYY`, `YYYY-MM` or `YYYY-MM-DD`, optionally followed by `~`
/// (approximate), `?` (uncertain) or `%` (both).
///
/// Proleptic Gregorian, years 0000–9999. Input and output text are identical, byte for byte. There
/// is no `Ord`: whether 2009 comes before 2009-06 has no answer; sort by [`EdtfDate::sort_key`].
///
/// It is not called `Date`, because utoipa treats any type of that name as a full-date string and
/// never uses its schema.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct EdtfDate {
    /// First day of the stated year, month or day; the unstated parts are 1.
    first: NaiveDate,
    precision: Precision,
    qualifier: Option<Qualifier>,
}

impl EdtfDate {
    /// A day without doubt; the nearest in the years 0000–9999.
    #[must_use]
    pub fn of(day: NaiveDate) -> Self {
        Self {
            first: day.clamp(FIRST_DAY, LAST_DAY),
            precision: Precision::Day,
            qualifier: None,
        }
    }

    /// First day of the stated span: 2009-01-01 for `2009` and for `2009~`.
    #[must_use]
    pub fn earliest(&self) -> NaiveDate {
        self.first
    }

    /// Last day of the stated span: 2009-12-31 for `2009` and for `2009~`.
    #[must_use]
    pub fn latest(&self) -> NaiveDate {
        let next = self.precision.next(self.first);
        next.and_then(|day| day.pred_opt()).unwrap_or(LAST_DAY)
    }

    /// Whether the source states the date without doubt; `2009` is exact, though coarse.
    #[must_use]
    pub fn is_exact(&self) -> bool {
        self.qualifier.is_none()
    }

    /// Text whose byte order is the order of the earliest days (ISO 8601, `YYYY-MM-DD`).
    #[must_use]
    pub fn sort_key(&self) -> String {
        self.first.to_string()
    }

    /// Whether the date is in the span of `from` to `to`, both inclusive, `None` unbounded.
    ///
    /// `None` if it cannot be; certain only if every possible day is inside and no compared date is
    /// qualified.
    #[must_use]
    pub fn within(&self, from: Option<&Self>, to: Option<&Self>) -> Option<Certainty> {
        span_within(self.possible(), self.is_exact(), from, to)
    }

    /// Whether the date is before another under every reading of both: 2008 before 2009, but
    /// neither 2009 before 2009-06 nor 2008~ before 2009.
    #[must_use]
    pub fn is_before(&self, other: &Self) -> bool {
        self.possible().1 < other.possible().0
    }

    /// First and last possible day: the stated span, widened on both sides by one unit of its own
    /// precision if qualified, and kept within the years 0000–9999.
    #[must_use]
    pub fn possible(self) -> (NaiveDate, NaiveDate) {
        if self.is_exact() {
            return (self.earliest(), self.latest());
        }
        let unit = self.precision;
        let first = unit.previous(self.first).unwrap_or(FIRST_DAY);
        // The last day is counted from first days, because months differ in length.
        let after = unit.next(self.first).and_then(|day| unit.next(day));
        let last = after.and_then(|day| day.pred_opt()).unwrap_or(LAST_DAY);
        (first.max(FIRST_DAY), last.min(LAST_DAY))
    }
}

/// Parses a field of exactly `width` ASCII digits.
fn number<N: FromStr>(field: &str, width: usize) -> Option<N> {
    let fits = field.len() == width && field.bytes().all(|byte| byte.is_ascii_digit());
    if fits { field.parse().ok() } else { None }
}

fn unqualified(text: &str) -> Option<(NaiveDate, Precision)> {
    let fields: Vec<&str> = text.splitn(4, '-').collect();
    let (precision, month, day) = match fields.as_slice() {
        [_] => (Precision::Year, 1, 1),
        [_, month] => (Precision::Month, number(month, 2)?, 1),
        [_, month, day] => (Precision::Day, number(month, 2)?, number(day, 2)?),
        _ => return None,
    };
    let year = number(fields.first()?, 4)?;
    Some((NaiveDate::from_ymd_opt(year, month, day)?, precision))
}

impl FromStr for EdtfDate {
    type Err = Fault;

    /// Parses a date; violation `date` if the form is wrong or the day does not exist.
    fn from_str(given: &str) -> Result<Self, Fault> {
        let qualifier = given.chars().next_back().and_then(Qualifier::from_symbol);
        let text = match qualifier {
            Some(qualifier) => given.strip_suffix(qualifier.symbol()).unwrap_or(given),
            None => given,
        };
        let (first, precision) =
            unqualified(text).ok_or_else(|| Fault::new(FaultCode::Date).with("given", given))?;
        Ok(Self {
            first,
            precision,
            qualifier,
        })
    }
}

impl fmt::Display for EdtfDate {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (year, month) = (self.first.year(), self.first.month());
        match self.precision {
            Precision::Year => write!(out, "{year:04}")?,
            Precision::Month => write!(out, "{year:04}-{month:02}")?,
            Precision::Day => write!(out, "{year:04}-{month:02}-{:02}", self.first.day())?,
        }
        self.qualifier
            .map_or(Ok(()), |qualifier| write!(out, "{}", qualifier.symbol()))
    }
}

/// The end of a period: a date, or `..` for open.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum End {
    /// Ended, or will end, on that date.
    Date(EdtfDate),
    /// `..`: had not ended at the `as_of` of the source.
    Open,
}

impl FromStr for End {
    type Err = Fault;

    /// Parses an end; violation `period-end` if it is neither a date nor `..`.
    fn from_str(given: &str) -> Result<Self, Fault> {
        if given == ".." {
            return Ok(Self::Open);
        }
        let date = given
            .parse()
            .map_err(|_: Fault| Fault::new(FaultCode::PeriodEnd).with("given", given))?;
        Ok(Self::Date(date))
    }
}

impl fmt::Display for End {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Date(date) => date.fmt(out),
            Self::Open => out.write_str(".."),
        }
    }
}

fn from_text<'de, D, T>(deserializer: D) -> Result<T, D::Error>
where
    D: Deserializer<'de>,
    T: FromStr<Err = Fault>,
{
    String::deserialize(deserializer)?
        .parse()
        .map_err(Fault::into_serde)
}

impl Serialize for EdtfDate {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for EdtfDate {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        from_text(deserializer)
    }
}

impl Serialize for End {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for End {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        from_text(deserializer)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    pub(super) fn date(text: &str) -> EdtfDate {
        text.parse()
            .unwrap_or_else(|fault| panic!("{text}: {fault:?}"))
    }

    pub(super) fn day(text: &str) -> NaiveDate {
        text.parse().unwrap()
    }

    #[test]
    fn spans_and_refusals() {
        let leap = date("2024-02%");
        assert_eq!(
            (leap.earliest(), leap.latest()),
            (day("2024-02-01"), day("2024-02-29"))
        );
        assert!(!leap.is_exact() && date("2009").is_exact());
        assert_eq!(date("9999").latest(), day("9999-12-31"));
        let broken = "|209|02009|2009-1|2009-13|2023-02-29|2021-00|2009~~|~2009|2009-|+009|-009|\
                      2009-01-01-01|2009 |２００９|2009-01-01T|..|2009~?|20a9|2009/2010|~";
        for text in broken.split('|') {
            let fault = Fault::new(FaultCode::Date).with("given", text);
            assert_eq!(text.parse::<EdtfDate>(), Err(fault), "{text}");
        }
    }

    pub(super) fn dates() -> impl Strategy<Value = String> {
        let qualifier = prop_oneof![Just(""), Just("~"), Just("?"), Just("%")];
        (0..=9999_i32, 1..=12_u32, 1..=28_u32, 0..3_u8, qualifier).prop_map(|(y, m, d, p, q)| {
            match p {
                0 => format!("{y:04}{q}"),
                1 => format!("{y:04}-{m:02}{q}"),
                _ => format!("{y:04}-{m:02}-{d:02}{q}"),
            }
        })
    }

    proptest! {
        #[test]
        fn dates_roundtrip(text in dates()) {
            let json = serde_json::to_string(&text).unwrap();
            let parsed: EdtfDate = serde_json::from_str(&json).unwrap();
            prop_assert_eq!(serde_json::to_string(&parsed).unwrap(), json);
            prop_assert_eq!(text.parse::<End>().unwrap().to_string(), text);
        }

        #[test]
        fn any_text_is_read_or_refused(text in "\\PC*|[-0-9.~?%]{0,12}") {
            if let Ok(end) = text.parse::<End>() {
                prop_assert_eq!(end.to_string(), text);
            }
        }
    }
}
