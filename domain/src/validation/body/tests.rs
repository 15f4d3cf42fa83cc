mod cases;
mod refused;

use crate::base::fault::{FaultCode, Lang};
use crate::validation::body::*;
use cases::{ID, cases, joins};
use serde_json::json;

fn codes(kind: Kind, body: Value) -> Vec<(String, &'static str)> {
    let checked = KindSchema::of(kind).check(body);
    let mut found: Vec<_> = checked
        .errors
        .into_iter()
        .map(|error| (error.pointer, error.fault.code.as_str()))
        .collect();
    found.sort();
    found
}

#[test]
fn every_schema_compiles_and_accepts_its_example() {
    for kind in <Kind as crate::base::vocabulary::Coded>::ALL {
        let schema = KindSchema::of(*kind);
        assert!(schema.is_sound(), "{kind}");
        let example: Value = serde_json::from_str(schema.example).unwrap();
        assert_eq!(codes(*kind, example), [], "{kind}");
    }
}

#[test]
fn everything_wrong_is_told_at_once_with_its_place() {
    let body = json!({
        "nmae": "Klinikum",
        "categories": ["hospitl", "hospital"],
        "places": [
            {"city": 5},
            {"point": {"lat": 91, "lon": 9}},
            {},
        ],
        "identifiers": [
            {"scheme": "ik", "value": 1},
            {"scheme": "ik", "value": "260326823"},
            {"scheme": "lanr", "value": "1"},
        ],
        "links": [{"rel": "related"}],
        "founded": "2010",
        "dissolved": "31.12.2009",
        "description": "<b>fett</b>",
        "translations": {"xx-toolongsubtag": {"name": "x"}, "en": {"nam": "x", "name": ""}},
        "slug": "Ä",
    });
    assert_eq!(
        codes(Kind::Actor, body),
        [
            ("/categories/0", "unknown-code"),
            ("/description", "raw-html"),
            ("/dissolved", "date"),
            ("/identifiers/0/value", "type"),
            ("/identifiers/1/value", "identifier-check-digit"),
            ("/identifiers/2/scheme", "identifier-person"),
            ("/links/0", "empty-entry"),
            ("/name", "required"),
            ("/nmae", "unknown-member"),
            ("/places/0/city", "type"),
            ("/places/1/point/lat", "maximum"),
            ("/places/2", "empty-entry"),
            ("/slug", "slug"),
            ("/translations/en/nam", "translation-member"),
            ("/translations/en/name", "too-short"),
            ("/translations/xx-toolongsubtag", "language"),
        ]
        .map(|(pointer, code)| (pointer.to_owned(), code))
    );
}

#[test]
fn null_and_empty_lists_mean_absent() {
    let body = json!({"name": "A", "topics": [], "summary": null, "contact": {"email": null, "phone": "1"}});
    let checked = KindSchema::of(Kind::Actor).check(body);
    assert_eq!(checked.errors, []);
    assert_eq!(
        checked.body,
        json!({"name": "A", "contact": {"phone": "1"}})
    );
}

#[test]
fn what_a_struct_reads_it_writes_back_whole() {
    let files = ["000", "001", "002", "003", "004"].map(|page| {
        let path = format!("{}/../data/seeds/{page}.ndjson", env!("CARGO_MANIFEST_DIR"));
        std::fs::read_to_string(path).unwrap()
    });
    let mut lines = 0;
    for line in files.iter().flat_map(|file| file.lines()) {
        let mut body: Value = serde_json::from_str(line).unwrap();
        let kind: Kind = serde_json::from_value(body["kind"].clone()).unwrap();
        let checked = KindSchema::of(kind).check(body.clone());
        assert_eq!(checked.errors, [], "{line}");
        body.as_object_mut().unwrap().remove("kind");
        let mut again = round(kind, &body);
        crate::base::json::without_absent(&mut again);
        assert_eq!(
            crate::base::json::canonical(&again),
            crate::base::json::canonical(&body)
        );
        lines += 1;
    }
    assert!(lines > 150);
}

/// Parses a body into the struct of its kind and serializes it again.
fn round(kind: Kind, body: &Value) -> Value {
    macro_rules! round {
        ($($variant:ident $code:literal $plural:literal $de:literal $en:literal $type:path;)+) => {
            match kind {
                $(Kind::$variant => {
                    let parsed: $type = serde_json::from_value(body.clone()).unwrap();
                    serde_json::to_value(parsed).unwrap()
                })+
            }
        };
    }
    for_each_kind!(round)
}

#[test]
fn a_copy_from_a_newer_release_is_read_as_far_as_it_is_understood() {
    let body = json!({
        "name": "A", "slug": "a", "publication": "published",
        "categories": ["hologram_clinic"], "hovers": true,
        "identifiers": [{"scheme": "ik", "value": "260326822", "seal": 1}],
    });
    let facts = KindSchema::of(Kind::Actor).facts(&body);
    assert_eq!(facts.slug.as_deref(), Some("a"));
    assert_eq!(facts.publication, Some(Publication::Published));
    assert_eq!(facts.identifiers.len(), 1);
}

#[test]
fn each_rule_tells_where_it_is_broken_and_by_which_code() {
    for (kind, body, errors) in cases() {
        let expected: Vec<_> = errors
            .into_iter()
            .map(|(pointer, code)| (pointer.to_owned(), code))
            .collect();
        assert_eq!(codes(kind, body.clone()), expected, "{kind} {body}");
    }
}

/// Codes of violations that only the database can find.
const PRODUCED_ELSEWHERE: &[&str] = &[
    "id-mismatch",
    "not-allowed",
    "unknown-reference",
    "ambiguous-slug",
    "wrong-kind",
    "own-end",
    "cycle",
    "external-id-fixed",
    "item-mismatch",
    "repeated-key",
    "key-spelling",
    "cell",
    "list-length",
    "formula-error",
    "formula-without-value",
    "ambiguous-number",
    "read-as",
    "left-out",
    "system-version",
    "geojson",
    "merge-circle",
    "merge-self",
    "guessable-password",
    "wrong-password",
];

#[test]
fn every_code_is_produced_by_a_case_or_elsewhere() {
    let mut produced: Vec<_> = cases()
        .into_iter()
        .flat_map(|(.., errors)| errors.into_iter().map(|(_, code)| code))
        .chain(PRODUCED_ELSEWHERE.iter().copied())
        .collect();
    produced.sort_unstable();
    produced.dedup();
    let mut documented: Vec<_> = FaultCode::ALL.iter().map(|code| code.as_str()).collect();
    documented.sort_unstable();
    assert_eq!(produced, documented);
}

#[test]
fn a_wrong_role_names_the_nearest_and_every_allowed_one() {
    let fault = |r#type: &str, to: &str, role: &str| {
        let body = joins(r#type, "actor", to, &json!({"roles": [role]}));
        let checked = KindSchema::of(Kind::Relationship).check(body);
        let [error] = checked.errors.as_slice() else {
            panic!("{:?}", checked.errors);
        };
        error.fault.message(Lang::En)
    };
    assert_eq!(
        fault("funds", "project", "founding_member"),
        "\"founding_member\" is not a role of `funds`; did you mean \"funder\"? Allowed: funder, co_funder"
    );
    assert_eq!(
        fault("serves", "region", "host"),
        "\"host\" is not a role of `serves`. Allowed: none"
    );
}

#[test]
fn a_value_of_the_wrong_type_is_told_once_and_by_its_type() {
    for (member, value) in [
        ("care_level", json!(5)),
        ("slug", json!({})),
        ("home_region", json!([1])),
    ] {
        let mut body = json!({"name": "A"});
        body[member] = value;
        let found = codes(Kind::Actor, body);
        assert_eq!(found.len(), 1, "{found:?}");
        let expected = if member == "home_region" {
            "reference"
        } else {
            "type"
        };
        assert_eq!(found[0], (format!("/{member}"), expected));
    }
}

#[test]
fn tolerated_check_digits_are_warned_of_on_every_kind() {
    let identifiers = json!([
        {"scheme": "vat", "value": "DE136695976"},
        {"scheme": "vat", "value": "DE136695975"},
    ]);
    for (kind, mut body) in [
        (Kind::Actor, json!({"name": "A"})),
        (
            Kind::Relationship,
            joins("funds", "actor", "project", &json!({})),
        ),
    ] {
        body["identifiers"] = identifiers.clone();
        let checked = KindSchema::of(kind).check(body);
        assert_eq!(checked.errors, [], "{kind}");
        let [warning] = checked.warnings.as_slice() else {
            panic!("{kind} {:?}", checked.warnings);
        };
        assert_eq!(warning.pointer, "/identifiers/1/value");
        assert_eq!(warning.fault.code, FaultCode::IdentifierCheckDigit);
    }
}

#[test]
fn a_position_may_be_written_as_a_float() {
    let sent = joins("serves", "actor", "region", &json!({"position": 1.0}));
    let parsed = crate::base::json::parse(sent.to_string().as_bytes()).unwrap();
    assert_eq!(codes(Kind::Relationship, parsed), []);
}

#[test]
fn a_member_of_a_class_that_does_not_fit_names_member_and_kind() {
    let class = json!({"from": {"id": null, "kind": null, "as_stated": "x", "class": {"kind": "network", "size": "large"}}});
    let body = joins("member_of", "actor", "network", &class);
    let checked = KindSchema::of(Kind::Relationship).check(body);
    let [error] = checked.errors.as_slice() else {
        panic!("{:?}", checked.errors);
    };
    assert_eq!(
        error.fault.message(Lang::En),
        "`size` does not apply to a class of kind `network`; leave it out"
    );
}

#[test]
fn relationship_key_is_type_ends_role_set_and_start_of_what_has_no_stated_end() {
    let relationship_key = |body: Value| {
        let relationship: Relationship = serde_json::from_value(body).unwrap();
        relationship.relationship_key()
    };
    let member = |more: Value| relationship_key(joins("member_of", "actor", "network", &more));
    let plain = member(json!({"roles": ["chair", "member"], "valid": {"from": "2009"}}));
    assert!(plain.is_some());
    for same in [
        json!({"roles": ["member", "chair"], "valid": {"from": "2009"}}),
        json!({"roles": ["chair", "member", "chair"], "valid": {"from": "2009"}}),
        json!({"roles": ["chair", "member"], "valid": {"from": "2009"}, "subject": "x"}),
        json!({"roles": ["chair", "member"], "valid": {"from": "2009"}, "note": "x", "position": 1}),
    ] {
        assert_eq!(member(same.clone()), plain, "{same}");
    }
    for other in [
        json!({"roles": ["chair"], "valid": {"from": "2009"}}),
        json!({"roles": ["chair", "member"]}),
        json!({"roles": ["chair", "member"], "valid": {"from": "2009~"}}),
        json!({"roles": ["chair", "member"], "valid": {"from": "2009"}, "type": "part_of"}),
        json!({"roles": ["chair", "member"], "valid": {"from": "2009"}, "to": {"id": ID}}),
    ] {
        assert_ne!(member(other.clone()), plain, "{other}");
    }
    assert_eq!(member(json!({"valid": {"to": "2010"}})), None);
    // `..` states that it is ongoing, which is no end.
    assert_eq!(member(json!({"valid": {"to": ".."}})), member(json!({})));
}
