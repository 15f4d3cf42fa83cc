//! Many who wait for changes: what a write costs then, and how many may wait.

use reqwest::{Client, Method};
use serde_json::{Value, json};
use std::time::Duration;
use tests::call::Call;
use tests::database::Database;
use tests::process::{Process, admin_token};
use tests::raw::Raw;
use tests::settings::tell;
use tests::{Backend, Content, story};

/// As many as an address may have.
const EACH: usize = 64;

/// Writes drafts, and returns the processor time of the server for each.
async fn drafts(server: &Process, client: &Client, token: &str, count: u32) -> Duration {
    let before = server.cpu();
    for number in 0..count {
        let call = Call::new(client, &server.base, Method::POST, "/v1/actors").token(token);
        let name = format!("Entwurf {number} {before:?}");
        let actor = json!({"name": name, "categories": ["hospital"], "home_region": "hessen", "publication": "draft"});
        call.json(&actor).await.expect(201);
    }
    server.cpu().saturating_sub(before) / count
}

async fn waiting(base: &str, address: &str, next: &str) -> Raw {
    let mut raw = Raw::from(address, base).await;
    let head = format!("GET {next}&wait_seconds=55 HTTP/1.1\r\nHost: node\r\n\r\n");
    assert!(raw.send(head).await);
    raw
}

#[test]
fn what_concerns_nobody_wakes_nobody() {
    actix_web::rt::System::new().block_on(async {
        let database = Database::new(Backend::Sqlite, Content::Empty).await;
        let token = admin_token(&database).await;
        let mut server = Process::serve(&database).await;
        let client = Client::new();
        let get = async |path: &str| {
            let answer = client.get(format!("{}{path}", server.base)).send().await;
            answer.unwrap().json::<Value>().await.unwrap()
        };
        drafts(&server, &client, &token, 10).await;
        let alone = drafts(&server, &client, &token, 40).await;
        let now = get("/v1/sync/changes?from=now").await;
        let next = now["next"].as_str().unwrap().to_owned();
        let mut open = Vec::new();
        for address in 2..12 {
            for _ in 0..EACH {
                open.push(waiting(&server.base, &format!("127.0.0.{address}"), &next).await);
            }
        }
        // They have all been read once the server is idle.
        let mut before = server.cpu();
        loop {
            tokio::time::sleep(Duration::from_millis(500)).await;
            let now = server.cpu();
            if now.saturating_sub(before) < Duration::from_millis(50) {
                break;
            }
            before = now;
        }
        let crowded = drafts(&server, &client, &token, 40).await;
        tell(&format!(
            "a draft: {alone:?} alone, {crowded:?} with {} waiting",
            open.len()
        ));
        let most = alone * 4 + Duration::from_millis(5);
        assert!(crowded < most, "{crowded:?}, alone {alone:?}");
        // What concerns them reaches all of them.
        let topic = Call::new(&client, &server.base, Method::POST, "/v1/topics").token(&token);
        let topic = topic.json(&json!({"name": "Neu", "publication": "published"}));
        let id = topic.await.expect(201).json["id"]
            .as_str()
            .unwrap()
            .to_owned();
        for raw in &mut open {
            let answer = raw.answer().await.unwrap();
            assert_eq!(answer.status, 200);
            assert!(answer.body.contains(&id), "{}", answer.body);
        }
        server.kill().await;
        database.remove().await;
    });
}

story!(an_address_may_wait_so_often, async |node| {
    let now = node.get("/v1/sync/changes?from=now").await.expect(200);
    let next = now.json["next"].as_str().unwrap();
    let mut open = Vec::new();
    for _ in 0..EACH {
        open.push(waiting(&node.base, "127.0.0.9", next).await);
    }
    let mut one_more = waiting(&node.base, "127.0.0.9", next).await;
    // Which of them is refused depends on which is read first.
    let refused = tokio::select! {
        answer = one_more.answer() => answer.unwrap(),
        (answer, ..) = futures::future::select_all(open.iter_mut().map(|raw| Box::pin(raw.answer()))) => answer.unwrap(),
    };
    assert_eq!(refused.status, 429);
    assert!(
        refused.body.contains("64 requests wait"),
        "{}",
        refused.body
    );
    // Others may wait, and reading is not affected.
    node.get(&format!("{next}&wait_seconds=1"))
        .await
        .expect(200);
});
