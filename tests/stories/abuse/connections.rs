//! More connections than a node has descriptors.

use reqwest::Client;
use serde_json::json;
use std::time::{Duration, Instant};
use tests::database::Database;
use tests::process::{Process, admin_token};
use tests::raw::Raw;
use tests::{Backend, Content};

/// The usual limit of a process.
const DESCRIPTORS: u32 = 1024;

/// Opens connections whose requests never end.
async fn flood(base: &str, address: &str, count: usize) -> Vec<Raw> {
    let mut open = Vec::with_capacity(count);
    for _ in 0..count {
        let mut raw = Raw::from(address, base).await;
        // Those that are too many are closed.
        raw.send("GET /v1/regions/hessen HTTP/1.1\r\nX-Slow: ")
            .await;
        open.push(raw);
    }
    open
}

async fn served(client: &Client, base: &str, token: &str) {
    let begun = Instant::now();
    for path in [
        "/v1/regions/hessen",
        "/v1/search?q=hessen",
        "/v1/export?kind=topic",
    ] {
        let answer = client.get(format!("{base}{path}")).send().await.unwrap();
        assert_eq!(answer.status(), 200, "{path}");
        answer.bytes().await.unwrap();
    }
    let write = client.post(format!("{base}/v1/topics")).bearer_auth(token);
    let name = format!("Thema {begun:?}");
    let write = write.json(&json!({"name": name})).send().await.unwrap();
    assert_eq!(write.status(), 201);
    let taken = begun.elapsed();
    assert!(taken < Duration::from_secs(10), "{taken:?}");
}

#[test]
fn a_thousand_half_open_connections_do_not_stop_a_node() {
    actix_web::rt::System::new().block_on(async {
        let database = Database::new(Backend::Sqlite, Content::Empty).await;
        let token = admin_token(&database).await;
        let mut server = Process::serve_with_descriptors(&database, DESCRIPTORS).await;
        server.searchable().await;
        let client = Client::new();
        served(&client, &server.base, &token).await;
        let mut open = flood(&server.base, "127.0.0.2", 1000).await;
        served(&client, &server.base, &token).await;
        // Others may still come: no address has them all.
        open.extend(flood(&server.base, "127.0.0.3", 300).await);
        served(&client, &server.base, &token).await;
        drop(open);
        let log = server.log();
        assert!(
            !log.contains("open files") && !log.contains("failed"),
            "{log}"
        );
        server.kill().await;
        database.remove().await;
    });
}
