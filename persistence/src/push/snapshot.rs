//! Complete snapshots of a system: records that it lacks are deleted.
//!
//! It is one transaction, which is rolled back if it was only to be planned, or differs from the
//! plan. So a plan is what would happen, and a crash leaves nothing half done.

use super::item::{Item, MAX_ITEMS};
use super::plan::{Example, Plan};
use super::repeated;
use crate::entity::record;
use crate::error::{Result, StoreError};
use crate::push::supplied::here;
use crate::push::{Push, push, take_turns_for_system};
use crate::record::Record;
use crate::transaction::{Transaction, WriteOptions};
use crate::write::names::Names;
use crate::write::outcome::Outcome;
use domain::access::rules::{Action, Caller};
use domain::base::fault::{Fault, FaultCode, FieldError};
use domain::base::json::{canonical, hash};
use domain::base::kind::Kind;
use domain::base::vocabulary::Coded;
use domain::exchange::line::{Line, Statement};
use domain::exchange::sync::{PushOp, PushStatus};
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect};
use serde_json::Value;
use std::collections::HashMap;

#[derive(Debug, Clone)]
pub struct Snapshot<'a> {
    pub system: &'a str,
    pub kinds: &'a [Kind],
    pub unreadable: u64,
    pub unreadable_hash: &'a str,
    /// The hash of the plan to be applied; absent for planning.
    pub plan: Option<&'a str>,
    pub skip_invalid: bool,
    pub confirmed: Confirmed,
    /// The last entry of the log in the export from which the snapshot was made.
    pub exported: Option<i64>,
}

/// What a caller takes responsibility for.
#[derive(Debug, Clone, Copy, Default)]
pub struct Confirmed {
    pub deletions: bool,
    pub removals: bool,
    pub rekeyed: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Decision {
    Planned,
    Done,
    /// It differs from the plan; nothing was done.
    Stale,
    /// Some lines were rejected, so nothing was done.
    Refused,
    /// Too many records would be deleted, so nothing was done.
    TooMuch,
    /// Records would be deleted that are newer than the export of the snapshot.
    Newer,
    /// Records would be deleted and created again under keys spelled differently.
    Rekeyed,
    /// Too many records would lose members.
    Removals,
}

impl Push<'_> {
    /// Plans a snapshot, or applies a plan that is still current.
    ///
    /// `read` returns the lines of a kind from a position on, at most [`MAX_ITEMS`], and the next
    /// position; none at the end.
    pub async fn snapshot(
        self,
        caller: &Caller,
        snapshot: &Snapshot<'_>,
        read: impl AsyncFn(Kind, u64) -> Result<(Vec<Line>, u64)>,
        options: &WriteOptions,
    ) -> Result<(Plan, Decision)> {
        self.store
            .write(caller, options, async |tx| {
                take_turns_for_system(tx, snapshot.system).await?;
                let plan = push_all(tx, snapshot, &read).await?;
                let decision = decide(snapshot, &plan);
                if decision != Decision::Done {
                    tx.discard();
                }
                Ok((plan, decision))
            })
            .await
    }
}

fn decide(snapshot: &Snapshot<'_>, plan: &Plan) -> Decision {
    let skipped = snapshot.skip_invalid && !plan.unknown;
    let confirmed = snapshot.confirmed;
    match snapshot.plan {
        None => Decision::Planned,
        Some(expected) if expected != plan.hash() => Decision::Stale,
        Some(_) if plan.refused() > 0 && !skipped => Decision::Refused,
        Some(_) if plan.deletes_too_much() && !confirmed.deletions => Decision::TooMuch,
        Some(_) if !plan.newer.is_empty() => Decision::Newer,
        Some(_) if !plan.rekeyed.is_empty() && !confirmed.rekeyed => Decision::Rekeyed,
        Some(_) if plan.removes_too_much() && !confirmed.removals => Decision::Removals,
        Some(_) => Decision::Done,
    }
}

async fn push_all(
    tx: &mut Transaction<'_>,
    snapshot: &Snapshot<'_>,
    read: &impl AsyncFn(Kind, u64) -> Result<(Vec<Line>, u64)>,
) -> Result<Plan> {
    let mut plan = Plan::new(snapshot.system, snapshot.kinds);
    plan.note_unreadable(snapshot.unreadable, snapshot.unreadable_hash);
    let before = supplied(tx, snapshot).await?;
    plan.records = u64::try_from(before.len()).unwrap_or(u64::MAX);
    let (mut seen, mut names) = (HashMap::new(), Names::default());
    for kind in snapshot.kinds {
        let mut at = 0;
        loop {
            let (lines, next) = read(*kind, at).await?;
            if lines.is_empty() {
                break;
            }
            at = next;
            let system = snapshot.system;
            let mut named = Vec::with_capacity(lines.len());
            for mut line in lines {
                names.resolve(tx, Some(system), &mut line).await?;
                named.push(line);
            }
            push_lines(tx, system, *kind, named, &mut seen, &mut plan).await?;
        }
    }
    let missing = before.into_iter().rev();
    let missing: Vec<_> = missing.filter(|key| !seen.contains_key(key)).collect();
    plan.going = u64::try_from(missing.len()).unwrap_or(u64::MAX);
    for keys in missing.chunks(MAX_ITEMS) {
        withdraw_all(tx, snapshot, keys, &mut plan).await?;
    }
    Ok(plan)
}

/// The keys of the system's records that the caller may write, in the order of kinds.
async fn supplied(tx: &Transaction<'_>, snapshot: &Snapshot<'_>) -> Result<Vec<(Kind, String)>> {
    let mut found = Vec::new();
    for kind in snapshot.kinds {
        let mut after = String::new();
        loop {
            let rows = record::Entity::find()
                .filter(record::Column::Kind.eq(kind.code()))
                .filter(record::Column::System.eq(snapshot.system))
                .filter(record::Column::Origin.eq(&tx.origin))
                .filter(record::Column::ExternalId.gt(after.as_str()))
                .order_by_asc(record::Column::ExternalId)
                .limit(MAX_ITEMS as u64)
                .into_model::<Record>()
                .all(&tx.sql)
                .await?;
            let Some(last) = rows.last().and_then(|row| row.external_id.clone()) else {
                break;
            };
            after = last;
            for row in rows {
                let theirs = tx.caller.is_allowed(Action::Write, &tx.subject(&row));
                if let (true, Some(id)) = (theirs, row.external_id) {
                    found.push((*kind, id));
                }
            }
        }
    }
    Ok(found)
}

async fn push_lines(
    tx: &mut Transaction<'_>,
    system: &str,
    kind: Kind,
    lines: Vec<Line>,
    seen: &mut HashMap<(Kind, String), u64>,
    plan: &mut Plan,
) -> Result<()> {
    let mut items = Vec::with_capacity(lines.len());
    let mut pushed = Vec::with_capacity(lines.len());
    for line in lines {
        plan.lines += 1;
        let stated = line.statement.fingerprint();
        let content = hash(&format!("{}{stated}", canonical(&line.record)));
        let id = line.record.pointer("/external_id/id");
        let id = id.and_then(Value::as_str).map(str::to_owned);
        let sample = |outcome| Example {
            line: Some(line.number),
            kind,
            external_id: id.clone(),
            outcome,
        };
        let Some(key) = &id else {
            plan.unknown = true;
            plan.note(sample(Outcome(Err(without_key()))), &content);
            continue;
        };
        let first = seen.entry((kind, key.clone())).or_insert(line.number);
        if *first != line.number {
            plan.note(sample(Outcome(Err(repeated(Some(*first))))), &content);
            continue;
        }
        pushed.push((line.number, content));
        items.push(Item {
            op: PushOp::Upsert,
            kind,
            external_id: key.clone(),
            system_version: None,
            record: line.record,
            statement: line.statement,
        });
    }
    let outcomes = push(tx, system, &items).await?;
    for ((item, (line, content)), outcome) in items.into_iter().zip(pushed).zip(outcomes) {
        if outcome.status() == PushStatus::Created {
            plan.created
                .add(line, kind, &item.external_id, &item.record);
        }
        let sample = Example {
            line: Some(line),
            kind,
            external_id: Some(item.external_id),
            outcome,
        };
        plan.note(sample, &content);
    }
    Ok(())
}

async fn withdraw_all(
    tx: &mut Transaction<'_>,
    snapshot: &Snapshot<'_>,
    keys: &[(Kind, String)],
    plan: &mut Plan,
) -> Result<()> {
    let items = keys.iter().map(|(kind, external_id)| Item {
        op: PushOp::Delete,
        kind: *kind,
        external_id: external_id.clone(),
        system_version: None,
        record: Value::Null,
        statement: Statement::Whole,
    });
    let items: Vec<Item> = items.collect();
    let system = snapshot.system;
    for ((kind, key), row) in here(tx, system, &items).await?.records {
        if snapshot.exported.is_some_and(|last| row.seq > last) {
            plan.note_newer(kind, &key);
        }
        let same = plan.created.same(kind, &key, &row.parse_body()?);
        plan.rekeyed.extend(same);
    }
    let outcomes = push(tx, system, &items).await?;
    for (item, outcome) in items.into_iter().zip(outcomes) {
        let sample = Example {
            line: None,
            kind: item.kind,
            external_id: Some(item.external_id),
            outcome,
        };
        plan.note(sample, "");
    }
    Ok(())
}

fn without_key() -> StoreError {
    let fault = Fault::new(FaultCode::Required)
        .with("what", "the key of the record in its system")
        .with("what_de", "der Schlüssel des Datensatzes in seinem System");
    StoreError::Invalid(vec![FieldError::new("/external_id/id", fault)])
}
