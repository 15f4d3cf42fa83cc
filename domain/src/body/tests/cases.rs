//! Bodies that break rules, one after the other, and what is told about them.

use crate::json::merge_patch;
use crate::resource::Kind;
use serde_json::{Value, json};

pub(super) const ID: &str = "0190b3a0-0000-7000-8000-000000000001";
const OTHER_ID: &str = "0190b3a0-0000-7000-8000-000000000002";

/// A kind, a body and everything that is wrong with it: pointer and code.
pub(super) type Case = (Kind, Value, Vec<(&'static str, &'static str)>);

fn named(members: Value) -> Value {
    let mut body = json!({"name": "A"});
    if let (Value::Object(body), Value::Object(members)) = (&mut body, members) {
        body.extend(members);
    }
    body
}

pub(super) fn joins(r#type: &str, from: &str, to: &str, more: &Value) -> Value {
    let mut body = json!({
        "type": r#type,
        "from": {"kind": from, "id": ID},
        "to": {"kind": to, "id": OTHER_ID},
    });
    merge_patch(&mut body, more);
    body
}

fn shapes_and_formats() -> Vec<Case> {
    let long = "x".repeat(501);
    vec![
        (Kind::Topic, json!({}), vec![("/name", "required")]),
        (
            Kind::Topic,
            json!({"name": " "}),
            vec![("/name", "required")],
        ),
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
        // A whole number to JSON Schema, but not to the struct.
        (
            Kind::Relationship,
            joins("serves", "actor", "region", &json!({"position": 1.0})),
            vec![("", "invalid-value")],
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
        (
            Kind::Event,
            event("27.1.2021", "2021-01-26"),
            vec![("/start", "moment")],
        ),
        (Kind::Project, phases("2009", "2009-06"), vec![]),
        (Kind::Project, phases("2009-06", "2009"), vec![]),
        (
            Kind::Project,
            phases("2009", "2008"),
            vec![("/phases", "order")],
        ),
    ]
}

fn rules_of_relationships() -> Vec<Case> {
    let stated = json!({"from": {"as_stated": "Die MedEcon Ruhr", "id": null, "kind": null}});
    let open = json!({
        "from": {"as_stated": "a", "id": null},
        "to": {"class": {"kind": "network"}, "as_stated": "b", "id": null, "kind": null},
    });
    let role = |role: &str| json!({"roles": ["member", role]});
    let case = |body, errors| (Kind::Relationship, body, errors);
    let none = || json!({});
    vec![
        case(
            joins("member_of", "actor", "network", &role("chair")),
            vec![],
        ),
        case(joins("member_of", "actor", "network", &stated), vec![]),
        case(joins("part_of", "region", "region", &none()), vec![]),
        case(
            joins("serves", "event", "region", &none()),
            vec![("/from", "end-kind")],
        ),
        case(
            joins("serves", "actor", "topic", &none()),
            vec![("/to", "end-kind")],
        ),
        case(
            joins("part_of", "actor", "network", &none()),
            vec![("/to", "same-kind")],
        ),
        case(
            joins("member_of", "actor", "network", &open),
            vec![("/to", "open-ends")],
        ),
        case(
            joins("related_to", "actor", "actor", &json!({"to": {"id": ID}})),
            vec![("/to", "same-ends")],
        ),
        case(
            joins("member_of", "actor", "network", &role("funder")),
            vec![("/roles/1", "role")],
        ),
        case(
            joins("serves", "actor", "region", &json!({"roles": ["member"]})),
            vec![("/roles/0", "role")],
        ),
    ]
}

pub(super) fn cases() -> Vec<Case> {
    [
        shapes_and_formats(),
        rules_of_values(),
        rules_of_kinds(),
        rules_of_relationships(),
    ]
    .concat()
}
