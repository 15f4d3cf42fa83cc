//! Readers other than nodes, such as a CMS: they store the content of a page first and their cursor
//! second, and may crash in between.

use super::World;
use super::check::fed;
use crate::replica::Page;
use rand::Rng;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use uuid::Uuid;

const START: &str = "/v1/sync/changes";

pub(super) struct Reader {
    there: usize,
    copies: BTreeMap<Uuid, i64>,
    cursor: Cursor,
    ahead: bool,
}

#[derive(Clone)]
struct Cursor {
    next: String,
    snapshot: Option<BTreeSet<Uuid>>,
}

impl Cursor {
    fn start() -> Self {
        Self {
            next: START.to_owned(),
            snapshot: Some(BTreeSet::new()),
        }
    }

    /// The path of the next page, with a varying page size.
    fn path(&self, limit: usize) -> String {
        let (path, query) = self.next.split_once('?').unwrap_or((&self.next, ""));
        let others = query
            .split('&')
            .filter(|pair| !pair.is_empty() && !pair.starts_with("limit="));
        let limit = format!("limit={limit}");
        let query: Vec<&str> = others.chain([limit.as_str()]).collect();
        format!("{path}?{}", query.join("&"))
    }
}

impl Reader {
    pub(super) fn new(there: usize) -> Self {
        Self {
            there,
            copies: BTreeMap::new(),
            cursor: Cursor::start(),
            ahead: false,
        }
    }

    /// The node is restored from a backup. The new log does not know the data that the reader
    /// stored without its cursor; comparing digests would reveal it, and the reader would start
    /// from scratch.
    pub(super) fn another_life(&mut self, node: usize) {
        if self.there == node && self.ahead {
            self.cursor = Cursor::start();
        }
    }

    /// Applies a page; returns the data of the second step.
    fn apply(&mut self, page: Page) -> Cursor {
        let mut cursor = self.cursor.clone();
        for entry in &page.entries {
            if entry.op == "upsert" {
                self.copies.insert(entry.id, entry.version.unwrap());
            } else {
                self.copies.remove(&entry.id);
            }
        }
        if let Some(snapshot) = &mut cursor.snapshot {
            snapshot.extend(page.entries.iter().map(|entry| entry.id));
            if page.up_to_date {
                self.copies.retain(|id, _| snapshot.contains(id));
                cursor.snapshot = None;
            }
        }
        cursor.next = page.next;
        cursor
    }
}

impl World<'_> {
    /// Reads a page, and may crash before storing the cursor.
    pub(super) async fn read(&mut self) {
        let which = self.rng.random_range(0..self.readers.len());
        let limit = [1, 2, 3, 10, 500][self.rng.random_range(0..5)];
        let crashes = self.chance(30);
        self.note(format!("reader {which} reads {limit}, crashes: {crashes}"));
        self.read_page(which, limit, crashes).await;
        if crashes {
            // Its data changes before it continues.
            for _ in 0..self.rng.random_range(0..4) {
                self.write_at(self.readers[which].there).await;
            }
        }
    }

    async fn read_page(&mut self, which: usize, limit: usize, crashes: bool) -> bool {
        let reader = &mut self.readers[which];
        let answer = self.nodes[reader.there]
            .ask(&reader.cursor.path(limit))
            .await;
        if answer.status == reqwest::StatusCode::GONE {
            let problem: Value = serde_json::from_slice(&answer.body).unwrap();
            assert!(problem["resync_url"].is_string(), "{problem}");
            reader.cursor = Cursor::start();
            return false;
        }
        assert_eq!(answer.status, reqwest::StatusCode::OK);
        let page: Page = serde_json::from_slice(&answer.body).unwrap();
        let done = page.up_to_date;
        let cursor = reader.apply(page);
        reader.ahead = crashes;
        if !crashes {
            reader.cursor = cursor;
        }
        done && !crashes
    }

    /// Every reader reaches the end, and its data equals the feed.
    pub(super) async fn readers_are_right(&mut self) {
        for which in 0..self.readers.len() {
            let mut pages = 0;
            while !self.read_page(which, 500, false).await {
                pages += 1;
                assert!(pages < 100, "a reader never comes to the end");
            }
            let reader = &self.readers[which];
            let fed = fed(&self.nodes[reader.there].store).await;
            assert_eq!(reader.copies, fed, "reader {which} of {}", reader.there);
        }
    }
}
