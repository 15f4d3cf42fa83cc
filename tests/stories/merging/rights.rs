//! What a merge requires, and who may merge.

use super::{actor, around, merge, moved_to, related, the_books, undo};
use domain::access::rules::Role;
use reqwest::Method;
use serde_json::{Value, json};
use tests::story;
use uuid::Uuid;

story!(what_a_merge_needs, Seeded, async |node| {
    let one = actor(node, "Eins").await;
    let other = actor(node, "Zwei").await;
    let path = format!("/v1/actors/{one}/merge");
    let post = |body: Value| node.post(&path).json(&body);
    for (body, pointer, code) in [
        (json!({}), "/into", "required"),
        (json!({"into": null}), "/into", "required"),
        (json!([]), "/into", "required"),
        (json!({"into": 5}), "/into", "reference"),
        (
            json!({"into": {"kind": "network", "slug": "mo-win-net"}}),
            "/into",
            "wrong-kind",
        ),
        (json!({"into": "mo-win-net"}), "/into", "unknown-reference"),
        (json!({"into": one}), "/into", "merge-self"),
        (json!({"in~to": other}), "/in~0to", "unknown-member"),
    ] {
        let told = post(body.clone()).await.problem(422, "validation-failed");
        assert_eq!(
            told.faults(),
            [(pointer.to_owned(), code.to_owned())],
            "{body}"
        );
    }
    post(json!({"into": other}))
        .if_match("\"7\"")
        .await
        .problem(412, "precondition-failed");
    post(json!({"into": other}))
        .if_match("7")
        .await
        .problem(400, "invalid-header");
    node.post(&path)
        .body("text/plain", "{}")
        .await
        .problem(415, "unsupported-media-type");
    node.post("/v1/actors/nobody/merge")
        .json(&json!({"into": other}))
        .await
        .problem(404, "not-found");
    node.call(Method::POST, "/v1/relationships/x/merge")
        .await
        .problem(404, "not-found");
    let copy = crate::errors::copy_of(node, "klinikum-kassel", "elsewhere").await;
    let copied = post(json!({"into": copy})).await.problem(403, "forbidden");
    assert_eq!(copied.json["reason"], "copy");
    let rehearsed = node
        .post(&format!("{path}?dry_run=true"))
        .json(&json!({"into": other}));
    assert_eq!(rehearsed.await.expect(200).id(), other);
    node.get(&format!("/v1/actors/{one}")).await.expect(200);
    // A whole and its part must be separated first.
    let part = json!({"type": "part_of", "from": {"kind": "actor", "id": one}, "to": {"kind": "actor", "id": other}});
    let part = node.post("/v1/relationships").json(&part).await.expect(201);
    for (loser, into) in [(&one, &other), (&other, &one)] {
        let told = merge(node, "actors", loser, into)
            .await
            .problem(422, "validation-failed");
        assert_eq!(told.faults()[0].1, "merge-circle");
    }
    node.delete(&format!("/v1/relationships/{}", part.id()))
        .if_match("*")
        .await
        .expect(204);
    // Other relationships between the two stay as they are.
    let both = node
        .post("/v1/relationships")
        .json(&related(&one, &other))
        .await
        .expect(201);
    post(json!({"into": other}))
        .if_match("\"1\"")
        .await
        .expect(200);
    assert_eq!(around(node, &other).await[both.id()], other);
});

story!(who_may_merge, Seeded, async |node| {
    let region = async |slug: &str| {
        let read = node.get(&format!("/v1/regions/{slug}")).await.expect(200);
        Uuid::parse_str(read.id()).unwrap()
    };
    let (here, there) = (region("nordhessen").await, region("muensterland").await);
    let body =
        |home: &str| json!({"name": "Doppelt", "home_region": home, "publication": "published"});
    for (role, home, may) in [
        (Role::Reader, here, 403),
        (Role::Feeder, here, 403),
        (Role::Editor, there, 403),
        (Role::Editor, here, 200),
        (Role::Approver, here, 200),
        (Role::Admin, here, 200),
    ] {
        let token = node.token(role, Some(home)).await;
        let one = node.made("actors", body("nordhessen")).await;
        let other = node.made("actors", body("nordhessen")).await;
        let foreign = node.made("actors", body("muensterland")).await;
        for (loser, into) in [(&one, &foreign), (&foreign, &one)] {
            merge(node, "actors", loser, into)
                .token(&token)
                .await
                .problem(403, "forbidden");
        }
        let answer = merge(node, "actors", &one, &other).token(&token).await;
        assert_eq!(answer.status, may, "{role:?}");
        if may != 200 {
            merge(node, "actors", &one, &other).await.expect(200);
        }
        let answer = undo(node, "actors", &one).token(&token).await;
        assert_eq!(answer.status, may, "{role:?}");
        if may == 200 {
            // An editor restores a published record as published.
            assert_eq!(answer.json["publication"], "published");
        }
    }
    let one = node.made("actors", body("nordhessen")).await;
    merge(node, "actors", &one, "klinikum-kassel")
        .anonymous()
        .await
        .problem(401, "unauthorized");
    undo(node, "actors", &one)
        .anonymous()
        .await
        .problem(401, "unauthorized");
    // Topics and the tree of regions are reserved for admins.
    let editor = node.token(Role::Approver, Some(here)).await;
    let part = json!({"name": "Nordhessen alt", "level": "region", "home_region": "nordhessen", "publication": "published"});
    let part = node.made("regions", part).await;
    let refused = merge(node, "regions", &part, "nordhessen")
        .token(&editor)
        .await;
    assert_eq!(
        refused.problem(403, "forbidden").json["reason"],
        "region-tree"
    );
    let topics = [
        node.made("topics", json!({"name": "T"})).await,
        node.made("topics", json!({"name": "U"})).await,
    ];
    merge(node, "topics", &topics[0], &topics[1])
        .token(&editor)
        .await
        .problem(404, "not-found");
    // Editors of the one region can edit the records of the other from now on.
    let old = node
        .token(Role::Editor, Some(Uuid::parse_str(&part).unwrap()))
        .await;
    let record = node
        .made("actors", json!({"name": "Dort", "home_region": part}))
        .await;
    merge(node, "regions", &part, "nordhessen")
        .await
        .expect(200);
    for token in [&editor, &old] {
        for path in [format!("/v1/actors/{record}"), format!("/v1/actors/{one}")] {
            let change = json!({"size": "large"});
            let path = format!("{path}?dry_run=true");
            let answer = node
                .patch(&path)
                .token(token)
                .if_match("*")
                .json(&change)
                .await;
            answer.expect(200);
        }
    }
});

story!(
    a_draft_that_was_merged_is_nobodys_business,
    Seeded,
    async |node| {
        let draft = json!({"name": "Geheim", "home_region": "nordhessen"});
        let loser = node.made("actors", draft.clone()).await;
        let partner = actor(node, "Bekannt").await;
        let edge = node
            .post("/v1/relationships")
            .json(&related(&loser, &partner))
            .await
            .expect(201);
        assert!(around(node, &partner).await.is_empty());
        let merge_target = actor(node, "Öffentlich").await;
        merge(node, "actors", &loser, &merge_target)
            .await
            .expect(200);
        for key in [loser.as_str(), "geheim"] {
            let path = format!("/v1/actors/{key}");
            node.get(&path).await.problem(404, "not-found");
            moved_to(node.get(&path).token(&node.admin).await, &merge_target);
        }
        node.get(&format!("/v1/relationships?from={loser}"))
            .await
            .problem(400, "unknown-reference");
        // The relationship is as visible as the merge target.
        assert_eq!(around(node, &partner).await[edge.id()], merge_target);
        // And vice versa: public records become invisible to those who may not see the merge target.
        let known = actor(node, "War bekannt").await;
        let hidden = node.made("actors", draft).await;
        merge(node, "actors", &known, &hidden).await.expect(200);
        let gone = node
            .get(&format!("/v1/actors/{known}"))
            .await
            .problem(410, "gone");
        assert!(!gone.text.contains(&hidden));
        moved_to(
            node.get(&format!("/v1/actors/{known}"))
                .token(&node.admin)
                .await,
            &hidden,
        );
        the_books(node).await;
    }
);
