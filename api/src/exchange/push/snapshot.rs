//! The complete set of a system's records: planned first, then applied as planned.

use crate::exchange::push::report::{Counts, ItemView};
use crate::http::problem::{Code, Problem};
use crate::operation::extract::{
    App, ChangeReason, Feeder, Pairs, Parameter, Parameters, Query, Told, wrong,
};
use crate::operation::param;
use crate::operation::param::Known;
use crate::operation::reply::Private;
use crate::operation::upload::{Spool, Upload};
use domain::base::fault::Lang;
use domain::base::kind::Kind;
use domain::base::vocabulary::Coded;
use persistence::StoreError;
use persistence::push::{Decision, MAX_ITEMS, Plan, Pushed, Snapshot};
use persistence::transaction::WriteOptions;
use serde::Serialize;
use serde_json::json;
use utoipa::ToSchema;

pub(crate) struct How {
    plan: Option<String>,
    kinds: Vec<Kind>,
    skip_invalid: bool,
    approve_deletions: bool,
}

const DRY_RUN: Parameter = param::boolean(
    "dry_run",
    "Only plan: tell what would be done, and the `plan_hash` to have it done.",
);
const PLAN_HASH: Parameter = param::text(
    "plan_hash",
    "Apply this plan; nothing is changed if the plan is out of date.",
)
.max(71);
const KIND: Parameter = param::codes(
    "kind",
    "The kinds of which this is everything, with commas: records of other kinds stay. All kinds when absent; a table is of one kind and tells it in its column `kind`, if not here.",
    Known::Of(param::of::<Kind>),
)
.example("actor");
const SKIP_INVALID: Parameter = param::boolean(
    "skip_invalid",
    "Apply the rest of a plan although some lines are refused. Their records stay as they are, so each line must at least have a key.",
);
const APPROVE_DELETIONS: Parameter = param::boolean(
    "approve_deletions",
    "Apply a plan that deletes more than 20 records (including relationships deleted with them) and more than one in twenty, or an empty snapshot; for admins of the node.",
);

impl Parameters for How {
    fn table(_: Option<Kind>) -> &'static [Parameter] {
        &[DRY_RUN, PLAN_HASH, KIND, SKIP_INVALID, APPROVE_DELETIONS]
    }

    fn read(pairs: &Pairs) -> Result<Self, Problem> {
        let plan = pairs.one(PLAN_HASH.name).map(str::to_owned);
        match (pairs.flag(&DRY_RUN), &plan) {
            (false, None) => {
                return Err(Problem::new(Code::InvalidParameter).detail(
                    "Send the snapshot with `dry_run=true` first, check the plan, and send it again with the plan's `plan_hash`.",
                    "Senden Sie den Bestand zuerst mit `dry_run=true`, prüfen Sie den Plan, und senden Sie ihn mit dessen `plan_hash` noch einmal.",
                ));
            }
            (true, Some(plan)) => {
                let expected = ("given without `dry_run`", "nur ohne `dry_run`");
                return Err(wrong(PLAN_HASH.name, plan, expected));
            }
            (true, None) | (false, Some(_)) => {}
        }
        Ok(Self {
            plan,
            kinds: pairs.codes(KIND.name).concat(),
            skip_invalid: pairs.flag(&SKIP_INVALID),
            approve_deletions: pairs.flag(&APPROVE_DELETIONS),
        })
    }
}

/// Effects of a snapshot.
#[derive(Debug, Serialize, ToSchema)]
#[schema(example = json!({"applied": false, "plan_hash": "sha256:5f70bf18a086007016e948b04aed3b82103a36bea41755b6cddfaf10ace3c6ef", "blocked_by": [], "lines": 312, "records": 310, "counts": {"created": 3, "updated": 2, "unchanged": 307, "deleted": 1, "failed": 0}, "overwritten": 0, "relationships": 2, "examples": [{"line": 12, "status": "updated", "kind": "actor", "external_id": "42", "id": "0193e5a0-0000-7000-8000-000000000000", "version": 4, "members": ["contact"]}]}))]
pub(crate) struct SnapshotReport {
    /// Whether the snapshot was applied.
    applied: bool,
    /// Hash of this plan; send the same snapshot with it to apply it.
    plan_hash: String,
    /// Codes of the problems that prevent applying the plan.
    blocked_by: Vec<&'static str>,
    /// Number of lines.
    lines: u64,
    /// Number of records of these kinds that you supplied before.
    records: u64,
    /// Number of records per outcome.
    counts: Counts,
    /// Number of changed records that others had changed since the last push.
    overwritten: u64,
    /// Number of relationships deleted together with records.
    relationships: u64,
    /// Up to ten records per outcome.
    examples: Vec<ItemView>,
}

pub(crate) async fn push(
    app: App,
    feeder: Feeder,
    Query(how): Query<How>,
    ChangeReason(reason): ChangeReason,
    Told(lang): Told,
    upload: Upload,
) -> Result<Private<SnapshotReport>, Problem> {
    if how.approve_deletions && !feeder.caller.is_node_admin() {
        return Err(Problem::new(Code::Forbidden)
            .detail(
                "`approve_deletions` is reserved for admins of the whole node, with a token that has the scopes `sync` and `admin`.",
                "`approve_deletions` ist der Verwaltung des ganzen Knotens vorbehalten, mit einem Token mit den Scopes `sync` und `admin`.",
            )
            .member("reason", json!("node-admin")));
    }
    let spool = upload.spool(how.kinds.clone(), true).await?;
    let chosen = |kind: &Kind| match spool.kind {
        Some(table) => *kind == table,
        None => how.kinds.is_empty() || how.kinds.contains(kind),
    };
    let kinds: Vec<Kind> = Kind::ALL.iter().copied().filter(chosen).collect();
    let snapshot = Snapshot {
        system: &feeder.system,
        kinds: &kinds,
        unreadable: spool.faulty,
        unreadable_hash: &spool.faults,
        plan: how.plan.as_deref(),
        skip_invalid: how.skip_invalid,
        confirmed: how.approve_deletions,
    };
    let options = WriteOptions {
        dry_run: how.plan.is_none(),
        reason,
        bulk: spool.lines > MAX_ITEMS as u64,
    };
    let read = async |kind, at| spool.lines(Some(kind), at, MAX_ITEMS).await;
    let store = &app.store;
    let done = store
        .push()
        .snapshot(&feeder.caller, &snapshot, read, &options);
    let (plan, decision) = done.await?;
    report(plan, decision, &spool, lang)
}

fn report(
    mut plan: Plan,
    decision: Decision,
    spool: &Spool,
    lang: Lang,
) -> Result<Private<SnapshotReport>, Problem> {
    let examples = examples(&mut plan, spool, decision == Decision::Done, lang);
    match decision {
        Decision::Planned | Decision::Done => {}
        Decision::Stale => return Err(Problem::new(Code::StalePlan)),
        Decision::Refused => {
            let refused: Vec<_> = examples.iter().filter(|one| one.is_refused()).collect();
            let count = plan.refused();
            return Err(Problem::new(Code::ItemsRefused)
                .detail(
                    format!("{count} lines were rejected, so nothing was changed; `items` has the first."),
                    format!("{count} Zeilen wurden abgelehnt, also nichts ausgeführt; die ersten stehen in `items`."),
                )
                .items(refused));
        }
        Decision::TooMuch => {
            return Err(Problem::new(Code::DeletionThresholdExceeded)
                .member("deletions", json!(plan.going))
                .member("records", json!(plan.records)));
        }
    }
    let blocked = [
        (plan.refused() > 0, "items-refused"),
        (plan.deletes_too_much(), "deletion-threshold-exceeded"),
    ];
    let applied = decision == Decision::Done;
    let blocked = blocked.into_iter().filter(|(it, _)| *it && !applied);
    Ok(Private::new(SnapshotReport {
        applied,
        plan_hash: plan.hash(),
        blocked_by: blocked.map(|(_, code)| code).collect(),
        lines: plan.lines,
        records: plan.records,
        counts: Counts::new(&plan.counts),
        overwritten: plan.overwritten,
        relationships: plan.relationships,
        examples,
    }))
}

fn examples(plan: &mut Plan, spool: &Spool, applied: bool, lang: Lang) -> Vec<ItemView> {
    let faulty = spool.told.iter().take(10).map(|one| {
        let pushed = Pushed(Err(StoreError::Invalid(one.errors.clone())));
        ItemView::new(None, pushed, lang).at_line(Some(one.line))
    });
    let planned = std::mem::take(&mut plan.examples)
        .into_iter()
        .map(|sample| {
            let key = Some((sample.kind, sample.external_id));
            let view = ItemView::new(key, sample.pushed, lang).at_line(sample.line);
            if applied { view } else { view.rehearsed() }
        });
    faulty.chain(planned).collect()
}
