//! Records that are easily confused with each other, for tests of the search: places that differ by
//! one letter, compounds that share parts, house numbers with the same beginning, typos.
//!
//! The same seed generates the same records, as lines of NDJSON.

use serde_json::{Value, json};
use std::collections::BTreeMap;

pub const MANY: usize = 5_000;

/// Generates records; every twentieth is a draft.
#[must_use]
pub fn records(count: usize, seed: u64) -> Vec<Value> {
    let mut rng = Random(seed);
    let mut taken = BTreeMap::new();
    (0..count)
        .map(|at| record(at, &mut rng, &mut taken))
        .collect()
}

/// Numbers that look random (`SplitMix64`).
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    fn below(&mut self, end: usize) -> usize {
        usize::try_from(self.next() % end as u64).unwrap()
    }

    fn one<'a>(&mut self, of: &[&'a str]) -> &'a str {
        of[self.below(of.len())]
    }

    fn one_in(&mut self, n: usize) -> bool {
        self.below(n) == 0
    }
}

/// Towns, many of which differ from another one by a letter.
const TOWNS: &[&str] = &[
    "Kassel",
    "Kasel",
    "Kastel",
    "Hassel",
    "Berlin",
    "Berlinchen",
    "Bernau bei Berlin",
    "Bernau",
    "Köln",
    "Kölln",
    "Mölln",
    "Ulm",
    "Ulmen",
    "Hof",
    "Hof",
    "Essen",
    "Hessen",
    "Halle",
    "Halle (Saale)",
    "Hall",
    "Hamm",
    "Ham",
    "Münster",
    "Munster",
    "Neumünster",
    "Bochum",
    "Bochim",
    "Dortmund",
    "Coppenbrügge",
    "Osterbrügge",
    "Frankfurt am Main",
    "Frankfurt (Oder)",
    "Mainz",
    "Main-Spitze",
    "Wiesbaden",
    "Wiesloch",
    "Baden-Baden",
    "Bad Wildungen",
    "Gießen",
    "Giessen",
    "Weißenfels",
    "Weissenfels",
    "Siegen",
    "Siegburg",
    "Rheine",
    "Rheinberg",
    "Lippstadt",
    "Lippe",
    "Bielefeld",
    "Osnabrück",
    "Saarbrücken",
    "Zweibrücken",
    "Tübingen",
    "Thüringen",
    "Göttingen",
    "Gottingen",
];

const HOUSES: &[&str] = &[
    "Klinik",
    "Kliniken",
    "Klinikum",
    "Krankenhaus",
    "Krankenhäuser",
    "Universitätsklinikum",
    "Uniklinik",
    "Hausarztpraxis",
    "Zahnarztpraxis",
    "Kinderklinik",
    "Rehaklinik",
    "Pflegeheim",
    "Gesundheitsamt",
    "Gesundheitszentrum",
    "Medizinisches Versorgungszentrum",
    "Apotheke",
];

const FIRST: &[&str] = &[
    "Gesundheits",
    "Wirtschafts",
    "Pflege",
    "Kinder",
    "Zahn",
    "Augen",
    "Frauen",
    "Tele",
    "Region",
    "Versorgungs",
    "Forschungs",
    "Bildungs",
    "Kranken",
    "Herz",
    "Notfall",
];

const MIDDLE: &[&str] = &[
    "",
    "",
    "wirtschafts",
    "versorgungs",
    "forschungs",
    "heil",
    "pflege",
    "dienst",
    "management",
];

const LAST: &[&str] = &[
    "region",
    "netzwerk",
    "verbund",
    "zentrum",
    "kunde",
    "technik",
    "wirtschaft",
    "akademie",
    "konferenz",
    "bündnis",
    "medizin",
    "logistik",
];

const LEGAL: &[&str] = &["GmbH", "gGmbH", "e.V.", "AG", "GmbH & Co. KG", "", "", ""];

const BRANDS: &[&str] = &[
    "MedEkon",
    "MediCon",
    "MedEcon Rhein",
    "BioMedTec",
    "BioMediTec",
    "B. Brauns",
    "H. Braun",
    "Braun & Söhne",
    "Mo.WiN",
    "WiN.net",
    "Mobinet",
    "KlinikCluster",
    "Rhein-Kreis",
    "Siegkreis",
];

const PERSONS: &[&str] = &[
    "Hausärzt:innen",
    "Hausärzt*innen",
    "Hausärzt_innen",
    "HausärztInnen",
    "Hausärztinnen und Hausärzte",
    "Hausarzt/Hausärztin",
    "Hausärztinnen",
    "Zahnärzt:innen",
    "Ärztinnen und Ärzte",
    "Patient:innen",
    "Patientinnen",
    "Therapeut/-innen",
    "Pflegerinnen und Pfleger",
    "Akteurinnen und Akteure",
    "Kolleg*innen",
    "Hebammen",
];

const WORK: &[&str] = &[
    "vernetzt {p} in {t}.",
    "berät {p} zur Gesundheitsversorgung im ländlichen Raum.",
    "erprobt Telemedizin für {p} aus {t} und dem Münsterland.",
    "stärkt die Zusammenarbeit der Krankenhäuser in {t}; {p} wirken mit.",
    "untersucht Lieferketten der Medizintechnik in der Region {t}.",
    "bildet {p} fort, auch in der Kinderheilkunde.",
    "fördert Prävention und Gesundheitsförderung am Arbeitsplatz.",
    "verbindet Wissenschaft, Wirtschaft und Verwaltung mit {p}.",
];

const STREETS: &[&str] = &[
    "Mainzer Str.",
    "Mainzer Straße",
    "Mainzerstraße",
    "Mainzer Weg",
    "Musterweg",
    "Musterstraße",
    "Hauptstr.",
    "Hauptstraße",
    "Am Markt",
    "Straße des 17. Juni",
];

const NUMBERS: &[&str] = &[
    "1", "10", "11", "17", "18", "100", "118a", "119", "1180", "1118",
];

const CODES: &[&str] = &[
    "10178", "10179", "65189", "65198", "34117", "44801", "50667", "89073",
];

const ACRONYMS: &[&str] = &[
    "ULM", "HOF", "ESSEN", "HALLE", "BERLIN", "KCA", "KRC", "CKR", "GRM", "BMBW", "EU-N",
];

const HOMES: &[&str] = &[
    "hessen",
    "nordrhein-westfalen",
    "berlin",
    "bayern",
    "niedersachsen",
];

fn record(at: usize, rng: &mut Random, taken: &mut BTreeMap<String, usize>) -> Value {
    let kind = [
        "actor", "actor", "actor", "network", "project", "event", "topic",
    ][at % 7];
    let town = rng.one(TOWNS);
    let mut name = match rng.below(4) {
        0 => format!("{} {town}", rng.one(HOUSES)),
        1 => format!(
            "{}{}{} {town}",
            rng.one(FIRST),
            rng.one(MIDDLE),
            rng.one(LAST)
        ),
        2 => format!(
            "{} {} {}",
            rng.one(BRANDS),
            rng.one(&["Ruhr", "Rhein", "Nord", town]),
            rng.one(LEGAL)
        ),
        _ => format!(
            "{} für {} {town}",
            rng.one(&["Bündnis", "Initiative", "Verein"]),
            rng.one(HOUSES)
        ),
    };
    name = name.trim().to_owned();
    if rng.one_in(15) {
        name = with_typo(&name, rng);
    }
    let times = taken.entry(name.clone()).or_insert(0);
    *times += 1;
    if *times > 1 {
        name = format!("{name} {}", roman(*times));
    }
    let person = rng.one(PERSONS);
    let work = rng.one(WORK).replace("{p}", person).replace("{t}", town);
    let mut body = json!({
        "kind": kind,
        "external_id": {"system": "generated", "id": format!("{at}")},
        "name": name,
        "language": "de",
        "description": format!("{name} {work}"),
        "home_region": rng.one(HOMES),
        "publication": if at % 20 == 19 { "draft" } else { "published" },
    });
    if kind == "topic" {
        return body;
    }
    let number = rng.one(NUMBERS);
    body["places"] = json!([{
        "street": format!("{} {number}", rng.one(STREETS)),
        "postal_code": rng.one(CODES),
        "city": town,
        "country": "DE",
    }]);
    if rng.one_in(12) {
        body["names"] = json!([{"value": rng.one(ACRONYMS), "type": "acronym"}]);
    }
    if kind == "actor" && rng.one_in(4) {
        body["identifiers"] = json!([{"scheme": "ik", "value": ik(at)}]);
    }
    body
}

/// The name with two letters swapped, one left out, or one doubled.
fn with_typo(name: &str, rng: &mut Random) -> String {
    let mut letters: Vec<char> = name.chars().collect();
    let at = 1 + rng.below(letters.len() - 2);
    match rng.below(3) {
        0 => letters.swap(at, at + 1),
        1 => drop(letters.remove(at)),
        _ => letters.insert(at, letters[at]),
    }
    letters.into_iter().collect::<String>().trim().to_owned()
}

fn roman(number: usize) -> String {
    let signs = [
        (100, "C"),
        (90, "XC"),
        (50, "L"),
        (40, "XL"),
        (10, "X"),
        (9, "IX"),
        (5, "V"),
        (4, "IV"),
        (1, "I"),
    ];
    let mut rest = number;
    let mut roman = String::new();
    for (value, sign) in signs {
        while rest >= value {
            roman.push_str(sign);
            rest -= value;
        }
    }
    roman
}

fn ik(at: usize) -> String {
    let base = format!("26{at:06}");
    let sum: u32 = base
        .chars()
        .skip(2)
        .filter_map(|c| c.to_digit(10))
        .zip([2, 1].into_iter().cycle())
        .map(|(digit, weight)| digit * weight)
        .map(|product| product / 10 + product % 10)
        .sum();
    format!("{base}{}", sum % 10)
}
