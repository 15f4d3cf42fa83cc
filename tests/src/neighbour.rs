//! A second node next to that of a story, with its own database and origin; and reading records
//! from one to the other, step by step.

use crate::database::{Backend, Content, Database};
use crate::node::{Node, loopback, start};
use actix_web::dev::ServerHandle;
use api::config::Config;
use api::exchange::partners::pull::{Failed, PartnerSync};
use domain::base::kind::Kind;
use domain::base::vocabulary::Coded;
use persistence::partner::{PageOutcome, Partner};
use serde_json::{Value, json};
use std::ops::Deref;
use std::time::Duration;
use tokio::sync::watch;
use uuid::Uuid;

#[derive(Debug)]
pub struct Neighbour {
    node: Node,
    server: ServerHandle,
    database: Database,
}

impl Deref for Neighbour {
    type Target = Node;

    fn deref(&self) -> &Node {
        &self.node
    }
}

impl Neighbour {
    pub async fn start(backend: Backend, origin: &str) -> Self {
        let database = Database::of(backend, Content::Empty, origin).await;
        Self::on(backend, database).await
    }

    /// Starts a node on an existing database.
    pub async fn on(backend: Backend, database: Database) -> Self {
        let (node, server) = start(backend, &database).await;
        Self {
            node,
            server,
            database,
        }
    }

    pub async fn stop(self) {
        self.halt().await.remove().await;
    }

    /// Stops it without removing its database.
    pub async fn halt(self) -> Database {
        self.server.stop(true).await;
        self.node.background.stop().await;
        self.node.store.db().clone().close().await;
        self.database
    }
}

#[derive(Debug)]
pub struct Intake<'a> {
    node: &'a Node,
    pub id: Uuid,
    exchange: PartnerSync,
}

impl<'a> Intake<'a> {
    /// Creates a partner for the server at `url`; `more` are further members.
    pub async fn new(node: &'a Node, name: &str, url: &str, more: Value) -> Self {
        let mut body = json!({"name": name, "url": url});
        domain::base::json::merge_patch(&mut body, &more);
        let made = node.post("/v1/sync/partners").json(&body).await.expect(201);
        let id = Uuid::parse_str(made.id()).unwrap();
        Self::of(node, id)
    }

    /// A partner that the node already has.
    pub fn of(node: &'a Node, id: Uuid) -> Self {
        let config = Config {
            outbound_allowlist: loopback(),
            ..Config::default()
        };
        let exchange = PartnerSync::new(node.store.clone(), &config).unwrap();
        Self { node, id, exchange }
    }

    /// Applies one page; `None` if the partner is not due.
    pub async fn step(&self) -> Option<Result<PageOutcome, Failed>> {
        let store = &self.node.store;
        let lease = store.partners().lease(self.id).await.unwrap()?;
        let (_keep, mut stop) = watch::channel(false);
        let taken = self.exchange.step(&lease, Duration::ZERO, &mut stop).await;
        // The lease is lost if the partner was stopped.
        let _ = store.partners().release(&lease).await;
        Some(taken)
    }

    pub async fn pull(&self) -> PageOutcome {
        loop {
            let taken = self.step().await.expect("it is due").unwrap();
            if taken != PageOutcome::More {
                return taken;
            }
        }
    }

    pub async fn fails(&self) -> String {
        loop {
            match self.step().await.expect("it is due") {
                Ok(PageOutcome::More) => {}
                Ok(other) => panic!("{other:?}"),
                Err(why) => return why.to_string(),
            }
        }
    }

    pub async fn shown(&self) -> Value {
        let path = format!("/v1/sync/partners/{}", self.id);
        let shown = self.node.get(&path).token(&self.node.admin).await;
        shown.expect(200).json
    }

    pub async fn change(&self, patch: Value) -> Value {
        let path = format!("/v1/sync/partners/{}", self.id);
        let changed = self
            .node
            .patch(&path)
            .if_match("*")
            .body("application/json", patch.to_string());
        changed.await.expect(200).json
    }

    pub async fn approve_deletions(&self) {
        let path = format!("/v1/sync/partners/{}/approve-deletions", self.id);
        self.node.post(&path).await.expect(200);
    }

    pub async fn row(&self) -> Partner {
        self.node
            .store
            .partners()
            .get(self.id)
            .await
            .unwrap()
            .partner
    }

    /// Fails unless the copies equal the partner's feed; `filter` is a query.
    pub async fn equals(&self, from: &Node, filter: &str) {
        let path = format!("/v1/sync/digest?{filter}");
        let theirs = from.get(&path).await.expect(200);
        let ours = self
            .node
            .store
            .copies()
            .digests(&self.row().await)
            .await
            .unwrap();
        for item in theirs.json["items"].as_array().unwrap() {
            let kind = Kind::parse(item["kind"].as_str().unwrap()).unwrap();
            let own = ours.get(&kind).copied().unwrap_or_default();
            assert_eq!(item["count"], own.count(), "{kind}");
            assert_eq!(item["sum"], own.sum(), "{kind}");
        }
    }
}
