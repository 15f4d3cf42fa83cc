//! The OpenAPI document: committed, complete, and true.

use domain::base::kind::Kind;
use domain::base::vocabulary::Coded;
use domain::validation::body::KindSchema;
use serde_json::Value;
use std::collections::BTreeSet;
use tests::story;

const COMMITTED: &str = include_str!("../../openapi/openapi.json");

fn document() -> Value {
    api::operation::openapi::document(&api::routes::all())
}

fn visit(value: &Value, at: &str, see: &mut impl FnMut(&str, &Value)) {
    see(at, value);
    match value {
        Value::Object(members) => {
            for (name, member) in members {
                let name = name.replace('~', "~0").replace('/', "~1");
                visit(member, &format!("{at}/{name}"), see);
            }
        }
        Value::Array(items) => {
            for (index, item) in items.iter().enumerate() {
                visit(item, &format!("{at}/{index}"), see);
            }
        }
        _ => {}
    }
}

#[test]
fn the_committed_document_is_that_of_the_code() {
    let text = api::operation::openapi::text(&document());
    assert!(
        text == COMMITTED,
        "openapi/openapi.json is out of date: cargo run -p api --bin verbund -- openapi > openapi/openapi.json"
    );
}

#[test]
fn no_two_schemas_have_one_name() {
    let described = api::routes::all().describe();
    assert_eq!(described.clashes, BTreeSet::new());
}

#[test]
fn every_reference_resolves_and_every_operation_has_a_name_of_its_own() {
    let document = document();
    let mut names = BTreeSet::new();
    visit(&document, "", &mut |at, value| {
        if let Some(target) = value.get("$ref").and_then(Value::as_str) {
            assert!(
                document.pointer(target.trim_start_matches('#')).is_some(),
                "{at} refers to {target}"
            );
        }
        if let Some(name) = value.get("operationId").and_then(Value::as_str) {
            assert!(names.insert(name.to_owned()), "{name} twice");
        }
    });
    for kind in Kind::ALL {
        for verb in ["get", "create", "replace", "patch", "delete"] {
            assert!(names.contains(&format!("{verb}_{kind}")), "{verb}_{kind}");
        }
    }
}

#[test]
fn examples_fit_their_schemas() {
    let document = document();
    let mut checked = 0;
    visit(&document["paths"], "", &mut |at, value| {
        let (Some(schema), Some(example)) = (value.get("schema"), value.get("example")) else {
            return;
        };
        let root = serde_json::json!({"allOf": [schema], "components": document["components"]});
        let validator = jsonschema::options().build(&root).unwrap();
        let wrong: Vec<String> = validator
            .iter_errors(example)
            .map(|e| e.to_string())
            .collect();
        assert!(wrong.is_empty(), "{at}: {wrong:?}");
        checked += 1;
    });
    assert!(checked > 40, "{checked}");
}

#[test]
fn examples_of_bodies_pass_every_rule() {
    for kind in Kind::ALL {
        let path = format!("/v1/{}", kind.plural());
        let body = &document()["paths"][&path]["post"]["requestBody"]["content"]["application/json"]
            ["example"];
        let checked = KindSchema::of(*kind).check(body.clone());
        assert_eq!(checked.errors, [], "{kind}");
    }
}

story!(
    the_example_of_every_kind_can_be_created,
    Seeded,
    async |node| {
        for kind in Kind::ALL {
            let path = format!("/v1/{}", kind.plural());
            let body = &document()["paths"][&path]["post"]["requestBody"]["content"]["application/json"]
                ["example"];
            // Data of the seed pages conflicts with itself.
            let status = node
                .post(&format!("{path}?dry_run=true"))
                .json(body)
                .await
                .status;
            assert!([200, 409].contains(&status), "{kind} {status}");
        }
    }
);

story!(the_document_is_served_as_committed, async |node| {
    let served = node.get("/openapi.json").await.expect(200);
    assert_eq!(served.text, COMMITTED);
});
