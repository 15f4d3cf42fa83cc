//! Comparison of the addresses of two records, as far as they are known.

use crate::matching::name::{folded, stem};
use crate::value::place::{Place, Point};
use std::collections::BTreeSet;

#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Seat {
    pub(crate) street: Option<String>,
    pub(crate) postal_code: Option<String>,
    pub(crate) town: BTreeSet<String>,
    point: Option<Point>,
}

/// Relation of the addresses of two records; the nearest two count.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Nearness {
    OtherTown,
    /// One of them has no address.
    Unknown,
    OtherStreet,
    SameTown,
    SameAddress,
}

/// Points nearer than this are one address, in degrees of latitude (some 100 m).
const SAME_POINT: f64 = 0.001;
/// Points farther than this are in two towns (some 30 km).
const OTHER_POINT: f64 = 0.27;

impl Seat {
    pub(crate) fn of(place: &Place) -> Self {
        let town = place.city.as_deref().unwrap_or_default();
        Self {
            street: place.street.as_deref().map(street),
            postal_code: place
                .postal_code
                .as_deref()
                .map(|code| code.trim().to_owned()),
            town: folded(town).iter().map(|word| stem(word)).collect(),
            point: place.point,
        }
    }

    fn nearness(&self, other: &Self) -> Nearness {
        let together = self.in_one_town(other);
        match (together, &self.street, &other.street) {
            (Some(false), _, _) => Nearness::OtherTown,
            (Some(true), Some(a), Some(b)) if a == b => Nearness::SameAddress,
            (Some(true), Some(_), Some(_)) => Nearness::OtherStreet,
            (Some(true), _, _) if self.distance(other).is_some_and(|far| far < SAME_POINT) => {
                Nearness::SameAddress
            }
            (Some(true), _, _) => Nearness::SameTown,
            (None, _, _) => Nearness::Unknown,
        }
    }

    fn in_one_town(&self, other: &Self) -> Option<bool> {
        let codes = self
            .postal_code
            .as_deref()
            .zip(other.postal_code.as_deref());
        if codes.is_some_and(|(a, b)| a == b) {
            return Some(true);
        }
        if let Some(far) = self.distance(other) {
            if far > OTHER_POINT {
                return Some(false);
            }
            if far < SAME_POINT {
                return Some(true);
            }
        }
        if self.town.is_empty() || other.town.is_empty() {
            return None;
        }
        // Many towns are called Neustadt, but not in one postal area.
        let far = codes.is_some_and(|(a, b)| a.get(..2) != b.get(..2));
        let one = self.town.is_subset(&other.town) || other.town.is_subset(&self.town);
        Some(one && !far)
    }

    fn distance(&self, other: &Self) -> Option<f64> {
        let (a, b) = self.point.zip(other.point)?;
        let east = (a.lon - b.lon) * a.lat.to_radians().cos();
        Some((a.lat - b.lat).hypot(east))
    }
}

pub(crate) fn nearest(a: &[Seat], b: &[Seat]) -> Nearness {
    let pairs = a
        .iter()
        .flat_map(|one| b.iter().map(move |other| one.nearness(other)));
    pairs.max().unwrap_or(Nearness::Unknown)
}

/// A street prepared for comparison: "Mainzer Str. 118 a" and "Mainzer Straße 118" are equal.
fn street(text: &str) -> String {
    let mut found = String::new();
    for word in folded(text) {
        if word.starts_with(|first: char| first.is_ascii_digit()) {
            let digits = word.chars().take_while(char::is_ascii_digit);
            found.push(' ');
            found.extend(digits);
            break;
        }
        found.push_str(&word);
        if word.ends_with("str") {
            found.push_str("asse");
        } else if word.ends_with("pl") {
            found.push_str("atz");
        }
    }
    found
}
