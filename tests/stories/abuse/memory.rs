//! The cost of slow clients: bounded memory, and no delay for others.

use serde_json::Value;
use std::time::{Duration, Instant};
use tests::database::Database;
use tests::process::{Process, admin_token};
use tests::raw::Raw;
use tests::settings::tell;
use tests::{Backend, Content};

/// Number of open connections; half of them send, half do not read.
const CONNECTIONS: usize = 500;

/// Upper limit of their cost: a sender at most its body (256 KiB) and buffers, a reader its
/// response and the state of the compressor.
const BOUND: u64 = 400 * 1024 * 1024;

const BODY: usize = 200 * 1024;

async fn sender(base: &str, token: &str) -> Raw {
    let mut raw = Raw::open(base).await;
    let head = format!(
        "POST /v1/actors HTTP/1.1\r\nHost: node\r\nAuthorization: Bearer {token}\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n",
        BODY + 1000
    );
    assert!(raw.send(head).await);
    assert!(raw.send(" ".repeat(BODY)).await);
    raw
}

async fn reader(base: &str, number: usize) -> Raw {
    let mut raw = Raw::narrow(base).await;
    let coding = ["identity", "gzip", "br"][number % 3];
    let path = ["/openapi.json", "/v1/search?limit=200"][number % 2];
    let get = format!("GET {path} HTTP/1.1\r\nHost: node\r\nAccept-Encoding: {coding}\r\n\r\n");
    assert!(raw.send(get.repeat(20)).await);
    raw
}

/// Time in which the server reads a record from the database.
async fn answers_in(client: &reqwest::Client, base: &str) -> Duration {
    let begun = Instant::now();
    let answer = client
        .get(format!("{base}/v1/regions/hessen"))
        .send()
        .await
        .unwrap();
    assert_eq!(answer.status(), 200);
    begun.elapsed()
}

/// Memory that a server keeps after a rush: a few blocks for passwords, and what the allocator
/// does not give back.
const LEFT: u64 = 60 * MIB;

#[test]
fn signing_in_leaves_no_memory_behind() {
    actix_web::rt::System::new().block_on(async {
        let database = Database::new(Backend::Sqlite, Content::Empty).await;
        let mut server = Process::serve(&database).await;
        let client = reqwest::Client::new();
        answers_in(&client, &server.base).await;
        let before = server.memory();
        let url = format!("{}/oauth/token", server.base);
        for round in 0..30 {
            // Of different accounts: for one, the next attempt soon has to wait.
            let tries = (0..10).map(|number| {
                let call = client.post(&url);
                let call = call.header("content-type", "application/x-www-form-urlencoded");
                let name = format!("anna-{round}-{number}");
                let form = format!("grant_type=password&username={name}&password=falsch");
                call.body(form).send()
            });
            for answer in futures::future::join_all(tries).await {
                assert_eq!(answer.unwrap().status(), 400);
            }
        }
        let grown = server.memory().saturating_sub(before);
        tell(&format!("300 failed sign-ins: {} MiB more", grown >> 20));
        assert!(grown < LEFT, "{} MiB", grown >> 20);
        server.kill().await;
        database.remove().await;
    });
}

/// A body of faults only, and the memory that its answer may cost.
struct Faulty {
    path: &'static str,
    media_type: &'static str,
    text: String,
    most: u64,
}

impl Faulty {
    fn record(text: String) -> Self {
        Self {
            path: "/v1/actors",
            media_type: "application/json",
            text,
            most: 64 * MIB,
        }
    }

    fn table(columns: usize) -> Self {
        Self {
            path: "/v1/import?dry_run=true&kind=actor",
            media_type: "text/csv",
            text: format!("{}\r\n", vec!["a"; columns].join(",")),
            most: 128 * MIB,
        }
    }

    fn push(items: &[String]) -> Self {
        Self {
            path: "/v1/sync/systems/cms/records",
            text: format!(r#"{{"mode":"all","items":[{}]}}"#, items.join(",")),
            ..Self::record(String::new())
        }
    }

    async fn send(self, server: &Process, client: &reqwest::Client, token: &str) -> Value {
        let before = server.memory();
        let call = client.post(format!("{}{}", server.base, self.path));
        let call = call
            .bearer_auth(token)
            .header("content-type", self.media_type);
        let answer = call.body(self.text).send().await.unwrap();
        assert_eq!(answer.status(), 422);
        let text = answer.text().await.unwrap();
        let grown = server.memory().saturating_sub(before);
        let (path, length) = (self.path, text.len());
        tell(&format!("{path}: {length} bytes, {} MiB more", grown / MIB));
        assert!(length < 64 * 1024, "{length} bytes");
        assert!(grown < self.most, "{} MiB", grown / MIB);
        serde_json::from_str(&text).unwrap()
    }
}

const MIB: u64 = 1024 * 1024;

#[test]
fn the_answer_to_a_mistake_is_small_whatever_the_mistake() {
    actix_web::rt::System::new().block_on(async {
        let database = Database::new(Backend::Sqlite, Content::Empty).await;
        let token = admin_token(&database).await;
        let mut server = Process::serve(&database).await;
        let client = reqwest::Client::new();
        answers_in(&client, &server.base).await;
        let send = async |body: Faulty| body.send(&server, &client, &token).await;
        let first = |answer: &Value| answer["errors"][0]["message"].as_str().unwrap().to_owned();

        let wide = first(&send(Faulty::table(2_000_000)).await);
        assert!(wide.contains("1048576"), "{wide}");
        let wide = first(&send(Faulty::table(200_000)).await);
        let expected = "it has 200000 cells; a row of a spreadsheet has at most 16384";
        assert!(wide.contains(expected), "{wide}");
        let wide = first(&send(Faulty::table(10_000)).await);
        let expected = "10000 columns; a table of actors has at most";
        assert!(wide.contains(expected), "{wide}");

        let members = |count: usize| -> String {
            let members: Vec<_> = (0..count)
                .map(|number| format!("\"m{number}\":1"))
                .collect();
            format!("{{{}}}", members.join(","))
        };
        let unknown = send(Faulty::record(members(20_000))).await;
        assert_eq!(unknown["errors"].as_array().unwrap().len(), 100);
        // Name and home region are missing too.
        assert_eq!(unknown["total"], 20_002);
        let detail = unknown["detail"].as_str().unwrap();
        assert!(detail.starts_with("20002 errors"), "{detail}");
        let absent = members(15_000).replace("\":1", "\":null");
        let absent = send(Faulty::record(absent)).await;
        assert_eq!(absent["total"], 15_002);
        let long = format!("{{\"{}\":1}}", "ä\\\"".repeat(20_000));
        send(Faulty::record(long)).await;

        let item = |number: usize| {
            let record = members(60);
            format!(
                r#"{{"op":"upsert","kind":"actor","external_id":"{number}","record":{record}}}"#
            )
        };
        let pushed = send(Faulty::push(&(0..100).map(item).collect::<Vec<_>>())).await;
        let detail = pushed["detail"].as_str().unwrap();
        assert!(detail.starts_with("100 items"), "{detail}");
        assert!(!pushed["items"].as_array().unwrap().is_empty());
        server.kill().await;
        database.remove().await;
    });
}

#[test]
fn five_hundred_slow_connections_cost_little() {
    actix_web::rt::System::new().block_on(async {
        let database = Database::new(Backend::Sqlite, Content::Seeded).await;
        let token = admin_token(&database).await;
        let mut server = Process::serve(&database).await;
        let client = reqwest::Client::new();
        answers_in(&client, &server.base).await;
        let before = server.memory();

        let mut open = Vec::with_capacity(CONNECTIONS);
        let mut most = before;
        for number in 0..CONNECTIONS / 2 {
            open.push(sender(&server.base, &token).await);
            open.push(reader(&server.base, number).await);
            most = most.max(server.memory());
        }
        let mut slowest = Duration::ZERO;
        for _ in 0..20 {
            // Each sender continues to drip.
            for raw in open.iter_mut().step_by(2) {
                raw.send(" ").await;
            }
            slowest = slowest.max(answers_in(&client, &server.base).await);
            most = most.max(server.memory());
        }
        let grown = most - before;
        tell(&format!(
            "{CONNECTIONS} slow connections: {} MiB before, {} MiB more; slowest answer {slowest:?}",
            before >> 20,
            grown >> 20
        ));
        assert!(grown < BOUND, "{} MiB", grown >> 20);
        assert!(slowest < Duration::from_secs(15), "{slowest:?}");

        drop(open);
        server.kill().await;
        database.remove().await;
    });
}
