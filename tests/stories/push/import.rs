//! `POST /v1/import`: many records at once, by editors.

use super::{actor, lines, problem, token};
use domain::access::rules::Role;
use serde_json::{Value, json};
use tests::{Answer, Call, Node, story};

fn import(node: &Node, token: &str, query: &str, body: &str) -> Call {
    let call = node.post(&format!("/v1/import{query}")).token(token);
    call.body("application/x-ndjson", body)
}

fn tally(answer: &Answer) -> Value {
    let mut members = answer.json.clone();
    members
        .as_object_mut()
        .unwrap()
        .retain(|_, count| count.as_u64().is_some_and(|count| count > 0));
    members
}

fn keyed(key: &str, name: &str) -> Value {
    let mut record = actor(name);
    record["kind"] = json!("actor");
    record["external_id"] = json!({"system": "liste", "id": key});
    record
}

story!(editors_import_by_key_and_by_id, async |node| {
    let approver = token(node, Role::Approver, "hessen").await;
    let body = lines(&[keyed("1", "Eins"), keyed("2", "Zwei"), keyed("3", "")]);
    let rehearsed = import(node, &approver, "?dry_run=true", &body)
        .await
        .expect(200);
    let head = node.store.log().head().await.unwrap();
    assert_eq!(
        tally(&rehearsed),
        json!({"lines": 3, "created": 2, "failed": 1})
    );
    let done = import(node, &approver, "", &body).await.expect(200);
    assert_eq!(tally(&done), tally(&rehearsed));
    assert_eq!(
        (&done.json["dry_run"], &rehearsed.json["dry_run"]),
        (&json!(false), &json!(true))
    );
    assert_eq!(done.json["errors"][0]["line"], 3);
    assert_eq!(
        done.json["errors"][0]["problem"]["errors"][0]["pointer"],
        "/name"
    );
    assert_eq!(node.store.log().head().await.unwrap(), head + 2);
    let again = import(
        node,
        &approver,
        "",
        &lines(&[keyed("1", "Eins"), keyed("2", "Neu")]),
    )
    .await;
    assert_eq!(
        tally(&again.expect(200)),
        json!({"lines": 2, "updated": 1, "overwritten": 1, "unchanged": 1})
    );

    // What was exported comes back, by id and with its version.
    let export = node
        .get("/v1/export?kind=actor")
        .token(&approver)
        .await
        .expect(200);
    let unchanged = import(node, &approver, "", &export.text).await.expect(200);
    assert_eq!(tally(&unchanged), json!({"lines": 2, "unchanged": 2}));
    let mut first: Value = serde_json::from_str(export.text.lines().next().unwrap()).unwrap();
    first["name"] = json!("Aus dem Export");
    let changed = import(node, &approver, "", &lines(&[first.clone()]))
        .await
        .expect(200);
    assert_eq!(tally(&changed), json!({"lines": 1, "updated": 1}));
    first["name"] = json!("Veraltet");
    let stale = import(node, &approver, "", &lines(&[first]))
        .await
        .expect(200);
    assert_eq!(problem(&stale.json["errors"][0]), "precondition-failed");

    // A line may reference one before it, in a dry run too.
    let series = |key: &str| json!({"kind": "event", "name": "Reihe", "home_region": "hessen", "external_id": {"system": "liste", "id": key}});
    let part = json!({"kind": "relationship", "type": "part_of", "from": {"kind": "event", "external_id": {"system": "liste", "id": "b"}}, "to": {"kind": "event", "external_id": {"system": "liste", "id": "a"}}});
    let body = lines(&[series("a"), series("b"), part]);
    for query in ["?dry_run=true", ""] {
        let answer = import(node, &approver, query, &body).await.expect(200);
        assert_eq!(
            tally(&answer),
            json!({"lines": 3, "created": 3}),
            "{}",
            answer.text
        );
    }
});

story!(cells_of_a_table_are_taken_as_they_are, async |node| {
    let approver = token(node, Role::Approver, "hessen").await;
    let names = [
        "=1+1",
        "+49 561",
        "-x",
        "@y",
        "'=z",
        "a;b\\c",
        "\"q\"\nnext",
    ];
    let rows: Vec<String> = (names.iter().enumerate())
        .map(|(key, name)| {
            format!(
                "{key},\"{}\",hessen,published,liste\r\n",
                name.replace('"', "\"\"")
            )
        })
        .collect();
    let heading = "external_id.id,name,home_region,publication,external_id.system";
    let table = format!("{heading}\r\n{}", rows.concat());
    let call = node
        .post("/v1/import?kind=actor")
        .token(&approver)
        .body("text/csv", table);
    let done = call.await.expect(200);
    assert_eq!(
        tally(&done),
        json!({"lines": 7, "created": 7}),
        "{}",
        done.text
    );
    node.settled().await;
    for (key, name) in names.iter().enumerate() {
        // A single apostrophe before a formula is the guard of exports.
        let stored = name.strip_prefix('\'').unwrap_or(name);
        // A name has one line, though cells may have several.
        let stored = stored.replace('\n', " ");
        let found = node
            .get(&format!("/v1/actors?external_id=liste%7C{key}"))
            .await
            .expect(200);
        assert_eq!(found.json["items"][0]["name"], stored);
    }
    // A round trip changes nothing.
    let table = node
        .get("/v1/export?kind=actor&format=csv")
        .await
        .expect(200)
        .text;
    assert!(table.contains("\"'=1+1\""));
    let call = node
        .post("/v1/import")
        .token(&approver)
        .body("text/csv", table);
    let done = call.await.expect(200);
    assert_eq!(
        tally(&done),
        json!({"lines": 7, "unchanged": 7}),
        "{}",
        done.text
    );
});

story!(imports_are_for_those_who_write, async |node| {
    for role in [Role::Reader, Role::Feeder] {
        let token = token(node, role, "hessen").await;
        let refused = import(node, &token, "", &lines(&[keyed("1", "Eins")])).await;
        refused.problem(403, "forbidden");
    }
    let editor = token(node, Role::Editor, "hessen").await;
    let mut there = keyed("1", "Dort");
    there["home_region"] = json!("bayern");
    let mut draft = keyed("2", "Hier");
    draft["publication"] = json!("draft");
    let body = lines(&[there.clone(), keyed("3", "Öffentlich"), draft.clone()]);
    let answer = import(node, &editor, "", &body).await.expect(200);
    assert_eq!(
        tally(&answer),
        json!({"lines": 3, "created": 1, "failed": 2})
    );
    let refused = &answer.json["errors"];
    assert_eq!(
        [problem(&refused[0]), problem(&refused[1])],
        ["forbidden"; 2]
    );
    assert_eq!(refused[1]["problem"]["reason"], "publication");

    // New ids are reserved for admins; an editor learns nothing of an invisible record.
    there["publication"] = json!("draft");
    let secret = node.post("/v1/actors").json(&there).await.expect(201);
    let told = async |id: &str| {
        let mut line = keyed("9", "Neun");
        line["id"] = json!(id);
        line["publication"] = json!("draft");
        let answer = import(node, &editor, "", &lines(&[line])).await.expect(200);
        answer.json["errors"][0]["problem"].to_string()
    };
    let fresh = domain::base::id::new().to_string();
    assert_eq!(told(secret.id()).await, told(&fresh).await);
    let mut line = keyed("9", "Neun");
    line["id"] = json!(fresh);
    let answer = import(node, &node.admin, "", &lines(&[line]))
        .await
        .expect(200);
    assert_eq!(tally(&answer), json!({"lines": 1, "created": 1}));
    // The key of an invisible record is taken.
    there["home_region"] = json!("hessen");
    let answer = import(node, &editor, "", &lines(&[there]))
        .await
        .expect(200);
    assert_eq!(problem(&answer.json["errors"][0]), "conflict");
    assert!(!answer.text.contains(secret.id()));
    // A deleted own record returns under its id.
    let own = node
        .get("/v1/actors?external_id=liste%7C2&publication=draft")
        .token(&editor)
        .await;
    let own = own.expect(200).json["items"][0].clone();
    let path = format!("/v1/actors/{}", own["id"].as_str().unwrap());
    node.delete(&path)
        .token(&editor)
        .if_match("*")
        .await
        .expect(204);
    let answer = import(node, &editor, "", &lines(std::slice::from_ref(&own)))
        .await
        .expect(200);
    assert_eq!(
        tally(&answer),
        json!({"lines": 1, "created": 1}),
        "{}",
        answer.text
    );
    node.get(&path).token(&editor).await.expect(200);
});

story!(what_cannot_be_read_is_told_with_its_line, async |node| {
    let approver = token(node, Role::Approver, "hessen").await;
    let good = keyed("1", "Eins");
    let body = format!(
        "{{\n\n{good}\n{{\"kind\":\"aktor\"}}\n[]\n{{\"kind\":\"actor\",\"origin\":\"elsewhere\"}}\n"
    );
    let answer = import(node, &approver, "", &body).await.expect(200);
    assert_eq!(
        tally(&answer),
        json!({"lines": 5, "created": 1, "failed": 4})
    );
    let lines: Vec<_> = answer.json["errors"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| one["line"].clone())
        .collect();
    assert_eq!(lines, [1, 4, 5, 6]);
    let german = import(node, &approver, "?dry_run=true", "{}").header("accept-language", "de");
    let german = german.await.expect(200);
    assert_eq!(
        german.json["errors"][0]["problem"]["title"],
        "Der Body ist nicht gültig"
    );
    // A number with a wrong check digit is accepted with a warning.
    let mut doubtful = keyed("4", "Vier");
    doubtful["identifiers"] = json!([{"scheme": "vat", "value": "DE136695970"}]);
    let answer = import(node, &approver, "", &crate::push::lines(&[doubtful]))
        .await
        .expect(200);
    assert_eq!(answer.json["warnings"][0]["line"], 1, "{}", answer.text);
});
