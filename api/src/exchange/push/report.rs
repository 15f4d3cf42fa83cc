//! What is told of what was pushed.

use crate::http::problem::{ItemProblem, Problem, ProblemField};
use domain::base::fault::Lang;
use domain::base::kind::Kind;
use domain::base::vocabulary::Coded;
use domain::exchange::sync::PushStatus;
use persistence::push::{Change, Pushed};
use serde::Serialize;
use serde_json::Value;
use std::collections::BTreeMap;
use utoipa::ToSchema;
use uuid::Uuid;

/// What became of pushed items.
#[derive(Debug, Serialize, ToSchema)]
#[schema(example = json!({"dry_run": false, "counts": {"created": 1, "updated": 0, "unchanged": 0, "deleted": 0, "conflict": 0, "invalid": 1}, "items": [{"index": 0, "status": "created", "kind": "actor", "external_id": "42", "id": "0193e5a0-0000-7000-8000-000000000000", "version": 1}, {"index": 1, "status": "invalid", "kind": "actor", "external_id": "43", "problem": {"type": "/problems/validation-failed", "title": "The body is not valid", "status": 422, "detail": "One place in the body must be corrected; see `errors`.", "errors": [{"pointer": "/name", "code": "required", "message": "is required"}]}}]}))]
pub(crate) struct PushReport {
    /// Whether it was only rehearsed.
    dry_run: bool,
    /// How many items had which outcome.
    counts: Counts,
    /// What became of each, in the order in which they were sent.
    items: Vec<ItemView>,
}

impl PushReport {
    pub(crate) fn new(items: Vec<ItemView>, dry_run: bool) -> Self {
        let mut counts = BTreeMap::new();
        for item in &items {
            *counts.entry(item.status.code()).or_default() += 1;
        }
        Self {
            dry_run,
            counts: Counts::new(&counts),
            items,
        }
    }

    /// The items that were refused.
    pub(crate) fn refused(&self) -> Vec<&ItemView> {
        let items = self.items.iter();
        items.filter(|item| item.problem.is_some()).collect()
    }
}

/// How many had which outcome.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = PushCounts)]
pub(crate) struct Counts {
    /// New records, and deleted ones that are back.
    created: u64,
    /// Records that are different now.
    updated: u64,
    /// Records that are as they were; nothing was written.
    unchanged: u64,
    /// Records that are gone.
    deleted: u64,
    /// Items that contradict what is here.
    conflict: u64,
    /// Items that are wrong or not allowed.
    invalid: u64,
}

impl Counts {
    pub(crate) fn new(counts: &BTreeMap<&'static str, u64>) -> Self {
        let of = |status: PushStatus| counts.get(status.code()).copied().unwrap_or_default();
        Self {
            created: of(PushStatus::Created),
            updated: of(PushStatus::Updated),
            unchanged: of(PushStatus::Unchanged),
            deleted: of(PushStatus::Deleted),
            conflict: of(PushStatus::Conflict),
            invalid: of(PushStatus::Invalid),
        }
    }
}

/// What became of an item.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = PushResult)]
pub(crate) struct ItemView {
    /// Which item of a push it was, from 0.
    #[serde(skip_serializing_if = "Option::is_none")]
    index: Option<usize>,
    /// Which line of a snapshot it was, from 1; absent for what the snapshot does not hold.
    #[serde(skip_serializing_if = "Option::is_none")]
    line: Option<u64>,
    /// What became of it.
    status: PushStatus,
    /// The kind.
    #[serde(skip_serializing_if = "Option::is_none")]
    kind: Option<Kind>,
    /// The key in the system.
    #[serde(skip_serializing_if = "Option::is_none")]
    external_id: Option<String>,
    /// The record; absent if there is none, or if it would only be made.
    #[serde(skip_serializing_if = "Option::is_none")]
    id: Option<Uuid>,
    /// Its version now.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(minimum = 1)]
    version: Option<i64>,
    /// The members that changed.
    #[serde(skip_serializing_if = "Option::is_none")]
    members: Option<Vec<String>>,
    /// Whether somebody else had changed the record since it was sent last.
    #[serde(skip_serializing_if = "Option::is_none")]
    overwritten: Option<bool>,
    /// How many relationships went along with a record that was deleted.
    #[serde(skip_serializing_if = "Option::is_none")]
    relationships: Option<usize>,
    /// What is likely wrong but accepted.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    warnings: Vec<ProblemField>,
    /// Why it was refused: what a single write would be answered.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<ItemProblem>)]
    problem: Option<Value>,
}

impl ItemView {
    pub(crate) fn new(key: Option<(Kind, Option<String>)>, pushed: Pushed, lang: Lang) -> Self {
        let (kind, external_id) = match key {
            Some((kind, external_id)) => (Some(kind), external_id),
            None => (None, None),
        };
        let mut view = Self {
            index: None,
            line: None,
            status: pushed.status(),
            kind,
            external_id,
            id: None,
            version: None,
            members: None,
            overwritten: None,
            relationships: None,
            warnings: Vec::new(),
            problem: None,
        };
        match pushed.0 {
            Ok(applied) => {
                view.id = applied.id;
                view.version = applied.id.map(|_| applied.version);
                view.warnings = ProblemField::all(&applied.warnings, lang);
                match applied.change {
                    Some(Change::Updated {
                        members,
                        overwritten,
                    }) => {
                        view.members = Some(members);
                        view.overwritten = overwritten.then_some(true);
                    }
                    Some(Change::Deleted { along }) => {
                        view.relationships = Some(along.len());
                    }
                    Some(Change::Created) | None => {}
                }
            }
            Err(why) => view.problem = Some(Problem::from(why).of_item(lang)),
        }
        view
    }

    pub(crate) fn at_index(mut self, index: usize) -> Self {
        self.index = Some(index);
        self
    }

    pub(crate) fn at_line(mut self, line: Option<u64>) -> Self {
        self.line = line;
        self
    }

    /// Without the id of a record that is not there yet.
    pub(crate) fn rehearsed(mut self) -> Self {
        if self.status == PushStatus::Created {
            self.id = None;
            self.version = None;
        }
        self
    }

    pub(crate) fn is_refused(&self) -> bool {
        self.problem.is_some()
    }
}
