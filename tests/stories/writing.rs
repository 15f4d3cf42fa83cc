//! Writing: what is filled in, kept, refused, and what goes along.

use persistence::entity::{change, edge, identifier, reference};
use sea_orm::{ColumnTrait, EntityTrait, PaginatorTrait, QueryFilter, QueryOrder};
use serde_json::{Value, json};
use tests::{Node, story};
use uuid::Uuid;

fn actor(more: Value) -> Value {
    let mut body = json!({"name": "Praxis", "home_region": "nordhessen"});
    domain::json::merge_patch(&mut body, &more);
    body
}

async fn make(node: &Node, more: Value) -> tests::Answer {
    node.post("/v1/actors").json(&actor(more)).await.expect(201)
}

story!(slugs_are_made_from_names, Seeded, async |node| {
    for slug in [
        "straeussle-soehne",
        "straeussle-soehne-2",
        "straeussle-soehne-3",
    ] {
        assert_eq!(
            make(node, json!({"name": "Sträußle & Söhne"})).await.json["slug"],
            slug
        );
    }
    // Another kind has slugs of its own.
    let network = json!({"name": "Sträußle & Söhne", "home_region": "nordhessen"});
    assert_eq!(
        node.post("/v1/networks")
            .json(&network)
            .await
            .expect(201)
            .json["slug"],
        "straeussle-soehne"
    );
    let taken = node
        .post("/v1/actors")
        .json(&actor(json!({"slug": "straeussle-soehne"})))
        .await
        .problem(409, "conflict");
    assert_eq!(
        (&taken.json["unique"], &taken.json["pointer"]),
        (&json!("slug"), &json!("/slug"))
    );
    assert!(taken.json["other"]["id"].is_string());
    for bad in [
        "Groß",
        "a--b",
        "-a",
        "0193e5a0-0000-7000-8000-000000000000",
        "",
    ] {
        let refused = node
            .post("/v1/actors")
            .json(&actor(json!({"slug": bad})))
            .await
            .problem(422, "validation-failed");
        assert_eq!(refused.faults()[0].0, "/slug", "{bad}");
    }
});

story!(
    a_conflict_names_another_record_only_to_those_who_see_it,
    Seeded,
    async |node| {
        make(node, json!({"slug": "verborgen"})).await;
        let there = node.get("/v1/regions/muensterland").await.expect(200);
        let there = Uuid::parse_str(there.id()).unwrap();
        let editor = node.token(domain::access::Role::Editor, Some(there)).await;
        let body = json!({"name": "X", "slug": "verborgen", "home_region": "muensterland"});
        let taken = node
            .post("/v1/actors")
            .token(&editor)
            .json(&body)
            .await
            .problem(409, "conflict");
        assert_eq!(taken.json["other"], Value::Null);
    }
);

story!(a_put_keeps_what_identifies_a_record, Seeded, async |node| {
    let key = json!({"system": "cms", "id": "7"});
    let made = make(
        node,
        json!({"external_id": key, "publication": "review", "summary": "weg"}),
    )
    .await;
    let one = format!("/v1/actors/{}", made.id());
    let put = node
        .put(&one)
        .if_match("\"1\"")
        .json(&actor(json!({"name": "Anders"})))
        .await
        .expect(200);
    assert_eq!(put.json["slug"], "praxis");
    assert_eq!(put.json["external_id"], key);
    assert_eq!(put.json["publication"], "review");
    assert_eq!(put.json["summary"], Value::Null);
    let other = actor(json!({"external_id": {"system": "cms", "id": "8"}}));
    let refused = node
        .put(&one)
        .if_match("\"2\"")
        .json(&other)
        .await
        .problem(422, "validation-failed");
    assert_eq!(
        refused.faults(),
        [("/external_id".to_owned(), "external-id-fixed".to_owned())]
    );
    let again = node
        .post("/v1/actors")
        .json(&actor(json!({"external_id": key})))
        .await
        .problem(409, "conflict");
    assert_eq!(again.json["unique"], "external_id");
});

story!(a_deleted_key_revives_its_id, Seeded, async |node| {
    let key = json!({"external_id": {"system": "cms", "id": "9"}, "publication": "published"});
    let made = make(node, key.clone()).await;
    let one = format!("/v1/actors/{}", made.id());
    node.delete(&one).if_match("\"1\"").await.expect(204);
    node.get(&one).await.problem(410, "gone");
    let back = make(node, key).await;
    assert_eq!((back.id(), back.etag()), (made.id(), "\"3\""));
    node.get(&one).await.expect(200);
});

story!(a_patch_changes_what_it_names, Seeded, async |node| {
    let made = make(
        node,
        json!({"contact": {"phone": "1", "email": "a@example.org"}, "topics": ["onkologie"]}),
    )
    .await;
    let one = format!("/v1/actors/{}", made.id());
    let patch = json!({"contact": {"phone": null}, "topics": [], "size": "large"});
    let patched = node
        .patch(&one)
        .if_match("\"1\"")
        .json(&patch)
        .await
        .expect(200);
    assert_eq!(patched.json["contact"], json!({"email": "a@example.org"}));
    assert_eq!(
        (&patched.json["topics"], &patched.json["size"]),
        (&Value::Null, &json!("large"))
    );
    let wrong = node
        .patch(&one)
        .if_match("\"2\"")
        .json(&json!({"name": null, "sise": "large"}))
        .await;
    let faults = wrong.problem(422, "validation-failed").faults();
    assert_eq!(
        faults,
        [
            ("/name".to_owned(), "required".to_owned()),
            ("/sise".to_owned(), "unknown-member".to_owned())
        ]
    );
    let empty = node
        .patch(&one)
        .if_match("\"2\"")
        .json(&json!({}))
        .await
        .expect(200);
    assert_eq!(empty.etag(), "\"2\"");
});

story!(everything_wrong_is_told_at_once, Seeded, async |node| {
    let body = json!({
        "nmae": "x", "categories": ["hospitl"], "home_region": "atlantis", "topics": ["onkologie", "unsinn"],
        "places": [{"point": {"lat": 91, "lon": 0}}], "identifiers": [{"scheme": "ik", "value": "260326823"}],
    });
    let wrong = node
        .post("/v1/actors")
        .json(&body)
        .await
        .problem(422, "validation-failed");
    let faults = wrong.faults();
    let expected = [
        ("/categories/0", "unknown-code"),
        ("/home_region", "unknown-reference"),
        ("/identifiers/0/value", "identifier-check-digit"),
        ("/name", "required"),
        ("/nmae", "unknown-member"),
        ("/places/0/point/lat", "maximum"),
        ("/topics/1", "unknown-reference"),
    ];
    assert_eq!(
        faults,
        expected.map(|(pointer, code)| (pointer.to_owned(), code.to_owned()))
    );
});

story!(tolerated_check_digits_are_told, Seeded, async |node| {
    let body = json!({"identifiers": [{"scheme": "vat", "value": "DE136695970"}]});
    let made = make(node, body.clone()).await;
    assert_eq!(
        made.header("verbund-warnings"),
        "/identifiers/0/value identifier-check-digit"
    );
    let again = node
        .post("/v1/actors")
        .json(&actor(body))
        .await
        .problem(409, "conflict");
    assert_eq!(
        (&again.json["unique"], &again.json["pointer"]),
        (&json!("identifier"), &json!("/identifiers/0"))
    );
});

story!(the_log_knows_who_what_and_why, Seeded, async |node| {
    let made = make(node, json!({"publication": "published"})).await;
    let one = format!("/v1/actors/{}", made.id());
    let id = Uuid::parse_str(made.id()).unwrap();
    node.patch(&one)
        .if_match("\"1\"")
        .header("x-change-reason", "Umzug nach Kassel")
        .json(&json!({"publication": "archived"}))
        .await
        .expect(200);
    node.delete(&one).if_match("\"2\"").await.expect(204);
    let log = change::Entity::find()
        .filter(change::Column::RecordId.eq(id))
        .order_by_asc(change::Column::Seq)
        .all(node.store.db().reader())
        .await
        .unwrap();
    let told: Vec<_> = log
        .iter()
        .map(|one| (one.op.as_str(), one.version, one.newest, one.body.is_some()))
        .collect();
    assert_eq!(
        told,
        [
            ("upsert", 1, false, true),
            ("upsert", 2, false, true),
            ("delete", 3, true, false)
        ]
    );
    assert_eq!(log[1].reason.as_deref(), Some("Umzug nach Kassel"));
    assert!(log.iter().all(|one| one.by.is_some()));
    let home = made.json["home_region"].as_str();
    let audiences: Vec<_> = log
        .iter()
        .map(|one| {
            (
                one.audience_before.as_deref(),
                one.audience_after.as_deref(),
            )
        })
        .collect();
    assert_eq!(audiences, [(None, home), (home, None), (None, None)]);
    // A rehearsal and a write that changes nothing leave no trace.
    let count = || async {
        change::Entity::find()
            .count(node.store.db().reader())
            .await
            .unwrap()
    };
    let before = count().await;
    node.post("/v1/actors?dry_run=true")
        .json(&actor(json!({})))
        .await
        .expect(200);
    node.delete("/v1/actors/klinikum-kassel?dry_run=true")
        .if_match("\"1\"")
        .await
        .expect(204);
    node.patch("/v1/actors/klinikum-kassel")
        .if_match("\"1\"")
        .json(&json!({}))
        .await
        .expect(200);
    assert_eq!(count().await, before);
});

story!(
    what_is_named_stays_and_relationships_go_along,
    Seeded,
    async |node| {
        let topic = node
            .post("/v1/topics")
            .json(&json!({"name": "Thema"}))
            .await
            .expect(201);
        let user = make(node, json!({"topics": [topic.id()]})).await;
        let topic_path = format!("/v1/topics/{}", topic.id());
        let refused = node
            .delete(&topic_path)
            .if_match("\"1\"")
            .await
            .problem(409, "still-referenced");
        assert_eq!(
            refused.json["referenced_by"],
            json!([{"kind": "actor", "id": user.id()}])
        );
        let edge_body = json!({"type": "member_of", "from": {"kind": "actor", "id": user.id()}, "to": {"kind": "network", "slug": "cluster-gesundheit-nordhessen"}});
        let edge = node
            .post("/v1/relationships")
            .json(&edge_body)
            .await
            .expect(201);
        node.delete(&format!("/v1/actors/{}", user.id()))
            .if_match("\"1\"")
            .await
            .expect(204);
        node.get(&format!("/v1/relationships/{}", edge.id()))
            .token(&node.admin)
            .await
            .problem(410, "gone");
        node.delete(&topic_path).if_match("\"1\"").await.expect(204);
        let db = node.store.db().reader();
        let id = Uuid::parse_str(user.id()).unwrap();
        assert_eq!(
            reference::Entity::find()
                .filter(reference::Column::RecordId.eq(id))
                .count(db)
                .await
                .unwrap(),
            0
        );
        assert_eq!(
            edge::Entity::find()
                .filter(edge::Column::FromId.eq(id))
                .count(db)
                .await
                .unwrap(),
            0
        );
        assert_eq!(
            identifier::Entity::find()
                .filter(identifier::Column::RecordId.eq(id))
                .count(db)
                .await
                .unwrap(),
            0
        );
    }
);

story!(relationships_follow_their_table, Seeded, async |node| {
    let network = json!({"kind": "network", "slug": "cluster-gesundheit-nordhessen"});
    let kassel = json!({"kind": "actor", "slug": "klinikum-kassel"});
    let post = |body: Value| node.post("/v1/relationships").json(&body);
    let fault =
        async |body: Value| post(body).await.problem(422, "validation-failed").faults()[0].clone();
    let edge = |r#type: &str, from: &Value, to: &Value| json!({"type": r#type, "from": from, "to": to, "home_region": "nordhessen"});
    let told = |pointer: &str, code: &str| (pointer.to_owned(), code.to_owned());
    assert_eq!(
        fault(edge("member_of", &network, &kassel)).await,
        told("/to", "end-kind")
    );
    assert_eq!(
        fault(edge("part_of", &network, &kassel)).await,
        told("/to", "same-kind")
    );
    assert_eq!(
        fault(edge("related_to", &network, &network)).await,
        told("/to", "same-ends")
    );
    let stated = json!({"as_stated": "Die MedEcon Ruhr"});
    assert_eq!(
        fault(edge("related_to", &stated, &stated)).await,
        told("/to", "open-ends")
    );
    let mut roles = edge("member_of", &kassel, &network);
    roles["roles"] = json!(["funder"]);
    assert_eq!(fault(roles).await, told("/roles/0", "role"));
    let part = json!({"kind": "network", "slug": "nordhessen-viszeral"});
    assert_eq!(
        fault(edge("part_of", &network, &part)).await,
        told("/to", "cycle")
    );

    // The same statement twice is a conflict, until the first one has ended.
    let member = edge("member_of", &kassel, &network);
    let first = post(member.clone()).await.expect(201);
    let again = post(member.clone()).await.problem(409, "conflict");
    assert_eq!(again.json["unique"], "relationship");
    let one = format!("/v1/relationships/{}", first.id());
    node.patch(&one)
        .if_match("\"1\"")
        .json(&json!({"valid": {"to": "2020"}}))
        .await
        .expect(200);
    post(member).await.expect(201);

    // Symmetric ones are one statement whichever end is named first; home comes from the ends.
    let there = json!({"type": "related_to", "from": kassel, "to": network});
    let back = json!({"type": "related_to", "from": network, "to": kassel});
    let made = post(there).await.expect(201);
    assert!(made.json["from"]["id"].as_str() < made.json["to"]["id"].as_str());
    assert!(made.json["home_region"].is_string());
    post(back).await.problem(409, "conflict");
});

story!(
    references_may_be_named_in_every_form,
    Seeded,
    async |node| {
        let region = node.get("/v1/regions/nordhessen").await.expect(200);
        let key = region.json["external_id"].clone();
        for form in [
            json!(region.id()),
            json!("nordhessen"),
            json!({"slug": "nordhessen"}),
            json!({"kind": "region", "slug": "nordhessen"}),
            json!({"kind": "region", "id": region.id()}),
            json!({"kind": "region", "external_id": key}),
        ] {
            assert_eq!(
                make(node, json!({"home_region": form})).await.json["home_region"],
                region.json["id"]
            );
        }
        let wrong = node
            .post("/v1/actors")
            .json(&actor(
                json!({"home_region": {"kind": "actor", "slug": "x"}}),
            ))
            .await;
        assert_eq!(
            wrong.problem(422, "validation-failed").faults(),
            [("/home_region".to_owned(), "wrong-kind".to_owned())]
        );
        let wrong = node
            .post("/v1/actors")
            .json(&actor(json!({"home_region": 5})))
            .await;
        assert_eq!(
            wrong.problem(422, "validation-failed").faults()[0].0,
            "/home_region"
        );
        // A region may name itself while it is being made.
        let own = json!({"name": "Neuland", "slug": "neuland", "home_region": "neuland"});
        let made = node.post("/v1/regions").json(&own).await.expect(201);
        assert_eq!(made.json["home_region"], made.json["id"]);
    }
);

story!(geometry_has_a_version_of_its_own, Seeded, async |node| {
    let path = "/v1/regions/bochum/geometry";
    let square = domain::value::geometry::example();
    let put = || {
        node.put(path)
            .body("application/geo+json", square.to_string())
    };
    node.get(path).await.problem(404, "not-found");
    put().await.problem(428, "precondition-required");
    put()
        .if_match("\"1\"")
        .await
        .problem(412, "precondition-failed");
    let made = put().header("if-none-match", "*").await.expect(200);
    assert_eq!(
        (made.etag(), made.header("content-type")),
        ("\"1\"", "application/geo+json")
    );
    put()
        .header("if-none-match", "*")
        .await
        .problem(412, "precondition-failed");
    assert_eq!(put().if_match("\"1\"").await.expect(200).etag(), "\"1\"");
    let read = node
        .get(path)
        .header("accept", "application/geo+json")
        .await
        .expect(200);
    assert_eq!(read.json, square);
    node.get(path)
        .header("if-none-match", "\"1\"")
        .await
        .expect(304);
    let open = json!({"type": "Polygon", "coordinates": [[[7, 51], [8, 51], [8, 52], [7, 52]]]});
    let refused = node
        .put(path)
        .if_match("\"1\"")
        .json(&open)
        .await
        .problem(422, "validation-failed");
    assert_eq!(refused.faults()[0].1, "geojson");
    let moved = json!({"type": "Polygon", "coordinates": [[[7, 51], [8, 51], [8, 52], [7, 51]]]});
    assert_eq!(
        node.put(path)
            .if_match("\"1\"")
            .json(&moved)
            .await
            .expect(200)
            .etag(),
        "\"2\""
    );
    assert_eq!(
        node.get("/v1/regions/bochum").await.expect(200).etag(),
        "\"1\""
    );
    put()
        .anonymous()
        .if_match("\"2\"")
        .await
        .problem(401, "unauthorized");
    node.put("/v1/regions/hessen/geometry")
        .header("if-none-match", "*")
        .json(&square)
        .await
        .problem(403, "forbidden");
});

story!(sizes_have_limits, Seeded, async |node| {
    let long = json!({"description": "x".repeat(50_001)});
    let refused = node
        .post("/v1/actors")
        .json(&actor(long))
        .await
        .problem(422, "validation-failed");
    assert_eq!(
        refused.faults(),
        [("/description".to_owned(), "too-long".to_owned())]
    );
    let huge = actor(json!({"description": "x".repeat(300_000)}));
    node.post("/v1/actors")
        .json(&huge)
        .await
        .problem(413, "payload-too-large");
    // Patches add up to a record that is too large.
    let made = make(node, json!({})).await;
    let one = format!("/v1/actors/{}", made.id());
    let lines = |n: usize| vec!["ä".repeat(1000); n];
    node.patch(&one)
        .if_match("\"1\"")
        .json(&json!({"goals": lines(60), "audiences": lines(60)}))
        .await
        .expect(200);
    node.patch(&one)
        .if_match("\"2\"")
        .json(&json!({"challenges": lines(60)}))
        .await
        .problem(413, "payload-too-large");
});
