//! Acknowledged writes survive a killed server, and one that is asked to stop.

use futures::future::join_all;
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};
use reqwest::Client;
use reqwest::header::{ETAG, IF_MATCH};
use serde_json::{Value, json};
use std::time::{Duration, Instant};
use tests::audit::audit_at;
use tests::database::Database;
use tests::process::{Process, admin_token};
use tests::settings::{chance, full, tell};
use tests::{Backend, Content, on_both};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::Semaphore;
use uuid::Uuid;

const CLIENTS: usize = 16;

#[derive(Debug, Clone)]
struct Acknowledged {
    id: Uuid,
    version: i64,
    summary: String,
}

/// Creates and changes networks, waiting for each response, until the server is gone.
async fn client(
    (base, token): (&str, &str),
    name: &str,
    mut chance: StdRng,
    acknowledged: &Semaphore,
) -> Vec<Acknowledged> {
    let client = Client::new();
    let mut done: Vec<Acknowledged> = Vec::new();
    for number in 0.. {
        let summary = format!("{name}.{number}");
        let old = (!done.is_empty() && chance.random_bool(0.6))
            .then(|| done[chance.random_range(0..done.len())].id);
        let request = match old {
            None => {
                let body = json!({"name": summary, "summary": summary, "home_region": "hessen"});
                client.post(format!("{base}/v1/networks")).json(&body)
            }
            Some(id) => client
                .patch(format!("{base}/v1/networks/{id}"))
                .header("content-type", "application/merge-patch+json")
                .header(IF_MATCH, "*")
                .body(json!({"summary": summary}).to_string()),
        };
        let Ok(response) = request.bearer_auth(token).send().await else {
            break;
        };
        let status = response.status().as_u16();
        // The status alone acknowledges; the rest of the response may be cut off.
        assert!([200, 201].contains(&status), "{:?}", response.text().await);
        let etag = response.headers()[ETAG].to_str().unwrap();
        let version = etag.trim_matches('"').parse().unwrap();
        let location = response.headers().get("location");
        let id = location.map(|path| path.to_str().unwrap().rsplit('/').next().unwrap());
        let id = id.map_or_else(|| old.unwrap(), |id| id.parse().unwrap());
        done.push(Acknowledged {
            id,
            version,
            summary,
        });
        acknowledged.add_permits(1);
        if response.bytes().await.is_err() {
            break;
        }
    }
    done
}

/// Every acknowledged write is in the database, and the newest version of each record is served.
async fn nothing_is_lost(database: &Database, base: &str, token: &str, done: &[Acknowledged]) {
    let audited = audit_at(&database.url).await;
    for write in done {
        let body = audited.body(write.id, write.version);
        let summary = body.map(|body| body["summary"].clone());
        assert_eq!(summary, Some(json!(write.summary)), "{write:?} is lost");
    }
    let client = Client::new();
    for write in done.iter().rev().take(20) {
        let url = format!("{base}/v1/networks/{}", write.id);
        let read = client.get(url).bearer_auth(token).send().await.unwrap();
        assert_eq!(read.status(), 200);
        let read: Value = read.json().await.unwrap();
        assert!(read["version"].as_i64().unwrap() >= write.version);
    }
}

async fn a_kill_under_load_loses_no_acknowledged_write(backend: Backend) {
    let mut chance = chance();
    let database = Database::new(backend, Content::Empty).await;
    let token = admin_token(&database).await;
    let begun = Instant::now();
    let kills = if full() { 20 } else { 3 };
    let mut acknowledged = Vec::new();
    let mut server = Process::serve(&database).await;
    for life in 0..kills {
        let base = server.base.clone();
        let counted = Semaphore::new(0);
        let clients = (0..CLIENTS).map(|number| {
            let own = StdRng::seed_from_u64(chance.random());
            let name = format!("{life}.{number}");
            let (server, counted) = ((&*base, &*token), &counted);
            async move { client(server, &name, own, counted).await }
        });
        let clients = join_all(clients.collect::<Vec<_>>());
        let writes = chance.random_range(30..200);
        let pause = Duration::from_micros(chance.random_range(0..20_000));
        let kill = async {
            counted.acquire_many(writes).await.unwrap().forget();
            tokio::time::sleep(pause).await;
            server.kill().await;
        };
        let (done, ()) = futures::join!(clients, kill);
        let done: Vec<_> = done.into_iter().flatten().collect();
        acknowledged.extend(done);

        server = Process::serve(&database).await;
        nothing_is_lost(&database, &server.base, &token, &acknowledged).await;
    }
    server.kill().await;
    database.remove().await;
    tell(&format!(
        "{backend:?}: {} acknowledged writes survived {kills} kills, {:?}",
        acknowledged.len(),
        begun.elapsed(),
    ));
}

/// A request whose body is under way when the server is asked to stop is answered.
async fn a_server_that_is_asked_to_stop_finishes_what_it_has_begun(backend: Backend) {
    let database = Database::new(backend, Content::Empty).await;
    let token = admin_token(&database).await;
    let mut server = Process::serve(&database).await;
    let address = server.base.strip_prefix("http://").unwrap();
    let body = json!({"name": "Zuletzt", "home_region": "hessen"}).to_string();
    let (first, rest) = body.split_at(10);
    let head = format!(
        "POST /v1/networks HTTP/1.1\r\nHost: {address}\r\nAuthorization: Bearer {token}\r\n\
         Content-Type: application/json\r\nContent-Length: {}\r\nExpect: 100-continue\r\nConnection: close\r\n\r\n",
        body.len()
    );
    let mut request = TcpStream::connect(address).await.unwrap();
    request.write_all(head.as_bytes()).await.unwrap();
    // The server confirms the head and waits for the body.
    let mut interim = [0; 25];
    request.read_exact(&mut interim).await.unwrap();
    assert_eq!(&interim, b"HTTP/1.1 100 Continue\r\n\r\n");
    request.write_all(first.as_bytes()).await.unwrap();

    server.terminate().await;
    // It stops accepting new connections at once.
    while TcpStream::connect(address).await.is_ok() {
        tokio::task::yield_now().await;
    }
    request.write_all(rest.as_bytes()).await.unwrap();
    let mut answer = String::new();
    request.read_to_string(&mut answer).await.unwrap();
    assert!(answer.starts_with("HTTP/1.1 201 Created"), "{answer}");
    assert!(server.ended().await.success());

    let audited = audit_at(&database.url).await;
    let mut names = audited
        .records
        .values()
        .filter_map(|row| row.name.as_deref());
    assert!(names.any(|name| name == "Zuletzt"));
    database.remove().await;
}

on_both!(a_kill_under_load_loses_no_acknowledged_write);
on_both!(a_server_that_is_asked_to_stop_finishes_what_it_has_begun);
