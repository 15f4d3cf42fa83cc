//! What a table or a line does not mention is not a statement.

use super::{
    SNAPSHOT, actor, carried_out, counts, feeder, line, lines, planned, problem, push, statuses,
    supplied, token, upsert,
};
use domain::access::rules::Role;
use serde_json::{Value, json};
use std::slice::from_ref;
use tests::{Answer, Call, Node, story};

fn import(node: &Node, token: &str, query: &str, body: &str) -> Call {
    let media_type = if body.starts_with('{') {
        "application/x-ndjson"
    } else {
        "text/csv"
    };
    let call = node.post(&format!("/v1/import?kind=actor{query}"));
    call.token(token).body(media_type, body)
}

fn full(key: &str, name: &str) -> Value {
    let mut record = actor(name);
    record["kind"] = json!("actor");
    record["external_id"] = json!({"system": "liste", "id": key});
    record["summary"] = json!("Kurz");
    record["categories"] = json!(["medical_practice"]);
    record["contact"] = json!({"phone": "0561 1", "website": "https://a.example"});
    record["places"] = json!([{"street": "Weg 1", "city": "Kassel"}, {"city": "Fulda"}]);
    record
}

async fn read(node: &Node, token: &str, key: &str) -> Value {
    node.settled().await;
    let path = format!("/v1/actors?external_id=liste%7C{key}");
    node.get(&path).token(token).await.expect(200).json["items"][0].clone()
}

fn removed(answer: &Answer) -> Vec<(String, u64)> {
    let all = answer.json["removed"].as_array().unwrap();
    let name = |one: &Value| one["member"].as_str().unwrap().to_owned();
    let each = all
        .iter()
        .map(|one| (name(one), one["records"].as_u64().unwrap()));
    each.collect()
}

/// The members that a change states, without version and time.
fn stated(mut record: Value) -> Value {
    let members = record.as_object_mut().unwrap();
    members.retain(|name, _| !["version", "updated_at"].contains(&name.as_str()));
    record
}

story!(a_table_says_only_what_its_columns_say, async |node| {
    let approver = token(node, Role::Approver, "hessen").await;
    let body = lines(&[full("1", "Eins"), full("2", "Zwei")]);
    import(node, &approver, "", &body).await.expect(200);
    let before = stated(read(node, &approver, "1").await);
    let heading = "external_id.system,external_id.id,name,contact.phone";
    for dry_run in ["&dry_run=true", ""] {
        let table = format!("{heading}\r\nliste,1,Eins,0561 2\r\nliste,2,Zwei,\r\n");
        let done = import(node, &approver, dry_run, &table).await.expect(200);
        assert_eq!(done.json["updated"], 2, "{}", done.text);
        assert_eq!(removed(&done), [("contact.phone".to_owned(), 1)]);
        assert_eq!(done.json["removed"][0]["examples"][0]["line"], 3);
    }
    let mut expected = before.clone();
    expected["contact"]["phone"] = json!("0561 2");
    assert_eq!(stated(read(node, &approver, "1").await), expected);
    let second = read(node, &approver, "2").await;
    assert_eq!(second["contact"], json!({"website": "https://a.example"}));
    assert_eq!(second["categories"], before["categories"]);

    // A list of objects with some of its columns is changed by position.
    let cities = |cell: &str| {
        let table = format!("external_id.system,external_id.id,places.city\nliste,1,{cell}\n");
        import(node, &approver, "", &table)
    };
    cities("Kassel;Hanau").await.expect(200);
    expected["places"][1]["city"] = json!("Hanau");
    assert_eq!(stated(read(node, &approver, "1").await), expected);
    let refused = cities("Kassel").await.expect(200);
    assert_eq!(problem(&refused.json["errors"][0]), "validation-failed");
    let error = &refused.json["errors"][0]["problem"]["errors"][0];
    assert_eq!(
        (&error["pointer"], &error["code"]),
        (&json!("/places"), &json!("list-length"))
    );
    assert_eq!(stated(read(node, &approver, "1").await), expected);

    // A client that means the whole record says so.
    let table = "external_id.system,external_id.id,name,home_region\nliste,1,Eins,hessen\n";
    let done = import(node, &approver, "&update=replace", table)
        .await
        .expect(200);
    let gone = ["categories", "contact", "places", "summary"];
    assert_eq!(removed(&done), gone.map(|member| (member.to_owned(), 1)));
    import(node, &approver, "&update=whole", table)
        .await
        .problem(400, "invalid-parameter");
});

story!(lines_replace_unless_they_patch, async |node| {
    let approver = token(node, Role::Approver, "hessen").await;
    import(node, &approver, "", &full("1", "Eins").to_string())
        .await
        .expect(200);
    let before = stated(read(node, &approver, "1").await);
    let patch = json!({"kind": "actor", "external_id": {"system": "liste", "id": "1"}, "contact": {"phone": null}, "summary": "Neu"});
    let done = import(node, &approver, "&update=patch", &patch.to_string());
    let done = done.await.expect(200);
    assert_eq!(removed(&done), [("contact.phone".to_owned(), 1)]);
    let mut expected = before.clone();
    expected["summary"] = json!("Neu");
    expected["contact"].as_object_mut().unwrap().remove("phone");
    assert_eq!(stated(read(node, &approver, "1").await), expected);
    // A patch of a record that is not here yet is the record.
    let mut new = full("2", "Zwei");
    new["summary"] = Value::Null;
    let done = import(node, &approver, "&update=patch", &new.to_string());
    assert_eq!(done.await.expect(200).json["created"], 1);
    let mut less = full("1", "Eins");
    less.as_object_mut().unwrap().remove("categories");
    let done = import(node, &approver, "", &less.to_string())
        .await
        .expect(200);
    assert_eq!(removed(&done), [("categories".to_owned(), 1)]);
});

story!(
    some_columns_of_an_export_come_back_unchanged,
    async |node| {
        let approver = token(node, Role::Approver, "hessen").await;
        let records: Vec<Value> = (0..30)
            .map(|key| full(&key.to_string(), "Praxis"))
            .collect();
        import(node, &approver, "", &lines(&records))
            .await
            .expect(200);
        node.settled().await;
        for fields in [
            "contact",
            "places",
            "name,home_region,contact",
            "categories",
        ] {
            let path = format!("/v1/export?kind=actor&format=csv&fields={fields}");
            let table = node.get(&path).token(&approver).await.expect(200).text;
            let done = import(node, &approver, "", &table).await.expect(200);
            assert_eq!(done.json["unchanged"], 30, "{fields}: {}", done.text);
            let edited = table.replace("0561 1", "0561 2").replace("Fulda", "Hanau");
            let done = import(node, &approver, "&dry_run=true", &edited)
                .await
                .expect(200);
            assert_eq!(done.json["failed"], 0, "{}", done.text);
            assert_eq!(removed(&done), []);
        }
    }
);

story!(many_removals_are_confirmed, async |node| {
    let approver = token(node, Role::Approver, "hessen").await;
    let records: Vec<Value> = (0..30)
        .map(|key| full(&key.to_string(), "Praxis"))
        .collect();
    import(node, &approver, "", &lines(&records))
        .await
        .expect(200);
    let rows = |count: usize| {
        let rows = (0..30).map(|key| {
            let summary = if key < count { "" } else { "Kurz" };
            format!("liste,{key},{summary}\n")
        });
        format!(
            "external_id.system,external_id.id,summary\n{}",
            rows.collect::<String>()
        )
    };
    let head = node.store.log().head().await.unwrap();
    let rehearsed = import(node, &approver, "&dry_run=true", &rows(21))
        .await
        .expect(200);
    assert_eq!(
        rehearsed.json["blocked_by"],
        json!(["removal-threshold-exceeded"])
    );
    let refused = import(node, &approver, "", &rows(21)).await;
    let refused = refused.problem(409, "removal-threshold-exceeded");
    assert_eq!(refused.json["removed"], rehearsed.json["removed"]);
    assert_eq!(refused.json["removed"][0]["records"], 21);
    assert_eq!(node.store.log().head().await.unwrap(), head);
    // Twenty always may, and any number with confirmation.
    let done = import(node, &approver, "", &rows(20)).await.expect(200);
    assert_eq!(removed(&done), [("summary".to_owned(), 20)]);
    let shorter: Vec<Value> = (0..30)
        .map(|key| {
            let mut record = full(&key.to_string(), "Praxis");
            record.as_object_mut().unwrap().remove("contact");
            record
        })
        .collect();
    import(node, &approver, "", &lines(&shorter))
        .await
        .problem(409, "removal-threshold-exceeded");
    let done = import(node, &approver, "&confirm_removals=true", &lines(&shorter));
    assert_eq!(done.await.expect(200).json["updated"], 30);
});

story!(one_record_twice_in_an_import_is_refused, async |node| {
    let approver = token(node, Role::Approver, "hessen").await;
    let (one, two) = (full("7", "Eins"), full("7", "Zwei"));
    // Within a transaction, and in another one.
    for between in [0, 250] {
        let others: Vec<Value> = (0..between)
            .map(|key| full(&format!("{between}-{key}"), "Andere"))
            .collect();
        let body = lines(&[from_ref(&one), others.as_slice(), from_ref(&two)].concat());
        for dry_run in ["&dry_run=true", ""] {
            let done = import(node, &approver, dry_run, &body).await.expect(200);
            let refused = &done.json["errors"][0];
            assert_eq!(done.json["failed"], 1, "{}", done.text);
            assert_eq!(refused["line"], between + 2);
            let error = &refused["problem"]["errors"][0];
            assert_eq!(error["code"], "repeated-key");
            assert!(
                error["message"].as_str().unwrap().contains("line 1"),
                "{error}"
            );
        }
        assert_eq!(read(node, &approver, "7").await["name"], "Eins");
    }
    // By key and by id it is the same record.
    let id = read(node, &approver, "7").await["id"].clone();
    let by_id = json!({"kind": "actor", "id": id, "name": "Drei", "home_region": "hessen"});
    for body in [lines(&[one.clone(), by_id.clone()]), lines(&[by_id, one])] {
        let done = import(node, &approver, "&dry_run=true", &body)
            .await
            .expect(200);
        assert_eq!(done.json["failed"], 1, "{}", done.text);
        assert_eq!(done.json["errors"][0]["line"], 2);
    }
    // A snapshot names both lines too.
    let feeder = feeder(node, "hessen").await;
    let plan = planned(
        node,
        &feeder,
        &lines(&[line("1", "Eins"), line("1", "Zwei")]),
    );
    let plan = plan.await.expect(200);
    let refused = &plan.json["examples"].as_array().unwrap()[1];
    let refused = [refused, &plan.json["examples"][0]]
        .into_iter()
        .find(|one| one["status"] == "failed")
        .unwrap()
        .clone();
    assert_eq!(refused["line"], 2);
    let message = refused["problem"]["errors"][0]["message"].to_string();
    assert!(message.contains("line 1"), "{message}");
});

fn at(street: &str, key: &str) -> Value {
    let mut record = line(key, "Praxis");
    record["places"] = json!([{"street": street, "city": "Kassel"}]);
    record
}

story!(
    keys_that_are_only_spelled_differently_are_held,
    async |node| {
        let token = feeder(node, "hessen").await;
        let first = lines(&[at("Weg 1", "0100"), at("Weg 2", "a-2"), at("Weg 3", "3")]);
        let plan = planned(node, &token, &first).await.expect(200);
        assert_eq!(plan.json["new_keys"].as_array().unwrap().len(), 3);
        carried_out(node, &token, &first, &plan).await.expect(200);
        // Lost zeros, other case, and another key with the name and the address.
        let second = lines(&[at("Weg 9", "100"), at("Weg 2", "A-2"), at("Weg 3", "neu")]);
        let plan = planned(node, &token, &second).await.expect(200);
        assert_eq!(counts(&plan), json!({"created": 3, "deleted": 3}));
        assert_eq!(plan.json["blocked_by"], json!(["records-rekeyed"]));
        let mut rekeyed: Vec<_> = plan.json["rekeyed"].as_array().unwrap().clone();
        rekeyed.sort_by_key(|one| one["line"].as_u64());
        let expected = [("0100", "100"), ("a-2", "A-2"), ("3", "neu")];
        for (number, (from, to)) in (1..).zip(expected) {
            let one = json!({"line": number, "kind": "actor", "from": from, "to": to});
            assert_eq!(rekeyed[number - 1], one);
        }
        let gone: Vec<_> = plan.json["gone_keys"]
            .as_array()
            .unwrap()
            .iter()
            .map(|one| &one["external_id"])
            .collect();
        assert_eq!(gone.len(), 3);
        let refused = carried_out(node, &token, &second, &plan).await;
        let refused = refused.problem(409, "records-rekeyed");
        assert_eq!(refused.json["rekeyed"], plan.json["rekeyed"]);
        let keys = async || -> Vec<String> {
            let rows = supplied(node).await.into_iter();
            rows.filter_map(|row| row.external_id).collect()
        };
        assert_eq!(keys().await, ["0100", "3", "a-2"]);
        let hash = plan.json["plan_hash"].as_str().unwrap();
        let path = format!("{SNAPSHOT}?plan_hash={hash}&confirm_rekeyed=true");
        let call = node.post(&path).token(&token);
        let call = call.body("application/x-ndjson", second.as_str());
        call.await.expect(200);
        assert_eq!(keys().await, ["100", "A-2", "neu"]);
        // A record that goes while another one comes is nothing special.
        let third = lines(&[at("Weg 9", "100"), at("Weg 2", "A-2"), at("Weg 4", "4")]);
        let plan = planned(node, &token, &third).await.expect(200);
        assert_eq!(plan.json["blocked_by"], json!([]), "{}", plan.text);
    }
);

story!(
    a_snapshot_table_says_only_what_its_columns_say,
    async |node| {
        let token = feeder(node, "hessen").await;
        let body = lines(&[at("Weg 1", "1"), at("Weg 2", "2")]);
        let plan = planned(node, &token, &body).await.expect(200);
        carried_out(node, &token, &body, &plan).await.expect(200);
        let table = "external_id.id,name\n1,Praxis\n2,Umbenannt\n";
        let send = |query: &str| {
            let call = node.post(&format!("{SNAPSHOT}?kind=actor&{query}"));
            call.token(&token).body("text/csv", table)
        };
        let plan = send("dry_run=true").await.expect(200);
        assert_eq!(
            counts(&plan),
            json!({"updated": 1, "unchanged": 1}),
            "{}",
            plan.text
        );
        assert_eq!(removed(&plan), []);
        let replaced = send("dry_run=true&update=replace").await.expect(200);
        assert_ne!(replaced.json["plan_hash"], plan.json["plan_hash"]);
        let hash = plan.json["plan_hash"].as_str().unwrap();
        send(&format!("plan_hash={hash}")).await.expect(200);
        let again = send("dry_run=true").await.expect(200);
        assert_eq!(counts(&again), json!({"unchanged": 2}));
        node.settled().await;
        let read = node.get("/v1/actors?external_id=cms%7C2").await.expect(200);
        assert_eq!(read.json["items"][0]["name"], "Umbenannt");
        assert_eq!(read.json["items"][0]["places"][0]["street"], "Weg 2");
    }
);

story!(
    an_unknown_member_is_refused_whatever_its_value,
    async |node| {
        let approver = token(node, Role::Approver, "hessen").await;
        let made = node
            .post("/v1/actors")
            .token(&approver)
            .json(&actor("Eins"));
        let made = made.await.expect(201);
        let path = format!("/v1/actors/{}", made.id());
        for wrong in [json!(null), json!([])] {
            let told = |answer: &Answer, pointer: &str| {
                let errors = answer.json["errors"].as_array().unwrap();
                let found = errors.iter().any(|one| one["pointer"] == pointer);
                assert!(found, "{pointer}: {}", answer.text);
            };
            let cases = [
                ("/categroies", json!({"categroies": wrong.clone()})),
                ("/contact/fone", json!({"contact": {"fone": wrong.clone()}})),
                (
                    "/places/0/citty",
                    json!({"places": [{"city": "Kassel", "citty": wrong.clone()}]}),
                ),
                (
                    "/translations/en/nme",
                    json!({"translations": {"en": {"name": "One", "nme": wrong.clone()}}}),
                ),
            ];
            for (pointer, members) in cases {
                let mut body = actor("Eins");
                domain::base::json::merge_patch(&mut body, &members);
                let mut sent = body.clone();
                let (parent, member) = pointer.rsplit_once('/').unwrap();
                sent.pointer_mut(parent).unwrap()[member] = wrong.clone();
                let created = node.post("/v1/actors").token(&approver).json(&sent).await;
                told(&created.problem(422, "validation-failed"), pointer);
                let put = node
                    .put(&path)
                    .token(&approver)
                    .if_match("*")
                    .json(&sent)
                    .await;
                told(&put.problem(422, "validation-failed"), pointer);
                let patch = node
                    .patch(&path)
                    .token(&approver)
                    .if_match("*")
                    .json(&members)
                    .await;
                told(&patch.problem(422, "validation-failed"), pointer);
                sent["kind"] = json!("actor");
                for query in ["", "&update=patch"] {
                    let imported = import(node, &approver, query, &sent.to_string());
                    assert_eq!(imported.await.expect(200).json["failed"], 1);
                }
                let pushed = push(
                    node,
                    &node.admin,
                    &[upsert("actor", "1", &body_with(&body, pointer, &wrong))],
                );
                let pushed = pushed.await.expect(200);
                assert_eq!(statuses(&pushed), ["failed"], "{}", pushed.text);
            }
            // Known members may be absent in either way.
            let mut fine = actor("Zwei");
            fine["categories"] = wrong.clone();
            fine["summary"] = Value::Null;
            node.post("/v1/actors")
                .token(&approver)
                .json(&fine)
                .await
                .expect(201);
            let account =
                json!({"name": "redaktion", "grants": wrong.clone(), "grnts": wrong.clone()});
            node.post("/v1/accounts")
                .token(&node.admin)
                .json(&account)
                .await
                .problem(422, "validation-failed");
        }
    }
);

fn body_with(body: &Value, pointer: &str, wrong: &Value) -> Value {
    let mut body = body.clone();
    let (parent, member) = pointer.rsplit_once('/').unwrap();
    body.pointer_mut(parent).unwrap()[member] = wrong.clone();
    body
}

story!(what_was_written_is_in_the_next_export, async |node| {
    let approver = token(node, Role::Approver, "hessen").await;
    let records: Vec<Value> = (0..620)
        .map(|key| full(&format!("e{key}"), "Praxis"))
        .collect();
    let done = import(node, &approver, "", &lines(&records))
        .await
        .expect(200);
    assert_eq!(
        (&done.json["created"], &done.json["searchable"]),
        (&json!(620), &json!(true))
    );
    let export = node
        .get("/v1/export?kind=actor")
        .token(&approver)
        .await
        .expect(200);
    assert_eq!(export.text.lines().count(), 620);
    let feeder = feeder(node, "hessen").await;
    let pushed: Vec<Value> = (0..620)
        .map(|key| line(&format!("p{key}"), "Praxis"))
        .collect();
    let pushed = lines(&pushed);
    let plan = planned(node, &feeder, &pushed).await.expect(200);
    assert!(plan.json["searchable"].is_null());
    let applied = carried_out(node, &feeder, &pushed, &plan).await.expect(200);
    assert_eq!(applied.json["searchable"], true);
    let export = node
        .get("/v1/export?kind=actor")
        .token(&approver)
        .await
        .expect(200);
    assert_eq!(export.text.lines().count(), 1240);
    // Without waiting it is either searchable, or has a position.
    let patch = records.iter().map(|record| {
        let mut record = record.clone();
        record["summary"] = json!("Neu");
        record
    });
    let patch: Vec<Value> = patch.collect();
    let done = import(node, &approver, "&wait=false", &lines(&patch))
        .await
        .expect(200);
    let searchable = done.json["searchable"].as_bool().unwrap();
    assert_eq!(done.json["position"].is_string(), !searchable);
    // A read that names the position contains the write, or is 503.
    let head = node.store.log().head().await.unwrap();
    for (entry, status) in [(head, 200), (head + 1, 503)] {
        let position = node.store.log().position(entry);
        for path in ["/v1/actors", "/v1/search", "/v1/export?kind=actor"] {
            let call = node.get(path).header("verbund-position", &position);
            assert_eq!(call.await.status, status, "{path}");
        }
    }
    let forged = node.get("/v1/actors").header("verbund-position", "AAAA");
    forged.await.problem(400, "invalid-header");
});

story!(
    what_is_newer_than_an_export_is_not_deleted_by_it,
    async |node| {
        let token = feeder(node, "hessen").await;
        let first = lines(&[line("1", "Eins"), line("2", "Zwei")]);
        let plan = planned(node, &token, &first).await.expect(200);
        carried_out(node, &token, &first, &plan).await.expect(200);
        let export = node
            .get("/v1/export?kind=actor&format=csv")
            .token(&token)
            .await
            .expect(200);
        let position = export.header("verbund-position").to_owned();
        // Another push, before the table comes back.
        let later = [upsert("actor", "3", &actor("Drei"))];
        push(node, &token, &later).await.expect(200);
        let send = |query: &str| {
            let call = node.post(&format!("{SNAPSHOT}?kind=actor&{query}"));
            call.token(&token).body("text/csv", export.text.as_str())
        };
        let query = format!("dry_run=true&position={position}");
        let plan = send(&query).await.expect(200);
        assert_eq!(
            plan.json["blocked_by"],
            json!(["newer-than-export"]),
            "{}",
            plan.text
        );
        assert_eq!(
            plan.json["newer"],
            json!([{"kind": "actor", "external_id": "3"}])
        );
        let hash = plan.json["plan_hash"].as_str().unwrap().to_owned();
        let refused = send(&format!("plan_hash={hash}&position={position}")).await;
        refused.problem(409, "newer-than-export");
        // What the export knew may go.
        let known: String = export
            .text
            .split_inclusive("\r\n")
            .filter(|row| !row.contains("Zwei"))
            .collect();
        let now = node
            .get("/v1/export?kind=actor&format=csv")
            .token(&token)
            .await
            .expect(200);
        let position = now.header("verbund-position").to_owned();
        let path = format!("{SNAPSHOT}?kind=actor&dry_run=true&position={position}");
        let plan = node.post(&path).token(&token).body("text/csv", known);
        let plan = plan.await.expect(200);
        assert_eq!(plan.json["blocked_by"], json!([]), "{}", plan.text);
        assert_eq!(plan.json["counts"]["deleted"], 2);
        send("dry_run=true&position=AAAA")
            .await
            .problem(400, "invalid-parameter");
    }
);

story!(violations_of_a_table_name_the_cell, async |node| {
    let approver = token(node, Role::Approver, "hessen").await;
    // The first cell has a line break: the third line is the second row's.
    let table = "external_id.system,external_id.id,name,home_region,places.city,places.point.lat,places.point.lon\n\
        liste,1,\"Ei\nns\",hessen,Kassel,51.3,9.5\n\
        liste,2,Zwei,hessen,Kassel;Fulda,viel;50.5,9.5;9.7\n\
        liste,3,Drei,hessen,Kassel,91,9.5\n\
        liste,4\n";
    let call = import(node, &approver, "", table).header("accept-language", "de");
    let done = call.await.expect(200);
    assert_eq!(done.json["failed"], 3, "{}", done.text);
    let told: Vec<_> = (done.json["errors"].as_array().unwrap().iter())
        .map(|one| {
            let error = &one["problem"]["errors"][0];
            let text = |name: &str| error[name].as_str().unwrap_or_default().to_owned();
            (
                one["line"].as_u64().unwrap(),
                text("pointer"),
                text("cell"),
                text("message"),
            )
        })
        .collect();
    let at = |index: usize| {
        let (line, pointer, cell, _) = &told[index];
        (*line, pointer.as_str(), cell.as_str())
    };
    assert_eq!(at(0), (4, "/places/0/point/lat", "F3"));
    assert!(told[0].3.contains("eine Zahl wie 51.96"), "{told:?}");
    assert_eq!(at(1), (5, "/places/0/point/lat", "F4"));
    assert_eq!(at(2), (6, "", ""));
    assert!(told[2].3.contains("die Zeile hat 2 Zellen"), "{told:?}");
    let twice = import(node, &approver, "", "name,name\nA,B\n").header("accept-language", "de");
    let twice = twice.await.problem(422, "validation-failed");
    let told = "die Spalten A und B sind beide „name“";
    assert!(twice.text.contains(told), "{}", twice.text);
});

story!(a_key_that_lost_its_zeros_is_named, async |node| {
    let token = feeder(node, "hessen").await;
    let first = line("0100", "Praxis").to_string();
    let plan = planned(node, &token, &first).await.expect(200);
    carried_out(node, &token, &first, &plan).await.expect(200);
    let export = node.get("/v1/export?kind=actor&format=csv").token(&token);
    let table = export.await.expect(200).text;
    assert!(table.contains("\"0100\""), "{table}");
    let call = node.post(&format!("{SNAPSHOT}?kind=actor&dry_run=true"));
    let call = call.token(&token).header("accept-language", "de");
    let table = table.replace("\"0100\"", "\"100\"");
    let plan = call.body("text/csv", table).await.expect(200);
    let failed = &plan.json["examples"].as_array().unwrap()[0];
    assert_eq!(failed["status"], "failed", "{}", plan.text);
    let error = &failed["problem"]["errors"][0];
    assert_eq!(error["code"], "key-spelling");
    assert!(
        error["message"]
            .as_str()
            .unwrap()
            .contains("senden Sie 0100"),
        "{error}"
    );
    assert!(error["cell"].is_string());
});
