use crate::http::problem::{ItemProblem, Problem, ProblemField};
use domain::base::fault::Lang;
use domain::base::kind::Kind;
use domain::base::vocabulary::Coded;
use domain::exchange::sync::PushStatus;
use persistence::write::outcome::{Change, Outcome};
use serde::Serialize;
use serde_json::Value;
use std::collections::BTreeMap;
use utoipa::ToSchema;
use uuid::Uuid;

/// Outcomes of pushed items.
#[derive(Debug, Serialize, ToSchema)]
#[schema(example = json!({"dry_run": false, "counts": {"created": 1, "updated": 0, "unchanged": 0, "deleted": 0, "failed": 1}, "items": [{"index": 0, "status": "created", "kind": "actor", "external_id": "42", "id": "0193e5a0-0000-7000-8000-000000000000", "version": 1}, {"index": 1, "status": "failed", "kind": "actor", "external_id": "43", "problem": {"type": "/problems/validation-failed", "title": "The body is not valid", "status": 422, "detail": "One error in the body must be corrected; see `errors`.", "errors": [{"pointer": "/name", "code": "required", "message": "is required"}]}}]}))]
pub(crate) struct PushReport {
    /// Whether this was a dry run.
    dry_run: bool,
    /// Number of items per outcome.
    counts: Counts,
    /// Outcome of each item, in the order of the request.
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

    pub(crate) fn refused(&self) -> Vec<&ItemView> {
        let items = self.items.iter();
        items.filter(|item| item.problem.is_some()).collect()
    }
}

/// Number of items per outcome.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = PushCounts)]
pub(crate) struct Counts {
    /// New records, and restored ones.
    created: u64,
    /// Changed records.
    updated: u64,
    /// Unchanged records; nothing was written.
    unchanged: u64,
    /// Deleted records.
    deleted: u64,
    /// Items that were not applied; each gives its problem.
    failed: u64,
}

impl Counts {
    pub(crate) fn new(counts: &BTreeMap<&'static str, u64>) -> Self {
        let of = |status: PushStatus| counts.get(status.code()).copied().unwrap_or_default();
        Self {
            created: of(PushStatus::Created),
            updated: of(PushStatus::Updated),
            unchanged: of(PushStatus::Unchanged),
            deleted: of(PushStatus::Deleted),
            failed: of(PushStatus::Failed),
        }
    }
}

/// Outcome of an item.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = PushResult)]
pub(crate) struct ItemView {
    /// Index of the item in the push, from 0.
    #[serde(skip_serializing_if = "Option::is_none")]
    index: Option<usize>,
    /// Line of the snapshot, from 1; absent for records that the snapshot lacks.
    #[serde(skip_serializing_if = "Option::is_none")]
    line: Option<u64>,
    /// Status of the item.
    status: PushStatus,
    /// Kind of the record.
    #[serde(skip_serializing_if = "Option::is_none")]
    kind: Option<Kind>,
    /// Key of the record in the system.
    #[serde(skip_serializing_if = "Option::is_none")]
    external_id: Option<String>,
    /// Id of the record; absent if there is none, or in a dry run that would create it.
    #[serde(skip_serializing_if = "Option::is_none")]
    id: Option<Uuid>,
    /// Current version of the record.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(minimum = 1)]
    version: Option<i64>,
    /// Changed members.
    #[serde(skip_serializing_if = "Option::is_none")]
    members: Option<Vec<String>>,
    /// Members that are gone, as paths.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    removed: Vec<String>,
    /// Whether the change overwrites one made by others since the last push.
    #[serde(skip_serializing_if = "Option::is_none")]
    overwritten: Option<bool>,
    /// Number of relationships deleted with the record.
    #[serde(skip_serializing_if = "Option::is_none")]
    relationships: Option<usize>,
    /// Values that are probably wrong but accepted.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    warnings: Vec<ProblemField>,
    /// Reason of a rejection: the problem document of a single write.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<ItemProblem>)]
    problem: Option<Value>,
}

impl ItemView {
    pub(crate) fn new(key: Option<(Kind, Option<String>)>, outcome: Outcome, lang: Lang) -> Self {
        let (kind, external_id) = match key {
            Some((kind, external_id)) => (Some(kind), external_id),
            None => (None, None),
        };
        let mut view = Self {
            index: None,
            line: None,
            status: outcome.status(),
            kind,
            external_id,
            id: None,
            version: None,
            members: None,
            removed: Vec::new(),
            overwritten: None,
            relationships: None,
            warnings: Vec::new(),
            problem: None,
        };
        match outcome.0 {
            Ok(applied) => {
                view.id = applied.id;
                view.version = applied.id.map(|_| applied.version);
                view.warnings = ProblemField::all(&applied.warnings, lang);
                match applied.change {
                    Some(Change::Updated {
                        members,
                        removed,
                        overwritten,
                    }) => {
                        view.members = Some(members);
                        view.removed = removed;
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

    /// Without the id of a record that does not exist yet.
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
