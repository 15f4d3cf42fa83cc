use super::cache::TextCache;
use super::compound;
use super::fields::{TextFields, add};
use super::joint;
use super::lists::{LISTS, PLACE_NAMES};
use super::query::{NAMED, TextIndex, TextQuery};
use super::scored::Scored;
use super::texts::Texts;
use super::typed::Typed;
use super::words::{exact_key, key, key_without_legal_form, stem, words, words_as_written};
use crate::meter::Meter;
use domain::base::kind::Kind;
use proptest::prelude::*;
use serde_json::{Value, json};
use std::sync::LazyLock;
use tantivy::schema::Schema;
use tantivy::{Index, IndexWriter, Searcher, TantivyDocument};

fn wholes(text: &str) -> String {
    words_as_written(text).join(" ")
}

fn parts(word: &str) -> String {
    let whole = words_as_written(word).concat();
    compound::parts(&whole)
        .iter()
        .map(|part| part.stem.as_str())
        .collect::<Vec<_>>()
        .join(" ")
}

#[test]
fn spellings_fold_alike() {
    for (spellings, folded) in [
        (
            &["Köln", "Koeln", "koln", "KÖLN", "Ko\u{308}ln"][..],
            "koln",
        ),
        (&["Straße", "STRASSE", "strasse", "Str.", "str"], "strasse"),
        (&["Hauptstr.", "Hauptstraße"], "hauptstrasse"),
        (&["Ärzte", "Aerzte", "arzte"], "arzte"),
        (&["Hôpital"], "hopital"),
        (&["neue", "NEUE"], "neue"),
        (&["Quelle"], "quelle"),
        (&["Frauen"], "frauen"),
        (&["Gesund\u{ad}heit"], "gesundheit"),
    ] {
        for spelling in spellings {
            assert_eq!(wholes(spelling), folded, "{spelling}");
        }
    }
}

#[test]
fn words_for_women_and_men_are_one() {
    for form in [
        "Hausärzt:in",
        "Hausärzt*in",
        "Hausärzt_in",
        "HausärztIn",
        "Hausärzt/-in",
        "Hausärzt/in",
        "Hausärzt(in)",
        "Hausarzt/Hausärztin",
        "Hausärztin",
        "Hausarzt",
        "Hausärzt:innen",
        "HausärztInnen",
        "Hausärztinnen",
        "Hausaerztin",
        "hausärzt·innen",
    ] {
        assert_eq!(wholes(form), "hausarzt", "{form}");
    }
    for (woman, man) in [
        ("Patientinnen", "Patienten"),
        ("Pflegerin", "Pfleger"),
        ("Therapeut/-innen", "Therapeuten"),
        ("Akteurinnen", "Akteure"),
        ("Psychologin", "Psychologe"),
        ("Kund:innen", "Kunden"),
        ("Direktorin", "Direktor"),
        ("Kolleg*innen", "Kollege"),
        ("Anwältin", "Anwalt"),
        ("Internistinnen", "Internisten"),
        ("Forscherin", "Forscher"),
    ] {
        assert_eq!(key(woman), key(man), "{woman}");
    }
    for word in [
        "Berlin",
        "Medizin",
        "Termin",
        "Insulin",
        "Innen",
        "Login",
        "Verein",
        "beginnen",
        "Glycerin",
        "Stein",
        "Magazin",
        "Kathrin",
        "Benzin",
        "Disziplin",
        "ein",
        "Schwerin",
        "Weinheim",
    ] {
        assert_eq!(wholes(word), word.to_lowercase(), "{word}");
    }
}

#[test]
fn no_reference_region_is_taken_for_a_woman() {
    for line in domain::data::REFERENCE.iter().flat_map(|file| file.lines()) {
        let record: Value = serde_json::from_str(line).unwrap();
        let name = record["name"].as_str().unwrap_or_default();
        for word in name
            .split(|c: char| !c.is_alphanumeric())
            .filter(|word| word.ends_with("in"))
        {
            assert_eq!(wholes(word), super::words::Folded::of(word).0, "{name}");
        }
    }
}

#[test]
fn inflected_words_share_their_stem() {
    for (a, b) in [
        ("Kliniken", "Klinik"),
        ("Krankenhäuser", "Krankenhaus"),
        ("Münsterlandes", "Münsterland"),
        ("neuen", "neue"),
        ("Regionen", "Region"),
        ("Verbünde", "Verbund"),
        ("Netzwerke", "Netzwerk"),
    ] {
        assert_eq!(key(a), key(b));
    }
    assert_eq!(stem("10178"), "10178");
    assert_eq!(stem("118a"), "118a");
}

#[test]
fn compounds_are_split_at_words() {
    for (word, split) in [
        ("Gesundheitswirtschaftsregion", "gesund wirtschaft region"),
        ("Gesundheitswirtschaftsregionen", "gesund wirtschaft region"),
        ("Kinderzahnheilkunde", "kind zahn heil kund"),
        ("Krankenhauslogistik", "krank haus logist"),
        ("Krankenhaus", "krank haus"),
        ("Krankenhäuser", "krank haus"),
        ("Krankenhaeuser", "krank haus"),
        ("Hausarzt", "haus arzt"),
        ("Universitätsklinikum", "universitat klinikum"),
        ("universitaetsklinikum", "universitat klinikum"),
        ("Uniklinikum", "uni klinikum"),
        ("Klinikcluster", "klinik clust"),
        ("Clustermanagement", "clust management"),
        ("Sektorübergreifende", "sektor uber greif end"),
        ("Mobilität", ""),
        ("Nordhessen", ""),
        ("Dortmund", ""),
        ("Dortmunder", ""),
        ("Klinikum", ""),
        ("Region", ""),
        ("10178101", ""),
        ("Coppenbrügge", ""),
        ("Wuppertal", ""),
    ] {
        assert_eq!(parts(word), split, "{word}");
    }
}

#[test]
fn some_parts_in_their_order_are_terms_and_tiny_ones_alone_are_none() {
    let whole = words_as_written("Kinderzahnheilkunde").concat();
    let terms = compound::terms(&compound::parts(&whole));
    for term in ["kind", "kund", "kind+heil+kund", "zahn+heil+kund"] {
        assert!(terms.contains(&term.to_owned()), "{term}: {terms:?}");
    }
    assert!(!terms.contains(&"heil+zahn".to_owned()));
}

#[test]
fn joined_words_are_known_with_their_parts() {
    let joined = |text: &str, name| -> Vec<String> {
        joint::joined(&words(text), name)
            .iter()
            .map(joint::Joined::term)
            .collect()
    };
    assert_eq!(
        joined("am Rhein-Sieg-Kreis vorbei", false),
        [
            "rheinsieg|rhein sieg",
            "rheinsiegkreis|rhein sieg kreis",
            "siegkreis|sieg kreis",
        ]
    );
    assert_eq!(joined("B. Braun", true), ["bbraun|b braun"]);
    assert_eq!(joined("B. Braun", false), [""; 0]);
    assert_eq!(joined("Haus und Hof", true), [""; 0]);
    assert_eq!(
        joined("MedEcon Rhein e.V.", true),
        ["medeconrhein|medecon rhein", "ev|e v"]
    );
    assert_eq!(joined("27.01.2021", false), [""; 0]);
}

#[test]
fn names_have_keys_with_and_without_legal_form() {
    assert_eq!(exact_key("B. Braun"), exact_key("BBraun"));
    for name in [
        "MedEcon Ruhr e.V.",
        "MedEcon Ruhr GmbH",
        "MedEcon Ruhr GmbH & Co. KG",
        "MedEcon Ruhr gGmbH",
    ] {
        assert_eq!(
            key_without_legal_form(name).as_deref(),
            Some("medeconruhr"),
            "{name}"
        );
    }
    assert_eq!(key_without_legal_form("Klinikum Kassel"), None);
    assert_eq!(key_without_legal_form("GmbH"), None);
    assert_eq!(exact_key("???"), "???");
    assert_eq!(exact_key("\""), "");
}

#[test]
fn every_word_list_is_filled_and_the_place_names_too() {
    let sections: Vec<&str> = domain::data::SEARCH_WORDS
        .lines()
        .filter(|line| line.starts_with('['))
        .collect();
    assert_eq!(
        sections,
        [
            "[stop]",
            "[legal]",
            "[feminine]",
            "[neuter]",
            "[parts]",
            "[whole]"
        ]
    );
    assert!(LISTS.stop.contains("fur") && LISTS.stop.contains("und"));
    assert!(!LISTS.legal.is_empty() && !LISTS.feminine.is_empty());
    assert!(!LISTS.neuter.is_empty() && !LISTS.whole.is_empty());
    assert!(PLACE_NAMES.contains("dortmund") && !PLACE_NAMES.contains("landkreis"));
}

#[test]
fn a_record_is_read_leniently() {
    let texts = Texts::of(
        Kind::Project,
        &json!({
            "name": "Probe", "names": [{"value": "PRB", "type": "acronym"}, {"value": 7}, "x", {"value": "Versuch", "type": "new"}],
            "publication": "published", "legal_form": "e.V.",
            "places": [{"street": "Weg 1", "city": "Köln"}, 5], "goals": ["Ziel", 3, {"title": "Titel", "rel": "code"}],
            "identifiers": [{"scheme": "isil", "value": "de-9"}, {"scheme": "no scheme", "value": " x "}, {"scheme": "ik"}],
            "translations": {"en": {"name": "Trial", "summary": "A trial"}, "fr": 1},
            "description": {"unknown": "shape"},
        }),
    );
    assert_eq!(texts.names, ["Probe", "Versuch", "Probe e.V.", "Trial"]);
    assert_eq!(texts.acronyms, ["PRB"]);
    assert_eq!(texts.places, ["Weg 1, Köln", ""]);
    assert_eq!(texts.texts, ["Ziel", "Titel", "A trial"]);
    assert_eq!(texts.identifiers, ["DE-9", "x"]);
    assert!(texts.published);
    for odd in [
        json!(null),
        json!([]),
        json!("x"),
        json!({"names": 1, "places": {}, "translations": []}),
    ] {
        assert!(!Texts::of(Kind::Actor, &odd).published);
    }
}

#[test]
fn found_words_are_marked_and_the_rest_is_escaped() {
    let highlight = |q: &str, text: &str| Typed::parse(q).highlight(text);
    assert_eq!(
        highlight("kliniken koeln", "Die Klinik <Köln> & mehr").as_deref(),
        Some("Die <mark>Klinik</mark> &lt;<mark>Köln</mark>&gt; &amp; mehr")
    );
    assert_eq!(
        highlight("Gesundheitsregion", "eine Gesundheitswirtschaftsregion").as_deref(),
        Some("eine <mark>Gesundheitswirtschaftsregion</mark>")
    );
    assert_eq!(
        highlight("Hausarzt", "Hausärzt:innen gesucht").as_deref(),
        Some("<mark>Hausärzt:innen</mark> gesucht")
    );
    assert_eq!(
        highlight("Gesundheitsversorgung", "Gesndheitsversorgung").as_deref(),
        Some("<mark>Gesndheitsversorgung</mark>")
    );
    assert_eq!(highlight("Klinik", "nichts davon"), None);
    assert_eq!(highlight("", "nichts"), None);
    let long = format!("{} Klinik {}", "vorher ".repeat(50), "nachher ".repeat(50));
    let marked = highlight("Klinik", &long).unwrap();
    assert!(
        marked.starts_with("…vorher")
            && marked.ends_with('…')
            && marked.contains("<mark>Klinik</mark>"),
        "{marked}"
    );
}

fn index(names: &[&str]) -> (TextFields, Searcher) {
    let mut schema = Schema::builder();
    let fields = TextFields::add_to(&mut schema);
    let index = Index::create_in_ram(schema.build());
    let mut writer: IndexWriter = index.writer_with_num_threads(1, 15_000_000).unwrap();
    for name in names {
        let body: Value = json!({"name": name, "publication": "published"});
        let mut document = TantivyDocument::new();
        add(&mut document, &fields, &Texts::of(Kind::Actor, &body));
        writer.add_document(document).unwrap();
    }
    writer.commit().unwrap();
    (fields, index.reader().unwrap().searcher())
}

fn with<'a>(fields: &'a TextFields, cache: &'a TextCache) -> TextIndex<'a> {
    static METER: LazyLock<Meter> = LazyLock::new(Meter::default);
    TextIndex {
        fields,
        cache,
        meter: &METER,
    }
}

/// The number of matches, which are the same when the lists are known.
fn count(query: &TextQuery, index: &TextIndex<'_>, searcher: &Searcher) -> usize {
    let segments = searcher.segment_readers().iter().zip(0..);
    let counts = segments.map(|segment| {
        let found = query.matches(index, segment, |_| true).unwrap();
        assert!(found.is_sorted_by(|(doc, _), (next, _)| doc < next));
        assert_eq!(query.matches(index, segment, |_| true).unwrap(), found);
        assert!(query.matches(index, segment, |_| false).unwrap().is_empty());
        found.len()
    });
    counts.sum()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]

    #[test]
    fn analysing_never_panics_and_words_lie_where_they_say(text in "\\PC{0,300}|.{0,300}") {
        for word in words(&text) {
            prop_assert!(text.get(word.from..word.to).is_some_and(|written| !written.is_empty()));
            prop_assert!(!word.whole.is_empty());
            prop_assert!(word.whole.len() <= 4096);
            compound::terms(&compound::parts(&word.whole));
        }
        let marked = Typed::parse(&text).highlight(&text);
        prop_assert!(marked.is_none_or(|marked| marked.contains("<mark>")));
    }

    #[test]
    fn folding_is_done_once(text in "[A-Za-zäöüßÄÖÜéčß ]{0,60}") {
        let once = wholes(&text);
        // Feminine endings may be removed one after the other; folding itself must be idempotent.
        let folded = |text: &str| super::words::Folded::of(text).0;
        prop_assert_eq!(folded(&folded(&text)).len() <= folded(&text).len(), true);
        prop_assert!(once.split(' ').all(|word| word.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit())));
    }

    #[test]
    fn a_record_is_found_by_its_own_name(name in "[ -~äöüßÄÖÜ„“–]{1,80}|\\PC{1,80}") {
        prop_assume!(!exact_key(&name).is_empty());
        let (fields, searcher) = index(&[&name, "Klinikum Kassel"]);
        let typed = Typed::parse(&name).take_apart(&fields, &searcher).unwrap();
        let cache = TextCache::default();
        let index = with(&fields, &cache);
        let query = typed.query(&index, &|_| Ok(None)).unwrap();
        prop_assert!(count(&query, &index, &searcher) >= 1, "{:?}", typed);
        prop_assert!(count(&typed.suggest_query(&index).unwrap(), &index, &searcher) >= 1);
    }

    #[test]
    fn a_query_of_any_text_is_answered(q in "\\PC{0,500}|.{0,500}|([a-z]{1,9} ){0,50}|(\"[a-z ]{0,9}){0,40}") {
        let (fields, searcher) = index(&["Klinikum Kassel", "Rhein-Sieg-Kreis", "B. Braun"]);
        let typed = Typed::parse(&q).take_apart(&fields, &searcher).unwrap();
        let named = |_: &str| Ok(Some(vec![Scored::from(vec![(1, NAMED)])]));
        let cache = TextCache::default();
        let index = with(&fields, &cache);
        count(&typed.query(&index, &named).unwrap(), &index, &searcher);
        count(&typed.suggest_query(&index).unwrap(), &index, &searcher);
    }
}
