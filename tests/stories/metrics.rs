use domain::access::rules::Role;
use reqwest::Method;
use serde_json::json;
use std::collections::BTreeMap;
use tests::{Hook, Node, Receiver, story};

fn values(text: &str) -> BTreeMap<String, f64> {
    assert!(text.ends_with("\n# EOF\n"), "{text}");
    let lines = text.lines().filter(|line| !line.starts_with('#'));
    lines
        .map(|line| {
            let (name, value) = line.rsplit_once(' ').unwrap();
            (name.to_owned(), value.parse().unwrap())
        })
        .collect()
}

async fn measured(node: &Node) -> (String, BTreeMap<String, f64>) {
    let read = node.get("/metrics").token(&node.admin).await.expect(200);
    let media_type = "application/openmetrics-text; version=1.0.0; charset=utf-8";
    assert_eq!(read.header("content-type"), media_type);
    let values = values(&read.text);
    (read.text, values)
}

story!(admins_and_the_configured_token_read_metrics, async |node| {
    node.get("/metrics").await.problem(401, "unauthorized");
    let editor = node.token(Role::Editor, None).await;
    let refused = node.get("/metrics").token(&editor).await;
    refused.problem(403, "forbidden");
    node.get("/metrics").token(&node.admin).await.expect(200);
    let token = "only-for-prometheus";
    let refused = node.get("/metrics").token(token).await;
    refused.problem(401, "unauthorized");
    let open = |config: &mut api::config::Config| {
        config.metrics_token = Some(token.to_owned().try_into().unwrap());
    };
    let beside = node.beside(open).await;
    let get = |path: &str| beside.call(Method::GET, path);
    get("/metrics").token(token).await.expect(200);
    get("/metrics").token(&node.admin).await.expect(200);
    for wrong in ["only-for-prometheu", "only-for-prometheus-", "nonsense"] {
        let refused = get("/metrics").token(wrong).await;
        refused.problem(401, "unauthorized");
    }
    get("/metrics").await.problem(401, "unauthorized");
    // It grants nothing else.
    let refused = get("/v1/webhooks").token(token).await;
    refused.problem(401, "unauthorized");
});

story!(everything_that_runs_is_measured, async |node| {
    let receiver = Receiver::start();
    Hook::new(node, "website", &receiver.url, json!({})).await;
    let partner = json!({"name": "nachbar", "url": "https://verzeichnis.example"});
    node.post("/v1/sync/partners")
        .json(&partner)
        .await
        .expect(201);
    let actor = json!({"name": "A", "home_region": "hessen", "publication": "published"});
    let actor = node.post("/v1/actors").json(&actor).await.expect(201);
    node.settled().await;
    let (_, found) = measured(node).await;
    let head = node.store.log().head().await.unwrap();
    #[expect(clippy::cast_precision_loss, reason = "the log is short")]
    let head = head as f64;
    assert!((found["verbund_log_head"] - head).abs() < 0.5);
    for (name, expected) in [
        ("verbund_consumer_lag_entries{consumer=\"visibility\"}", 0),
        ("verbund_consumer_lag_entries{consumer=\"webhooks\"}", 0),
        ("verbund_consumer_lag_entries{consumer=\"search index\"}", 0),
        ("verbund_partner_failures{partner=\"nachbar\"}", 0),
        (
            "verbund_partner_state{partner=\"nachbar\",state=\"active\"}",
            1,
        ),
        (
            "verbund_partner_state{partner=\"nachbar\",state=\"awaiting_approval\"}",
            0,
        ),
        (
            "verbund_webhook_deliveries{webhook=\"website\",state=\"pending\"}",
            1,
        ),
        (
            "verbund_webhook_deliveries{webhook=\"website\",state=\"failed\"}",
            0,
        ),
        ("verbund_webhook_active{webhook=\"website\"}", 1),
        (
            "verbund_http_request_duration_seconds_count{method=\"POST\",route=\"/v1/actors\",status=\"201\"}",
            1,
        ),
    ] {
        let value = found.get(name);
        let value = value.unwrap_or_else(|| panic!("{name} is missing: {found:?}"));
        assert!((value - f64::from(expected)).abs() < 0.5, "{name} {value}");
    }
    // The lag of a partner that was never up to date is unknown.
    assert!(!found.keys().any(|name| name.contains("partner_lag_")));
    assert!(found["verbund_index_documents"] > 100.0);
    let pools = found.iter();
    let most: f64 = pools
        .filter(|(name, _)| name.contains("state=\"most\""))
        .map(|(_, most)| most)
        .sum();
    assert!(most > 2.0);
    node.get(&format!("/v1/actors/{}", actor.id()))
        .await
        .expect(200);
    let (_, found) = measured(node).await;
    let read = "verbund_http_request_duration_seconds_bucket{le=\"+Inf\",method=\"GET\",route=\"/v1/actors/{id}\",status=\"200\"}";
    assert!(found.contains_key(read), "{found:?}");
    receiver.stop().await;
});

story!(nothing_that_a_request_says_becomes_a_label, async |node| {
    node.get("/v1/actors/geheim").await.expect(404);
    node.get("/nowhere/geheim").await.expect(404);
    node.get("/v1/search?q=geheim").await.expect(200);
    let brew = Method::from_bytes(b"GEHEIM").unwrap();
    node.call(brew, "/v1/actors").await.expect(405);
    let (text, found) = measured(node).await;
    assert!(!text.to_lowercase().contains("geheim"), "{text}");
    let count = "verbund_http_request_duration_seconds_count";
    for labels in [
        "{method=\"GET\",route=\"/v1/actors/{id}\",status=\"404\"}",
        "{method=\"GET\",route=\"-\",status=\"404\"}",
        "{method=\"other\",route=\"/v1/actors\",status=\"405\"}",
    ] {
        assert!(found.contains_key(&format!("{count}{labels}")), "{text}");
    }
});
