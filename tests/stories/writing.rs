//! Writing: defaults, preserved members, rejections, and cascades.

use sea_orm::{ColumnTrait, EntityTrait, PaginatorTrait, QueryFilter, QueryOrder};
use serde_json::{Value, json};
use tests::tables::{change, edge, identifier, reference};
use tests::{Node, story};
use uuid::Uuid;

pub(crate) fn actor(more: Value) -> Value {
    let mut body = json!({"name": "Praxis", "home_region": "nordhessen"});
    domain::base::json::merge_patch(&mut body, &more);
    body
}

pub(crate) async fn make(node: &Node, more: Value) -> tests::Answer {
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
        let editor = node
            .token(domain::access::rules::Role::Editor, Some(there))
            .await;
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
    let twice = json!({"identifiers": [
        {"scheme": "vat", "value": "DE136695976"}, {"scheme": "vat", "value": "DE 136 695 976"},
    ]});
    assert_eq!(
        make(node, twice).await.header("verbund-warnings"),
        "/identifiers/1/value read-as, /identifiers repeated"
    );
    // The sites of an institution share it; an item of Wikidata is one thing.
    make(node, body).await;
    let item = json!({"identifiers": [{"scheme": "wikidata", "value": "Q42"}]});
    make(node, item.clone()).await;
    let again = node
        .post("/v1/actors")
        .json(&actor(item))
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
        .header("change-reason", "Umzug nach Kassel")
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
    node.post("/v1/actors")
        .header("change-reason", &"x".repeat(501))
        .json(&actor(json!({})))
        .await
        .problem(400, "invalid-header");
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
    // A dry run and a write without effect leave no trace.
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
        .expect(200);
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

story!(
    texts_that_look_the_same_are_the_same,
    Seeded,
    async |node| {
        let sent = json!({
            "name": "Universita\u{308}t Beispielstadt \u{a0}",
            "summary": "\u{feff} Lehre und Forschung\n",
            "description": "Zeile\n\n* Punkt \n",
            "identifiers": [{"scheme": "ik", "value": " 260326822"}],
        });
        let made = make(node, sent).await;
        assert_eq!(made.json["name"], "Universität Beispielstadt");
        assert_eq!(made.json["slug"], "universitaet-beispielstadt");
        assert_eq!(made.json["summary"], "Lehre und Forschung");
        assert_eq!(made.json["description"], "Zeile\n\n* Punkt \n");
        assert_eq!(made.json["identifiers"][0]["value"], "260326822");
        assert_eq!(
            made.header("verbund-warnings"),
            "/name read-as, /summary read-as, /identifiers/0/value read-as"
        );
        // Written another way it is no change.
        let path = format!("/v1/actors/{}", made.id());
        let change = json!({"name": "Universität Beispielstadt\u{200b}"});
        let again = node.patch(&path).if_match("\"1\"").json(&change).await;
        assert_eq!(again.expect(200).etag(), "\"1\"");
        for blank in [" ", "\u{a0}\n", "\u{feff}"] {
            let body = actor(json!({"summary": blank}));
            let refused = node.post("/v1/actors").json(&body).await;
            refused.problem(422, "validation-failed");
        }
    }
);

story!(
    a_local_time_has_the_offset_of_its_zone,
    Seeded,
    async |node| {
        let event = |start: &str, zone: Option<&str>| {
            let mut body = json!({"name": "Tagung", "home_region": "hessen", "start": start});
            if let Some(zone) = zone {
                body["timezone"] = json!(zone);
            }
            body
        };
        let berlin = Some("Europe/Berlin");
        for (start, taken, warnings) in [
            ("2024-10-05T13:00:00", "2024-10-05T13:00:00+02:00", ""),
            ("2024-12-05T13:00", "2024-12-05T13:00:00+01:00", ""),
            (
                "2024-10-27T02:30:00",
                "2024-10-27T02:30:00+02:00",
                "/start read-as",
            ),
            (
                "2024-03-31T02:30:00",
                "2024-03-31T03:30:00+02:00",
                "/start read-as",
            ),
        ] {
            let body = event(start, berlin);
            let made = node.post("/v1/events").json(&body).await.expect(201);
            assert_eq!(made.json["start"], taken);
            assert_eq!(made.header("verbund-warnings"), warnings, "{start}");
        }
        let body = event("2024-10-05T13:00:00", None);
        let refused = node.post("/v1/events").json(&body).await;
        let refused = refused.problem(422, "validation-failed");
        assert_eq!(refused.json["errors"][0]["code"], "moment");
        let message = refused.json["errors"][0]["message"].to_string();
        assert!(message.contains("timezone"), "{message}");
    }
);
