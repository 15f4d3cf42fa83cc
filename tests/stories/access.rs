//! The role table, over HTTP.

use domain::access::rules::Role;
use reqwest::Method;
use sea_orm::sea_query::Expr;
use sea_orm::{ColumnTrait, EntityTrait, PaginatorTrait, QueryFilter};
use serde_json::{Value, json};
use tests::tables::{account, record};
use tests::{Node, story};
use uuid::Uuid;

async fn region(node: &Node, slug: &str) -> Uuid {
    let read = node.get(&format!("/v1/regions/{slug}")).await.expect(200);
    Uuid::parse_str(read.id()).unwrap()
}

fn actor(home: &str, publication: &str) -> Value {
    json!({"name": "Praxis", "home_region": home, "publication": publication})
}

/// The role table: create a draft, publish it, change the region tree.
const ROLES: [(Role, bool, bool, bool); 5] = [
    (Role::Reader, false, false, false),
    (Role::Editor, true, false, false),
    (Role::Approver, true, true, false),
    (Role::Feeder, false, false, false),
    // Permissions are inherited down the tree of regions, which belongs to the whole node.
    (Role::Admin, true, true, false),
];

story!(
    each_role_may_in_its_region_what_the_table_says,
    Seeded,
    async |node| {
        let here = region(node, "nordhessen").await;
        let status = |may: bool, yes: u16| if may { yes } else { 403 };
        for (role, write, publish, tree) in ROLES {
            let token = node.token(role, Some(here)).await;
            let create = |body: Value| {
                node.post("/v1/actors?dry_run=true")
                    .token(&token)
                    .json(&body)
            };
            assert_eq!(
                create(actor("nordhessen", "draft")).await.status,
                status(write, 200),
                "{role:?}"
            );
            assert_eq!(
                create(actor("nordhessen", "published")).await.status,
                status(publish, 200),
                "{role:?}"
            );
            create(actor("muensterland", "draft"))
                .await
                .problem(403, "forbidden");
            let topic = node
                .post("/v1/topics")
                .token(&token)
                .json(&json!({"name": "Thema"}))
                .await;
            topic.problem(403, "forbidden");
            let edge = json!({"type": "part_of", "from": {"kind": "region", "slug": "nordhessen"}, "to": {"kind": "region", "slug": "deutschland"}});
            let edge = node
                .post("/v1/relationships?dry_run=true")
                .token(&token)
                .json(&edge)
                .await;
            assert_eq!(edge.status, status(tree, 200), "{role:?} {}", edge.text);

            let one = "/v1/actors/klinikum-kassel";
            let change = node
                .patch(&format!("{one}?dry_run=true"))
                .token(&token)
                .if_match("\"1\"");
            assert_eq!(
                change.json(&json!({"size": "large"})).await.status,
                status(write, 200)
            );
            let withdraw = node
                .patch(&format!("{one}?dry_run=true"))
                .token(&token)
                .if_match("\"1\"");
            assert_eq!(
                withdraw.json(&json!({"publication": "draft"})).await.status,
                status(publish, 200)
            );
            let give_away = node
                .patch(&format!("{one}?dry_run=true"))
                .token(&token)
                .if_match("\"1\"");
            give_away
                .json(&json!({"home_region": "muensterland"}))
                .await
                .problem(403, "forbidden");
            let delete = node
                .delete(&format!("{one}?dry_run=true"))
                .token(&token)
                .if_match("\"1\"");
            assert_eq!(delete.await.status, status(write, 200));
        }
    }
);

story!(a_refusal_changes_nothing, Seeded, async |node| {
    let elsewhere = node
        .token(Role::Approver, Some(region(node, "muensterland").await))
        .await;
    let rows = || async {
        let db = node.store.db().reader();
        let changes = tests::tables::change::Entity::find()
            .count(db)
            .await
            .unwrap();
        (changes, record::Entity::find().count(db).await.unwrap())
    };
    let before = rows().await;
    let one = "/v1/actors/klinikum-kassel";
    node.patch(one)
        .token(&elsewhere)
        .if_match("\"1\"")
        .json(&json!({"name": "X"}))
        .await
        .problem(403, "forbidden");
    node.put(one)
        .token(&elsewhere)
        .if_match("\"1\"")
        .json(&actor("nordhessen", "published"))
        .await
        .problem(403, "forbidden");
    node.delete(one)
        .token(&elsewhere)
        .if_match("\"1\"")
        .await
        .problem(403, "forbidden");
    node.delete(one)
        .token("x.y.z")
        .if_match("\"1\"")
        .await
        .problem(401, "unauthorized");
    node.post("/v1/actors")
        .anonymous()
        .json(&actor("nordhessen", "draft"))
        .await
        .problem(401, "unauthorized");
    assert_eq!(rows().await, before);
});

story!(drafts_are_seen_in_their_region_only, Seeded, async |node| {
    let here = region(node, "nordhessen").await;
    let there = region(node, "muensterland").await;
    let draft = node
        .post("/v1/networks")
        .json(&json!({"name": "Geheim", "home_region": "nordhessen"}))
        .await
        .expect(201);
    let edge = json!({"type": "serves", "publication": "published",
        "from": {"kind": "network", "id": draft.id()}, "to": {"kind": "region", "slug": "hessen"}});
    let edge = node.post("/v1/relationships").json(&edge).await.expect(201);
    let paths = [
        format!("/v1/networks/{}", draft.id()),
        "/v1/networks/geheim".to_owned(),
        format!("/v1/relationships/{}", edge.id()),
    ];
    let list = "/v1/regions/hessen/relationships?type=serves&limit=200";
    let seen = |json: &Value| {
        json["items"]
            .as_array()
            .unwrap()
            .iter()
            .any(|item| item["id"] == edge.json["id"])
    };
    for (role, region, sees) in [
        (Role::Reader, here, true),
        (Role::Editor, here, true),
        (Role::Approver, here, true),
        (Role::Admin, here, true),
        (Role::Feeder, here, false),
        (Role::Reader, there, false),
        (Role::Admin, there, false),
    ] {
        let token = node.token(role, Some(region)).await;
        for path in &paths {
            let status = node.get(path).token(&token).await.status;
            assert_eq!(status, if sees { 200 } else { 404 }, "{role:?} {path}");
        }
        let listed = node.get(list).token(&token).await.expect(200);
        assert_eq!(seen(&listed.json), sees, "{role:?}");
        // An invisible draft cannot be referenced either.
        let body = json!({"type": "related_to", "from": {"kind": "network", "slug": "geheim"}, "to": {"kind": "region", "slug": "hessen"}});
        let named = node
            .post("/v1/relationships?dry_run=true")
            .token(&token)
            .json(&body)
            .await;
        assert_eq!(
            named.text.contains("unknown-reference"),
            !sees,
            "{role:?} {}",
            named.text
        );
    }
    for path in &paths {
        node.get(path).await.problem(404, "not-found");
    }
    assert!(!seen(&node.get(list).await.expect(200).json));
});

story!(
    a_grant_may_hold_below_its_region_too,
    Seeded,
    async |node| {
        let ruhr = region(node, "gesundheitsmetropole-ruhr").await;
        let body = json!({"name": "Wache", "home_region": "wattenscheid"});
        let narrow = node.token_below(Role::Editor, Some(ruhr), false).await;
        node.post("/v1/actors")
            .token(&narrow)
            .json(&body)
            .await
            .problem(403, "forbidden");
        let wide = node.token_below(Role::Editor, Some(ruhr), true).await;
        node.post("/v1/actors")
            .token(&wide)
            .json(&body)
            .await
            .expect(201);
    }
);

story!(no_grant_reaches_a_copy, Seeded, async |node| {
    let id = crate::errors::copy_of(node, "klinikum-kassel", "elsewhere").await;
    let path = format!("/v1/actors/{id}");
    let copy = node.get(&path).await.expect(200);
    assert_eq!(copy.json["origin"], "elsewhere");
    assert!(copy.json["synced_at"].is_string());
    let refused = node
        .patch(&path)
        .if_match("\"1\"")
        .json(&json!({"name": "X"}))
        .await
        .problem(403, "forbidden");
    assert_eq!(refused.json["reason"], "copy");
    node.delete(&path)
        .if_match("\"1\"")
        .await
        .problem(403, "forbidden");
    // The slug still means this node's own record.
    assert_ne!(
        node.get("/v1/actors/klinikum-kassel")
            .await
            .expect(200)
            .id(),
        id.to_string()
    );
    // Reference data is a copy on every node.
    node.patch("/v1/regions/hessen")
        .if_match("\"1\"")
        .json(&json!({"name": "X"}))
        .await
        .problem(403, "forbidden");
});

story!(roles_are_read_at_each_request, Seeded, async |node| {
    let token = node.token(Role::Editor, None).await;
    let create = || {
        node.post("/v1/actors?dry_run=true")
            .token(&token)
            .json(&actor("nordhessen", "draft"))
    };
    create().await.expect(200);
    account::Entity::update_many()
        .col_expr(
            account::Column::DisabledAt,
            Expr::value(node.store.clock().now()),
        )
        .filter(account::Column::Name.contains("Editor"))
        .exec(node.store.db().reader())
        .await
        .unwrap();
    let refused = create().await.problem(401, "unauthorized");
    assert_eq!(
        refused.header("www-authenticate"),
        "Bearer error=\"invalid_token\""
    );
});

story!(
    a_relationship_is_written_by_the_editors_of_an_own_end,
    Seeded,
    async |node| {
        let editor = node
            .token(Role::Editor, Some(region(node, "nordhessen").await))
            .await;
        let edge = |from: &str, to: &str| json!({"type": "cooperates_with", "from": {"kind": "network", "slug": from}, "to": {"kind": "network", "slug": to}, "home_region": "nordhessen"});
        let post = |body: Value| {
            node.post("/v1/relationships?dry_run=true")
                .token(&editor)
                .json(&body)
        };
        post(edge(
            "cluster-gesundheit-nordhessen",
            "teleradiologieverbund-ruhr",
        ))
        .await
        .expect(200);
        let refused = post(edge("medecon-ruhr-e-v", "teleradiologieverbund-ruhr"))
            .await
            .problem(403, "forbidden");
        assert_eq!(refused.json["reason"], "own-end");
        let foreign = json!({"type": "part_of", "from": {"kind": "region", "slug": "hessen"}, "to": {"kind": "region", "slug": "nordrhein-westfalen"}, "home_region": "nordhessen"});
        let foreign = node
            .post("/v1/relationships")
            .json(&foreign)
            .await
            .problem(422, "validation-failed");
        assert_eq!(foreign.faults()[0].1, "own-end");
    }
);

story!(
    what_one_may_not_see_has_no_effect_on_the_answer,
    Seeded,
    async |node| {
        let there = region(node, "muensterland").await;
        let editor = node.token(Role::Editor, Some(there)).await;
        let draft = node
            .post("/v1/networks")
            .json(&json!({"name": "Geheim", "home_region": "nordhessen"}))
            .await
            .expect(201);
        let answer = async |id: &str| {
            let body = json!({"type": "cooperates_with", "from": {"kind": "network", "id": id}, "to": {"as_stated": "z"}});
            let told = node
                .post("/v1/relationships")
                .token(&editor)
                .json(&body)
                .await
                .problem(422, "validation-failed");
            told.faults()
        };
        assert_eq!(
            answer(draft.id()).await,
            answer("00000000-0000-7000-8000-000000000000").await
        );
        // Nor does a relationship that was never visible leave a public tombstone.
        let edge = json!({"type": "member_of", "publication": "published",
        "from": {"kind": "network", "id": draft.id()}, "to": {"kind": "network", "slug": "mo-win-net"}});
        let edge = node.post("/v1/relationships").json(&edge).await.expect(201);
        let one = format!("/v1/relationships/{}", edge.id());
        node.get(&one).await.problem(404, "not-found");
        node.delete(&one).if_match("\"1\"").await.expect(204);
        node.get(&one).await.problem(404, "not-found");
        node.get(&one).token(&node.admin).await.problem(410, "gone");
    }
);

fn part_of(region: &str, publication: &str) -> Value {
    json!({
        "type": "part_of",
        "from": {"kind": "region", "slug": region},
        "to": {"kind": "region", "slug": "nordhessen"},
        "home_region": "nordhessen",
        "publication": publication,
    })
}

story!(
    nobody_gets_rights_by_hanging_a_region_below_his_own,
    Seeded,
    async |node| {
        let here = region(node, "nordhessen").await;
        for role in [Role::Editor, Role::Admin] {
            let token = node.token_below(role, Some(here), true).await;
            for publication in ["draft", "published"] {
                let edge = node.post("/v1/relationships").token(&token);
                let refused = edge.json(&part_of("muensterland", publication)).await;
                let refused = refused.problem(403, "forbidden");
                if role == Role::Admin {
                    assert_eq!(refused.json["reason"], "region-tree");
                }
            }
            let create = node.post("/v1/actors?dry_run=true").token(&token);
            let create = create.json(&actor("muensterland", "draft")).await;
            create.problem(403, "forbidden");
        }
    }
);

story!(
    nobody_takes_rights_from_others_by_cutting_the_tree,
    Seeded,
    async |node| {
        let here = region(node, "nordhessen").await;
        let valley = json!({"name": "Fuldatal", "home_region": "nordhessen"});
        let valley = node.post("/v1/regions").json(&valley).await.expect(201);
        let edge = node.post("/v1/relationships");
        let edge = edge.json(&part_of("fuldatal", "draft")).await.expect(201);
        for role in [Role::Editor, Role::Approver, Role::Admin] {
            let token = node.token(role, Some(here)).await;
            // Neither by deleting the relationship, nor with the region, nor by another type.
            for path in [
                format!("/v1/relationships/{}", edge.id()),
                format!("/v1/regions/{}", valley.id()),
            ] {
                let delete = node.delete(&path).token(&token).if_match("*").await;
                let refused = delete.problem(403, "forbidden");
                assert_eq!(refused.json["reason"], "region-tree", "{role:?} {path}");
            }
            let path = format!("/v1/relationships/{}", edge.id());
            let change = node.patch(&path).token(&token).if_match("*");
            let change = change.json(&json!({"type": "related_to"})).await;
            change.problem(403, "forbidden");
        }
        let path = format!("/v1/regions/{}", valley.id());
        node.delete(&path).if_match("*").await.expect(204);
    }
);

story!(what_one_may_not_see_is_not_counted, Seeded, async |node| {
    let there = region(node, "muensterland").await;
    let editor = node.token(Role::Editor, Some(there)).await;
    let moor = json!({"name": "Venn", "home_region": "muensterland"});
    let moor = node.post("/v1/regions").json(&moor).await.expect(201);
    for name in ["Eins", "Zwei", "Drei"] {
        let place = json!([{"region": moor.id()}]);
        let hidden = json!({"name": name, "home_region": "nordhessen", "places": place});
        node.post("/v1/actors").json(&hidden).await.expect(201);
    }
    let path = format!("/v1/regions/{}", moor.id());
    let delete = async |token: &str| {
        let delete = node.delete(&path).token(token).if_match("*").await;
        delete.problem(409, "still-referenced")
    };
    let told = delete(&editor).await;
    assert_eq!(told.json["total"], 0);
    assert_eq!(told.json["referenced_by"], json!([]));
    let detail = told.json["detail"].as_str().unwrap();
    assert!(
        detail.starts_with("Records that you may not see"),
        "{detail}"
    );
    assert_eq!(delete(&node.admin).await.json["total"], 3);
});

story!(
    a_draft_that_is_gone_does_not_hide_what_was_public,
    Seeded,
    async |node| {
        for publication in ["published", "draft"] {
            let body = json!({"name": "Wechsel", "slug": "wechsel", "home_region": "nordhessen", "publication": publication});
            let made = node.post("/v1/networks").json(&body).await.expect(201);
            let path = format!("/v1/networks/{}", made.id());
            node.delete(&path).if_match("*").await.expect(204);
            node.get("/v1/networks/wechsel").await.problem(410, "gone");
        }
    }
);

story!(
    who_may_not_is_told_so_whatever_he_sends,
    Seeded,
    async |node| {
        let here = region(node, "nordhessen").await;
        let reader = node.token(Role::Reader, Some(here)).await;
        let document = tests::conform::document();
        let mut tried = 0;
        for (path, operations) in document["paths"].as_object().unwrap() {
            let named = path.replace(['{', '}'], "");
            for (method, operation) in operations.as_object().unwrap() {
                let access = operation["x-access"].as_str().unwrap();
                let method = Method::from_bytes(method.to_uppercase().as_bytes()).unwrap();
                // Path, query and body are all wrong.
                let send = || {
                    let call = node.call(method.clone(), &format!("{named}?nonsense=1"));
                    call.body("text/plain", "{")
                };
                if !["public", "credentials", "read"].contains(&access) {
                    send().await.problem(401, "unauthorized");
                    tried += 1;
                }
                if ["import", "push", "admin"].contains(&access) {
                    send().token(&reader).await.problem(403, "forbidden");
                }
                if access == "read" {
                    send().token("x").await.problem(401, "unauthorized");
                }
            }
        }
        assert!(tried > 60, "{tried}");
    }
);
