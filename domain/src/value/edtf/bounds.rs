//! Periods, the days between which they begin and end, and the certainty of answers about them.

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};

use crate::base::fault::{Fault, FaultCode};
use crate::value::edtf::{EdtfDate, End, FIRST_DAY, LAST_DAY};

/// A period; a side that is absent is not stated.
#[derive(
    Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize, utoipa::ToSchema,
)]
pub struct Period {
    /// Beginning of the period.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<EdtfDate>,
    /// End of the period; `..` if it had not ended at the `as_of` of the source.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub to: Option<End>,
}

impl Period {
    /// Checks that the period states something and is plausible.
    ///
    /// # Errors
    /// `period-empty` without any date, `period-order` if it ends before it begins under every
    /// reading of both.
    pub fn check(&self) -> Result<(), Fault> {
        match (self.from, self.to) {
            (None, None) => Err(Fault::new(FaultCode::PeriodEmpty)),
            (Some(from), Some(End::Date(to))) if to.is_before(&from) => {
                Err(Fault::new(FaultCode::PeriodOrder)
                    .with("from", from)
                    .with("to", to))
            }
            (Some(_), Some(End::Date(_) | End::Open) | None) | (None, Some(_)) => Ok(()),
        }
    }

    /// The days between which the period begins and ends, see [`Bounds`].
    ///
    /// `as_of` is the date of the statement. An open end is certain up to its earliest day only,
    /// because the source may be from that very day, and never if `as_of` is qualified.
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

/// The days between which a period begins and ends, as stored in database columns.
///
/// The outer pair decides what is possible: `from_earliest` `None` = unbounded below, `to_latest`
/// `None` = unbounded above. The inner pair decides what is certain: `from_latest` or `to_earliest`
/// `None` = never certain. All days are in the years 0000–9999.
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
    pub from_latest: Option<NaiveDate>,
    /// Up to this day it had certainly not ended.
    pub to_earliest: Option<NaiveDate>,
    pub to_latest: Option<NaiveDate>,
}

impl Bounds {
    /// Whether the period covers `when`; `None` if it cannot.
    ///
    /// Certain if it covers every day of an exact `when`; possible if it covers some possible day,
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

    /// Whether the period begins in the span of `from` to `to`, both inclusive, `None` unbounded;
    /// `None` if it cannot, or if no beginning is stated.
    ///
    /// A qualified beginning has no last day here (`from_latest`), so it is possible for every
    /// later span: bounds never miss a match, [`EdtfDate::within`] is more precise.
    #[must_use]
    pub fn starts_in(&self, from: Option<&EdtfDate>, to: Option<&EdtfDate>) -> Option<Certainty> {
        let span = (self.from_earliest?, self.from_latest.unwrap_or(LAST_DAY));
        span_within(span, self.from_latest.is_some(), from, to)
    }
}

/// Certainty of an answer about stated dates.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, utoipa::ToSchema, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Certainty {
    /// Follows from the statements of the source.
    Certain,
    /// Is not excluded by the statements of the source.
    Possible,
}

impl Certainty {
    #[must_use]
    pub const fn is_certain(self) -> bool {
        matches!(self, Self::Certain)
    }

    pub(super) fn of(certain: bool) -> Self {
        if certain {
            Self::Certain
        } else {
            Self::Possible
        }
    }
}

/// Whether the days of `span` are within `from` to `to`; `exact` if the span is not in doubt.
pub(super) fn span_within(
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

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::value::edtf::tests::{date, dates, day};

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
    fn periods_are_json_and_checked() {
        let period: Period = serde_json::from_str(r#"{"from":"2009~","to":".."}"#).unwrap();
        assert_eq!(
            serde_json::to_string(&period).unwrap(),
            r#"{"from":"2009~","to":".."}"#
        );
        let empty: Period = serde_json::from_str(r#"{"from":null}"#).unwrap();
        assert_eq!(serde_json::to_string(&empty).unwrap(), "{}");
        assert_eq!(empty.check().unwrap_err().code.as_str(), "period-empty");
        let error = serde_json::from_str::<Period>(r#"{"to":"now"}"#).unwrap_err();
        let fault = Fault::new(FaultCode::PeriodEnd).with("given", "now");
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
        let order = Fault::new(FaultCode::PeriodOrder)
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

    proptest! {
        #[test]
        fn bounds_are_ordered(from in dates(), to in dates(), when in dates()) {
            let (from, when) = (date(&from), date(&when));
            let period = Period { from: Some(from), to: Some(to.parse().unwrap()) };
            let b = period.bounds(None);
            prop_assert!(from.earliest() <= from.latest());
            prop_assert!(b.from_latest.is_none_or(|last| b.from_earliest.unwrap() <= last));
            prop_assert!(b.to_earliest.is_none_or(|first| first <= b.to_latest.unwrap()));
            // A period that may begin on a day may be active on it, if it is not over.
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
