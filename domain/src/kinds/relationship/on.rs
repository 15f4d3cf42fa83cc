//! Which relationships count in filters, facets, trees, graphs and `include`: those of a day.

use crate::kinds::relationship::table::Rule;
use crate::value::edtf::{Bounds, EdtfDate};
use chrono::NaiveDate;

/// The day on which relationships have to hold to count.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub enum RelationshipsOn {
    /// Standing ones today, the given day; all others whenever they hold.
    Today(NaiveDate),
    /// All on this date.
    Date {
        date: EdtfDate,
        /// Only those that certainly hold then.
        certain: bool,
    },
    /// Whenever they hold.
    #[default]
    Any,
}

/// A day on which one relationship has to hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct HoldsOn {
    pub date: EdtfDate,
    pub certain: bool,
}

impl RelationshipsOn {
    /// When those of a type have to hold; `None` if any time will do. Types of a newer release,
    /// which have no rule here, are not standing.
    #[must_use]
    pub fn of(self, rule: Option<&Rule>) -> Option<HoldsOn> {
        match self {
            Self::Today(day) => rule.is_some_and(|rule| rule.standing).then(|| HoldsOn {
                date: EdtfDate::of(day),
                certain: false,
            }),
            Self::Date { date, certain } => Some(HoldsOn { date, certain }),
            Self::Any => None,
        }
    }

    /// The date, if one was asked for.
    #[must_use]
    pub const fn date(self) -> Option<EdtfDate> {
        match self {
            Self::Date { date, .. } => Some(date),
            Self::Today(_) | Self::Any => None,
        }
    }
}

impl HoldsOn {
    /// Whether a relationship with these bounds counts.
    #[must_use]
    pub fn includes(&self, bounds: &Bounds) -> bool {
        match bounds.active_on(&self.date) {
            Some(found) => !self.certain || found.is_certain(),
            None => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kinds::relationship::table;
    use crate::value::edtf::Period;
    use serde_json::json;

    #[test]
    fn today_is_a_matter_of_standing_types() {
        let today = RelationshipsOn::Today(NaiveDate::from_ymd_opt(2026, 11, 30).unwrap());
        let holds = |name: &str| today.of(table::named(name));
        for name in [
            "member_of",
            "has_member",
            "part_of",
            "serves",
            "operated_by",
        ] {
            assert_eq!(holds(name).unwrap().date.to_string(), "2026-11-30");
        }
        for name in ["funds", "participates_in", "same_as", "succeeds", "newer"] {
            assert_eq!(holds(name), None, "{name}");
        }
        let date = "2010".parse().unwrap();
        let on = RelationshipsOn::Date {
            date,
            certain: true,
        };
        let rule = table::named("funds");
        assert_eq!(on.of(rule).map(|holds| holds.date), Some(date));
        assert_eq!(RelationshipsOn::Any.of(rule), None);
    }

    #[test]
    fn what_has_ended_or_not_begun_does_not_hold() {
        let holds = |period: serde_json::Value, certain| {
            let period: Period = serde_json::from_value(period).unwrap();
            let date = "2026-11-30".parse().unwrap();
            HoldsOn { date, certain }.includes(&period.bounds(None))
        };
        for (period, possible, certain) in [
            (json!({}), true, false),
            (json!({"from": "2010", "to": "2015"}), false, false),
            (json!({"from": "2030"}), false, false),
            (json!({"from": "2010"}), true, false),
            (json!({"from": "2010", "to": "2030"}), true, true),
            (json!({"to": "2026"}), true, false),
            (json!({"to": "2026-11-29"}), false, false),
            (
                json!({"from": "2026-11-30", "to": "2026-11-30"}),
                true,
                true,
            ),
        ] {
            assert_eq!(holds(period.clone(), false), possible, "{period}");
            assert_eq!(holds(period.clone(), true), certain, "{period}");
        }
    }
}
