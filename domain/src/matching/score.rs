//! Likely duplicates: the similarity of two records, with reasons.
//!
//! Names weigh most, split into words, town and legal form; addresses, websites, telephone numbers
//! and identifiers count for or against. Two legal forms are two legal entities, whatever else is
//! equal. The labelled pairs in `data/duplicates/pairs.ndjson` keep the scores in line with human
//! judgement.

#[cfg(test)]
mod tests;

pub use crate::matching::candidate::Candidate;

use crate::base::kind::Kind;
use crate::matching::name::{Spelling, stem};
use crate::matching::relation::{Known, Relation, relation};
use crate::matching::seat::{Nearness, nearest};
use std::collections::{BTreeMap, BTreeSet};

/// Minimum score of a listed pair, unless another is requested.
pub const THRESHOLD: f64 = 0.7;

crate::vocabulary! {
    /// Evidence for or against two records being the same.
    ReasonCode "duplicate_reason" {
        SameName "same_name" "gleicher Name" "same name";
        SimilarName "similar_name" "ähnlicher Name" "similar name";
        LongerName "longer_name" "der eine Name enthält den anderen" "one name contains the other";
        Acronym "acronym" "der eine Name kürzt den anderen ab" "one name abbreviates the other";
        FurtherName "further_name" "über einen weiteren Namen" "by a further name";
        SameIdentifier "same_identifier" "gleiche Kennung" "same identifier";
        OtherIdentifier "other_identifier" "verschiedene Kennungen" "different identifiers";
        SameExternalId "same_external_id" "gleicher Schlüssel im liefernden System" "same key in the supplying system";
        SameAddress "same_address" "gleiche Anschrift" "same address";
        SameTown "same_town" "gleicher Ort" "same town";
        OtherTown "other_town" "anderer Ort" "another town";
        SameWebsite "same_website" "gleiche Website" "same website";
        SamePhone "same_phone" "gleiche Telefonnummer" "same telephone number";
        SameEmail "same_email" "gleiche E-Mail-Adresse" "same e-mail address";
        SameDate "same_date" "gleicher Tag" "same day";
        OtherLegalForm "other_legal_form" "verschiedene Rechtsformen" "different legal forms";
    }
}

/// A reason for or against two records being the same.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reason {
    pub code: ReasonCode,
    /// Shared value, if there is one.
    pub value: Option<String>,
}

#[derive(Debug, Clone, PartialEq)]
pub struct Likeness {
    pub score: f64,
    pub reasons: Vec<Reason>,
}

/// The similarity of two records of one kind; `None` if they cannot be the same.
#[must_use]
pub fn score(a: &Candidate, b: &Candidate) -> Option<Likeness> {
    if a.kind != b.kind || on_two_levels(a, b) || on_two_days(a, b) {
        return None;
    }
    let facts = Facts::of(a, b);
    let score = facts.score(a, b);
    let score = (score.clamp(0.0, 1.0) * 1000.0).round() / 1000.0;
    let reasons = facts.reasons.into_iter();
    (score > 0.0).then(|| Likeness {
        score,
        reasons: reasons
            .map(|(code, value)| Reason { code, value })
            .collect(),
    })
}

/// A county and a town of one name are two regions.
fn on_two_levels(a: &Candidate, b: &Candidate) -> bool {
    // Health regions and regions are not tiers of administration.
    let tier = |candidate: &Candidate| {
        let level = candidate.level.clone()?;
        let free = ["region", "health_region", "metropolitan_area"];
        (!free.contains(&level.as_str())).then_some(level)
    };
    tier(a).zip(tier(b)).is_some_and(|(a, b)| a != b)
}

fn on_two_days(a: &Candidate, b: &Candidate) -> bool {
    let days = a.day.as_ref().zip(b.day.as_ref());
    days.is_some_and(|(a, b)| !a.starts_with(b.as_str()) && !b.starts_with(a.as_str()))
}

struct Facts {
    relation: Relation,
    sort: Sort,
    nearness: Nearness,
    reasons: BTreeMap<ReasonCode, Option<String>>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Sort {
    /// Only one has the name.
    Unique,
    /// Another town may have one of the same name.
    Local,
    /// As `Local`, and it has a single address.
    Shop,
}

impl Facts {
    fn of(a: &Candidate, b: &Candidate) -> Self {
        let nearness = nearest(&a.seats, &b.seats);
        let known = known(a, b, nearness);
        let (relation, further, by) = names(a, b, &known);
        let sort = if !by.iter().all(|name| name.is_local(&known.stems)) {
            Sort::Unique
        } else if by.iter().any(|name| name.is_shop()) {
            Sort::Shop
        } else {
            Sort::Local
        };
        let mut facts = Self {
            relation,
            sort,
            nearness,
            reasons: shared(a, b),
        };
        let name = match relation {
            Relation::Same => Some(ReasonCode::SameName),
            Relation::Similar => Some(ReasonCode::SimilarName),
            Relation::Longer | Relation::Part => Some(ReasonCode::LongerName),
            Relation::Acronym => Some(ReasonCode::Acronym),
            Relation::Different => None,
        };
        let further = (further && name.is_some()).then_some(ReasonCode::FurtherName);
        let place = match nearness {
            Nearness::SameAddress => Some(ReasonCode::SameAddress),
            Nearness::SameTown | Nearness::OtherStreet => Some(ReasonCode::SameTown),
            Nearness::OtherTown => Some(ReasonCode::OtherTown),
            Nearness::Unknown => None,
        };
        let plain = [name, further, place];
        let plain = plain.into_iter().flatten().map(|code| (code, None));
        facts.reasons.extend(plain);
        facts
    }

    fn has(&self, code: ReasonCode) -> bool {
        self.reasons.contains_key(&code)
    }

    fn score(&self, a: &Candidate, b: &Candidate) -> f64 {
        let apart = self.has(ReasonCode::OtherLegalForm) || self.has(ReasonCode::OtherIdentifier);
        if self.has(ReasonCode::SameIdentifier) || self.has(ReasonCode::SameExternalId) {
            return if apart { 0.75 } else { 0.97 };
        }
        let score = self.by_name(a.kind) + self.by_contact();
        if apart {
            return score.min(0.3);
        }
        // One system rarely supplies one thing twice.
        let systems = a.external.as_ref().zip(b.external.as_ref());
        if systems.is_some_and(|(a, b)| a.system == b.system) {
            return score - 0.1;
        }
        score
    }

    fn by_name(&self, kind: Kind) -> f64 {
        let stated = self.has(ReasonCode::FurtherName);
        match self.relation {
            Relation::Different | Relation::Part => 0.2,
            // Topics have no place that could confirm it.
            Relation::Acronym if stated && kind == Kind::Topic => 0.75,
            // A stated abbreviation is stronger evidence than a matching one.
            Relation::Acronym if stated => 0.65 + self.by_place_of_longer(kind),
            Relation::Acronym => 0.55 + self.by_place_of_longer(kind),
            Relation::Longer => 0.5 + self.by_place_of_longer(kind),
            Relation::Similar => 0.86 + self.by_place_of_equal(),
            Relation::Same => 0.92 + self.by_place_of_equal(),
        }
    }

    /// The evidence of the place if the names are equal.
    fn by_place_of_equal(&self) -> f64 {
        let reached = CONTACT.iter().any(|(code, _)| self.has(*code));
        match self.nearness {
            Nearness::SameAddress => 0.05,
            Nearness::SameTown => 0.0,
            Nearness::OtherStreet => match self.sort {
                Sort::Shop if !reached => -0.4,
                Sort::Shop | Sort::Local => -0.1,
                Sort::Unique => 0.0,
            },
            Nearness::Unknown => match self.sort {
                Sort::Shop | Sort::Local => -0.15,
                Sort::Unique => -0.05,
            },
            Nearness::OtherTown => match self.sort {
                Sort::Shop => -0.5,
                Sort::Local if !reached => -0.5,
                Sort::Local | Sort::Unique => -0.15,
            },
        }
    }

    /// The evidence of the place if one name is longer than the other.
    fn by_place_of_longer(&self, kind: Kind) -> f64 {
        let place = match self.nearness {
            Nearness::SameAddress => 0.22,
            Nearness::SameTown => 0.08,
            Nearness::OtherStreet => -0.05,
            Nearness::Unknown => 0.0,
            Nearness::OtherTown => -0.3,
        };
        if kind == Kind::Event && self.has(ReasonCode::SameDate) {
            place + 0.22
        } else {
            place
        }
    }

    fn by_contact(&self) -> f64 {
        let has = CONTACT.iter().filter(|(code, _)| self.has(*code));
        let sum: f64 = has.map(|(_, weight)| weight).sum();
        match self.relation {
            Relation::Different | Relation::Part => sum.min(0.2),
            Relation::Acronym | Relation::Longer => sum,
            // The name already carries most of the evidence.
            Relation::Similar | Relation::Same => sum / 3.0,
        }
    }
}

/// The evidence of shared contact details, if the names leave room for doubt.
const CONTACT: [(ReasonCode, f64); 3] = [
    (ReasonCode::SameWebsite, 0.15),
    (ReasonCode::SamePhone, 0.2),
    (ReasonCode::SameEmail, 0.1),
];

/// Agreements and conflicts of two records other than name and place.
fn shared(a: &Candidate, b: &Candidate) -> BTreeMap<ReasonCode, Option<String>> {
    let both = |a: &Option<String>, b: &Option<String>| a.is_some() && a == b;
    let (same_identifier, other_identifier) = identifiers(a, b);
    let two_forms = a.form.zip(b.form).is_some_and(|(a, b)| a != b);
    let same_key = a.external.is_some() && a.external == b.external;
    let website = a.host.clone().filter(|host| b.host.as_ref() == Some(host));
    let plain = [
        (ReasonCode::SamePhone, both(&a.phone, &b.phone)),
        (ReasonCode::SameEmail, both(&a.email, &b.email)),
        (ReasonCode::SameDate, both(&a.day, &b.day)),
        (ReasonCode::SameExternalId, same_key),
        (ReasonCode::OtherLegalForm, two_forms),
    ];
    let plain = plain.into_iter().filter(|(_, holds)| *holds);
    let valued = [
        (ReasonCode::SameIdentifier, same_identifier),
        (ReasonCode::OtherIdentifier, other_identifier),
        (ReasonCode::SameWebsite, website),
    ];
    let valued = valued.into_iter().filter(|(_, value)| value.is_some());
    plain.map(|(code, _)| (code, None)).chain(valued).collect()
}

/// Words by which the names may differ for a known reason.
fn known(a: &Candidate, b: &Candidate, nearness: Nearness) -> Known {
    let mut stems: BTreeSet<String> = a.acronyms.union(&b.acronyms).cloned().collect();
    if nearness != Nearness::OtherTown {
        stems.extend(a.towns());
        stems.extend(b.towns());
    }
    if a.day.is_some() && b.day.is_some() {
        let years = a.day.iter().chain(&b.day).map(|day| day.chars().take(4));
        stems.extend(years.map(|year| stem(&year.collect::<String>())));
    }
    Known {
        stems,
        regions: a.kind == Kind::Region,
    }
}

/// The closest relation of any two names, whether it uses a further name, and the two names.
fn names<'a>(
    a: &'a Candidate,
    b: &'a Candidate,
    known: &Known,
) -> (Relation, bool, Vec<&'a Spelling>) {
    let mut best = (Relation::Different, false, Vec::new());
    for (at_a, one) in a.names.iter().enumerate() {
        for (at_b, other) in b.names.iter().enumerate() {
            let further = at_a > 0 || at_b > 0;
            let mut found = relation(one, other, known);
            // Many share an abbreviation.
            let short = one.is_one_short_word() || other.is_one_short_word();
            if further && short && found >= Relation::Similar {
                found = Relation::Acronym;
            }
            // Words that a further name adds or leaves out are no evidence.
            if further && found == Relation::Longer {
                continue;
            }
            let stated = further && found == Relation::Acronym && best.0 == found;
            if found > best.0 || stated || best.2.is_empty() {
                best = (found, further, vec![one, other]);
            }
        }
    }
    best
}

/// An identifier that both have, and a scheme in which they have none in common.
fn identifiers(a: &Candidate, b: &Candidate) -> (Option<String>, Option<String>) {
    let (mut same, mut other) = (None, None);
    for (scheme, values) in &a.identifiers {
        let Some(others) = b.identifiers.get(scheme) else {
            continue;
        };
        match values.intersection(others).next() {
            Some(value) => same = same.or_else(|| Some(format!("{scheme}|{value}"))),
            None => other = other.or_else(|| Some(scheme.clone())),
        }
    }
    (same, other)
}
