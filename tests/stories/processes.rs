//! Real servers, each a separate process, with a bad network between them and sudden crashes.

mod kills;
mod postgres;
mod secrets;

use domain::exchange::sync::Digest;
use rand::Rng;
use rand::rngs::StdRng;
use reqwest::{Client, Method};
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::time::{Duration, Instant};
use tests::database::{Database, look};
use tests::process::{Process, admin_token};
use tests::proxy::Proxy;
use tests::tables::record;

/// Time in which copies must be correct once all faults have ended.
const HEALED: Duration = Duration::from_mins(1);

/// A server that is restarted repeatedly with the same database.
struct Server {
    database: Database,
    process: Process,
    token: String,
    client: Client,
}

impl Server {
    async fn start(database: Database) -> Self {
        Self {
            token: admin_token(&database).await,
            process: Process::serve(&database).await,
            database,
            client: Client::new(),
        }
    }

    async fn kill(&mut self) {
        self.process.kill().await;
        self.process = Process::serve(&self.database).await;
    }

    /// The response, if there is one.
    async fn send(&self, method: Method, path: &str, body: &Value) -> Option<(u16, Value)> {
        let request = self
            .client
            .request(method, format!("{}{path}", self.process.base))
            .bearer_auth(&self.token)
            .header("if-match", "*")
            .header("content-type", "application/json")
            .body(body.to_string())
            .timeout(Duration::from_secs(30));
        let response = request.send().await.ok()?;
        let status = response.status().as_u16();
        Some((status, response.json().await.unwrap_or_default()))
    }

    async fn get(&self, path: &str) -> Value {
        let (status, answer) = self.send(Method::GET, path, &Value::Null).await.unwrap();
        assert_eq!(status, 200, "{answer}");
        answer
    }

    async fn takes_over(&self, proxy: &Proxy) -> String {
        let body = json!({"name": "nachbar", "url": proxy.base});
        let made = self.send(Method::POST, "/v1/sync/partners", &body).await;
        let (status, made) = made.unwrap();
        assert_eq!(status, 201, "{made}");
        made["id"].as_str().unwrap().to_owned()
    }

    async fn copies(&self, origin: &str) -> BTreeMap<String, Digest> {
        let connection = look(&self.database.url, 1).await;
        let rows = record::Entity::find().filter(record::Column::Origin.eq(origin));
        let rows = rows.all(&connection).await.unwrap();
        connection.close().await.unwrap();
        let mut digests: BTreeMap<String, Digest> = BTreeMap::new();
        for row in rows {
            let digest = digests.entry(row.kind.clone()).or_default();
            digest.add(row.id, row.version, &domain::base::json::hash(&row.body));
        }
        digests
    }

    /// Whether the copies at `there` equal its feed.
    async fn is_copied_to(&self, there: &Self) -> bool {
        let told = self.get("/v1/sync/digest").await;
        let origin = told["items"][0]["origin"].as_str().unwrap();
        let copies = there.copies(origin).await;
        told["items"].as_array().unwrap().iter().all(|item| {
            let kind = item["kind"].as_str().unwrap();
            let copied = copies.get(kind).copied().unwrap_or_default();
            item["count"] == copied.count() && item["sum"] == copied.sum()
        })
    }

    /// An operator makes a partner be read at once.
    async fn go_on(&self, partner: &str) {
        let path = format!("/v1/sync/partners/{partner}");
        let body = json!({"paused": false});
        let done = self.send(Method::PATCH, &path, &body).await;
        assert_eq!(done.unwrap().0, 200);
    }

    /// Waits until the copies are correct, approving deletions if needed. Returns the duration.
    async fn catches_up(&self, partner: &str, from: &Self) -> Duration {
        let begun = Instant::now();
        let path = format!("/v1/sync/partners/{partner}");
        while !from.is_copied_to(self).await {
            let shown = self.get(&path).await;
            assert!(
                begun.elapsed() < HEALED,
                "the copies are not right: {shown}"
            );
            if shown["state"] == "awaiting_approval" {
                let release = format!("{path}/approve-deletions");
                self.send(Method::POST, &release, &Value::Null).await;
            }
            tokio::time::sleep(Duration::from_millis(200)).await;
        }
        begun.elapsed()
    }
}

/// Writes until the time is over or the server is gone; adds the ids of acknowledged records.
async fn write(server: &Server, chance: &mut StdRng, time: Duration, known: &mut Vec<String>) {
    let begun = Instant::now();
    while begun.elapsed() < time {
        let draw = chance.random_range(0..10);
        let some = (!known.is_empty()).then(|| chance.random_range(0..known.len()));
        let note = json!({"summary": chance.random::<u32>().to_string()});
        let answered = match some {
            Some(which) if draw > 7 => {
                let path = format!("/v1/actors/{}", known[which]);
                let answered = server.send(Method::DELETE, &path, &Value::Null).await;
                // Whatever the response, it may be deleted.
                known.swap_remove(which);
                answered
            }
            Some(which) if draw > 3 => {
                let path = format!("/v1/actors/{}", known[which]);
                server.send(Method::PATCH, &path, &note).await
            }
            Some(_) | None => {
                let body =
                    json!({"name": "Akteur", "home_region": "hessen", "publication": "published"});
                let made = server.send(Method::POST, "/v1/actors", &body).await;
                if let Some((201, made)) = &made {
                    known.push(made["id"].as_str().unwrap().to_owned());
                }
                made
            }
        };
        if answered.is_none() {
            return;
        }
    }
}
