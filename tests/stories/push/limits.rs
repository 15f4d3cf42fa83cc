//! Permissions of feeders, and information that they do not get.

use super::{
    RECORDS, SNAPSHOT, actor, delete, feeder, line, lines, planned, problem, push, region, release,
    statuses, supplied, token, upsert,
};
use domain::access::account::TokenScope;
use domain::access::rules::Role;
use serde_json::json;
use tests::story;

story!(feeders_push_their_system_in_their_regions, async |node| {
    let here = feeder(node, "hessen").await;
    let items = [upsert("actor", "1", &actor("Praxis"))];
    let body = json!({"mode": "each", "items": items});
    let other = node.post("/v1/sync/systems/sap/records").token(&here);
    let refused = other.json(&body).await.problem(403, "forbidden");
    assert_eq!(refused.json["reason"], "feeder");
    for role in [Role::Reader, Role::Editor, Role::Approver, Role::Admin] {
        let token = token(node, role, "hessen").await;
        push(node, &token, &items).await.problem(403, "forbidden");
    }
    for scope in [TokenScope::Directory, TokenScope::Admin] {
        let token = node.narrowed(&[scope]).await;
        push(node, &token, &items)
            .await
            .problem(403, "insufficient-scope");
    }
    let nobody = node.post(RECORDS).anonymous().json(&body).await;
    nobody.problem(401, "unauthorized");
    let nowhere = node.post("/v1/sync/systems/C%20MS/records").token(&here);
    nowhere.json(&body).await.problem(404, "not-found");
    assert!(supplied(node).await.is_empty());

    // Elsewhere, without a region, or in the tree of regions: each item is rejected individually.
    let mut there = actor("Dort");
    there["home_region"] = json!("bayern");
    let topic = json!({"name": "Thema"});
    let answer = push(
        node,
        &here,
        &[
            upsert("actor", "2", &there),
            upsert("topic", "1", &topic),
            items[0].clone(),
        ],
    );
    let answer = answer.await.expect(200);
    assert_eq!(statuses(&answer), ["failed", "failed", "created"]);
    assert_eq!(problem(&answer.json["items"][0]), "forbidden");
    // Moving a record out of the region does not help either.
    let answer = push(node, &here, &[upsert("actor", "1", &there)]).await;
    assert_eq!(statuses(&answer), ["failed"]);
    // An admin may, within the scopes of the token.
    let narrowed = node.narrowed(&[TokenScope::Sync]).await;
    let answer = push(
        node,
        &narrowed,
        &[upsert("actor", "2", &there), upsert("topic", "1", &topic)],
    );
    assert_eq!(statuses(&answer.await), ["created", "failed"]);
    let answer = push(node, &node.admin, &[upsert("topic", "1", &topic)]);
    assert_eq!(statuses(&answer.await), ["created"]);
});

story!(
    feeders_learn_nothing_of_what_they_may_not_see,
    async |node| {
        let here = feeder(node, "hessen").await;
        let there = feeder(node, "bayern").await;
        let mut draft = actor("Geheim");
        draft["home_region"] = json!("bayern");
        draft["publication"] = json!("draft");
        let mut public = draft.clone();
        public["publication"] = json!("published");
        let items = [upsert("actor", "1", &draft), upsert("actor", "2", &public)];
        let made = push(node, &there, &items).await.expect(200);
        let secret = made.json["items"][0]["id"].as_str().unwrap().to_owned();
        // The key is taken; the holder is named only if it is public.
        for op in [upsert("actor", "1", &actor("Meins")), delete("actor", "1")] {
            let answer = push(node, &here, &[op]).await.expect(200);
            assert_eq!(statuses(&answer), ["failed"]);
            assert_eq!(problem(&answer.json["items"][0]), "conflict");
            assert!(!answer.text.contains(&secret) && !answer.text.contains("Geheim"));
        }
        let answer = push(node, &here, &[upsert("actor", "2", &actor("Meins"))]).await;
        assert_eq!(
            answer.json["items"][0]["problem"]["other"]["id"],
            made.json["items"][1]["id"]
        );
        // A feeder that repeats an item without permission does not learn that it was sent before.
        let answer = push(node, &here, &items[..1]).await;
        assert_eq!(statuses(&answer), ["failed"]);
        // Nor does an end reveal it: unknown and invisible are answered alike.
        let joined = |id: &str| {
            let record = json!({"type": "cooperates_with", "from": {"kind": "actor", "external_id": {"system": "cms", "id": "9"}}, "to": {"kind": "actor", "external_id": {"system": "cms", "id": id}}});
            upsert("relationship", "1", &record)
        };
        let mine = upsert("actor", "9", &actor("Neun"));
        push(node, &here, &[mine]).await.expect(200);
        let faults = async |id: &str| {
            let answer = push(node, &here, &[joined(id)]).await.expect(200);
            let errors = answer.json["items"][0]["problem"]["errors"].to_string();
            errors.replace(id, "")
        };
        assert_eq!(faults("1").await, faults("77").await);
        // Drafts are read by the feeder that supplies them, but not written outside of pushes.
        let path = format!("/v1/actors/{secret}");
        node.settled().await;
        for (token, sees) in [(&there, true), (&here, false)] {
            let read = node.get(&path).token(token).await;
            assert_eq!(read.status, if sees { 200 } else { 404 });
            let drafts = node.get("/v1/actors?publication=draft").token(token).await;
            assert_eq!(drafts.expect(200).json["total"], u64::from(sees));
            let patch = node.patch(&path).token(token).if_match("*");
            let patch = patch.json(&json!({})).await;
            assert_eq!(patch.status, if sees { 403 } else { 404 });
        }

        // A snapshot covers only what the feeder supplies.
        let plan = planned(node, &here, &lines(&[line("9", "Neun")]))
            .await
            .expect(200);
        assert_eq!(plan.json["records"], 1);
        assert_eq!(plan.json["counts"]["deleted"], 0);
        let elsewhere = node.post(&SNAPSHOT.replace("cms", "sap")).token(&here);
        let elsewhere = elsewhere.body("text/csv", "name\n").await;
        elsewhere.problem(403, "forbidden");
    }
);

story!(
    what_a_feeder_supplies_is_not_changed_by_hand,
    async |node| {
        let feeder = feeder(node, "hessen").await;
        let made = push(node, &feeder, &[upsert("actor", "1", &actor("Praxis"))]).await;
        let path = format!(
            "/v1/actors/{}",
            made.json["items"][0]["id"].as_str().unwrap()
        );
        let approver = token(node, Role::Approver, "hessen").await;
        let patch = json!({"summary": "von Hand"});
        let by_hand = || {
            node.patch(&path)
                .token(&approver)
                .if_match("*")
                .json(&patch)
        };
        by_hand().await.problem(403, "owned-by-system");
        let deletion = node.delete(&path).token(&approver).if_match("*");
        deletion.await.problem(403, "owned-by-system");
        let create = |key: &str| {
            let mut body = actor("Neu");
            body["external_id"] = json!({"system": "cms", "id": key});
            node.post("/v1/actors").token(&approver).json(&body)
        };
        create("2").await.problem(403, "owned-by-system");
        let import = node.post("/v1/import").token(&approver);
        let import = import.body("application/x-ndjson", lines(&[line("1", "Import")]));
        let import = import.await.expect(200);
        assert_eq!(problem(&import.json["errors"][0]), "owned-by-system");
        // A record of no system is not adopted by this one.
        let free = node
            .post("/v1/actors")
            .token(&approver)
            .json(&actor("Frei"));
        let free = format!("/v1/actors/{}", free.await.expect(201).id());
        let claim = json!({"external_id": {"system": "cms", "id": "3"}});
        let claim = node
            .patch(&free)
            .token(&approver)
            .if_match("*")
            .json(&claim);
        claim.await.problem(403, "owned-by-system");
        // Contact persons are not part of the record.
        let person = json!({"name": "Max", "purpose": "Abstimmung", "phone": "0561 1"});
        let person = node
            .post(&format!("{path}/contact_persons"))
            .token(&approver)
            .json(&person);
        person.await.expect(201);
        // An admin may, and the next push reports that it overwrites the change.
        node.patch(&path)
            .if_match("*")
            .json(&patch)
            .await
            .expect(200);
        let mut changed = actor("Praxis");
        changed["summary"] = json!("vom System");
        let answer = push(node, &feeder, &[upsert("actor", "1", &changed)]).await;
        assert_eq!(answer.json["items"][0]["overwritten"], true);
        // Without a feeder, the records belong to the editors again.
        release(node).await;
        by_hand().await.expect(200);
        create("2").await.expect(201);
    }
);

story!(a_region_is_asked_for_by_its_id, async |node| {
    // A feeder of a region may name it in every form that a single write accepts.
    let token = feeder(node, "hessen").await;
    let id = region(node, "hessen").await;
    let mut record = actor("Praxis");
    record["home_region"] = json!(id);
    let answer = push(node, &token, &[upsert("actor", "1", &record)]).await;
    assert_eq!(statuses(&answer), ["created"]);
    let read = node.get("/v1/actors?external_id=cms%7C1").await.expect(200);
    assert_eq!(read.json["items"][0]["home_region"], json!(id));
});
