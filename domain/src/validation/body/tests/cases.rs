//! Bodies that violate rules, one after the other, and the reported violations.

mod relationships;

use crate::base::json::merge_patch;
use crate::base::kind::Kind;
use serde_json::{Value, json};

pub(crate) const ID: &str = "0190b3a0-0000-7000-8000-000000000001";
const OTHER_ID: &str = "0190b3a0-0000-7000-8000-000000000002";

/// A kind, a body and all its violations: pointer and code.
pub(crate) type Case = (Kind, Value, Vec<(&'static str, &'static str)>);

fn named(members: Value) -> Value {
    let mut body = json!({"name": "A"});
    if let (Value::Object(body), Value::Object(members)) = (&mut body, members) {
        body.extend(members);
    }
    body
}

pub(crate) fn joins(r#type: &str, from: &str, to: &str, more: &Value) -> Value {
    let mut body = json!({
        "type": r#type,
        "from": {"kind": from, "id": ID},
        "to": {"kind": to, "id": OTHER_ID},
    });
    merge_patch(&mut body, more);
    body
}

fn names() -> Vec<Case> {
    let topic = |name: &str, code| {
        let body = json!({"name": name});
        (Kind::Topic, body, vec![("/name", code)])
    };
    vec![
        (Kind::Topic, json!({}), vec![("/name", "required")]),
        topic(" ", "too-short"),
        topic("\u{308}", "required"),
        topic("–", "required"),
        topic("\u{3164}", "deceptive-character"),
        topic("\u{2800}", "deceptive-character"),
        topic("\u{ad}", "deceptive-character"),
        topic("Klinik\u{202e}kinilK", "deceptive-character"),
    ]
}

fn shapes_and_formats() -> Vec<Case> {
    let long = "x".repeat(501);
    vec![
        (
            Kind::Topic,
            named(json!({"nmae": 1})),
            vec![("/nmae", "unknown-member")],
        ),
        (
            Kind::Topic,
            named(json!({"notation": 1})),
            vec![("/notation", "type")],
        ),
        (
            Kind::Topic,
            named(json!({"notation": ""})),
            vec![("/notation", "too-short")],
        ),
        (
            Kind::Topic,
            named(json!({"summary": long})),
            vec![("/summary", "too-long")],
        ),
        (
            Kind::Topic,
            named(json!({"slug": "A b"})),
            vec![("/slug", "slug")],
        ),
        (
            Kind::Topic,
            named(json!({"slug": ID})),
            vec![("/slug", "slug")],
        ),
        (
            Kind::Topic,
            named(json!({"language": "german!"})),
            vec![("/language", "language")],
        ),
        (
            Kind::Topic,
            named(json!({"publish_at": "2026"})),
            vec![("/publish_at", "timestamp")],
        ),
        (
            Kind::Topic,
            named(json!({"broader": 5})),
            vec![("/broader", "reference")],
        ),
        (
            Kind::Topic,
            named(json!({"contact": {"email": "a", "website": "ftp://a.de"}})),
            vec![("/contact/email", "email"), ("/contact/website", "url")],
        ),
        (
            Kind::Topic,
            named(json!({"places": [{"country": "de"}]})),
            vec![("/places/0/country", "pattern")],
        ),
        (
            Kind::Topic,
            named(json!({"translations": {"en": {"nmae": "x"}}})),
            vec![("/translations/en/nmae", "translation-member")],
        ),
        (
            Kind::Region,
            named(json!({"level": "twon"})),
            vec![("/level", "unknown-code")],
        ),
        (
            Kind::Region,
            named(json!({"point": {"lat": -91, "lon": 181}})),
            vec![("/point/lat", "minimum"), ("/point/lon", "maximum")],
        ),
        (
            Kind::Actor,
            named(json!({"value_chain": ["core", "supply", "synergy", "core"]})),
            vec![("/value_chain", "too-many")],
        ),
        (
            Kind::Actor,
            named(json!({"contact": {
                "website": "https://me:secret@a.de",
                "contact_form": "https://me@a.de/form",
            }})),
            vec![
                ("/contact/contact_form", "url"),
                ("/contact/website", "url"),
            ],
        ),
        // An integer to JSON Schema, but not to the struct: `json::parse` converts it.
        (
            Kind::Relationship,
            joins("serves", "actor", "region", &json!({"position": 1.0})),
            vec![("", "invalid-value")],
        ),
    ]
}

fn former_names() -> Vec<Case> {
    vec![(
        Kind::Network,
        named(json!({"form": "cluster"})),
        vec![("/form", "renamed-member")],
    )]
}

fn repeated_entries() -> Vec<Case> {
    let topics = json!({"topics": ["a", {"slug": "b"}, {"slug": "b"}]});
    vec![
        (
            Kind::Actor,
            named(json!({"categories": ["hospital", "school", "hospital"]})),
            vec![("/categories", "repeated")],
        ),
        (
            Kind::Actor,
            named(json!({"value_chain": ["core", "core"]})),
            vec![("/value_chain", "repeated")],
        ),
        (
            Kind::Network,
            named(json!({"value_chain": ["core", "core"]})),
            vec![("/value_chain", "repeated")],
        ),
        (Kind::Topic, named(topics), vec![("/topics", "repeated")]),
        (Kind::Project, named(json!({"goals": ["a", "a"]})), vec![]),
        (
            Kind::Relationship,
            joins(
                "member_of",
                "actor",
                "network",
                &json!({"roles": ["chair", "chair", "funder"]}),
            ),
            vec![("/roles", "repeated"), ("/roles/2", "role")],
        ),
    ]
}

fn rules_of_values() -> Vec<Case> {
    let identifiers = |scheme: &str, value: &str| {
        named(json!({"identifiers": [{"scheme": scheme, "value": value}]}))
    };
    let figures = |value: f64, to: f64| {
        let figure =
            json!({"measure": "members", "value": value, "value_to": to, "qualifier": "exact"});
        named(json!({"figures": [figure]}))
    };
    let period = |period: Value| named(json!({"period": period}));
    vec![
        (Kind::Actor, figures(50.0, 60.0), vec![]),
        (Kind::Actor, figures(50.0, 50.0), vec![]),
        (
            Kind::Actor,
            figures(50.0, 49.5),
            vec![("/figures/0/value_to", "value-order")],
        ),
        (
            Kind::Actor,
            identifiers("rorr", "1"),
            vec![("/identifiers/0/scheme", "identifier-scheme")],
        ),
        (
            Kind::Actor,
            identifiers("lanr", "1"),
            vec![("/identifiers/0/scheme", "identifier-person")],
        ),
        (
            Kind::Actor,
            identifiers("ik", "1"),
            vec![("/identifiers/0/value", "identifier-format")],
        ),
        (
            Kind::Actor,
            identifiers("ik", "260326823"),
            vec![("/identifiers/0/value", "identifier-check-digit")],
        ),
        (
            Kind::Actor,
            named(json!({"places": [{}], "links": [{"rel": "self"}], "media": [{"type": "logo"}]})),
            vec![
                ("/links/0", "empty-entry"),
                ("/media/0", "empty-entry"),
                ("/places/0", "empty-entry"),
            ],
        ),
        (
            Kind::Actor,
            named(json!({"description": "a <b>c</b>"})),
            vec![("/description", "raw-html")],
        ),
        (
            Kind::Actor,
            named(json!({"description": "a [b](javascript:alert)"})),
            vec![("/description", "link-scheme")],
        ),
        (
            Kind::Project,
            period(json!({"from": "2009", "to": ".."})),
            vec![],
        ),
        (
            Kind::Project,
            period(json!({})),
            vec![("/period", "period-empty")],
        ),
        (
            Kind::Project,
            period(json!({"from": "2009-13"})),
            vec![("/period/from", "date")],
        ),
        (
            Kind::Project,
            period(json!({"to": "now"})),
            vec![("/period/to", "period-end")],
        ),
        (
            Kind::Project,
            period(json!({"from": "2010", "to": "2009"})),
            vec![("/period", "period-order")],
        ),
    ]
}

fn rules_of_kinds() -> Vec<Case> {
    let lifetime =
        |founded: &str, dissolved: &str| named(json!({"founded": founded, "dissolved": dissolved}));
    let event = |start: &str, end: &str| named(json!({"start": start, "end": end}));
    let phases = |first: &str, second: &str| {
        named(json!({"phases": [
            {"phase": "concept", "valid": {"from": first}},
            {"phase": "idea"},
            {"phase": "idea", "valid": {"to": ".."}},
            {"phase": "running", "valid": {"from": second}},
        ]}))
    };
    vec![
        (Kind::Actor, lifetime("2009", "2009-06"), vec![]),
        (
            Kind::Actor,
            lifetime("2009", "2008-12-31"),
            vec![("/dissolved", "order")],
        ),
        // A violation of a member does not hide those of the whole.
        (
            Kind::Actor,
            json!({"name": " ", "description": "<b>", "founded": "2009", "dissolved": "2008"}),
            vec![
                ("/description", "raw-html"),
                ("/dissolved", "order"),
                ("/name", "too-short"),
            ],
        ),
        (Kind::Actor, lifetime("2009", "2008~"), vec![]),
        (Kind::Actor, lifetime("2009?", "2008-12-31"), vec![]),
        (
            Kind::Actor,
            lifetime("2009~", "2007"),
            vec![("/dissolved", "order")],
        ),
        (
            Kind::Network,
            lifetime("2009", "2008"),
            vec![("/dissolved", "order")],
        ),
        (Kind::Event, event("2021-01", "2021-01-27"), vec![]),
        (
            Kind::Event,
            event("2021-01-27", "2021-01-27T10:00:00+01:00"),
            vec![],
        ),
        (
            Kind::Event,
            event("2021-01-27", "2021-01-26"),
            vec![("/end", "order")],
        ),
        (Kind::Event, event("2021-01-27", "2021-01-26~"), vec![]),
        (
            Kind::Event,
            event("2021-01-27T10:00:00+01:00", "2021-01-27T09:30:00+01:00"),
            vec![("/end", "order")],
        ),
        (
            Kind::Event,
            event("2021-01-28T01:00:00+01:00", "2021-01-27T23:30:00-05:00"),
            vec![],
        ),
        (
            Kind::Event,
            event("27.1.2021", "2021-01-26"),
            vec![("/start", "moment")],
        ),
        (Kind::Project, phases("2009", "2009-06"), vec![]),
        (Kind::Project, phases("2009-06", "2009"), vec![]),
        (Kind::Project, phases("2009", "2008?"), vec![]),
        (
            Kind::Project,
            phases("2009", "2008"),
            vec![("/phases", "order")],
        ),
        (
            Kind::Project,
            named(
                json!({"outcomes": [{"type": "service", "title": "a", "available_at":
                {"class": {"kind": "actor", "network_type": "cluster"}, "as_stated": "b"}}]}),
            ),
            vec![(
                "/outcomes/0/available_at/class/network_type",
                "class-member",
            )],
        ),
    ]
}

pub(crate) fn cases() -> Vec<Case> {
    [
        names(),
        shapes_and_formats(),
        former_names(),
        repeated_entries(),
        rules_of_values(),
        rules_of_kinds(),
        relationships::rules_of_relationships(),
    ]
    .concat()
}
