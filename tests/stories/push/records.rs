use super::{RECORDS, actor, delete, feeder, problem, push, statuses, supplied, upsert};
use domain::access::rules::Caller;
use domain::exchange::sync::PushStatus;
use persistence::load::LoadMode;
use persistence::transaction::WriteOptions;
use serde_json::{Value, json};
use tests::{Replica, story};

fn three() -> Vec<Value> {
    let key =
        |kind: &str, id: &str| json!({"kind": kind, "external_id": {"system": "cms", "id": id}});
    let member = json!({"type": "member_of", "from": key("actor", "1"), "to": key("network", "1"), "publication": "published"});
    let network = json!({"name": "Netz", "home_region": "hessen", "publication": "published"});
    vec![
        upsert("relationship", "1", &member),
        upsert("network", "1", &network),
        upsert("actor", "1", &actor("Praxis")),
    ]
}

story!(pushing_again_changes_nothing, async |node| {
    let token = feeder(node, "hessen").await;
    let made = push(node, &token, &three()).await.expect(200);
    assert_eq!(statuses(&made), ["created"; 3], "{}", made.text);
    assert_eq!(made.json["counts"]["created"], 3);
    assert_eq!(made.json["items"][0]["index"], 0);
    assert_eq!(made.json["items"][0]["version"], 1);
    let public = node.get("/v1/actors?external_id=cms%7C1").await.expect(200);
    assert_eq!(public.json["items"][0]["name"], "Praxis");

    let head = node.store.log().head().await.unwrap();
    let again = push(node, &token, &three()).await.expect(200);
    assert_eq!(statuses(&again), ["unchanged"; 3]);
    assert_eq!(again.json["items"][2]["id"], made.json["items"][2]["id"]);
    assert_eq!(node.store.log().head().await.unwrap(), head);

    let mut changed = three();
    changed[2]["record"]["summary"] = json!("Am Markt");
    let answer = push(node, &token, &changed).await.expect(200);
    assert_eq!(statuses(&answer), ["unchanged", "unchanged", "updated"]);
    assert_eq!(answer.json["items"][2]["members"], json!(["summary"]));
    assert_eq!(answer.json["items"][2]["version"], 2);
    assert!(answer.json["items"][2]["overwritten"].is_null());

    // A membership is deleted with its member, and both return under their ids.
    let gone = push(node, &token, &[delete("actor", "1")])
        .await
        .expect(200);
    assert_eq!(statuses(&gone), ["deleted"]);
    assert_eq!(gone.json["items"][0]["relationships"], 1);
    let gone = push(node, &token, &[delete("actor", "1")])
        .await
        .expect(200);
    assert_eq!(statuses(&gone), ["unchanged"]);
    assert!(gone.json["items"][0]["id"].is_null());
    let back = push(node, &token, &three()).await.expect(200);
    assert_eq!(statuses(&back), ["created", "unchanged", "created"]);
    assert_eq!(back.json["items"][0]["id"], made.json["items"][0]["id"]);
    tests::audit::audit(node.store.db()).await;
});

story!(a_bad_item_does_not_undo_the_others, async |node| {
    let token = feeder(node, "hessen").await;
    let bad = json!({"name": "", "places": [{"point": {"lat": 91, "lon": 9}}], "colour": "red"});
    let mut items = vec![
        upsert("actor", "1", &actor("Gut")),
        upsert("actor", "2", &bad),
        upsert("actor", "1", &actor("Zweimal")),
        json!({"op": "upsert", "kind": "actor", "external_id": "3"}),
        json!({"op": "move", "kind": "akteur", "external_id": "a b", "more": 1}),
        upsert("actor", "4", &json!([])),
        json!(7),
    ];
    let answer = push(node, &token, &items).await.expect(200);
    let invalid = ["failed"; 6];
    assert_eq!(statuses(&answer), [&["created"][..], &invalid].concat());
    let faults = |item: &Value| -> Vec<String> {
        let errors = item["problem"]["errors"].as_array().unwrap();
        let each = errors.iter().map(|error| {
            format!(
                "{} {}",
                error["pointer"].as_str().unwrap(),
                error["code"].as_str().unwrap()
            )
        });
        let mut all: Vec<String> = each.collect();
        all.sort();
        all
    };
    // The same problem as for a single write.
    let single = node.post("/v1/actors").json(&bad).await;
    let single = single.problem(422, "validation-failed");
    let alone: Vec<String> = (single.faults().iter())
        .map(|(pointer, code)| format!("{pointer} {code}"))
        .collect();
    let items_told = answer.json["items"].as_array().unwrap();
    assert_eq!(faults(&items_told[1]), alone);
    assert_eq!(faults(&items_told[2]), ["/external_id repeated-key"]);
    assert_eq!(faults(&items_told[3]), ["/record required"]);
    assert_eq!(faults(&items_told[4]).len(), 4);
    assert_eq!(problem(&items_told[5]), "validation-failed");
    assert_eq!(items_told[6]["index"], 6);
    assert_eq!(supplied(node).await.len(), 1);

    // With `all`, all of them or none.
    items.remove(0);
    items.insert(0, upsert("actor", "9", &actor("Neu")));
    let all = |items: &[Value]| {
        let body = json!({"mode": "all", "items": items});
        node.post(RECORDS).token(&token).json(&body)
    };
    let refused = all(&items).await.problem(422, "items-refused");
    assert_eq!(refused.json["items"].as_array().unwrap().len(), 5);
    let refused = all(&items[..2]).await.problem(422, "items-refused");
    assert_eq!(refused.json["items"][0]["index"], 1);
    assert_eq!(supplied(node).await.len(), 1);
    let done = all(&items[..1]).await.expect(200);
    assert_eq!(statuses(&done), ["created"]);
});

story!(a_record_is_that_of_its_item, async |node| {
    let token = feeder(node, "hessen").await;
    let mut record = actor("Praxis");
    let other = domain::base::id::new();
    let wrong = [
        ("kind", json!("network")),
        ("origin", json!("elsewhere")),
        ("external_id", json!({"system": "sap", "id": "1"})),
        ("external_id", json!({"system": "cms", "id": "2"})),
        ("id", json!("no id")),
        ("id", json!(other)),
    ];
    for (member, value) in wrong {
        let mut record = record.clone();
        record[member] = value;
        let answer = push(node, &token, &[upsert("actor", "1", &record)]).await;
        assert_eq!(statuses(&answer), ["failed"], "{member}");
    }
    record["external_id"] = json!({"system": "cms", "id": "1"});
    let made = push(node, &token, &[upsert("actor", "1", &record)]).await;
    assert_eq!(statuses(&made), ["created"]);
    // A record that was read may be sent, including its envelope.
    let read = node.get(&format!(
        "/v1/actors/{}",
        made.json["items"][0]["id"].as_str().unwrap()
    ));
    let read = read.await.expect(200);
    let again = push(node, &token, &[upsert("actor", "1", &read.json)]).await;
    assert_eq!(statuses(&again), ["unchanged"]);
    record["id"] = json!(other);
    let answer = push(node, &token, &[upsert("actor", "1", &record)]).await;
    assert_eq!(statuses(&answer), ["failed"]);
    let rehearsed = node.post(&format!("{RECORDS}?dry_run=true")).token(&token);
    let items = json!({"mode": "each", "items": [upsert("actor", "2", &actor("Probe"))]});
    let rehearsed = rehearsed.json(&items).await.expect(200);
    assert_eq!(statuses(&rehearsed), ["created"]);
    assert_eq!(
        (&rehearsed.json["dry_run"], supplied(node).await.len()),
        (&json!(true), 1)
    );
});

story!(
    what_comes_late_does_not_replace_what_is_newer,
    async |node| {
        let token = feeder(node, "hessen").await;
        let sent = async |key: &str, version: Value, name: Option<&str>| {
            let mut item = match name {
                Some(name) => upsert("actor", key, &actor(name)),
                None => delete("actor", key),
            };
            item["system_version"] = version;
            let answer = push(node, &token, &[item]).await.expect(200);
            answer.json["items"][0].clone()
        };
        assert_eq!(
            sent("1", json!(7), Some("Sieben")).await["status"],
            "created"
        );
        let late = sent("1", json!(6), Some("Sechs")).await;
        assert_eq!(late["status"], "failed");
        assert_eq!(problem(&late), "precondition-failed");
        assert_eq!(
            sent("1", json!(7), Some("Sieben")).await["status"],
            "unchanged"
        );
        // A newer state may be equal, and is recorded as newer.
        assert_eq!(
            sent("1", json!(9), Some("Sieben")).await["status"],
            "unchanged"
        );
        assert_eq!(sent("1", json!(8), Some("Acht")).await["status"], "failed");
        assert_eq!(
            sent("1", json!("10"), Some("Zehn")).await["status"],
            "failed"
        );
        assert_eq!(sent("1", json!(""), Some("Leer")).await["status"], "failed");
        assert_eq!(sent("1", json!(8), None).await["status"], "failed");
        assert_eq!(sent("1", json!(11), None).await["status"], "deleted");
        assert_eq!(sent("1", json!(10), Some("Zehn")).await["status"], "failed");
        assert_eq!(
            sent("1", json!(12), Some("Zwölf")).await["status"],
            "created"
        );
        // A deletion may arrive before the record.
        assert_eq!(
            sent("2", json!("2026-03-02"), None).await["status"],
            "unchanged"
        );
        assert_eq!(
            sent("2", json!("2026-03-01"), Some("Alt")).await["status"],
            "failed"
        );
        assert_eq!(
            sent("2", json!("2026-03-03"), Some("Neu")).await["status"],
            "created"
        );
    }
);

story!(what_others_name_stays, async |node| {
    let token = feeder(node, "hessen").await;
    let made = push(node, &token, &[upsert("actor", "1", &actor("Praxis"))]).await;
    let id = &made.json["items"][0]["id"];
    let project = json!({
        "name": "Vorhaben", "home_region": "hessen", "publication": "published",
        "outcomes": [{"type": "solution", "title": "Leitfaden", "available_at": {"kind": "actor", "id": id}}],
    });
    node.post("/v1/projects").json(&project).await.expect(201);
    let answer = push(node, &token, &[delete("actor", "1")])
        .await
        .expect(200);
    assert_eq!(statuses(&answer), ["failed"]);
    let item = &answer.json["items"][0];
    assert_eq!(problem(item), "still-referenced");
    assert_eq!(item["problem"]["referenced_by"][0]["kind"], "project");
});

story!(who_changed_a_record_in_between_is_heard, async |node| {
    let token = feeder(node, "hessen").await;
    let made = push(node, &token, &[upsert("actor", "1", &actor("Eins"))]).await;
    let path = format!(
        "/v1/actors/{}",
        made.json["items"][0]["id"].as_str().unwrap()
    );
    let patch = json!({"summary": "von der Verwaltung"});
    node.patch(&path)
        .if_match("*")
        .json(&patch)
        .await
        .expect(200);
    let mut record = actor("Zwei");
    record["version"] = json!(1);
    let stale = push(node, &token, &[upsert("actor", "1", &record)]).await;
    assert_eq!(statuses(&stale), ["failed"]);
    assert_eq!(stale.json["items"][0]["problem"]["current"], 2);
    record.as_object_mut().unwrap().remove("version");
    let answer = push(node, &token, &[upsert("actor", "1", &record)]).await;
    assert_eq!(statuses(&answer), ["updated"]);
    assert_eq!(answer.json["items"][0]["overwritten"], true);
    // The system's own changes are no conflict.
    record["name"] = json!("Drei");
    record["version"] = json!(1);
    let answer = push(node, &token, &[upsert("actor", "1", &record)]).await;
    assert_eq!(statuses(&answer), ["updated"]);
    assert!(answer.json["items"][0]["overwritten"].is_null());
});

story!(many_deletions_at_once_come_in_pages, Few, async |node| {
    let token = feeder(node, "hessen").await;
    let hubs: Vec<Value> = (0..3)
        .map(|number| upsert("actor", &format!("hub-{number}"), &actor("Nabe")))
        .collect();
    let made = push(node, &token, &hubs).await.expect(200);
    let ids: Vec<&str> = (made.json["items"].as_array().unwrap().iter())
        .map(|item| item["id"].as_str().unwrap())
        .collect();
    // A relationship may exist several times if its dates differ.
    let lines: Vec<String> = (0..520)
        .map(|number| {
            let valid = json!({"from": format!("{}-{:02}", 1900 + number / 12, number % 12 + 1)});
            let from = json!({"kind": "actor", "id": ids[number % 2]});
            let to = json!({"kind": "actor", "id": ids[2]});
            json!({"kind": "relationship", "type": "cooperates_with", "publication": "published", "from": from, "to": to, "valid": valid}).to_string()
        })
        .collect();
    let lines: Vec<&str> = lines.iter().map(String::as_str).collect();
    let (caller, options) = (Caller::node(), WriteOptions::default());
    let loaded = node
        .store
        .imports()
        .load(&caller, &lines, LoadMode::Upsert, &options);
    for one in loaded.await.unwrap() {
        assert!(one.status() == PushStatus::Created, "{one:?}");
    }
    let mut replica = Replica::new("limit=1");
    replica.next = replica.next.replace("limit=1", "limit=1000");
    replica.catch_up(node).await;
    replica.next = replica.next.replace("limit=1000", "limit=1");
    let gone = [delete("actor", "hub-0"), delete("actor", "hub-1")];
    let gone = push(node, &token, &gone).await.expect(200);
    assert_eq!(gone.json["items"][1]["relationships"], 260);
    let page = replica.page(node).await;
    assert_eq!(page.entries.len(), 500);
    let rest = replica.catch_up(node).await;
    assert_eq!(rest.len(), 22);
    replica.equals(node).await;
});
