//! Partners that cannot be reached or understood, and instances that interfere with each other.

use super::newer::{Pretender, page, upsert};
use super::{actor, change};
use actix_web::dev::ServerHandle;
use actix_web::http::StatusCode;
use actix_web::{App, HttpRequest, HttpResponse, HttpServer, web};
use api::config::Config;
use api::exchange::partners::pull::{Failed, PartnerSync};
use api::exchange::workers::Workers;
use chrono::TimeDelta;
use flate2::Compression;
use flate2::write::GzEncoder;
use persistence::partner::PageOutcome;
use sea_orm::sea_query::Expr;
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter};
use serde_json::json;
use std::io::Write;
use std::time::Duration;
use tests::node::loopback;
use tests::tables::partner;
use tests::{Intake, Neighbour, Node, story};
use tokio::sync::watch;

/// A server that gives everyone the same response.
fn always(answer: impl Fn() -> HttpResponse + Clone + Send + 'static) -> (String, ServerHandle) {
    answering(move |_| std::future::ready(answer()))
}

pub(super) fn answering<F: Future<Output = HttpResponse> + 'static>(
    answer: impl Fn(HttpRequest) -> F + Clone + Send + 'static,
) -> (String, ServerHandle) {
    let server = HttpServer::new(move || App::new().default_service(web::to(answer.clone())))
        .workers(1)
        .bind("127.0.0.1:0")
        .unwrap();
    let base = format!("http://{}", server.addrs()[0]);
    let server = server.run();
    let handle = server.handle();
    actix_web::rt::spawn(server);
    (base, handle)
}

story!(bad_answers_are_told_and_change_nothing, async |node| {
    let elsewhere = format!("{}/v1/sync/changes", node.base);
    let redirect = move || {
        let mut response = HttpResponse::TemporaryRedirect();
        response
            .insert_header(("location", elsewhere.as_str()))
            .finish()
    };
    let head = node.store.log().head().await.unwrap();
    let fails = async |name: &str, (base, handle): (String, ServerHandle)| {
        let intake = Intake::new(node, name, &base, json!({})).await;
        let why = intake.fails().await;
        handle.stop(false).await;
        why
    };
    assert!(fails("redirect", always(redirect)).await.contains("307"));
    let html = || HttpResponse::Ok().content_type("text/html").body("<html>");
    assert!(fails("html", always(html)).await.contains("expected"));
    let huge = || HttpResponse::Ok().body(vec![b' '; 9 * 1024 * 1024]);
    assert!(fails("huge", always(huge)).await.contains("bytes"));
    // Small when sent, large once unpacked.
    let mut packed = GzEncoder::new(Vec::new(), Compression::default());
    packed.write_all(&vec![b' '; 9 * 1024 * 1024]).unwrap();
    let packed = packed.finish().unwrap();
    assert!(packed.len() < 64 * 1024);
    let packed = move || {
        let mut response = HttpResponse::Ok();
        let encoding = ("content-encoding", "gzip");
        response.insert_header(encoding).body(packed.clone())
    };
    assert!(fails("packed", always(packed)).await.contains("bytes"));
    let beyond = || {
        let numbers = json!({"seq": i64::MIN, "head_seq": i64::MAX});
        HttpResponse::Ok().body(page(&[], numbers).to_string())
    };
    assert!(fails("beyond", always(beyond)).await.contains("seq is -"));
    let broken = || HttpResponse::InternalServerError().finish();
    assert!(fails("broken", always(broken)).await.contains("500"));
    let astray = || {
        let next = json!({"next": "https://elsewhere.example/v1/sync/changes?cursor=A"});
        HttpResponse::Ok().body(page(&[], next).to_string())
    };
    assert!(fails("astray", always(astray)).await.contains("next page"));
    let loops = || {
        let problem = json!({"type": "/problems/resync-required", "reason": "log_forked"});
        HttpResponse::Gone().body(problem.to_string())
    };
    assert!(fails("loops", always(loops)).await.contains("log_forked"));
    assert_eq!(node.store.log().head().await.unwrap(), head);
});

story!(addresses_that_are_not_public_are_refused, async |node| {
    let beside = node.beside(|_| {}).await;
    for url in [
        "http://127.0.0.1:8080",
        "https://127.0.0.1",
        "https://0x7f000001",
        "https://[::ffff:10.0.0.1]",
        "https://169.254.169.254",
        "https://localhost",
        "https://user:pass@verzeichnis.example",
        "https://verzeichnis.example:22",
        "https://verzeichnis.example?a=b",
        "file:///etc/passwd",
        "verzeichnis.example",
    ] {
        let body = json!({"name": "nachbar", "url": url});
        let refused = beside
            .call(reqwest::Method::POST, "/v1/sync/partners")
            .token(&node.admin)
            .json(&body)
            .await;
        let refused = refused.problem(422, "validation-failed");
        assert_eq!(refused.faults()[0].0, "/url", "{url}");
    }
    let body = json!({"name": "nachbar", "url": "https://verzeichnis.example/knoten"});
    let made = node.post("/v1/sync/partners").json(&body).await.expect(201);
    let path = made.header("location").to_owned();
    let moved = json!({"url": "https://10.0.0.1"});
    let moved = beside
        .call(reqwest::Method::PATCH, &path)
        .token(&node.admin)
        .if_match("*")
        .body("application/json", moved.to_string());
    moved.await.problem(422, "validation-failed");
});

story!(what_was_allowed_once_is_looked_at_again, async |node| {
    let intake = Intake::new(node, "nachbar", &node.base, json!({})).await;
    let exchange = PartnerSync::new(node.store.clone(), &Config::default()).unwrap();
    let lease = node
        .store
        .partners()
        .lease(intake.id)
        .await
        .unwrap()
        .unwrap();
    let (_keep, mut stop) = watch::channel(false);
    let refused = exchange.step(&lease, Duration::ZERO, &mut stop).await;
    assert!(refused.unwrap_err().to_string().contains("public"));
});

pub(super) async fn set(node: &Node, column: partner::Column, value: impl Into<sea_orm::Value>) {
    partner::Entity::update_many()
        .col_expr(column, Expr::value(value))
        .exec(node.store.db().reader())
        .await
        .unwrap();
}

story!(whoever_lost_the_lease_writes_nothing, async |node| {
    let here = Neighbour::start(node.backend, "hier").await;
    let intake = Intake::new(&here, "nachbar", &node.base, json!({})).await;
    let id = actor(node, "Akteur").await;
    let config = Config {
        outbound_allowlist: loopback(),
        ..Config::default()
    };
    let exchange = PartnerSync::new(here.store.clone(), &config).unwrap();
    let (_keep, mut stop) = watch::channel(false);
    let slow = here
        .store
        .partners()
        .lease(intake.id)
        .await
        .unwrap()
        .unwrap();
    assert!(
        here.store
            .partners()
            .lease(intake.id)
            .await
            .unwrap()
            .is_none()
    );
    assert!(here.store.partners().due().await.unwrap().is_empty());
    // Its last contact was long ago.
    let past = here.store.clock().now() - TimeDelta::minutes(1);
    set(&here, partner::Column::LeasedUntil, past).await;
    let fast = here
        .store
        .partners()
        .lease(intake.id)
        .await
        .unwrap()
        .unwrap();
    exchange
        .step(&fast, Duration::ZERO, &mut stop)
        .await
        .unwrap();
    let head = here.store.log().head().await.unwrap();
    let late = exchange.step(&slow, Duration::ZERO, &mut stop).await;
    assert!(matches!(late, Err(Failed::Lost)), "{late:?}");
    assert!(here.store.partners().release(&slow).await.is_err());
    // An admin's change ends a lease too.
    intake.change(json!({"kinds": ["actor"]})).await;
    let late = exchange.step(&fast, Duration::ZERO, &mut stop).await;
    assert!(matches!(late, Err(Failed::Lost)), "{late:?}");
    assert_eq!(here.store.log().head().await.unwrap(), head);
    assert_eq!(intake.pull().await, PageOutcome::UpToDate);
    here.get(&format!("/v1/actors/{id}")).await.expect(200);
    here.stop().await;
});

pub(super) async fn until(what: &str, mut so: impl AsyncFnMut() -> bool) {
    let waiting = async {
        while !so().await {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    };
    let waited = tokio::time::timeout(Duration::from_mins(2), waiting).await;
    waited.unwrap_or_else(|_| panic!("{what}"));
}

/// The worker that reads from all partners, as in the server.
pub(super) fn partners(node: &Node) -> Workers {
    let config = Config {
        outbound_allowlist: loopback(),
        ..Config::default()
    };
    Workers::start(PartnerSync::new(node.store.clone(), &config).unwrap())
}

story!(
    the_server_reads_by_itself_and_waits_for_changes,
    async |node| {
        let here = Neighbour::start(node.backend, "hier").await;
        let first = actor(node, "Erster").await;
        // Two instances work; each page is applied once.
        let workers = [partners(&here), partners(&here)];
        let intake = Intake::new(&here, "nachbar", &node.base, json!({})).await;
        let there = async |id: &str| here.get(&format!("/v1/actors/{id}")).await.status == 200;
        until("the snapshot", async || there(&first).await).await;
        let head = here.store.log().head().await.unwrap();
        let second = actor(node, "Zweiter").await;
        until("a change", async || there(&second).await).await;
        assert_eq!(here.store.log().head().await.unwrap(), head + 1);
        // Paused: nothing arrives. Resumed: it does.
        intake.change(json!({"paused": true})).await;
        change(node, &first, json!({"summary": "neu"})).await;
        intake.change(json!({"paused": false})).await;
        until("after a pause", async || {
            let read = here.get(&format!("/v1/actors/{first}")).await;
            read.json["summary"] == "neu"
        })
        .await;
        for worker in workers {
            worker.stop().await;
        }
        assert_eq!(intake.row().await.leased_until, None, "given back");
        here.stop().await;
    }
);

story!(errors_are_shown_and_tried_again_later, async |node| {
    let busy = || {
        let mut response = HttpResponse::build(StatusCode::TOO_MANY_REQUESTS);
        response.insert_header(("retry-after", "3600")).finish()
    };
    let (base, handle) = always(busy);
    let intake = Intake::new(node, "fern", &base, json!({})).await;
    let worker = partners(node);
    until("an error", async || intake.row().await.failures > 0).await;
    let shown = intake.shown().await;
    assert!(shown["last_error"].as_str().unwrap().contains("429"));
    let retry = intake.row().await.retry_at.unwrap();
    let expected = node.store.clock().now() + TimeDelta::hours(1);
    assert!((retry - expected).abs() < TimeDelta::minutes(2), "{retry}");
    assert!(node.store.partners().due().await.unwrap().is_empty());
    handle.stop(false).await;
    // It returns at another address; the hour need not pass.
    let fern = Pretender::start();
    fern.feeds(&page(
        &[upsert("actor", 1, 1, json!({"name": "Da"}))],
        json!({}),
    ));
    intake
        .change(json!({"url": fern.base, "paused": false}))
        .await;
    until("recovery", async || intake.shown().await["copies"] == 1).await;
    let shown = intake.shown().await;
    assert_eq!(shown.get("last_error"), None);
    worker.stop().await;
    fern.stop().await;
});

story!(
    a_release_that_knows_more_reads_its_copies_again,
    async |node| {
        let here = Neighbour::start(node.backend, "hier").await;
        let intake = Intake::new(&here, "nachbar", &node.base, json!({})).await;
        let id = actor(node, "Akteur").await;
        intake.pull().await;
        set(&here, partner::Column::Reader, "an older release").await;
        let before = here.store.log().head().await.unwrap();
        assert_eq!(intake.pull().await, PageOutcome::UpToDate);
        assert_eq!(
            here.store.log().head().await.unwrap(),
            before + 1,
            "passed on to the log consumers"
        );
        let row = tests::tables::record::Entity::find_by_id(id.parse::<uuid::Uuid>().unwrap())
            .filter(tests::tables::record::Column::Version.eq(1))
            .one(here.store.db().reader());
        assert!(row.await.unwrap().is_some());
        assert_eq!(intake.pull().await, PageOutcome::UpToDate);
        assert_eq!(here.store.log().head().await.unwrap(), before + 1, "once");
        here.stop().await;
    }
);
