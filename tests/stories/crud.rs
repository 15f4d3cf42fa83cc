//! The life of a record, the same for every kind.

use domain::base::kind::Kind;
use domain::validation::body::KindSchema;
use serde_json::{Value, json};
use tests::{Node, story};

/// The documented example of a kind under another name, and a change to it.
fn example(kind: Kind, number: u32) -> (Value, Value) {
    let mut body: Value = serde_json::from_str(KindSchema::of(kind).example).unwrap();
    if kind == Kind::Relationship {
        body["valid"] = json!({"from": format!("{}", 2000 + number)});
        return (body, json!({"note": "geändert"}));
    }
    body["name"] = json!(format!("Beispiel {number}"));
    (body, json!({"summary": "geändert"}))
}

async fn life(node: &Node, kind: Kind) {
    let all = format!("/v1/{}", kind.plural());
    let (body, change) = example(kind, 1);

    // A dry run writes nothing.
    let rehearsed = node
        .post(&format!("{all}?dry_run=true"))
        .json(&body)
        .await
        .expect(200);
    assert_eq!(rehearsed.json["id"], Value::Null);
    assert_eq!(rehearsed.header("location"), "");

    let made = node.post(&all).json(&body).await.expect(201);
    let one = format!("{all}/{}", made.id());
    assert_eq!(made.header("location"), one);
    assert_eq!(made.etag(), "\"1\"");
    assert_eq!(made.json["kind"], json!(kind));
    assert_eq!(made.json["publication"], "draft");

    // A draft is invisible to the public.
    node.get(&one).await.problem(404, "not-found");
    let read = node.get(&one).token(&node.admin).await.expect(200);
    assert_eq!(read.json, made.json);
    node.get(&one)
        .token(&node.admin)
        .header("if-none-match", "\"1\"")
        .await
        .expect(304);

    // A change needs the version that it is based on.
    node.patch(&one)
        .json(&change)
        .await
        .problem(428, "precondition-required");
    node.patch(&one)
        .if_match("17")
        .json(&change)
        .await
        .problem(400, "invalid-header");
    let stale = node.patch(&one).if_match("\"7\"").json(&change).await;
    assert_eq!(stale.problem(412, "precondition-failed").json["current"], 1);
    let foreign = node.patch(&one).if_match("W/\"abc\"").json(&change).await;
    foreign.problem(412, "precondition-failed");
    let changed = node
        .patch(&one)
        .if_match("W/\"1\"")
        .json(&change)
        .await
        .expect(200);
    assert_eq!(changed.etag(), "\"2\"");

    // A change without effect keeps the version.
    let same = node
        .patch(&one)
        .if_match("\"2\"")
        .json(&change)
        .await
        .expect(200);
    assert_eq!(same.etag(), "\"2\"");

    // A record that was read can be sent back, published.
    let mut whole = changed.json.clone();
    whole["publication"] = json!("published");
    let rehearsed = node
        .put(&format!("{one}?dry_run=true"))
        .if_match("\"2\"")
        .json(&whole)
        .await
        .expect(200);
    assert_eq!(
        (rehearsed.json["version"].as_i64(), rehearsed.etag()),
        (Some(3), "")
    );
    let put = node
        .put(&one)
        .if_match("\"2\"")
        .json(&whole)
        .await
        .expect(200);
    assert_eq!(put.etag(), "\"3\"");
    assert_eq!(node.get(&one).await.expect(200).json, put.json);

    // An id or kind that differs from the URL is an error.
    let mut other = whole.clone();
    other["id"] = json!("00000000-0000-7000-8000-000000000000");
    other["kind"] = json!("nonsense");
    let wrong = node.put(&one).if_match("\"3\"").json(&other).await;
    let faults = wrong.problem(422, "validation-failed").faults();
    assert!(
        faults.contains(&("/kind".to_owned(), "id-mismatch".to_owned())),
        "{faults:?}"
    );
    other["kind"] = json!(kind);
    let wrong = node.put(&one).if_match("\"3\"").json(&other).await;
    assert_eq!(wrong.problem(422, "validation-failed").faults()[0].0, "/id");
    let new_id = node.post(&all).json(&whole).await;
    assert_eq!(
        new_id.problem(422, "validation-failed").faults()[0].0,
        "/id"
    );

    // Writing needs a token.
    node.post(&all)
        .anonymous()
        .json(&body)
        .await
        .problem(401, "unauthorized");
    node.delete(&one)
        .anonymous()
        .await
        .problem(401, "unauthorized");

    // Deleting leaves a tombstone for those who knew the record.
    node.delete(&one)
        .await
        .problem(428, "precondition-required");
    node.delete(&one)
        .if_match("\"2\"")
        .await
        .problem(412, "precondition-failed");
    node.delete(&one).if_match("\"3\"").await.expect(204);
    let gone = node.get(&one).await.problem(410, "gone");
    assert_eq!(gone.json["tombstone"]["version"], 4);
    node.delete(&one)
        .if_match("\"4\"")
        .await
        .problem(410, "gone");

    // A draft that was never public stays unknown to everyone else.
    let (body, _) = example(kind, 2);
    let draft = node.post(&all).json(&body).await.expect(201);
    let one = format!("{all}/{}", draft.id());
    node.delete(&one).if_match("\"1\"").await.expect(204);
    node.get(&one).await.problem(404, "not-found");
    node.get(&one).token(&node.admin).await.problem(410, "gone");
}

story!(every_kind_lives_the_same_life, Seeded, async |node| {
    for kind in <Kind as domain::base::vocabulary::Coded>::ALL {
        life(node, *kind).await;
    }
});
