//! The database server crashes under load, and comes back.

use super::{Server, write};
use actix_web::rt::System;
use std::path::{Path, PathBuf};
use std::time::Duration;
use tests::database::Database;
use tests::proxy::Proxy;
use tests::settings::chance;
use tests::{Backend, Content};
use tokio::process::Command;

/// A PostgreSQL server of its own; it ends when it is dropped.
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
