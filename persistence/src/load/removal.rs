//! How many records would lose members, before anything is written.

use super::line::{find_by_keys, keys};
use crate::error::Result;
use crate::transaction::Transaction;
use domain::access::rules::Action;
use domain::base::json::{merge_patch, without_absent};
use domain::base::kind::Kind;
use domain::exchange::line::{Line, Statement};
use domain::exchange::removal::removed;
use serde_json::Value;

/// Members that a body keeps, or gets from elsewhere, if it leaves them out.
const KEPT: &[&str] = &["slug", "external_id", "publication"];

/// How many of the lines may remove members from a record of the caller: at least as many as do.
pub(super) async fn losing(tx: &Transaction<'_>, lines: &[Line]) -> Result<u64> {
    let mut count = 0;
    for line in lines {
        let Ok(keys) = keys(tx, &line.record) else {
            continue;
        };
        let Some(row) = find_by_keys(tx, &keys).await? else {
            continue;
        };
        if !tx.caller.is_allowed(Action::Write, &tx.subject(&row)) {
            continue;
        }
        let stored = row.parse_body()?;
        let Some(mut stated) = stated(line, &stored) else {
            continue;
        };
        without_absent(&mut stated);
        let is_lost = |member: &String| {
            let derived = keys.kind == Kind::Relationship && member == "home_region";
            !derived && !member.ends_with("[]") && !KEPT.contains(&member.as_str())
        };
        count += u64::from(removed(&stored, &stated).iter().any(is_lost));
    }
    Ok(count)
}

fn stated(line: &Line, stored: &Value) -> Option<Value> {
    match &line.statement {
        Statement::Whole => Some(line.record.clone()),
        Statement::Merge => {
            let mut body = stored.clone();
            merge_patch(&mut body, &line.record);
            Some(body)
        }
        Statement::Cells(cells) => cells.apply(stored).ok(),
    }
}
