//! A replica that knows only the feed: it reads pages over HTTP and applies them.

use crate::node::Node;
use domain::base::json;
use domain::exchange::sync::Digest;
use serde::Deserialize;
use serde_json::Value;
use serde_json::value::RawValue;
use std::collections::{BTreeMap, BTreeSet};
use uuid::Uuid;

#[derive(Debug)]
pub struct Replica {
    filter: String,
    pub next: String,
    pub held: BTreeMap<Uuid, Held>,
    /// Position after each page of changes, and the versions at that point.
    pub checkpoints: Vec<(i64, BTreeMap<Uuid, i64>)>,
    /// Whether it records checkpoints, which is slow with many pages.
    notes: bool,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Held {
    pub kind: String,
    pub version: i64,
    pub body: String,
}

#[derive(Debug, Deserialize)]
pub struct Page {
    pub entries: Vec<Told>,
    pub phase: String,
    /// Whether there is more at once.
    pub has_more: bool,
    pub up_to_date: bool,
    pub seq: i64,
    pub next: String,
}

#[derive(Debug, Clone, Deserialize)]
pub struct Told {
    pub seq: i64,
    pub tx: Option<i64>,
    pub op: String,
    pub kind: String,
    pub id: Uuid,
    pub version: Option<i64>,
    pub hash: Option<String>,
    pub record: Option<Box<RawValue>>,
    pub cause: Option<String>,
    pub merged_into: Option<Uuid>,
}

impl Told {
    #[must_use]
    pub fn member(&self, name: &str) -> Value {
        let record = self.record.as_ref().unwrap();
        serde_json::from_str::<Value>(record.get()).unwrap()[name].clone()
    }
}

impl Replica {
    /// An empty replica; `filter` is a query such as `kind=actor&limit=3`.
    #[must_use]
    pub fn new(filter: &str) -> Self {
        Self {
            filter: filter.to_owned(),
            next: format!("/v1/sync/changes?{filter}"),
            held: BTreeMap::new(),
            checkpoints: Vec::new(),
            notes: true,
        }
    }

    #[must_use]
    pub fn without_checkpoints(filter: &str) -> Self {
        Self {
            notes: false,
            ..Self::new(filter)
        }
    }

    pub async fn page(&mut self, node: &Node) -> Page {
        let answer = node.get(&self.next).await.expect(200);
        let page: Page = serde_json::from_str(&answer.text).unwrap();
        self.keep(&page);
        self.next.clone_from(&page.next);
        page
    }

    /// Reads until nothing is left; returns all entries.
    pub async fn catch_up(&mut self, node: &Node) -> Vec<Told> {
        let mut told = Vec::new();
        loop {
            let page = self.page(node).await;
            assert_ne!(page.has_more, page.up_to_date);
            told.extend(page.entries);
            if page.up_to_date {
                return told;
            }
        }
    }

    fn keep(&mut self, page: &Page) {
        let mut seen = BTreeSet::new();
        let mut last = (0, 0);
        for told in &page.entries {
            assert!(seen.insert(told.id), "{} is reported twice", told.id);
            if let Some(tx) = told.tx {
                assert!((tx, told.seq) > last, "the order of the log: {told:?}");
                last = (tx, told.seq);
            }
            assert_eq!(told.tx.is_none(), page.phase == "snapshot");
            match told.op.as_str() {
                "upsert" => self.take(told),
                "delete" | "withdraw" => {
                    let held = self.held.remove(&told.id);
                    let version = told.version.unwrap_or(i64::MAX);
                    assert!(held.is_none_or(|held| held.version < version), "{told:?}");
                }
                other => panic!("{other}"),
            }
        }
        if self.notes && page.phase == "changes" {
            let versions = self.held.iter().map(|(id, held)| (*id, held.version));
            self.checkpoints.push((page.seq, versions.collect()));
        }
    }

    fn take(&mut self, told: &Told) {
        let body = told.record.as_ref().unwrap().get().to_owned();
        assert_eq!(
            Some(json::hash(&body)),
            told.hash,
            "the bytes that were hashed"
        );
        let new = Held {
            kind: told.kind.clone(),
            version: told.version.unwrap(),
            body,
        };
        if let Some(old) = self.held.get(&told.id) {
            assert!(old.version <= new.version, "versions never go backwards");
            assert!(old.version < new.version || *old == new);
        }
        self.held.insert(told.id, new);
    }

    /// Fails unless it equals the node's feed.
    pub async fn equals(&self, node: &Node) {
        let path = format!("/v1/sync/digest?{}", without_limit(&self.filter));
        let digest = node.get(&path).await.expect(200);
        let mut counted = 0;
        for item in digest.json["items"].as_array().unwrap() {
            let mut own = Digest::default();
            for (id, held) in &self.held {
                if held.kind == item["kind"].as_str().unwrap() {
                    own.add(*id, held.version, &json::hash(&held.body));
                }
            }
            counted += own.count();
            assert_eq!(item["count"], own.count(), "{} {}", self.filter, item);
            assert_eq!(item["sum"], own.sum(), "{} {}", self.filter, item);
        }
        assert_eq!(counted, self.held.len() as u64);
    }
}

fn without_limit(filter: &str) -> String {
    let kept = filter.split('&').filter(|one| !one.starts_with("limit="));
    kept.collect::<Vec<_>>().join("&")
}
