//! Dates as the sources state them: a subset of EDTF (ISO 8601-2:2019, Library of Congress EDTF).
//!
//! A page says "2009", "about 2009" or nothing at all, and the directory may not sharpen that. So a
//! [`EdtfDate`] keeps its precision and its doubt, a [`Period`] may lack either side, and only
//! [`Bounds`], which are derived and never served, turn both into calendar days that a database can
//! compare. Questions are answered with a [`Certainty`] instead of yes or no.

use std::fmt;
use std::str::FromStr;

use chrono::{DateTime, Datelike, Days, FixedOffset, Months, NaiveDate, SecondsFormat};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::fault::Fault;

/// First day that is ever stated or derived: EDTF years have four digits.
const FIRST_DAY: NaiveDate = match NaiveDate::from_ymd_opt(0, 1, 1) {
    Some(day) => day,
    None => NaiveDate::MIN,
};

/// Last day that is ever stated or derived.
const LAST_DAY: NaiveDate = match NaiveDate::from_ymd_opt(9999, 12, 31) {
    Some(day) => day,
    None => NaiveDate::MAX,
};

/// The unit in which a date is stated.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Precision {
    Year,
    Month,
    Day,
}

impl Precision {
    /// The day one unit later; `None` beyond the calendar.
    fn next(self, day: NaiveDate) -> Option<NaiveDate> {
        match self {
            Self::Year => day.checked_add_months(Months::new(12)),
            Self::Month => day.checked_add_months(Months::new(1)),
            Self::Day => day.checked_add_days(Days::new(1)),
        }
    }

    /// The day one unit earlier; `None` beyond the calendar.
    fn previous(self, day: NaiveDate) -> Option<NaiveDate> {
        match self {
            Self::Year => day.checked_sub_months(Months::new(12)),
            Self::Month => day.checked_sub_months(Months::new(1)),
            Self::Day => day.checked_sub_days(Days::new(1)),
        }
    }
}

/// The doubt that a date is stated with.
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
/// Proleptic Gregorian, years 0000–9999. Text in and out is the same, byte for byte. There is no
/// `Ord`: whether 2009 comes before 2009-06 has no answer; order by [`EdtfDate::sort_key`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct EdtfDate {
    /// First day of the stated year, month or day; the unstated parts are 1.
    first: NaiveDate,
    precision: Precision,
    qualifier: Option<Qualifier>,
}

impl EdtfDate {
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

    /// Whether the date lies in the span of `from` to `to`, both inclusive, `None` unbounded.
    ///
    /// `None` if it cannot; certain only if every day it may mean lies inside and nothing compared
    /// is qualified.
    #[must_use]
    pub fn within(&self, from: Option<&Self>, to: Option<&Self>) -> Option<Certainty> {
        span_within(self.possible(), self.is_exact(), from, to)
    }

    /// First and last day that the date may mean: the stated span, widened on both sides by one
    /// unit of its own precision if qualified, and kept within the years 0000–9999.
    fn possible(self) -> (NaiveDate, NaiveDate) {
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

/// Reads a field of exactly `width` ASCII digits.
fn number<N: FromStr>(field: &str, width: usize) -> Option<N> {
    let fits = field.len() == width && field.bytes().all(|byte| byte.is_ascii_digit());
    if fits { field.parse().ok() } else { None }
}

/// Reads a date without qualifier.
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

    /// Reads a date; fault `date` if the form is another or the day is not in the calendar.
    fn from_str(given: &str) -> Result<Self, Fault> {
        let qualifier = given.chars().next_back().and_then(Qualifier::from_symbol);
        let text = match qualifier {
            Some(qualifier) => given.strip_suffix(qualifier.symbol()).unwrap_or(given),
            None => given,
        };
        let (first, precision) =
            unqualified(text).ok_or_else(|| Fault::new("date").with("given", given))?;
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

    /// Reads an end; fault `period-end` if it is neither a date nor `..`.
    fn from_str(given: &str) -> Result<Self, Fault> {
        if given == ".." {
            return Ok(Self::Open);
        }
        let date = given
            .parse()
            .map_err(|_: Fault| Fault::new("period-end").with("given", given))?;
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

/// From when to when something holds; a side that is absent is not stated.
#[derive(
    Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize, utoipa::ToSchema,
)]
pub struct Period {
    /// When it began.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<EdtfDate>,
    /// When it ended; `..` if it had not at the `as_of` of the source.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub to: Option<End>,
}

impl Period {
    /// Checks that the period states something and may be true.
    ///
    /// # Errors
    /// `period-empty` without any date, `period-order` if it ends before it begins however
    /// generously both are read.
    pub fn check(&self) -> Result<(), Fault> {
        match (self.from, self.to) {
            (None, None) => Err(Fault::new("period-empty")),
            (Some(from), Some(End::Date(to))) if to.possible().1 < from.possible().0 => {
                Err(Fault::new("period-order").with("from", from).with("to", to))
            }
            (Some(_), Some(End::Date(_) | End::Open) | None) | (None, Some(_)) => Ok(()),
        }
    }

    /// The days between which the period begins and ends, see [`Bounds`].
    ///
    /// `as_of` is when the source said so. An open end is certain up to its earliest day only,
    /// because the source may be from that very day, and not at all if `as_of` is qualified.
    #[must_use]
    pub fn bounds(&self, as_of: Option<&EdtfDate>) -> Bounds {
        let from = self.from.map(|from| (from.possible(), from.is_exact()));
        let (to_earliest, to_latest) = match self.to {
            None => (None, None),
            Some(End::Open) => (
                as_of.filter(|date| date.is_exact()).map(EdtfDate::earliest),
                None,
            ),
            Some(End::Date(to)) => {
                let (first, last) = to.possible();
                (to.is_exact().then_some(first), Some(last))
            }
        };
        Bounds {
            from_earliest: from.map(|((first, _), _)| first),
            from_latest: from.and_then(|((_, last), exact)| exact.then_some(last)),
            to_earliest,
            to_latest,
        }
    }
}

/// The days between which a period begins and ends: what the columns of a database hold.
///
/// The outer pair decides what is possible: `from_earliest` `None` = unbounded below, `to_latest`
/// `None` = unbounded above. The inner pair decides what is certain: `from_latest` or
/// `to_earliest` `None` = never certain. All days lie in the years 0000–9999.
///
/// | stated | from: earliest, latest | to: earliest, latest |
/// |---|---|---|
/// | `2009` | 2009-01-01, 2009-12-31 | 2009-01-01, 2009-12-31 |
/// | `2009~`, `2009?`, `2009%` | 2008-01-01, `None` | `None`, 2010-12-31 |
/// | `..` | | earliest day of `as_of` if given and exact, `None` |
/// | absent | `None`, `None` | `None`, `None` |
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub struct Bounds {
    /// Before this day it had not begun.
    pub from_earliest: Option<NaiveDate>,
    /// From this day on it had certainly begun.
    pub from_latest: Option<NaiveDate>,
    /// Up to this day it had certainly not ended.
    pub to_earliest: Option<NaiveDate>,
    /// After this day it had ended.
    pub to_latest: Option<NaiveDate>,
}

impl Bounds {
    /// Whether it was so at `when`; `None` if it cannot have been.
    ///
    /// Certain if it was so on every day of an exact `when`; possible if on some day it may mean,
    /// so always for a period without any stated date.
    #[must_use]
    pub fn active_on(&self, when: &EdtfDate) -> Option<Certainty> {
        let (first, last) = when.possible();
        if self.from_earliest.is_some_and(|from| from > last)
            || self.to_latest.is_some_and(|to| to < first)
        {
            return None;
        }
        let begun = self.from_latest.is_some_and(|from| from <= first);
        let going = self.to_earliest.is_some_and(|to| last <= to);
        Some(Certainty::of(when.is_exact() && begun && going))
    }

    /// Whether it began in the span of `from` to `to`, both inclusive, `None` unbounded; `None` if
    /// it cannot have, or if no beginning is stated.
    ///
    /// A qualified beginning has no last day here (`from_latest`), so it stays possible for every
    /// later span: bounds never miss, [`EdtfDate::within`] is sharper.
    #[must_use]
    pub fn starts_in(&self, from: Option<&EdtfDate>, to: Option<&EdtfDate>) -> Option<Certainty> {
        let span = (self.from_earliest?, self.from_latest.unwrap_or(LAST_DAY));
        span_within(span, self.from_latest.is_some(), from, to)
    }
}

/// How sure an answer about stated dates is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, utoipa::ToSchema, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Certainty {
    /// Follows from what the source states.
    Certain,
    /// Is not excluded by what the source states.
    Possible,
}

impl Certainty {
    fn of(certain: bool) -> Self {
        if certain {
            Self::Certain
        } else {
            Self::Possible
        }
    }
}

/// Whether the days of `span` lie in that of `from` to `to`; `exact` if the span is not in doubt.
fn span_within(
    (first, last): (NaiveDate, NaiveDate),
    exact: bool,
    from: Option<&EdtfDate>,
    to: Option<&EdtfDate>,
) -> Option<Certainty> {
    let lower = from.map_or(FIRST_DAY, |date| date.possible().0);
    let upper = to.map_or(LAST_DAY, |date| date.possible().1);
    if last < lower || upper < first {
        return None;
    }
    let asked_exactly = from.is_none_or(EdtfDate::is_exact) && to.is_none_or(EdtfDate::is_exact);
    Some(Certainty::of(
        exact && asked_exactly && lower <= first && last <= upper,
    ))
}

/// A date-time with zone offset (RFC 3339), kept as written.
///
/// Capital `T` and `Z` only, so that every consumer reads it; the year is 0000–9999 in UTC too.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Timestamp {
    text: String,
    at: DateTime<FixedOffset>,
}

impl Timestamp {
    /// The instant with the offset as written.
    #[must_use]
    pub fn at(&self) -> DateTime<FixedOffset> {
        self.at
    }

    fn parse(given: &str) -> Option<Self> {
        // chrono also takes a space, small letters and U+2212, which others cannot read.
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

/// When an event is: a whole day (or month, or year) or an instant.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Moment {
    /// All day, in whichever zone it is read: never shifts.
    Date(EdtfDate),
    /// At an instant.
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

    /// Whether the moment lies in the span of `from` to `to`, see [`EdtfDate::within`].
    #[must_use]
    pub fn within(&self, from: Option<&EdtfDate>, to: Option<&EdtfDate>) -> Option<Certainty> {
        match self {
            Self::Date(date) => date.within(from, to),
            Self::At(_) => span_within((self.earliest(), self.latest()), true, from, to),
        }
    }
}

impl FromStr for Moment {
    type Err = Fault;

    /// Reads a moment; fault `moment` if it is neither a date nor an RFC 3339 date-time.
    fn from_str(given: &str) -> Result<Self, Fault> {
        let date = given.parse().ok().map(Self::Date);
        date.or_else(|| Timestamp::parse(given).map(Self::At))
            .ok_or_else(|| Fault::new("moment").with("given", given))
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

/// Reads a value from a JSON string.
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

    fn date(text: &str) -> EdtfDate {
        text.parse()
            .unwrap_or_else(|fault| panic!("{text}: {fault:?}"))
    }

    fn day(text: &str) -> NaiveDate {
        text.parse().unwrap()
    }

    fn bounds(from: &str, to: &str, as_of: &str) -> Bounds {
        let stated = |text: &str| (!text.is_empty()).then(|| date(text));
        let to = (!to.is_empty()).then(|| to.parse().unwrap());
        Period {
            from: stated(from),
            to,
        }
        .bounds(stated(as_of).as_ref())
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
            let fault = Fault::new("date").with("given", text);
            assert_eq!(text.parse::<EdtfDate>(), Err(fault), "{text}");
        }
    }

    #[test]
    fn periods_are_json_and_checked() {
        let period: Period = serde_json::from_str(r#"{"from":"2009~","to":".."}"#).unwrap();
        assert_eq!(
            serde_json::to_string(&period).unwrap(),
            r#"{"from":"2009~","to":".."}"#
        );
        let empty: Period = serde_json::from_str(r#"{"from":null}"#).unwrap();
        assert_eq!(serde_json::to_string(&empty).unwrap(), "{}");
        assert_eq!(empty.check().unwrap_err().code, "period-empty");
        let error = serde_json::from_str::<Period>(r#"{"to":"now"}"#).unwrap_err();
        let fault = Fault::new("period-end").with("given", "now");
        let said: serde_json::Error = fault.into_serde();
        assert!(error.to_string().starts_with(&said.to_string()), "{error}");
        let check = |from, to: &str| {
            Period {
                from: Some(date(from)),
                to: Some(to.parse().unwrap()),
            }
            .check()
        };
        assert_eq!(check("2010-06-01", "2010"), Ok(()));
        assert_eq!(check("2010~", "2009"), Ok(()));
        assert_eq!(check("2010", ".."), Ok(()));
        let order = Fault::new("period-order")
            .with("from", "2010-06")
            .with("to", "2010-05-31");
        assert_eq!(check("2010-06", "2010-05-31"), Err(order));
    }

    #[test]
    fn bounds_widen_what_is_qualified() {
        let b = bounds("2009~", "2012-03?", "");
        assert_eq!(b.from_earliest, Some(day("2008-01-01")));
        assert_eq!((b.from_latest, b.to_earliest), (None, None));
        assert_eq!(b.to_latest, Some(day("2012-04-30")));
        let b = bounds("", "..", "2021-04");
        assert_eq!(
            (b.to_earliest, b.to_latest),
            (Some(day("2021-04-01")), None)
        );
        assert_eq!(bounds("", "..", "2021~"), Bounds::default());
        let b = bounds("0000~", "9999%", "");
        assert_eq!(
            (b.from_earliest, b.to_latest),
            (Some(FIRST_DAY), Some(LAST_DAY))
        );
    }

    #[test]
    fn active_on_tells_certain_from_possible() {
        use Certainty::{Certain, Possible};
        for (from, to, as_of, when, answer) in [
            ("2009", "", "", "2010", Some(Possible)), // Klinikcluster Ruhr
            ("2009", "", "", "2008", None),
            ("2009", "..", "2021", "2010", Some(Certain)),
            ("2009", "..", "2021", "2021", Some(Possible)),
            ("2009", "..", "", "2010", Some(Possible)),
            ("2009", "2012", "", "2010", Some(Certain)),
            ("2009", "2012", "", "2010~", Some(Possible)),
            ("2009", "2012", "", "2009", Some(Possible)),
            ("2009", "2012", "", "2012-12-31", Some(Possible)),
            ("2009", "2012", "", "2013", None),
            ("2009~", "2012", "", "2010", Some(Possible)),
            ("2009~", "", "", "2008", Some(Possible)),
            ("", "2012", "", "2010", Some(Possible)),
            ("", "2012", "", "2013~", Some(Possible)),
            ("", "", "", "2010", Some(Possible)),
            ("2021-05-31", "2021-05-31", "", "2021-05-31", Some(Certain)),
        ] {
            let got = bounds(from, to, as_of).active_on(&date(when));
            assert_eq!(got, answer, "{from}/{to} as of {as_of} on {when}");
        }
        assert_eq!(serde_json::to_string(&Certain).unwrap(), r#""certain""#);
    }

    #[test]
    fn starts_in_needs_a_stated_beginning() {
        use Certainty::{Certain, Possible};
        let starts = |stated: &str, from: &str, to: &str| {
            bounds(stated, "", "").starts_in(Some(&date(from)), Some(&date(to)))
        };
        assert_eq!(starts("2009", "2009", "2009"), Some(Certain));
        assert_eq!(starts("2009", "2009-06", "2010"), Some(Possible));
        assert_eq!(starts("2009", "2010", "2011"), None);
        assert_eq!(starts("2009~", "2000", "2020"), Some(Possible));
        assert_eq!(starts("2009~", "2020", "2021"), Some(Possible));
        assert_eq!(date("2009~").within(Some(&date("2020")), None), None);
        assert_eq!(bounds("", "2012", "").starts_in(None, None), None);
        assert_eq!(bounds("2009", "", "").starts_in(None, None), Some(Certain));
    }

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
            let fault = Fault::new("moment").with("given", text);
            assert_eq!(text.parse::<Moment>(), Err(fault), "{text}");
        }
    }

    fn dates() -> impl Strategy<Value = String> {
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
            prop_assert_eq!(text.parse::<End>().unwrap().to_string(), text.clone());
            prop_assert_eq!(text.parse::<Moment>().unwrap().to_string(), text);
        }

        #[test]
        fn any_text_is_read_or_refused(text in "\\PC*|[-0-9TZ:+.~?%]{0,30}") {
            if let Ok(moment) = text.parse::<Moment>() {
                prop_assert_eq!(moment.to_string(), text.clone());
                prop_assert!(moment.earliest() <= moment.latest());
            }
            if let Ok(end) = text.parse::<End>() {
                prop_assert_eq!(end.to_string(), text);
            }
        }

        #[test]
        fn bounds_are_ordered(from in dates(), to in dates(), when in dates()) {
            let (from, when) = (date(&from), date(&when));
            let period = Period { from: Some(from), to: Some(to.parse().unwrap()) };
            let b = period.bounds(None);
            prop_assert!(from.earliest() <= from.latest());
            prop_assert!(b.from_latest.is_none_or(|last| b.from_earliest.unwrap() <= last));
            prop_assert!(b.to_earliest.is_none_or(|first| first <= b.to_latest.unwrap()));
            // What begins on a day the period may begin on, may be active then, if not over.
            if period.check().is_ok() {
                prop_assert!(b.active_on(&from).is_some());
            }
            if b.active_on(&when) == Some(Certainty::Certain) {
                prop_assert!(from.is_exact() && when.is_exact());
            }
            if from.within(Some(&when), Some(&when)).is_some() {
                prop_assert!(b.starts_in(Some(&when), Some(&when)).is_some());
            }
        }
    }
}
