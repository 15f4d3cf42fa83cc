//! Full or failing disks: acknowledged writes persist, failures are reported, and everything
//! recovers as soon as the disk does.

use actix_web::rt::System;
use reqwest::{Client, StatusCode};
use serde_json::{Value, json};
use std::time::{Duration, Instant};
use tests::audit::audit_at;
use tests::database::Database;
use tests::disk::Disk;
use tests::process::{Process, admin_token};
use tests::settings::tell;
use tests::{Backend, Content};

/// Error numbers of a full disk, of a failing one, and of a read-only one.
const ENOSPC: i32 = 28;
const EIO: i32 = 5;
const EROFS: i32 = 30;

struct Server {
    process: Process,
    database: Database,
    token: String,
    client: Client,
    acknowledged: Vec<String>,
}

#[derive(Debug, PartialEq, Eq)]
enum Outcome {
    Acknowledged,
    Full,
    Failing,
    Busy,
}

impl Server {
    async fn start(database: Database) -> Self {
        Self {
            token: admin_token(&database).await,
            process: Process::serve_fallibly(&database).await,
            database,
            client: Client::new(),
            acknowledged: Vec::new(),
        }
    }

    /// Creates a record of about this many bytes; an acknowledged one can be read at once.
    async fn write(&mut self, bytes: usize) -> Outcome {
        let name = format!("Praxis {}", self.acknowledged.len());
        let text = "x".repeat(bytes);
        let body = json!({"name": name, "description": text, "home_region": "hessen", "publication": "published"});
        let url = format!("{}/v1/actors", self.process.base);
        let request = self.client.post(url).bearer_auth(&self.token).json(&body);
        let request = request.header("accept-language", "de");
        let answer = request.send().await.unwrap();
        let status = answer.status();
        let retry = answer.headers().contains_key("retry-after");
        let answer: Value = answer.json().await.unwrap();
        let outcome = match (status, answer["type"].as_str()) {
            (StatusCode::CREATED, _) => {
                let id = answer["id"].as_str().unwrap().to_owned();
                assert_eq!(self.status(&format!("/v1/actors/{id}")).await, 200, "{id}");
                self.acknowledged.push(id);
                return Outcome::Acknowledged;
            }
            (StatusCode::INSUFFICIENT_STORAGE, Some("/problems/storage-full")) => Outcome::Full,
            (StatusCode::SERVICE_UNAVAILABLE, Some("/problems/storage-failing")) => {
                Outcome::Failing
            }
            (StatusCode::SERVICE_UNAVAILABLE, _) => Outcome::Busy,
            _ => panic!("{status} {answer}"),
        };
        assert!(retry, "{answer}");
        let title = answer["title"].as_str().unwrap();
        assert!(!title.starts_with("The"), "German: {title}");
        outcome
    }

    async fn status(&self, path: &str) -> u16 {
        let url = format!("{}{path}", self.process.base);
        self.client.get(url).send().await.unwrap().status().as_u16()
    }

    /// Every write succeeds again, and the probe reports it without a restart.
    async fn is_right_again(&mut self) {
        let begun = Instant::now();
        while self.status("/health/writable").await != 200 {
            assert!(begun.elapsed() < Duration::from_secs(20), "never writable");
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        for _ in 0..20 {
            assert_eq!(self.write(10).await, Outcome::Acknowledged);
        }
    }

    /// All acknowledged records exist, also after a restart, and the database is consistent.
    async fn nothing_is_lost(mut self) {
        self.process.kill().await;
        let audited = audit_at(&self.database.url).await;
        for id in &self.acknowledged {
            let id = id.parse().unwrap();
            assert!(audited.records.contains_key(&id), "{id} is lost");
        }
        self.process = Process::serve(&self.database).await;
        for id in &self.acknowledged {
            assert_eq!(self.status(&format!("/v1/actors/{id}")).await, 200, "{id}");
        }
        self.process.kill().await;
        self.database.remove().await;
    }
}

async fn until_full(server: &mut Server) {
    for size in [20_000, 10].iter().cycle().take(400) {
        match server.write(*size).await {
            Outcome::Full => return,
            Outcome::Acknowledged => {}
            other => panic!("{other:?}"),
        }
    }
    panic!("the disk is never full");
}

#[test]
fn a_full_disk_loses_nothing_that_was_acknowledged() {
    System::new().block_on(async {
        // Without permission to mount one, every write to the file fails the same way.
        let disk = Disk::mount(60);
        tell(if disk.is_some() {
            "a full disk"
        } else {
            "ENOSPC"
        });
        let mut database = Database::new(Backend::Sqlite, Content::Empty).await;
        if let Some(disk) = &disk {
            database = database.moved_to(&disk.path());
        }
        let mut server = Server::start(database).await;
        for _ in 0..5 {
            assert_eq!(server.write(10).await, Outcome::Acknowledged);
        }
        for _ in 0..2 {
            if let Some(disk) = &disk {
                disk.fill();
            } else {
                let process = &server.process;
                process.fails("posix/io/rw/pwrite", ENOSPC, false).await;
            }
            until_full(&mut server).await;
            for size in [20_000, 10, 45_000].iter().cycle().take(30) {
                let outcome = server.write(*size).await;
                assert!(
                    matches!(outcome, Outcome::Acknowledged | Outcome::Full),
                    "{outcome:?}"
                );
            }
            // What can be read is read.
            assert_eq!(server.status("/v1/regions/hessen").await, 200);
            assert_eq!(server.status("/health/ready").await, 200);
            if let Some(disk) = &disk {
                disk.free();
            } else {
                server.process.works("posix/io/rw/pwrite").await;
            }
            server.is_right_again().await;
        }
        server.nothing_is_lost().await;
    });
}

const FAULTS: [(&str, i32); 5] = [
    ("posix/io/sync/fsync", EIO),
    ("posix/io/rw/pwrite", EIO),
    ("posix/io/rw/pwrite", ENOSPC),
    ("posix/io/rw/pwrite", EROFS),
    ("posix/io/rw/pread", EIO),
];

#[test]
fn a_failing_disk_loses_nothing_that_was_acknowledged() {
    System::new().block_on(async {
        let database = Database::new(Backend::Sqlite, Content::Empty).await;
        let mut server = Server::start(database).await;
        for (call, errno) in FAULTS {
            server.process.fails(call, errno, false).await;
            let mut failed = 0;
            for _ in 0..10 {
                failed += usize::from(server.write(5000).await != Outcome::Acknowledged);
            }
            assert!(failed > 0, "{call}");
            if call != "posix/io/rw/pread" {
                assert_eq!(server.status("/health/writable").await, 503, "{call}");
                assert_eq!(server.status("/v1/regions/hessen").await, 200, "{call}");
            }
            server.process.works(call).await;
            server.is_right_again().await;
        }
        server.nothing_is_lost().await;
    });
}

#[test]
fn a_single_failing_call_spoils_nothing() {
    System::new().block_on(async {
        let database = Database::new(Backend::Sqlite, Content::Empty).await;
        let mut server = Server::start(database).await;
        for (call, errno) in FAULTS {
            let mut failed = 0;
            for _ in 0..20 {
                server.process.fails(call, errno, true).await;
                failed += usize::from(server.write(5000).await != Outcome::Acknowledged);
                server.process.works(call).await;
                assert_eq!(server.write(10).await, Outcome::Acknowledged, "{call}");
            }
            tell(&format!("{call} {errno}: {failed} writes failed"));
        }
        server.nothing_is_lost().await;
    });
}

/// A request is cancelled when its client disconnects, so that others do not wait for it.
#[test]
fn clients_that_hang_up_hold_nobody_up() {
    System::new().block_on(async {
        let database = Database::new(Backend::Sqlite, Content::Empty).await;
        let mut server = Server::start(database).await;
        let body = json!({"name": "Weg", "home_region": "hessen"}).to_string();
        let request = format!(
            "POST /v1/actors HTTP/1.1\r\nHost: node\r\nAuthorization: Bearer {}\r\n\
             Content-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
            server.token,
            body.len()
        );
        let begun = Instant::now();
        for _ in 0..50 {
            assert_eq!(server.write(10).await, Outcome::Acknowledged);
        }
        let one = begun.elapsed() / 50;
        let mut gone = Vec::new();
        for _ in 0..500 {
            let mut raw = tests::raw::Raw::open(&server.process.base).await;
            assert!(raw.send(&request).await);
            gone.push(raw);
        }
        drop(gone);
        let begun = Instant::now();
        assert_eq!(server.write(10).await, Outcome::Acknowledged);
        let waited = begun.elapsed();
        tell(&format!("waited for {waited:?}; a write takes {one:?}"));
        assert!(waited < one * 250, "{waited:?} for {one:?} a write");
        server.nothing_is_lost().await;
    });
}
