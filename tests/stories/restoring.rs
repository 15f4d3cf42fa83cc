//! Undoing a deletion: the record and its relationships come back.

use domain::access::rules::Role;
use futures::future::join_all;
use serde_json::{Value, json};
use tests::audit::audit;
use tests::{Answer, Call, Node, story};

/// A public record in North Hesse, unless the body says otherwise.
async fn published(node: &Node, plural: &str, mut body: Value) -> String {
    let members = body.as_object_mut().unwrap();
    members.entry("publication").or_insert(json!("published"));
    members.entry("home_region").or_insert(json!("nordhessen"));
    node.made(plural, body).await
}

fn member(actor: &str, network: &str) -> Value {
    json!({
        "type": "member_of",
        "from": {"kind": "actor", "id": actor},
        "to": {"kind": "network", "id": network},
    })
}

fn delete(node: &Node, plural: &str, id: &str) -> Call {
    node.delete(&format!("/v1/{plural}/{id}")).if_match("*")
}

fn restore(node: &Node, plural: &str, id: &str) -> Call {
    node.post(&format!("/v1/{plural}/{id}/restore"))
}

async fn total(node: &Node, network: &str) -> Value {
    let path = format!("/v1/networks/{network}/relationships");
    node.get(&path).await.expect(200).json["total"].clone()
}

#[track_caller]
fn came_back(answer: Answer, relationships: u64, left_out: &[&str]) -> Answer {
    let answer = answer.expect(200);
    assert_eq!(
        answer.json["relationships"], relationships,
        "{}",
        answer.text
    );
    assert_eq!(answer.json["left_out"], left_out.len(), "{}", answer.text);
    let examples = answer.json["examples"].as_array().unwrap();
    let reasons: Vec<&str> = examples
        .iter()
        .map(|one| one["reason"].as_str().unwrap())
        .collect();
    assert_eq!(reasons, left_out);
    answer
}

story!(
    a_deleted_record_comes_back_with_its_relationships,
    Seeded,
    async |node| {
        let network = published(
            node,
            "networks",
            json!({"name": "Wieder da", "summary": "Vorher"}),
        )
        .await;
        for number in 0..3 {
            let actor = published(
                node,
                "actors",
                json!({"name": format!("Mitglied {number}")}),
            )
            .await;
            published(node, "relationships", member(&actor, &network)).await;
        }
        let path = format!("/v1/networks/{network}");
        let foreseen = node.delete(&format!("{path}?dry_run=true"));
        let foreseen = foreseen.if_match("*").await.expect(200);
        assert_eq!(foreseen.json["relationships"], 3);
        assert_eq!(foreseen.json["examples"].as_array().unwrap().len(), 3);
        assert_eq!(foreseen.json["contact_persons"], 0);
        delete(node, "networks", &network).await.expect(204);
        node.get(&path).await.problem(410, "gone");

        let rehearsed = node.post(&format!("{path}/restore?dry_run=true")).await;
        came_back(rehearsed, 3, &[]);
        node.get(&path).await.problem(410, "gone");

        let back = came_back(restore(node, "networks", &network).await, 3, &[]);
        assert_eq!(back.json["record"]["version"], 3);
        assert_eq!(back.etag(), "\"3\"");
        let read = node.get(&path).anonymous().await.expect(200);
        assert_eq!(read.json["summary"], "Vorher");
        assert_eq!(read.json["slug"], "wieder-da");
        assert_eq!(total(node, &network).await, 3);
        // Once more it changes nothing.
        came_back(restore(node, "networks", &network).await, 0, &[]);
        node.settled().await;
        let members = node.get("/v1/actors?member_of=wieder-da").await.expect(200);
        assert_eq!(members.json["total"], 3);
        audit(node.store.db()).await;
    }
);

story!(what_cannot_come_back_is_named, Seeded, async |node| {
    let network = published(node, "networks", json!({"name": "Teilweise"})).await;
    let mut actors = Vec::new();
    let mut relationships = Vec::new();
    for name in ["Bleibt", "Geht", "Neu"] {
        let actor = published(node, "actors", json!({"name": name})).await;
        relationships.push(published(node, "relationships", member(&actor, &network)).await);
        actors.push(actor);
    }
    delete(node, "networks", &network).await.expect(204);
    delete(node, "actors", &actors[1]).await.expect(204);
    // The slug is taken meanwhile.
    let other = published(node, "networks", json!({"name": "Teilweise"})).await;
    let back = came_back(
        restore(node, "networks", &network).await,
        2,
        &["end-missing"],
    );
    assert_eq!(back.json["examples"][0]["id"], relationships[1]);
    assert_eq!(back.json["record"]["slug"], "teilweise-2");
    // With its end, the relationship can come back too.
    came_back(restore(node, "actors", &actors[1]).await, 0, &[]);
    came_back(restore(node, "networks", &network).await, 1, &[]);
    assert_eq!(total(node, &network).await, 3);

    // A relationship that was stated again.
    delete(node, "actors", &actors[2]).await.expect(204);
    came_back(restore(node, "actors", &actors[2]).await, 1, &[]);
    delete(node, "relationships", &relationships[2])
        .await
        .expect(204);
    published(node, "relationships", member(&actors[2], &network)).await;
    restore(node, "relationships", &relationships[2])
        .await
        .problem(409, "conflict");
    audit(node.store.db()).await;
    drop(other);
});

story!(who_may_not_write_restores_nothing, Seeded, async |node| {
    let network = published(
        node,
        "networks",
        json!({"name": "Fremd", "home_region": "muensterland"}),
    )
    .await;
    let erased = published(node, "networks", json!({"name": "Getilgt"})).await;
    let into = published(node, "networks", json!({"name": "Ziel"})).await;
    let merged = published(node, "networks", json!({"name": "Aufgegangen"})).await;
    delete(node, "networks", &network).await.expect(204);
    let region = node.get("/v1/regions/nordhessen").await.expect(200);
    let region = region.id().parse().unwrap();
    let editor = node.token(Role::Editor, Some(region)).await;
    let refused = restore(node, "networks", &network).token(&editor).await;
    refused.problem(403, "forbidden");
    restore(node, "networks", &network)
        .anonymous()
        .await
        .problem(401, "unauthorized");
    let erase = node.post(&format!("/v1/networks/{erased}/erase"));
    erase.await.expect(204);
    restore(node, "networks", &erased)
        .await
        .problem(410, "gone");
    let merge = node.post(&format!("/v1/networks/{merged}/merge"));
    merge.json(&json!({"into": into})).await.expect(200);
    restore(node, "networks", &merged)
        .await
        .problem(409, "conflict");
    let nothing = restore(node, "networks", "0193e5a0-0000-7000-8000-00000000dead");
    nothing.await.problem(404, "not-found");
});

story!(
    what_was_deleted_on_purpose_stays_deleted,
    Seeded,
    async |node| {
        let network = published(node, "networks", json!({"name": "Wieder da"})).await;
        let actor = published(node, "actors", json!({"name": "Ausgetreten"})).await;
        let membership = published(node, "relationships", member(&actor, &network)).await;
        delete(node, "networks", &network).await.expect(204);
        came_back(restore(node, "networks", &network).await, 1, &[]);
        delete(node, "relationships", &membership).await.expect(204);
        // It went with the network once, but that is not why it is gone.
        came_back(restore(node, "networks", &network).await, 0, &[]);
        assert_eq!(total(node, &network).await, 0);
        let other = restore(node, "networks", &network).if_match("\"9\"");
        other.await.problem(412, "precondition-failed");
    }
);

story!(
    a_deletion_that_goes_on_and_its_undoing_lose_nothing,
    Seeded,
    async |node| {
        let network = published(node, "networks", json!({"name": "Nabe"})).await;
        let spokes = 450;
        spread(node, &network, spokes).await;
        for _ in 0..4 {
            delete(node, "networks", &network).await.expect(204);
            let id = network.parse().unwrap();
            let busy = std::cell::Cell::new(true);
            let finishing = join_all((0..2).map(async |_| {
                while busy.get() {
                    node.store.records().finish_deletion(id).await.unwrap();
                }
            }));
            let restoring = async {
                restore(node, "networks", &network).await.expect(200);
                busy.set(false);
            };
            futures::join!(finishing, restoring);
            restore(node, "networks", &network).await.expect(200);
            assert_eq!(total(node, &network).await, spokes);
        }
        audit(node.store.db()).await;
    }
);

/// Creates members of a network.
async fn spread(node: &Node, network: &str, count: usize) {
    let mut lines = Vec::new();
    for number in 0..count {
        let key = json!({"system": "liste", "id": number.to_string()});
        let actor = json!({
            "kind": "actor", "name": format!("Speiche {number}"), "publication": "published",
            "home_region": "nordhessen", "external_id": key,
        });
        let edge = json!({
            "kind": "relationship", "type": "member_of", "publication": "published",
            "from": {"kind": "actor", "external_id": key}, "to": {"kind": "network", "id": network},
        });
        lines.extend([actor.to_string(), edge.to_string()]);
    }
    let import = node.post("/v1/import");
    import
        .body("application/x-ndjson", lines.join("\n"))
        .await
        .expect(200);
}

story!(a_hub_comes_back_in_parts, Seeded, async |node| {
    let network = published(node, "networks", json!({"name": "Nabe"})).await;
    spread(node, &network, 500).await;
    let foreseen = node.delete(&format!("/v1/networks/{network}?dry_run=true"));
    let foreseen = foreseen.if_match("*").await.expect(200);
    assert_eq!(foreseen.json["relationships"], 500);
    delete(node, "networks", &network).await.expect(204);
    node.store
        .records()
        .finish_deletion(network.parse().unwrap())
        .await
        .unwrap();
    came_back(restore(node, "networks", &network).await, 500, &[]);
    assert_eq!(total(node, &network).await, 500);
    audit(node.store.db()).await;
});

story!(
    an_earlier_version_is_compared_and_restored,
    Seeded,
    async |node| {
        let body = json!({"name": "Verlauf", "summary": "Erst", "contact": {"phone": "1"}});
        let id = published(node, "actors", body).await;
        let path = format!("/v1/actors/{id}");
        let change = json!({"summary": "Dann", "contact": null, "slug": "verlauf-neu"});
        let patch = node.patch(&path).if_match("*").json(&change);
        patch.await.expect(200);
        let diff = node
            .get(&format!("{path}/history/2/diff"))
            .await
            .expect(200);
        assert_eq!(
            (&diff.json["from"], &diff.json["to"]),
            (&json!(1), &json!(2))
        );
        let patch = diff.json["patch"].as_array().unwrap();
        let mut paths: Vec<&str> = patch
            .iter()
            .map(|one| one["path"].as_str().unwrap())
            .collect();
        paths.sort_unstable();
        assert_eq!(paths, ["/contact", "/slug", "/summary"], "{}", diff.text);
        let back = node
            .get(&format!("{path}/history/1/diff?against=2"))
            .await
            .expect(200);
        assert_eq!(back.json["patch"][0]["op"], "add");
        let first = node
            .get(&format!("{path}/history/1/diff"))
            .await
            .expect(200);
        assert_eq!(first.json["from"], 0);

        let restore = node.post(&format!("{path}/history/1/restore"));
        restore.await.problem(428, "precondition-required");
        let restore = node
            .post(&format!("{path}/history/1/restore"))
            .if_match("\"2\"");
        let restored = restore.await.expect(200);
        assert_eq!(restored.etag(), "\"3\"");
        assert_eq!(restored.json["summary"], "Erst");
        assert_eq!(restored.json["contact"]["phone"], "1");
        assert_eq!(restored.json["slug"], "verlauf-neu");
        let nothing = node
            .post(&format!("{path}/history/9/restore"))
            .if_match("*");
        nothing.await.problem(404, "not-found");
        let anonymous = node
            .get(&format!("{path}/history/9/diff"))
            .anonymous()
            .await;
        anonymous.problem(404, "not-found");
    }
);
