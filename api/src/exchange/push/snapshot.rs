//! The complete set of a system's records: planned first, then applied as planned.

use crate::exchange::push::report::{Counts, ItemView};
use crate::http::problem::{Code, Problem};
use crate::operation::disappearing::{
    CONFIRM_REMOVALS, RecordKey, RemovedMember, UPDATE, WAIT, searchable,
};
use crate::operation::extract::{
    App, ChangeReason, Feeder, Pairs, Parameter, Parameters, Query, Told, wrong,
};
use crate::operation::param;
use crate::operation::param::Known;
use crate::operation::reply::Private;
use crate::operation::upload::{
    CHARSET, FIX, Limits, Options, Reading, SHEET, Spool, TableView, Upload, ValuesView,
    stored_mapping,
};
use domain::base::fault::Lang;
use domain::base::kind::Kind;
use domain::base::vocabulary::Coded;
use domain::exchange::line::Update;
use persistence::StoreError;
use persistence::push::{Confirmed, Decision, MAX_ITEMS, Plan, Rekeyed, Snapshot};
use persistence::transaction::WriteOptions;
use persistence::write::outcome::Outcome;
use serde::Serialize;
use serde_json::json;
use utoipa::ToSchema;
use uuid::Uuid;

pub(crate) struct How {
    plan: Option<String>,
    kinds: Vec<Kind>,
    update: Option<Update>,
    skip_invalid: bool,
    options: Options,
    confirmed: Confirmed,
    position: Option<String>,
    wait: bool,
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
const SKIP_INVALID: Parameter = param::code(
    "skip_invalid",
    "`true`: apply the rest of a plan although some lines are refused. Their records stay as they are, so each line must at least have a key. `members`: leave out an invalid value of a table instead of its row; the stored one stays.",
    Known::These(&["true", "false", "members"]),
);
const APPROVE_DELETIONS: Parameter = param::boolean(
    "approve_deletions",
    "Apply a plan that deletes more than 20 records (including relationships deleted with them) and more than one in twenty, or an empty snapshot; for admins of the node.",
);

const CONFIRM_REKEYED: Parameter = param::boolean(
    "confirm_rekeyed",
    "Delete records although the snapshot has a new one with a similar key, or the same name and address; see `rekeyed`.",
);

const POSITION: Parameter = param::text(
    "position",
    "The `Verbund-Position` of the export from which the snapshot was made: records that are newer are not deleted. A workbook (XLSX) has it as a document property, if it is absent here.",
)
.max(200);

impl Parameters for How {
    fn table(_: Option<Kind>) -> &'static [Parameter] {
        &[
            DRY_RUN,
            PLAN_HASH,
            KIND,
            UPDATE,
            SKIP_INVALID,
            APPROVE_DELETIONS,
            CONFIRM_REMOVALS,
            CONFIRM_REKEYED,
            POSITION,
            WAIT,
            CHARSET,
            SHEET,
            FIX,
        ]
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
            options: Options::read(pairs)?,
            update: pairs.one(UPDATE.name).and_then(Update::parse),
            confirmed: Confirmed {
                deletions: pairs.flag(&APPROVE_DELETIONS),
                removals: pairs.flag(&CONFIRM_REMOVALS),
                rekeyed: pairs.flag(&CONFIRM_REKEYED),
            },
            position: pairs.one(POSITION.name).map(str::to_owned),
            wait: pairs.one(WAIT.name) != Some("false"),
        })
    }
}

/// Effects of a snapshot.
#[derive(Debug, Serialize, ToSchema)]
#[schema(example = json!({"applied": false, "plan_hash": "sha256:5f70bf18a086007016e948b04aed3b82103a36bea41755b6cddfaf10ace3c6ef", "blocked_by": [], "lines": 312, "records": 310, "counts": {"created": 3, "updated": 2, "unchanged": 307, "deleted": 1, "failed": 0}, "overwritten": 0, "relationships": 2, "deleted_relationships": [], "removed": [], "new_keys": [{"kind": "actor", "external_id": "43"}], "gone_keys": [], "rekeyed": [], "newer": [], "examples": [{"line": 12, "status": "updated", "kind": "actor", "external_id": "42", "id": "0193e5a0-0000-7000-8000-000000000000", "version": 4, "members": ["contact"]}], "values": []}))]
pub(crate) struct SnapshotReport {
    /// Whether the snapshot was applied.
    applied: bool,
    /// Whether everything that was written is in lists, searches and exports; absent in a dry run.
    #[serde(skip_serializing_if = "Option::is_none")]
    searchable: Option<bool>,
    /// Position of the write, if it is not searchable yet.
    #[serde(skip_serializing_if = "Option::is_none")]
    position: Option<String>,
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
    /// First 100 relationships deleted together with records.
    deleted_relationships: Vec<Uuid>,
    /// Members that records lose.
    removed: Vec<RemovedMember>,
    /// First 100 keys of new records.
    new_keys: Vec<RecordKey>,
    /// First 100 keys of deleted records.
    gone_keys: Vec<RecordKey>,
    /// First 100 records that would be deleted, and probably created again under a key spelled
    /// differently.
    rekeyed: Vec<RekeyedView>,
    /// First 100 keys of records that the snapshot lacks but that are newer than its export.
    newer: Vec<RecordKey>,
    /// Up to ten records per outcome.
    examples: Vec<ItemView>,
    /// How the table was read; absent for records as JSON.
    #[serde(skip_serializing_if = "Option::is_none")]
    table: Option<TableView>,
    /// Values that were changed or left out while the table was read.
    values: Vec<ValuesView>,
}

/// Record that probably has another key now.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Rekeyed)]
struct RekeyedView {
    /// Line with the new key, from 1.
    line: u64,
    /// Kind of the record.
    kind: Kind,
    /// Key of the stored record.
    from: String,
    /// Key in the snapshot.
    to: String,
}

impl RekeyedView {
    fn all(rekeyed: Vec<Rekeyed>) -> Vec<Self> {
        let view = |one: Rekeyed| Self {
            line: one.line,
            kind: one.kind,
            from: one.from,
            to: one.to,
        };
        rekeyed.into_iter().take(100).map(view).collect()
    }
}

pub(crate) async fn push(
    app: App,
    feeder: Feeder,
    Query(how): Query<How>,
    ChangeReason(reason): ChangeReason,
    Told(lang): Told,
    upload: Upload,
) -> Result<Private<SnapshotReport>, Problem> {
    if how.confirmed.deletions && !feeder.caller.is_node_admin() {
        return Err(Problem::new(Code::Forbidden)
            .detail(
                "`approve_deletions` is reserved for admins of the whole node, with a token that has the scopes `sync` and `admin`.",
                "`approve_deletions` ist der Verwaltung des ganzen Knotens vorbehalten, mit einem Token mit den Scopes `sync` und `admin`.",
            )
            .member("reason", json!("node-admin")));
    }
    let mut reading = Reading::new(Limits::OF_SNAPSHOTS, how.kinds.clone());
    reading.by_kind = true;
    reading.update = how.update;
    reading.options = how.options;
    reading.mapping = stored_mapping(&app.store, &feeder.system, &reading.kinds).await?;
    let spool = upload.spool(reading).await?;
    let exported = how.position.as_deref().or(spool.position.as_deref());
    let exported = exported.map(|position| {
        let entry = app.store.log().entry_at(position);
        let expected = (
            "the `Verbund-Position` of an export of this node",
            "die `Verbund-Position` eines Exports dieses Knotens",
        );
        entry.map_err(|_| wrong(POSITION.name, position, expected))
    });
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
        confirmed: how.confirmed,
        exported: exported.transpose()?,
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
    let mut report = report(plan, decision, &spool, lang)?;
    if report.applied {
        let (searchable, position) = searchable(&app, how.wait).await;
        (report.searchable, report.position) = (Some(searchable), position);
    }
    Ok(Private::new(report))
}

fn report(
    mut plan: Plan,
    decision: Decision,
    spool: &Spool,
    lang: Lang,
) -> Result<SnapshotReport, Problem> {
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
                .list("items", refused));
        }
        Decision::TooMuch => {
            return Err(Problem::new(Code::DeletionThresholdExceeded)
                .member("deletions", json!(plan.going))
                .member("records", json!(plan.records)));
        }
        Decision::Newer => {
            return Err(
                Problem::new(Code::NewerThanExport).list("newer", RecordKey::all(plan.newer))
            );
        }
        Decision::Rekeyed => {
            return Err(
                Problem::new(Code::RecordsRekeyed).list("rekeyed", RekeyedView::all(plan.rekeyed))
            );
        }
        Decision::Removals => {
            return Err(Problem::new(Code::RemovalThresholdExceeded)
                .member("records", json!(plan.records))
                .list("removed", RemovedMember::all(plan.removals)));
        }
    }
    let blocked = [
        (plan.refused() > 0, "items-refused"),
        (plan.deletes_too_much(), "deletion-threshold-exceeded"),
        (!plan.newer.is_empty(), "newer-than-export"),
        (!plan.rekeyed.is_empty(), "records-rekeyed"),
        (plan.removes_too_much(), "removal-threshold-exceeded"),
    ];
    let applied = decision == Decision::Done;
    let blocked = blocked.into_iter().filter(|(it, _)| *it && !applied);
    Ok(SnapshotReport {
        applied,
        searchable: None,
        position: None,
        plan_hash: plan.hash(),
        blocked_by: blocked.map(|(_, code)| code).collect(),
        lines: plan.lines,
        records: plan.records,
        counts: Counts::new(&plan.counts),
        overwritten: plan.overwritten,
        relationships: plan.relationships,
        deleted_relationships: plan.along,
        removed: RemovedMember::all(plan.removals),
        new_keys: RecordKey::all(plan.new_keys),
        gone_keys: RecordKey::all(plan.gone_keys),
        rekeyed: RekeyedView::all(plan.rekeyed),
        newer: RecordKey::all(plan.newer),
        examples,
        table: spool.table.clone().map(TableView::new),
        values: ValuesView::all(plan.readings, lang),
    })
}

fn examples(plan: &mut Plan, spool: &Spool, applied: bool, lang: Lang) -> Vec<ItemView> {
    let faulty = spool.told.iter().take(10).map(|one| {
        let outcome = Outcome(Err(StoreError::Invalid(one.errors.clone())));
        ItemView::new(None, outcome, lang).at_line(Some(one.line))
    });
    let planned = std::mem::take(&mut plan.examples)
        .into_iter()
        .map(|sample| {
            let key = Some((sample.kind, sample.external_id));
            let view = ItemView::new(key, sample.outcome, lang).at_line(sample.line);
            if applied { view } else { view.rehearsed() }
        });
    faulty.chain(planned).collect()
}
