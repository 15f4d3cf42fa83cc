//! Applications for membership: open to everyone, read by the network's editors.

use super::{give_away, lists, network, token};
use domain::access::rules::Role;
use serde_json::{Value, json};
use tests::audit::audit;
use tests::{Call, Node, story};

const NETWORK: &str = "/v1/networks/mo-win-net";

fn apply(node: &Node, body: &Value) -> Call {
    node.post(&format!("{NETWORK}/applications"))
        .anonymous()
        .json(body)
}

fn praxis() -> Value {
    json!({
        "applicant": {"organisation": "Praxis am Markt", "person": "Erika Beispiel", "email": "erika@praxis.example", "phone": "+49 561 1234"},
        "message": "Wir möchten mitmachen.",
    })
}

async fn applications(node: &Node, token: &str) -> Value {
    let list = node.get(&format!("{NETWORK}/applications")).token(token);
    list.await.expect(200).json
}

story!(
    an_application_waits_for_the_networks_editors,
    Seeded,
    async |node| {
        apply(node, &praxis()).await.expect(202);
        let editor = token(node, Role::Editor, "nordhessen").await;
        let page = applications(node, &editor).await;
        let one = &page["items"][0];
        assert_eq!(one["applicant"], praxis()["applicant"]);
        assert_eq!(one["message"], praxis()["message"]);
        assert_eq!(one["publication"], "review");
        let id = one["relationship"].as_str().unwrap();
        let relationship = format!("/v1/relationships/{id}");
        let around = format!("{NETWORK}/relationships?type=member_of&publication=review");
        for (role, home, reads, sees) in [
            (Role::Reader, "nordhessen", false, true),
            (Role::Editor, "nordhessen", true, true),
            (Role::Approver, "nordhessen", true, true),
            (Role::Admin, "nordhessen", true, true),
            (Role::Feeder, "nordhessen", false, false),
            (Role::Approver, "muensterland", false, false),
            (Role::Admin, "muensterland", false, false),
        ] {
            let token = token(node, role, home).await;
            let list = node
                .get(&format!("{NETWORK}/applications"))
                .token(&token)
                .await;
            assert_eq!(
                list.status,
                if reads { 200 } else { 403 },
                "{role:?} {home}"
            );
            let read = node.get(&relationship).token(&token).await;
            assert_eq!(read.status, if sees { 200 } else { 404 }, "{role:?} {home}");
            assert_eq!(lists(node, &around, Some(&token), id).await, sees);
        }
        let list = node.get(&format!("{NETWORK}/applications")).await;
        list.problem(401, "unauthorized");
        node.get(&relationship).await.problem(404, "not-found");

        // The record, its history and its bodies contain nothing about people.
        let record = node.get(&relationship).token(&editor).await.expect(200);
        assert_eq!(
            record.json["from"],
            json!({"kind": "actor", "as_stated": "Praxis am Markt"})
        );
        let audited = audit(node.store.db()).await;
        for body in audited.bodies() {
            assert!(
                !body.contains("Erika") && !body.contains("mitmachen"),
                "{body}"
            );
        }

        // Publishing admits the applicant.
        let publish = json!({"publication": "published"});
        let refused = node
            .patch(&relationship)
            .token(&editor)
            .if_match("*")
            .json(&publish);
        refused.await.problem(403, "forbidden");
        let approver = token(node, Role::Approver, "nordhessen").await;
        let admitted = node
            .patch(&relationship)
            .token(&approver)
            .if_match("*")
            .json(&publish);
        admitted.await.expect(200);
        node.get(&relationship).await.expect(200);
        let page = applications(node, &editor).await;
        assert_eq!(page["items"][0]["publication"], "published");
        // A member gets a conflict.
        apply(node, &praxis()).await.problem(409, "conflict");

        // Data about people can be erased, and is deleted with the relationship anyway.
        let erase = format!("{NETWORK}/applications/{}", one["id"].as_str().unwrap());
        let elsewhere = token(node, Role::Editor, "muensterland").await;
        node.delete(&erase)
            .token(&elsewhere)
            .await
            .problem(403, "forbidden");
        node.delete(&erase).token(&editor).await.expect(204);
        node.delete(&erase)
            .token(&editor)
            .await
            .problem(404, "not-found");
        assert_eq!(applications(node, &editor).await["items"], json!([]));
        node.get(&relationship).await.expect(200);
    }
);

story!(turning_down_erases_the_application, Seeded, async |node| {
    let editor = token(node, Role::Editor, "nordhessen").await;
    apply(node, &praxis()).await.expect(202);
    // A second applicant does not learn of the first, and waits for the same decision.
    let mut second = praxis();
    second["message"] = json!("Noch einmal.");
    apply(node, &second).await.expect(202);
    let page = applications(node, &editor).await;
    let items = page["items"].as_array().unwrap();
    assert_eq!(items.len(), 2);
    assert_eq!(items[0]["message"], "Noch einmal.");
    assert_eq!(items[0]["relationship"], items[1]["relationship"]);
    let first = node
        .get(&format!("{NETWORK}/applications?limit=1"))
        .token(&editor);
    let first = first.await.expect(200);
    let next = node
        .get(first.json["next"].as_str().unwrap())
        .token(&editor)
        .await
        .expect(200);
    assert_eq!(next.json["items"][0], items[1]);
    assert!(next.json["next"].is_null());
    let path = format!(
        "/v1/relationships/{}",
        items[0]["relationship"].as_str().unwrap()
    );
    node.delete(&path)
        .token(&editor)
        .if_match("*")
        .await
        .expect(204);
    assert_eq!(applications(node, &editor).await["items"], json!([]));
    node.get(&path).await.problem(404, "not-found");
});

story!(
    an_actor_of_the_directory_may_be_named,
    Seeded,
    async |node| {
        let named = |key: &str| json!({"applicant": {"person": "Erika"}, "actor": key});
        apply(node, &named("klinikum-kassel")).await.expect(202);
        let page = applications(node, &node.admin).await;
        let path = format!(
            "/v1/relationships/{}",
            page["items"][0]["relationship"].as_str().unwrap()
        );
        let record = node.get(&path).token(&node.admin).await.expect(200);
        let actor = node.get("/v1/actors/klinikum-kassel").await.expect(200);
        assert_eq!(record.json["from"]["id"], actor.json["id"]);
        // A draft is indistinguishable from an unknown network, for every caller.
        let draft = node
            .post("/v1/actors")
            .json(&json!({"name": "Geheim", "home_region": "nordhessen"}));
        draft.await.expect(201);
        for key in ["geheim", "gibt-es-nicht"] {
            let refused = apply(node, &named(key)).token(&node.admin).await;
            let refused = refused.problem(422, "validation-failed");
            assert_eq!(
                refused.faults(),
                [("/actor".to_owned(), "unknown-reference".to_owned())]
            );
        }
    }
);

story!(what_is_no_application_is_refused, Seeded, async |node| {
    for (body, pointer, code) in [
        (json!({}), "/applicant", "required"),
        (
            json!({"applicant": {}}),
            "/applicant/organisation",
            "required",
        ),
        (
            json!({"applicant": {"organisation": "  "}}),
            "/applicant/organisation",
            "required",
        ),
        (
            json!({"applicant": {"organisation": "A", "email": "nirgends"}}),
            "/applicant/email",
            "email",
        ),
        (
            json!({"applicant": {"organisation": "A", "iban": "x"}}),
            "/applicant/iban",
            "unknown-member",
        ),
    ] {
        let refused = apply(node, &body).await.problem(422, "validation-failed");
        assert_eq!(
            refused.faults(),
            [(pointer.to_owned(), code.to_owned())],
            "{body}"
        );
    }
    let long = json!({"applicant": {"organisation": "A"}, "message": "x".repeat(9000)});
    apply(node, &long).await.problem(413, "payload-too-large");
    // A draft accepts none, a copy's node decides itself, and an unknown network is not found.
    let draft = network(node, "Entwurf", "nordhessen", "draft").await;
    let draft = format!("/v1/networks/{draft}/applications");
    node.post(&draft)
        .anonymous()
        .json(&praxis())
        .await
        .problem(404, "not-found");
    node.post(&draft)
        .json(&praxis())
        .await
        .problem(409, "applications-closed");
    let copy = network(node, "Kopie", "nordhessen", "published").await;
    give_away(node, &copy).await;
    let copy = format!("/v1/networks/{copy}/applications");
    let refused = node.post(&copy).anonymous().json(&praxis()).await;
    assert_eq!(refused.problem(403, "forbidden").json["reason"], "copy");
});
