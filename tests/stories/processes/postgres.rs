//! The database server crashes under load, and recovers.

use super::{Server, write};
use actix_web::rt::System;
use futures::future::join_all;
use reqwest::Method;
use serde_json::json;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};
use tests::audit::audit_at;
use tests::database::Database;
use tests::proxy::Proxy;
use tests::settings::{chance, tell};
use tests::{Backend, Content};
use tokio::process::Command;

/// A separate PostgreSQL server; it stops on drop.
struct Postgres {
    url: String,
    folder: String,
}

fn script() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("setup/postgres.sh")
}

impl Postgres {
    async fn start() -> Self {
        let output = Command::new(script()).arg("start").output().await.unwrap();
        let said = String::from_utf8(output.stderr).unwrap();
        assert!(output.status.success(), "{said}");
        let lines = String::from_utf8(output.stdout).unwrap();
        let value = |name: &str| {
            let start = format!("export {name}=");
            let line = lines.lines().find_map(|line| line.strip_prefix(&start));
            line.unwrap().to_owned()
        };
        Self {
            url: value("TEST_DATABASE_URL"),
            folder: value("TEST_POSTGRES_DIR"),
        }
    }

    async fn crash(&self) {
        let mut command = Command::new(script());
        let output = command
            .args(["crash", &self.folder])
            .output()
            .await
            .unwrap();
        let said = String::from_utf8(output.stderr).unwrap();
        assert!(output.status.success(), "{said}");
    }
}

impl Drop for Postgres {
    fn drop(&mut self) {
        let mut command = std::process::Command::new(script());
        let stopped = command.args(["stop", &self.folder]).status();
        assert!(stopped.unwrap().success());
    }
}

#[test]
fn a_database_server_that_crashes_loses_nothing() {
    System::new().block_on(crash());
}

/// The number of responses of each status until `until`, for one client that reads and writes in
/// turns.
async fn statuses(server: &Server, number: usize, until: Instant) -> BTreeMap<u16, usize> {
    let mut statuses = BTreeMap::new();
    let name = format!("Praxis {number}");
    let body = json!({"name": name, "home_region": "hessen"});
    while Instant::now() < until {
        for (method, path) in [
            (Method::POST, "/v1/actors"),
            (Method::GET, "/v1/regions/hessen"),
            (Method::GET, "/v1/sync/changes?limit=1"),
        ] {
            let answer = server.send(method, path, &body).await;
            let (status, answer) = answer.expect("the program goes on");
            let known = [200, 201, 503].contains(&status);
            assert!(known, "{path}: {status} {answer}");
            *statuses.entry(status).or_default() += 1;
        }
    }
    statuses
}

#[test]
fn while_the_database_server_is_away_requests_are_answered_503() {
    System::new().block_on(async {
        let postgres = Postgres::start().await;
        let mut server = Server::start(Database::at(postgres.url.clone())).await;
        let until = Instant::now() + Duration::from_secs(4);
        let crashes = async {
            for _ in 0..3 {
                tokio::time::sleep(Duration::from_millis(700)).await;
                postgres.crash().await;
            }
        };
        let clients = (0..8).map(|number| statuses(&server, number, until));
        let (seen, ()) = futures::join!(join_all(clients), crashes);
        tell(&format!("{seen:?}"));
        audit_at(&postgres.url).await;
        server.process.kill().await;
    });
}

async fn crash() {
    let mut chance = chance();
    let postgres = Postgres::start().await;
    let there = Server::start(Database::at(postgres.url.clone())).await;
    let here = Database::of(Backend::Sqlite, Content::Empty, "hier").await;
    let mut here = Server::start(here).await;
    let proxy = Proxy::start(&there.process.base).await;
    let partner = here.takes_over(&proxy).await;
    let mut known = Vec::new();
    for _ in 0..2 {
        let time = Duration::from_millis(800);
        let crash = async {
            tokio::time::sleep(time / 2).await;
            postgres.crash().await;
        };
        futures::join!(write(&there, &mut chance, time, &mut known), crash);
    }
    here.catches_up(&partner, &there).await;
    for id in &known {
        there.get(&format!("/v1/actors/{id}")).await;
    }
    drop(there);
    here.process.kill().await;
    here.database.remove().await;
}
