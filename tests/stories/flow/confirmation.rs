//! Statements of ends: permissions, visibility, and the effect of a dispute.

use super::{give_away, lists, member, network, token};
use domain::access::rules::Role;
use serde_json::{Value, json};
use tests::audit::{audiences_are_true, audit};
use tests::{Node, story};
use uuid::Uuid;

async fn state(node: &Node, path: &str, token: &str, end: &str, state: &str) -> tests::Answer {
    let body = json!({"end": end, "state": state});
    node.put(path).token(token).if_match("*").json(&body).await
}

/// A membership of a network of the Münsterland in one of Nordhessen.
async fn joined(node: &Node) -> (String, String, String) {
    let from = network(node, "Aus dem Münsterland", "muensterland", "published").await;
    let to = network(node, "In Nordhessen", "nordhessen", "published").await;
    let id = member(node, &from, &to, "published").await;
    (id, from, to)
}

story!(
    an_end_is_spoken_for_by_its_approvers,
    Seeded,
    async |node| {
        let (id, ..) = joined(node).await;
        let path = format!("/v1/relationships/{id}/confirmation?dry_run=true");
        for role in [
            Role::Reader,
            Role::Editor,
            Role::Approver,
            Role::Feeder,
            Role::Admin,
        ] {
            for (home, end) in [("muensterland", "from"), ("nordhessen", "to")] {
                let token = token(node, role, home).await;
                for stated in ["from", "to"] {
                    let answer = state(node, &path, &token, stated, "confirmed").await;
                    let may = stated == end && matches!(role, Role::Approver | Role::Admin);
                    let status = if may { 200 } else { 403 };
                    assert_eq!(
                        answer.status, status,
                        "{role:?} {home} {stated} {}",
                        answer.text
                    );
                }
            }
        }
        let body = json!({"end": "from", "state": "confirmed"});
        let anonymous = node.put(&path).anonymous().if_match("*").json(&body).await;
        anonymous.problem(401, "unauthorized");
        let wrong = json!({"end": "side", "state": "sure", "nots": ""});
        let wrong = node.put(&path).if_match("*").json(&wrong).await;
        let wrong = wrong.problem(422, "validation-failed");
        assert_eq!(wrong.faults().len(), 3, "{}", wrong.text);
        // An open end has no statement.
        let open = json!({"type": "member_of", "from": {"as_stated": "Praxen"}, "to": {"kind": "network", "slug": "mo-win-net"}, "publication": "published"});
        let open = node.post("/v1/relationships").json(&open).await.expect(201);
        let open = format!("/v1/relationships/{}/confirmation", open.id());
        let refused = state(node, &open, &node.admin, "from", "confirmed").await;
        assert_eq!(refused.problem(403, "forbidden").json["reason"], "end");
    }
);

story!(statements_stand_beside_the_record, Seeded, async |node| {
    let (id, from, _) = joined(node).await;
    let path = format!("/v1/relationships/{id}/confirmation");
    let approver = token(node, Role::Approver, "muensterland").await;
    let empty = node.get(&path).await.expect(200);
    assert_eq!(empty.json, json!({}));
    let claimed = format!("/v1/relationships?id={id}&confirmation=claimed");
    let confirmed = format!("/v1/relationships?id={id}&confirmation=confirmed");
    assert!(lists(node, &claimed, None, &id).await);
    assert!(!lists(node, &confirmed, None, &id).await);

    let body = json!({"end": "from", "state": "confirmed", "note": "Beschluss vom Mai"});
    let bare = node.put(&path).token(&approver).json(&body).await;
    bare.problem(428, "precondition-required");
    let put = node.put(&path).token(&approver).if_match(empty.etag());
    let put = put.json(&body).await.expect(200);
    assert_eq!(put.json["from"]["note"], "Beschluss vom Mai");
    assert!(put.json["from"]["by"].is_string());
    let stale = node
        .put(&path)
        .token(&approver)
        .if_match(empty.etag())
        .json(&body)
        .await;
    stale.problem(412, "precondition-failed");
    let again = node
        .put(&path)
        .token(&approver)
        .if_match(put.etag())
        .json(&body)
        .await;
    assert_eq!(again.expect(200).etag(), put.etag(), "nothing has changed");
    let node_admin = state(node, &path, &node.admin, "to", "confirmed")
        .await
        .expect(200);
    assert_ne!(node_admin.etag(), put.etag());

    // The public reads the states; reason and account are for those who may write an end.
    let read = node.get(&path).await.expect(200);
    for end in ["from", "to"] {
        assert_eq!(read.json[end]["state"], "confirmed");
        assert!(read.json[end]["at"].is_string());
        assert!(read.json[end]["note"].is_null() && read.json[end]["by"].is_null());
    }
    let known = node.get(&path).header("if-none-match", read.etag()).await;
    assert_eq!(known.status, 304);
    let reader = token(node, Role::Reader, "muensterland").await;
    let reader = node.get(&path).token(&reader).await.expect(200);
    assert!(reader.json["from"]["note"].is_null());

    // Version and tag of the record stay the same; lists show the states.
    let record = node
        .get(&format!("/v1/relationships/{id}"))
        .await
        .expect(200);
    assert_eq!(record.etag(), "\"1\"");
    assert!(lists(node, &confirmed, None, &id).await);
    assert!(!lists(node, &claimed, None, &id).await);
    for list in [
        confirmed.clone(),
        format!("/v1/networks/{from}/relationships"),
    ] {
        let page = node.get(&list).await.expect(200);
        let both = json!({"from": "confirmed", "to": "confirmed"});
        assert_eq!(page.json["items"][0]["confirmation"], both, "{list}");
    }
    node.get("/v1/relationships?confirmation=sure")
        .await
        .problem(400, "invalid-parameter");
});

async fn shows(node: &Node, (id, from, to): (&str, &str, &str), token: Option<&str>) -> [bool; 5] {
    let one = node.get(&format!("/v1/relationships/{id}"));
    let one = match token {
        Some(token) => one.token(token),
        None => one,
    };
    [
        one.await.status == 200,
        lists(node, &format!("/v1/relationships?from={from}"), token, id).await,
        lists(node, &format!("/v1/networks/{to}/relationships"), token, id).await,
        lists(node, &format!("/v1/networks?member_of={to}"), token, from).await,
        lists(
            node,
            &format!("/v1/relationships?id={id}&confirmation=disputed"),
            token,
            id,
        )
        .await,
    ]
}

const PUBLIC: [bool; 5] = [true, true, true, true, false];
const NOWHERE: [bool; 5] = [false; 5];
/// By id, and in the list of what is disputed.
const FOR_EDITORS: [bool; 5] = [true, false, false, false, true];

async fn disputes_and_revokes(node: &Node, (id, from, to): (&str, &str, &str)) {
    let path = format!("/v1/relationships/{id}/confirmation");
    let ends = (id, from, to);
    let approver = token(node, Role::Approver, "muensterland").await;
    assert_eq!(shows(node, ends, None).await, PUBLIC);
    let reason = node.put(&path).token(&approver).if_match("*");
    let reason = reason.header("change-reason", "kein Mitglied");
    let disputed = json!({"end": "from", "state": "disputed"});
    reason.json(&disputed).await.expect(200);
    node.settled().await;
    assert_eq!(shows(node, ends, None).await, NOWHERE);
    node.get(&path).await.problem(404, "not-found");
    for (role, home, expected) in [
        (Role::Editor, "muensterland", FOR_EDITORS),
        (Role::Approver, "muensterland", FOR_EDITORS),
        (Role::Editor, "nordhessen", FOR_EDITORS),
        (Role::Editor, "bochum", NOWHERE),
        (Role::Reader, "bochum", NOWHERE),
        (Role::Reader, "muensterland", NOWHERE),
        (Role::Feeder, "nordhessen", NOWHERE),
    ] {
        let token = token(node, role, home).await;
        assert_eq!(
            shows(node, ends, Some(&token)).await,
            expected,
            "{role:?} {home}"
        );
    }
    assert_eq!(shows(node, ends, Some(&node.admin)).await, FOR_EDITORS);
    audiences_are_true(node.store.db()).await;
    state(node, &path, &approver, "from", "revoked")
        .await
        .expect(200);
    node.settled().await;
    assert_eq!(shows(node, ends, None).await, PUBLIC);
    audiences_are_true(node.store.db()).await;
}

story!(what_an_end_disputes_is_not_shown, Seeded, async |node| {
    let (id, from, to) = joined(node).await;
    disputes_and_revokes(node, (&id, &from, &to)).await;
    let audited = audit(node.store.db()).await;
    let id: Uuid = id.parse().unwrap();
    let log: Vec<_> = audited
        .log
        .iter()
        .filter(|entry| entry.record_id == id)
        .collect();
    let told: Vec<_> = log
        .iter()
        .map(|e| (e.op.as_str(), e.version, e.audience_after.is_some()))
        .collect();
    assert_eq!(
        told,
        [
            ("upsert", 1, true),
            ("visibility", 1, false),
            ("visibility", 1, true)
        ]
    );
    assert_eq!(log[1].reason.as_deref(), Some("kein Mitglied"));
    assert!(log[1].by.is_some());
});

story!(copies_can_be_disputed_too, Seeded, async |node| {
    let (id, from, to) = joined(node).await;
    give_away(node, &id).await;
    disputes_and_revokes(node, (&id, &from, &to)).await;
});

story!(
    a_statement_counts_as_long_as_its_record_stands_there,
    Seeded,
    async |node| {
        let (id, from, _) = joined(node).await;
        let path = format!("/v1/relationships/{id}");
        let beside = format!("{path}/confirmation");
        state(node, &beside, &node.admin, "from", "disputed")
            .await
            .expect(200);
        node.get(&path).await.problem(404, "not-found");
        // Its author corrects it: another network was meant.
        let other = network(node, "Ein anderes", "muensterland", "published").await;
        let end = |id: &str| json!({"from": {"kind": "network", "id": id}});
        let move_to = |to: Value| node.patch(&path).if_match("*").json(&to);
        move_to(end(&other)).await.expect(200);
        node.get(&path).await.expect(200);
        assert_eq!(node.get(&beside).await.expect(200).json, json!({}));
        move_to(end(&from)).await.expect(200);
        node.get(&path).await.problem(404, "not-found");
        // An editor who corrects a disputed relationship need not be an approver.
        let editor = token(node, Role::Editor, "muensterland").await;
        let note = node
            .patch(&path)
            .token(&editor)
            .if_match("*")
            .json(&json!({"note": "neu"}));
        note.await.expect(200);
        node.settled().await;
        audiences_are_true(node.store.db()).await;
    }
);
