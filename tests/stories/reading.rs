//! Reading a record: canonical, translated, shortened, extended; addresses; headers.

use reqwest::Method;
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter};
use serde_json::{Value, json};
use tests::story;
use tests::tables::record;

const CLUSTER: &str = "/v1/networks/cluster-gesundheit-nordhessen";

story!(
    what_a_token_shows_is_not_for_shared_caches,
    Seeded,
    async |node| {
        let draft = json!({"name": "Entwurf", "home_region": "nordhessen"});
        let draft = node.post("/v1/networks").json(&draft).await.expect(201);
        let one = format!("/v1/networks/{}", draft.id());
        let varies = |answer: &tests::Answer| {
            let mut all = answer.headers.get_all("vary").iter();
            all.any(|value| value == "authorization")
        };
        for path in [one.as_str(), "/v1/networks?publication=draft", "/v1/me"] {
            let shown = node.get(path).token(&node.admin).await.expect(200);
            let control = shown.header("cache-control");
            assert!(
                ["private", "no-store"].contains(&control),
                "{path}: {control}"
            );
            assert!(varies(&shown), "{path}");
        }
        let public = node.get("/v1/networks/mo-win-net").await.expect(200);
        assert_eq!(public.header("cache-control"), "");
        assert!(varies(&public));
    }
);

story!(a_record_is_served_as_it_rests, Seeded, async |node| {
    let read = node.get(CLUSTER).await.expect(200);
    let row = record::Entity::find()
        .filter(record::Column::Slug.eq("cluster-gesundheit-nordhessen"))
        .one(node.store.db().reader())
        .await
        .unwrap()
        .unwrap();
    // The body is a suffix of the response, byte for byte.
    assert!(read.text.ends_with(row.body.strip_prefix('{').unwrap()));
    assert_eq!(read.etag(), format!("\"{}\"", row.version));
    let by_id = node
        .get(&format!("/v1/networks/{}", row.id))
        .await
        .expect(200);
    assert_eq!(by_id.text, read.text);
    node.get(&format!("/v1/actors/{}", row.id))
        .await
        .problem(404, "not-found");
});

story!(a_copy_is_served_as_it_was_received, Seeded, async |node| {
    // A member, a code and an order of members that this release does not know.
    let body = r#"{"hovers":true,"name":"Kopie","publication":"published","slug":"kopie","categories":["hologram_clinic"]}"#;
    let id = crate::errors::copy_of(node, "klinikum-kassel", "elsewhere").await;
    record::Entity::update_many()
        .col_expr(record::Column::Body, sea_orm::sea_query::Expr::value(body))
        .filter(record::Column::Id.eq(id))
        .exec(node.store.db().reader())
        .await
        .unwrap();
    let url = format!("{}/v1/actors/{id}", node.base);
    let text = reqwest::get(url).await.unwrap().text().await.unwrap();
    assert!(text.ends_with(body.strip_prefix('{').unwrap()), "{text}");
});

story!(only_what_was_asked_for_is_shown, Seeded, async |node| {
    let short = node
        .get(&format!("{CLUSTER}?fields=name,slug"))
        .await
        .expect(200);
    let members: Vec<&String> = short.json.as_object().unwrap().keys().collect();
    let always = [
        "id",
        "kind",
        "origin",
        "version",
        "created_at",
        "updated_at",
    ];
    assert_eq!(members, [&always[..], &["name", "slug"]].concat());
    assert!(short.etag().starts_with("W/\""));
    let again = node
        .get(&format!("{CLUSTER}?fields=name,slug"))
        .header("if-none-match", short.etag());
    again.await.expect(304);
    let wrong = node
        .get(&format!("{CLUSTER}?fields=nmae"))
        .await
        .problem(400, "invalid-parameter");
    assert!(
        wrong.json["detail"]
            .as_str()
            .unwrap()
            .contains("did you mean name?"),
        "{}",
        wrong.text
    );
    node.get(&format!("{CLUSTER}?field=name"))
        .await
        .problem(400, "unknown-parameter");
    node.get(&format!("{CLUSTER}?fields=name&fields=slug"))
        .await
        .problem(400, "invalid-parameter");
});

story!(a_translation_lies_over_the_record, Seeded, async |node| {
    let region = node
        .get("/v1/regions/deutschland?lang=en")
        .await
        .expect(200);
    assert_eq!(region.json["name"], "Germany");
    assert_eq!(region.header("content-language"), "en");
    assert!(region.etag().starts_with("W/\""));
    let british = node
        .get("/v1/regions/deutschland?lang=en-GB")
        .await
        .expect(200);
    assert_eq!(british.header("content-language"), "en");
    let none = node
        .get("/v1/regions/deutschland?lang=fr")
        .await
        .expect(200);
    assert_eq!(
        (none.json["name"].as_str(), none.header("content-language")),
        (Some("Deutschland"), "de")
    );
    node.get("/v1/regions/deutschland?lang=12345678901")
        .await
        .problem(400, "invalid-parameter");
    // The language of messages is independent of that of the data.
    let plain = node
        .get("/v1/regions/deutschland")
        .header("accept-language", "en")
        .await
        .expect(200);
    assert_eq!(plain.json["name"], "Deutschland");
});

story!(what_a_record_names_comes_along, Seeded, async |node| {
    let include = "include=home_region,topics,region,relationships";
    let read = node
        .get(&format!("/v1/networks/nordhessen-viszeral?{include}"))
        .await
        .expect(200);
    let included = &read.json["included"];
    let home = read.json["home_region"].as_str().unwrap();
    assert_eq!(included["region"][home]["name"], "Nordhessen");
    for topic in read.json["topics"].as_array().unwrap() {
        assert!(included["topic"][topic.as_str().unwrap()]["name"].is_string());
    }
    let edges = included["relationship"].as_object().unwrap();
    assert!(edges.values().any(|edge| edge["type"] == "part_of"));
    let others = included["network"].as_object().unwrap();
    assert!(
        others
            .values()
            .any(|other| other["slug"] == "cluster-gesundheit-nordhessen")
    );
    let count: usize = included
        .as_object()
        .unwrap()
        .values()
        .map(|kind| kind.as_object().unwrap().len())
        .sum();
    assert_eq!(read.json["included_total"], count);
    node.get(&format!("{CLUSTER}?include=everything"))
        .await
        .problem(400, "invalid-parameter");
});

story!(drafts_do_not_come_along, Seeded, async |node| {
    let topic = node
        .post("/v1/topics")
        .json(&json!({"name": "Geheimes Thema"}))
        .await
        .expect(201);
    let body = json!({"name": "Offen", "home_region": "nordhessen", "publication": "published", "topics": [topic.id()]});
    node.post("/v1/networks").json(&body).await.expect(201);
    let read = node
        .get("/v1/networks/offen?include=topics")
        .await
        .expect(200);
    assert_eq!(read.json["included"], json!({}));
    let admin = node
        .get("/v1/networks/offen?include=topics")
        .token(&node.admin)
        .await
        .expect(200);
    assert_eq!(
        admin.json["included"]["topic"][topic.id()]["name"],
        "Geheimes Thema"
    );
});

story!(
    a_changed_slug_leads_on_until_it_is_taken,
    Seeded,
    async |node| {
        let body =
            json!({"name": "Erster Name", "home_region": "nordhessen", "publication": "published"});
        let made = node.post("/v1/actors").json(&body).await.expect(201);
        let one = format!("/v1/actors/{}", made.id());
        node.patch(&one)
            .if_match("\"1\"")
            .json(&json!({"slug": "zweiter-name"}))
            .await
            .expect(200);
        let moved = node
            .get("/v1/actors/erster-name?lang=de")
            .await
            .problem(308, "moved");
        assert_eq!(moved.header("location"), "/v1/actors/zweiter-name?lang=de");
        let edges = node
            .get("/v1/actors/erster-name/relationships")
            .await
            .problem(308, "moved");
        assert_eq!(
            edges.header("location"),
            "/v1/actors/zweiter-name/relationships"
        );
        let write = node
            .patch("/v1/actors/erster-name")
            .if_match("\"2\"")
            .json(&json!({"size": "small"}))
            .await;
        assert_eq!(
            write.problem(308, "moved").header("location"),
            "/v1/actors/zweiter-name"
        );
        let taker = node.post("/v1/actors").json(&body).await.expect(201);
        assert_eq!(taker.json["slug"], "erster-name");
        assert_eq!(
            node.get("/v1/actors/erster-name").await.expect(200).id(),
            taker.id()
        );
        // A deleted record is gone under its slug too.
        node.delete(&one).if_match("\"2\"").await.expect(204);
        node.get("/v1/actors/zweiter-name")
            .await
            .problem(410, "gone");
    }
);

story!(
    a_relationship_is_hidden_when_an_end_is_not_held,
    Seeded,
    async |node| {
        let id = crate::errors::copy_of(node, "mo-win-net", "elsewhere").await;
        let body = json!({"type": "cooperates_with", "publication": "published",
        "from": {"kind": "network", "slug": "cluster-gesundheit-nordhessen"}, "to": {"kind": "network", "id": id}});
        let edge = node.post("/v1/relationships").json(&body).await.expect(201);
        let one = format!("/v1/relationships/{}", edge.id());
        node.get(&one).await.expect(200);
        let around = format!("{CLUSTER}/relationships?type=cooperates_with");
        assert_eq!(node.get(&around).await.expect(200).json["total"], 3);
        record::Entity::delete_by_id(id)
            .exec(node.store.db().reader())
            .await
            .unwrap();
        // Totals are counted again after an entry of the log, which a deletion would have made.
        let other = json!({"name": "Anderes", "home_region": "nordhessen"});
        node.post("/v1/actors").json(&other).await.expect(201);
        node.get(&one).await.problem(404, "not-found");
        node.get(&one)
            .token(&node.admin)
            .await
            .problem(404, "not-found");
        let listed = node.get(&around).await.expect(200);
        assert_eq!(
            (
                &listed.json["total"],
                listed.json["items"].as_array().unwrap().len()
            ),
            (&json!(2), 2)
        );
    }
);

story!(headers_are_as_the_rfcs_want_them, Seeded, async |node| {
    let head = node.call(Method::HEAD, CLUSTER).await.expect(200);
    assert_eq!((head.text.as_str(), head.etag()), ("", "\"1\""));
    let named = node
        .get(CLUSTER)
        .header("x-request-id", "mine-1")
        .await
        .expect(200);
    assert_eq!(named.header("x-request-id"), "mine-1");
    assert_eq!(named.header("x-content-type-options"), "nosniff");
    let odd = node
        .get(CLUSTER)
        .header("x-request-id", "a b")
        .await
        .expect(200);
    assert_ne!(odd.header("x-request-id"), "a b");
    for accept in [
        "*/*",
        "application/*",
        "application/json, text/html;q=0.5",
        "text/html;q=0.5, */*",
    ] {
        node.get(CLUSTER).header("accept", accept).await.expect(200);
    }
    for accept in [
        "text/html",
        "application/json;q=0",
        "application/json;Q=0, */*",
        "application/xml",
    ] {
        node.get("/v1/vocabularies")
            .header("accept", accept)
            .await
            .problem(406, "not-acceptable");
    }
    for coding in ["gzip", "br"] {
        let raw = reqwest::Client::builder()
            .no_gzip()
            .no_brotli()
            .build()
            .unwrap();
        let answer = raw
            .get(format!("{}{CLUSTER}", node.base))
            .header("accept-encoding", coding)
            .send()
            .await
            .unwrap();
        assert_eq!(answer.headers()["content-encoding"], coding);
    }
});

story!(
    anybody_reads_from_anywhere_and_configured_origins_write,
    Seeded,
    async |node| {
        let foreign = node
            .get(CLUSTER)
            .header("origin", "https://anywhere.example")
            .await
            .expect(200);
        assert!(
            ["*", "https://anywhere.example"]
                .contains(&foreign.header("access-control-allow-origin"))
        );
        let exposed = foreign.header("access-control-expose-headers").to_owned();
        for name in [
            "etag",
            "link",
            "location",
            "retry-after",
            "content-language",
            "x-request-id",
        ] {
            assert!(exposed.contains(name), "{exposed}");
        }
        let preflight = |origin: &'static str, method: &'static str| {
            node.call(Method::OPTIONS, CLUSTER)
                .header("origin", origin)
                .header("access-control-request-method", method)
                .header("access-control-request-headers", "authorization,if-match")
        };
        let trusted = preflight("https://redaktion.example", "PATCH").await;
        assert_eq!(
            trusted.header("access-control-allow-origin"),
            "https://redaktion.example"
        );
        for method in ["PATCH", "GET"] {
            let refused = preflight("https://anywhere.example", method).await;
            assert_eq!(
                refused.header("access-control-allow-origin"),
                "",
                "{method}"
            );
        }
    }
);

story!(the_node_tells_what_it_is, async |node| {
    let service = node.get("/").await.expect(200);
    assert_eq!(service.json["origin"], "test-node");
    for path in ["docs", "vocabularies"] {
        let status = node.get(service.json[path].as_str().unwrap()).await.status;
        assert_eq!(status, 200, "{path}");
    }
    node.get("/health/live").await.expect(200);
    node.get("/health/ready").await.expect(200);
    let docs = node.get("/docs").await;
    assert_eq!((docs.status, docs.header("location")), (308, "/docs/"));
    let all = node.get("/v1/vocabularies").await.expect(200);
    for vocabulary in all.json["items"].as_array().unwrap() {
        let name = vocabulary["name"].as_str().unwrap();
        let one = node
            .get(&format!("/v1/vocabularies/{name}"))
            .await
            .expect(200);
        assert_eq!(one.json["items"], vocabulary["items"]);
        for item in vocabulary["items"].as_array().unwrap() {
            assert!(
                ["de", "en"]
                    .iter()
                    .all(|l| item["labels"][l] != Value::Null && item["labels"][l] != "")
            );
        }
    }
    let types = node
        .get("/v1/vocabularies/relationship_type")
        .await
        .expect(200);
    assert_eq!(types.json["rules"].as_array().unwrap().len(), 14);
    let typo = node
        .get("/v1/vocabularies/event_mod")
        .await
        .problem(404, "not-found");
    assert!(typo.json["detail"].as_str().unwrap().contains("event_mode"));
});
