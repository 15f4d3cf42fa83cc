//! The rules of relationships, references, geometry and sizes.

use crate::writing::{actor, make};
use serde_json::{Value, json};
use tests::story;

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

    // Symmetric ones are one statement whichever end comes first; the home region is derived from
    // the ends.
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
        // A region may reference itself during its creation.
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
    // Patches accumulate to a record that is too large.
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

story!(
    two_spellings_of_one_record_are_one_entry_too_many,
    Seeded,
    async |node| {
        let topic = node.get("/v1/topics/onkologie").await.expect(200);
        for other in [
            json!("onkologie"),
            json!({"slug": "onkologie"}),
            json!(topic.id().to_uppercase()),
        ] {
            let body = actor(json!({"topics": [topic.id(), other]}));
            let refused = node
                .post("/v1/actors")
                .json(&body)
                .await
                .problem(422, "validation-failed");
            assert_eq!(
                refused.faults(),
                [("/topics".to_owned(), "repeated".to_owned())]
            );
        }
    }
);

story!(
    a_statement_is_the_same_however_it_is_spelt,
    Seeded,
    async |node| {
        let network = json!({"kind": "network", "slug": "cluster-gesundheit-nordhessen"});
        let stated = json!({"as_stated": "Die Nachbarn"});
        let post = |body: Value| node.post("/v1/relationships").json(&body);
        post(json!({"type": "cooperates_with", "from": network, "to": stated}))
            .await
            .expect(201);
        let back = post(json!({"type": "cooperates_with", "from": stated, "to": network}))
            .await
            .problem(409, "conflict");
        assert_eq!(back.json["unique"], "relationship");
        let open = json!({"type": "cooperates_with", "from": stated, "to": network, "valid": {"to": ".."}});
        post(open).await.problem(409, "conflict");
    }
);
