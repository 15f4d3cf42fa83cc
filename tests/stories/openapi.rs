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
    let document = tests::conform::document();
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
        let body = &tests::conform::document()["paths"][&path]["post"]["requestBody"]["content"]["application/json"]
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
            let body = &tests::conform::document()["paths"][&path]["post"]["requestBody"]["content"]
                ["application/json"]["example"];
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
    let committed: Value = serde_json::from_str(COMMITTED).unwrap();
    assert!(served.json == committed);
    // Line breaks are for reviewers.
    assert!(served.text.len() < COMMITTED.len() * 3 / 4);
});

/// The default of a parameter as query text.
fn default(parameter: &Value) -> Option<String> {
    let value = &parameter["schema"]["default"];
    match value {
        Value::Null => None,
        Value::String(text) => Some(text.clone()),
        other => Some(other.to_string()),
    }
}

story!(
    every_default_of_the_document_is_taken,
    Seeded,
    async |node| {
        let mut spelt_out = 0;
        for (path, methods) in tests::conform::document()["paths"].as_object().unwrap() {
            let parameters = methods["get"]["parameters"]
                .as_array()
                .into_iter()
                .flatten();
            let parameters: Vec<&Value> = parameters.filter(|one| one["in"] == "query").collect();
            let defaults = parameters.iter().filter_map(|one| {
                let name = one["name"].as_str().unwrap();
                Some((name, default(one)?))
            });
            let defaults: Vec<(&str, String)> = defaults.collect();
            if defaults.is_empty() {
                continue;
            }
            let needed = parameters.iter().filter(|one| one["required"] == true);
            let needed = needed.map(|one| {
                let example = one["example"].as_str().unwrap();
                (one["name"].as_str().unwrap(), example.to_owned())
            });
            let pairs = defaults.iter().cloned().chain(needed);
            let pairs: Vec<String> = pairs
                .map(|(name, value)| format!("{name}={value}"))
                .collect();
            let target = if path.starts_with("/v1/relationships/") {
                let all = node.get("/v1/relationships?limit=1").await.expect(200);
                all.json["items"][0]["id"].as_str().unwrap().to_owned()
            } else {
                let list = path.split("/{id}").next().unwrap();
                let first = if path.starts_with("/v1/") && path.contains("{id}") {
                    node.get(list).token(&node.admin).await.expect(200).json
                } else {
                    Value::Null
                };
                let id = first["items"][0]["id"].as_str();
                id.unwrap_or("0193e5a0-0000-7000-8000-000000000000")
                    .to_owned()
            };
            let url = format!("{}?{}", path.replace("{id}", &target), pairs.join("&"));
            let answer = node.get(&url).token(&node.admin).await;
            // An unknown path value is not found; the rest of the request is valid.
            let fine = answer.status == 200 || answer.status == 404 && path.contains("webhooks");
            assert!(fine, "{url}: {}", answer.text);
            spelt_out += defaults.len();
        }
        assert!(spelt_out > 40, "{spelt_out}");
    }
);

story!(
    what_is_wrong_with_a_parameter_is_told_in_german,
    Seeded,
    async |node| {
        for query in [
            "actors?limit=900",
            "actors?near=here",
            "actors?sort=nme",
            "actors?fields=nme",
            "actors?include=nme",
            "actors?category=hospitl",
            "actors?geometry=true",
            "actors?lang=zz_zz",
            "actors?updated_since=yesterday",
            "events?start_from=soon",
            "search?kind=actr",
            "search?highlights=true",
            "relationships?type=fundz",
            "relationships?id=x",
            "duplicates?min_score=7",
            "graph?from=actor/x&depth=9",
            "sync/changes?kind=actr",
            "export?kind=actr",
        ] {
            let call = node.get(&format!("/v1/{query}")).token(&node.admin);
            let german = call.header("accept-language", "de").await;
            let german = german.problem(400, "invalid-parameter").json["detail"].clone();
            let german = german.as_str().unwrap().to_owned();
            assert!(
                german.contains("ist falsch; erwartet:"),
                "{query}: {german}"
            );
            let english = [
                " must ", "number", "one of", "together", " a ", " an ", "such as", "mean ",
            ];
            for word in english {
                assert!(!german.contains(word), "{query}: {german}");
            }
        }
    }
);
