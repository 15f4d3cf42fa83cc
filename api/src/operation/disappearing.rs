//! What disappears and appears in an import or a push, for their reports.

use crate::operation::param;
use crate::operation::param::{Known, Parameter};
use crate::state::State;
use domain::base::kind::Kind;
use domain::exchange::line::Update;
use persistence::write::removals::Removals;
use serde::Serialize;
use std::time::Duration;
use utoipa::ToSchema;
use uuid::Uuid;

pub(crate) const UPDATE: Parameter = param::code(
    "update",
    "`patch`: what a line lacks stays as it is: columns of a table, members of a merge patch (RFC 7396). `replace`: it is removed. Tables patch and lines replace when absent.",
    Known::Of(param::of::<Update>),
);

pub(crate) const CONFIRM_REMOVALS: Parameter = param::boolean(
    "confirm_removals",
    "Remove members from more than 20 records and more than one in twenty.",
);

pub(crate) const WAIT: Parameter = param::boolean(
    "wait",
    "Answer when everything that was written is in lists, searches and exports; otherwise at once, with the `position`.",
)
.on();

/// How long an answer waits for the index.
const PATIENCE: Duration = Duration::from_mins(1);

/// Waits for the index after a write, if `wait`; returns whether everything that was written is in
/// lists, searches and exports, otherwise with the position of the write.
pub(crate) async fn searchable(state: &State, wait: bool) -> (bool, Option<String>) {
    let head = *state.store.log().watch().borrow();
    let patience = if wait { PATIENCE } else { Duration::ZERO };
    let searchable = state.search.reaches(head, patience).await;
    let position = (!searchable).then(|| state.store.log().position(head));
    (searchable, position)
}

/// Member that records lose.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct RemovedMember {
    /// Kind of the records.
    kind: Kind,
    /// Path of the member; with `[]` a list that becomes shorter.
    #[schema(example = "contact.phone")]
    member: String,
    /// Number of records that lose it.
    records: u64,
    /// First ten of them.
    examples: Vec<RemovedExample>,
}

/// Record that loses a member.
#[derive(Debug, Serialize, ToSchema)]
struct RemovedExample {
    /// Line of the record, from 1.
    line: u64,
    /// Id of the record.
    id: Uuid,
}

/// Key of a record in its system.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct RecordKey {
    /// Kind of the record.
    pub(crate) kind: Kind,
    /// Key of the record.
    pub(crate) external_id: String,
}

impl RecordKey {
    pub(crate) fn all(keys: Vec<(Kind, String)>) -> Vec<Self> {
        let view = |(kind, external_id)| Self { kind, external_id };
        keys.into_iter().map(view).collect()
    }
}

impl RemovedMember {
    /// The members, those that most records lose first.
    pub(crate) fn all(removals: Removals) -> Vec<Self> {
        let members = removals.members.into_iter();
        let mut all: Vec<Self> = members
            .map(|((kind, member), removed)| Self {
                kind,
                member,
                records: removed.records,
                examples: (removed.examples.into_iter())
                    .map(|(line, id)| RemovedExample { line, id })
                    .collect(),
            })
            .collect();
        all.sort_by_key(|one| std::cmp::Reverse(one.records));
        all
    }
}
