use crate::base::vocabulary::Coded;
use crate::matching::score::*;
use serde::Deserialize;
use serde_json::{Value, json};

const PAIRS: &str = include_str!("../../../../data/duplicates/pairs.ndjson");

#[derive(Deserialize)]
struct Pair {
    set: Set,
    duplicate: bool,
    why: String,
    kind: Kind,
    a: Value,
    b: Value,
}

#[derive(Deserialize, PartialEq, Eq, Clone, Copy, Debug)]
#[serde(rename_all = "snake_case")]
enum Set {
    Tuning,
    HeldOut,
}

#[derive(Default, Debug)]
struct Confusion {
    found: u32,
    missed: u32,
    wrong: u32,
    right: u32,
    mistakes: Vec<String>,
}

impl Confusion {
    fn precision(&self) -> f64 {
        f64::from(self.found) / f64::from(self.found + self.wrong)
    }

    fn recall(&self) -> f64 {
        f64::from(self.found) / f64::from(self.found + self.missed)
    }

    fn told(&self) -> String {
        format!(
            "precision {:.3}, recall {:.3}: found {}, missed {}, wrongly found {}, rightly left {}\n{}",
            self.precision(),
            self.recall(),
            self.found,
            self.missed,
            self.wrong,
            self.right,
            self.mistakes.join("\n")
        )
    }
}

fn likeness(kind: Kind, a: &Value, b: &Value) -> Option<Likeness> {
    score(&Candidate::of(kind, a)?, &Candidate::of(kind, b)?)
}

fn pairs() -> Vec<Pair> {
    PAIRS
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}

fn confusion(sets: &[Set]) -> Confusion {
    let mut all = Confusion::default();
    for pair in pairs().iter().filter(|pair| sets.contains(&pair.set)) {
        let likeness = likeness(pair.kind, &pair.a, &pair.b);
        let score = likeness.as_ref().map_or(0.0, |likeness| likeness.score);
        let listed = score >= THRESHOLD;
        let count = match (pair.duplicate, listed) {
            (true, true) => &mut all.found,
            (true, false) => &mut all.missed,
            (false, true) => &mut all.wrong,
            (false, false) => &mut all.right,
        };
        *count += 1;
        if pair.duplicate != listed {
            let reasons: Vec<_> = likeness.iter().flat_map(|one| &one.reasons).collect();
            let reasons: Vec<_> = reasons.iter().map(|reason| reason.code.code()).collect();
            let (a, b) = (&pair.a["name"], &pair.b["name"]);
            let line = format!("{score} {a} / {b}: {} ({})", pair.why, reasons.join(", "));
            all.mistakes.push(line);
        }
    }
    all
}

#[test]
fn the_labelled_pairs_are_told_apart() {
    let all = confusion(&[Set::Tuning, Set::HeldOut]);
    assert!(all.found + all.missed + all.wrong + all.right >= 240);
    assert!(
        all.precision() >= 0.98 && all.recall() >= 0.9,
        "{}",
        all.told()
    );
}

#[test]
fn pairs_on_which_nothing_was_tuned_are_told_apart_too() {
    let held_out = confusion(&[Set::HeldOut]);
    assert!(held_out.found + held_out.missed + held_out.wrong + held_out.right >= 80);
    assert!(
        held_out.precision() >= 0.98 && held_out.recall() >= 0.9,
        "{}",
        held_out.told()
    );
}

#[test]
fn the_score_does_not_depend_on_the_order() {
    for pair in pairs() {
        let there = likeness(pair.kind, &pair.a, &pair.b);
        let back = likeness(pair.kind, &pair.b, &pair.a);
        let told = format!("{} / {}", pair.a["name"], pair.b["name"]);
        assert_eq!(
            there.map(|one| one.score),
            back.map(|one| one.score),
            "{told}"
        );
    }
}

#[test]
fn duplicates_share_a_key() {
    let mut apart = Vec::new();
    for pair in pairs().iter().filter(|pair| pair.duplicate) {
        let keys = |body| Candidate::of(pair.kind, body).unwrap().keys();
        let listed =
            likeness(pair.kind, &pair.a, &pair.b).is_some_and(|one| one.score >= THRESHOLD);
        if listed && keys(&pair.a).is_disjoint(&keys(&pair.b)) {
            apart.push(format!("{} / {}", pair.a["name"], pair.b["name"]));
        }
    }
    assert!(apart.is_empty(), "{apart:#?}");
}

#[test]
fn the_reasons_say_what_was_found() {
    let body = |name: &str, street: &str| {
        json!({
            "name": name,
            "places": [{"street": street, "postal_code": "34125", "city": "Kassel"}],
            "contact": {"website": "https://www.klinikum-kassel.de/start", "phone": "0561 980-0"},
        })
    };
    let one = body("Klinikum Kassel GmbH", "Mönchebergstraße 41-43");
    let same = body("Klinikum Kassel", "Mönchebergstr. 41");
    let found = likeness(Kind::Actor, &one, &same).unwrap();
    let codes: Vec<_> = found.reasons.iter().map(|reason| reason.code).collect();
    assert_eq!(
        codes,
        [
            ReasonCode::SameName,
            ReasonCode::SameAddress,
            ReasonCode::SameWebsite,
            ReasonCode::SamePhone
        ]
    );
    let host = found
        .reasons
        .iter()
        .find_map(|reason| reason.value.as_deref());
    assert_eq!(host, Some("klinikum-kassel.de"));
    let association = body("Klinikum Kassel e. V.", "Mönchebergstraße 41-43");
    let other = likeness(Kind::Actor, &one, &association).unwrap();
    assert!(other.score < THRESHOLD);
    let last = other.reasons.last().map(|reason| reason.code);
    assert_eq!(last, Some(ReasonCode::OtherLegalForm));
}

#[test]
fn odd_bodies_are_compared_without_a_fuss() {
    for odd in [
        json!({}),
        json!({"name": ""}),
        json!({"name": "()((("}),
        json!({"name": "GmbH", "names": [1, {"value": 2}, {"value": "&", "type": "later"}]}),
        json!({"name": "…", "places": {}, "contact": [], "identifiers": "x", "start": 7}),
        json!({"name": "ß".repeat(300), "places": [{"city": "", "street": "12", "postal_code": "ä"}]}),
    ] {
        let one = Candidate::of(Kind::Actor, &odd);
        let Some(one) = one else { continue };
        let _ = (score(&one, &one), one.keys());
    }
}
