//! Every problem of the table occurs, names itself, and is available in both languages.

use api::http::problem::Code;
use futures::FutureExt;
use persistence::StoreError;
use persistence::permits::Urgency;
use persistence::publication::applications::PER_HOUR;
use reqwest::Method;
use sea_orm::sea_query::Expr;
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter};
use serde_json::json;
use std::collections::BTreeSet;
use tests::tables::record;
use tests::{Answer, Call, Node, story};

/// A copy of one of this node's rows under another origin.
pub(crate) async fn copy_of(node: &Node, slug: &str, origin: &str) -> uuid::Uuid {
    let own = record::Entity::find()
        .filter(record::Column::Slug.eq(slug))
        .one(node.store.db().reader())
        .await
        .unwrap()
        .unwrap();
    let id = domain::base::id::new();
    let row = record::Model {
        id,
        origin: origin.to_owned(),
        synced_at: Some(own.updated_at),
        ..own
    };
    let row = sea_orm::IntoActiveModel::into_active_model(row);
    record::Entity::insert(row)
        .exec_without_returning(node.store.db().reader())
        .await
        .unwrap();
    id
}

async fn provoke(node: &Node) -> Vec<(&'static str, Call)> {
    let network = "/v1/networks/cluster-gesundheit-nordhessen";
    let actor = json!({"name": "Neu", "home_region": "nordhessen"});
    let taken = json!({"name": "Neu", "slug": "klinikum-kassel", "home_region": "nordhessen"});
    let editor = node.token(domain::access::rules::Role::Reader, None).await;
    let narrow = node
        .narrowed(&[domain::access::account::TokenScope::Admin])
        .await;
    let gone = node
        .post("/v1/actors")
        .json(&json!({"name": "Weg", "publication": "published", "home_region": "nordhessen"}))
        .await
        .expect(201);
    let gone = format!("/v1/actors/{}", gone.id());
    node.delete(&gone).if_match("\"1\"").await.expect(204);
    let moved = node
        .post("/v1/actors")
        .json(&json!({"name": "Alt", "publication": "published", "home_region": "nordhessen"}))
        .await
        .expect(201);
    node.patch(&format!("/v1/actors/{}", moved.id()))
        .if_match("\"1\"")
        .json(&json!({"slug": "umgezogen"}))
        .await
        .expect(200);
    copy_of(node, "mo-win-net", "elsewhere").await;
    copy_of(node, "it-netzwerk-nordhessen", "elsewhere").await;
    copy_of(node, "it-netzwerk-nordhessen", "yonder").await;
    // Leaves only the two copies.
    record::Entity::update_many()
        .col_expr(record::Column::Slug, Expr::value("renamed-away"))
        .filter(record::Column::Slug.eq("it-netzwerk-nordhessen"))
        .filter(record::Column::SyncedAt.is_null())
        .exec(node.store.db().reader())
        .await
        .unwrap();
    let broken = node
        .post("/v1/topics")
        .json(&json!({"name": "Kaputt"}))
        .await
        .expect(201);
    record::Entity::update_many()
        .col_expr(record::Column::Publication, Expr::value("shredded"))
        .filter(record::Column::Id.eq(uuid::Uuid::parse_str(broken.id()).unwrap()))
        .exec(node.store.db().reader())
        .await
        .unwrap();
    let closed = json!({"name": "Zu", "publication": "published", "home_region": "nordhessen", "joining": {"open": false}});
    let closed = node.post("/v1/networks").json(&closed).await.expect(201);
    let closed = format!("/v1/networks/{}", closed.id());
    let apply = |network: &str, number: u64| {
        let body = json!({"applicant": {"organisation": format!("Praxis {number}")}});
        node.post(&format!("{network}/applications")).json(&body)
    };
    for number in 0..PER_HOUR {
        apply(network, number).await.expect(202);
    }
    let keyed = |name: &str| {
        let body = json!({"name": name, "home_region": "nordhessen"});
        let call = node.post("/v1/actors").json(&body);
        call.header("idempotency-key", "k")
    };
    keyed("Einmal").await.expect(201);
    // A record supplied by a feeder, and an outdated plan.
    let feeder = node.token(domain::access::rules::Role::Feeder, None).await;
    let approver = node
        .token(domain::access::rules::Role::Approver, None)
        .await;
    let item = |name: &str| json!({"op": "upsert", "kind": "actor", "external_id": "1", "record": {"name": name, "home_region": "nordhessen"}});
    let push = |mode: &str, name: &str| {
        let body = json!({"mode": mode, "items": [item(name)]});
        let call = node.post("/v1/sync/systems/cms/records");
        call.token(&feeder).json(&body)
    };
    let snapshot = |query: &str| {
        let path = format!("/v1/sync/systems/cms/snapshot?{query}");
        node.post(&path).token(&feeder).body("text/csv", "name\n")
    };
    let plan = snapshot("dry_run=true&kind=topic").await.expect(200);
    let plan = plan.json["plan_hash"].as_str().unwrap().to_owned();
    let supplied = push("each", "Geliefert").await.expect(200);
    let supplied = supplied.json["items"][0]["id"].as_str().unwrap().to_owned();
    let supplied = format!("/v1/actors/{supplied}");
    let keyed_line = |key: &str, summary: Option<&str>| {
        let mut line = json!({"kind": "actor", "name": "Praxis", "home_region": "nordhessen", "publication": "published", "places": [{"city": "Kassel"}]});
        line["external_id"] = json!({"system": "liste", "id": key});
        line["summary"] = json!(summary);
        format!("{line}\n")
    };
    let import = |summary: Option<&str>| {
        let lines = (0..21).map(|key| keyed_line(&format!("k{key}"), summary));
        let call = node.post("/v1/import");
        call.body("application/x-ndjson", lines.collect::<String>())
    };
    import(Some("Kurz")).await.expect(200);
    let zeros = |query: &str, key: &str| {
        let path = format!("/v1/sync/systems/zeros/snapshot?kind=actor&{query}");
        let line = keyed_line(key, None).replace("\"liste\"", "\"zeros\"");
        node.post(&path).body("application/x-ndjson", line)
    };
    let planned = async |key: &str| {
        let plan = zeros("dry_run=true", key).await.expect(200);
        plan.json["plan_hash"].as_str().unwrap().to_owned()
    };
    let first = planned("07").await;
    zeros(&format!("plan_hash={first}"), "07").await.expect(200);
    let exported = node.get("/v1/export?kind=region").await.expect(200);
    let position = exported.header("verbund-position").to_owned();
    let changed = node
        .get("/v1/actors?external_id=zeros%7C07")
        .await
        .expect(200);
    let changed = format!(
        "/v1/actors/{}",
        changed.json["items"][0]["id"].as_str().unwrap()
    );
    let summary = json!({"summary": "Neu"});
    node.patch(&changed)
        .if_match("*")
        .json(&summary)
        .await
        .expect(200);
    let (respelled, newer) = (planned("7").await, planned("8").await);
    let feed = node.get("/v1/sync/changes?kind=actor").await.expect(200);
    let feed = feed.json["next"].as_str().unwrap();
    vec![
        ("idempotency-key-reused", keyed("Anders")),
        (
            "owned-by-system",
            node.patch(&supplied)
                .token(&approver)
                .if_match("*")
                .json(&json!({})),
        ),
        ("items-refused", push("all", "")),
        (
            "stale-plan",
            snapshot(&format!("kind=actor&plan_hash={plan}")),
        ),
        (
            "deletion-threshold-exceeded",
            snapshot(&format!("kind=topic&plan_hash={plan}")),
        ),
        ("removal-threshold-exceeded", import(None)),
        (
            "newer-than-export",
            zeros(&format!("plan_hash={newer}&position={position}"), "8"),
        ),
        (
            "records-rekeyed",
            zeros(&format!("plan_hash={respelled}"), "7"),
        ),
        (
            "malformed-json",
            node.post("/v1/actors")
                .body("application/json", "{\"a\":1,\"a\":2}"),
        ),
        ("invalid-parameter", node.get("/v1/relationships?limit=0")),
        (
            "unknown-parameter",
            node.get("/v1/relationships?tipe=funds"),
        ),
        (
            "unknown-reference",
            node.get("/v1/relationships?from=actor/nobody"),
        ),
        ("invalid-cursor", node.get("/v1/relationships?cursor=AAAA")),
        (
            "invalid-header",
            node.get(network).header("if-none-match", "1"),
        ),
        ("unauthorized", node.get(network).token("nonsense")),
        (
            "forbidden",
            node.post("/v1/actors").token(&editor).json(&actor),
        ),
        (
            "insufficient-scope",
            node.post("/v1/actors").token(&narrow).json(&actor),
        ),
        ("not-found", node.get("/v1/actors/nobody")),
        ("method-not-allowed", node.delete("/v1/actors")),
        (
            "not-acceptable",
            node.get(network).header("accept", "application/xml"),
        ),
        ("conflict", node.post("/v1/actors").json(&taken)),
        (
            "ambiguous-slug",
            node.get("/v1/networks/it-netzwerk-nordhessen"),
        ),
        (
            "still-referenced",
            node.delete("/v1/regions/nordhessen").if_match("*"),
        ),
        ("gone", node.get(&gone)),
        ("moved", node.get("/v1/actors/alt?lang=en")),
        (
            "precondition-failed",
            node.patch(network).if_match("\"99\"").json(&json!({})),
        ),
        (
            "precondition-required",
            node.patch(network).json(&json!({})),
        ),
        (
            "payload-too-large",
            node.post("/v1/actors")
                .json(&json!({"name": "x".repeat(300_000)})),
        ),
        (
            "uri-too-long",
            node.get(&format!("/v1/relationships?from={}", "a".repeat(9000))),
        ),
        (
            "unsupported-media-type",
            node.post("/v1/actors").body("text/plain", "{}"),
        ),
        (
            "validation-failed",
            node.post("/v1/actors").json(&json!({})),
        ),
        ("version-gone", node.get(&format!("{gone}/history/2"))),
        (
            "resync-required",
            node.get(&feed.replace("kind=actor", "kind=topic")),
        ),
        ("applications-closed", apply(&closed, 0)),
        ("too-many-applications", apply(network, PER_HOUR)),
        (
            "internal",
            node.get(&format!("/v1/topics/{}", broken.id()))
                .token(&node.admin),
        ),
        (
            "origin-not-allowed",
            node.call(Method::OPTIONS, network)
                .header("origin", "https://elsewhere.example")
                .header("access-control-request-method", "DELETE"),
        ),
    ]
}

fn sound(code: &str, answer: Answer) -> Answer {
    let kind = Code::parse(code).unwrap().kind();
    let answer = answer.problem(kind.status.as_u16(), code);
    let request_id = answer.header("x-request-id").to_owned();
    assert!(!request_id.is_empty());
    assert_eq!(answer.json["request_id"], request_id);
    assert!(!answer.json["detail"].as_str().unwrap().is_empty());
    answer
}

story!(
    every_problem_of_the_table_happens_in_both_languages,
    Seeded,
    async |node| {
        // The problems that need slow clients are covered in `abuse` and in `idempotency`.
        let mut seen = BTreeSet::from([
            "busy",
            "request-timeout",
            "rate-limited",
            "idempotency-key-in-use",
        ]);
        for (code, call) in provoke(node).await {
            let english = sound(code, call.clone().await);
            let german = sound(
                code,
                call.header("accept-language", "de-DE, en;q=0.5").await,
            );
            assert_ne!(english.json["title"], german.json["title"], "{code}");
            assert_ne!(english.json["detail"], german.json["detail"], "{code}");
            let described = node.get(&format!("/problems/{code}")).await.expect(200);
            assert_eq!(described.json["title"]["de"], german.json["title"]);
            seen.insert(code);
        }
        // An index without log consumer.
        let beside = node.beside(|_| {}).await;
        let behind = beside.call(Method::GET, "/v1/networks").await;
        assert_eq!(sound("index-behind", behind).header("retry-after"), "1");
        seen.insert("index-behind");
        // A server that listens everywhere without `public_url`.
        let anywhere = node.beside(|config| config.listen = ([0, 0, 0, 0], 0).into());
        let anywhere = anywhere.await;
        let nowhere = anywhere.call(Method::GET, "/v1/changes.atom").await;
        sound("public-url-missing", nowhere);
        seen.insert("public-url-missing");
        // As many work and wait as may.
        node.settled().await;
        let mut turns = Vec::new();
        let overloaded = loop {
            let mut turn = Box::pin(node.store.permits().take(Urgency::Interactive));
            match (&mut turn).now_or_never() {
                Some(Err(why)) => break why,
                took => turns.push((turn, took)),
            }
        };
        assert!(matches!(overloaded, StoreError::Overloaded));
        let refused = sound("overloaded", node.get("/v1/networks").await);
        assert_eq!(refused.header("retry-after"), "1");
        seen.insert("overloaded");
        drop(turns);
        // A closed database: retry later, without details.
        node.store.db().clone().close().await;
        let busy = sound("busy", node.get("/v1/networks/mo-win-net").await);
        assert_eq!(busy.header("retry-after"), "1");
        // These need a failing disk: `storage`.
        seen.extend(["storage-full", "storage-failing"]);
        let table: BTreeSet<&str> = Code::ALL.iter().map(|code| code.as_str()).collect();
        assert_eq!(seen, table);
    }
);

story!(errors_say_nothing_about_the_inside, Seeded, async |node| {
    for (_, call) in provoke(node).await {
        let answer = call.await;
        let text = answer.text.to_lowercase();
        for secret in [
            "sqlx", "sea_orm", "select ", "panicked", "postgres", "sqlite", "/src/",
        ] {
            assert!(!text.contains(secret), "{secret} in {text}");
        }
        assert_eq!(answer.header("server"), "");
    }
});

story!(framework_errors_are_problems_too, async |node| {
    node.get("/nowhere").await.problem(404, "not-found");
    node.get("/v1/nonsense/1").await.problem(404, "not-found");
    let allow = node
        .call(Method::PATCH, "/v1/vocabularies")
        .await
        .problem(405, "method-not-allowed");
    assert_eq!(allow.header("allow"), "GET, HEAD, OPTIONS");
    let options = node.call(Method::OPTIONS, "/v1/actors/x").await.expect(204);
    assert_eq!(
        options.header("allow"),
        "DELETE, GET, HEAD, OPTIONS, PATCH, PUT"
    );
    node.get("/v1/actors/%00").await.problem(404, "not-found");
    node.get("/v1/vocabularies?x=1")
        .await
        .problem(400, "unknown-parameter");
    node.get("/v1/vocabularies/rolle")
        .await
        .problem(404, "not-found");
    for bad in ["{", "[1,", "{\"name\":\"\\u0000\"}", "\u{feff}{}", "nul"] {
        node.post("/v1/actors")
            .body("application/json", bad)
            .await
            .problem(400, "malformed-json");
    }
    let deep = format!("{}{}", "[".repeat(40), "]".repeat(40));
    node.post("/v1/actors")
        .body("application/json", deep)
        .await
        .problem(400, "malformed-json");
    for value in ["[]", "1", "\"x\"", "null"] {
        node.post("/v1/actors")
            .body("application/json", value)
            .await
            .problem(422, "validation-failed");
        node.patch("/v1/regions/hessen")
            .if_match("*")
            .body("application/json", value)
            .await;
    }
});
