//! `POST /v1/import`: many records at once, like `verbund import` on the command line.

use crate::http::problem::{Code, ItemProblem, Problem, ProblemField};
use crate::operation::disappearing::{
    CONFIRM_REMOVALS, RecordKey, RemovedMember, UPDATE, WAIT, searchable,
};
use crate::operation::extract::{
    App, ChangeReason, DRY_RUN, Importer, Pairs, Parameter, Parameters, Query, Told,
};
use crate::operation::param;
use crate::operation::param::Known;
use crate::operation::reply::Private;
use crate::operation::routes::Routes;
use crate::operation::upload::{Limits, Reading, Upload};
use actix_web::http::Method;
use domain::base::fault::Lang;
use domain::base::kind::Kind;
use domain::base::vocabulary::Coded;
use domain::exchange::line::Update;
use persistence::StoreError;
use persistence::load::{Import, Imported, LoadMode};
use persistence::push::MAX_ITEMS;
use persistence::transaction::WriteOptions;
use persistence::write::outcome::Change;
use serde::Serialize;
use serde_json::{Value, json};
use utoipa::ToSchema;

const MAX_TOLD: usize = 100;

#[must_use]
pub fn routes() -> Routes {
    let names = ("import", "Create and replace many records: NDJSON or CSV");
    let problems = &[Code::RemovalThresholdExceeded];
    Routes::new("Export").route(Method::POST, "/v1/import", names, problems, import)
}

struct How {
    dry_run: bool,
    kinds: Vec<Kind>,
    update: Option<Update>,
    confirm_removals: bool,
    wait: bool,
}

const KIND: Parameter = param::codes(
    "kind",
    "The kinds of records that may be in it, with commas; all when absent. A table is of one kind and tells it in its column `kind`, if not here.",
    Known::Of(param::of::<Kind>),
)
.example("actor");

impl Parameters for How {
    fn table(_: Option<Kind>) -> &'static [Parameter] {
        &[DRY_RUN, KIND, UPDATE, CONFIRM_REMOVALS, WAIT]
    }

    fn read(pairs: &Pairs) -> Result<Self, Problem> {
        Ok(Self {
            dry_run: pairs.flag(&DRY_RUN),
            kinds: pairs.codes(KIND.name).concat(),
            update: pairs.one(UPDATE.name).and_then(Update::parse),
            confirm_removals: pairs.flag(&CONFIRM_REMOVALS),
            wait: pairs.one(WAIT.name) != Some("false"),
        })
    }
}

/// Outcomes of an import.
#[derive(Debug, Default, Serialize, ToSchema)]
#[schema(example = json!({"dry_run": false, "searchable": true, "lines": 3, "created": 1, "updated": 1, "overwritten": 1, "unchanged": 0, "failed": 1, "removed": [{"kind": "actor", "member": "contact.phone", "records": 1, "examples": [{"line": 2, "id": "0193e5a0-0000-7000-8000-000000000000"}]}], "blocked_by": [], "new_keys": [{"kind": "actor", "external_id": "42"}], "errors": [{"line": 3, "problem": {"type": "/problems/validation-failed", "title": "The body is not valid", "status": 422, "detail": "One error in the body must be corrected; see `errors`.", "errors": [{"pointer": "/name", "code": "required", "message": "is required"}]}}], "warnings": []}))]
struct ImportReport {
    /// Whether this was a dry run.
    dry_run: bool,
    /// Whether everything that was written is in lists, searches and exports; absent in a dry run.
    #[serde(skip_serializing_if = "Option::is_none")]
    searchable: Option<bool>,
    /// Position of the write, if it is not searchable yet.
    #[serde(skip_serializing_if = "Option::is_none")]
    position: Option<String>,
    /// Number of lines.
    lines: u64,
    /// Number of created records.
    created: u64,
    /// Number of updated records.
    updated: u64,
    /// Number of these that gave no version, so that a change by others may be lost.
    overwritten: u64,
    /// Number of unchanged records.
    unchanged: u64,
    /// Number of rejected lines.
    failed: u64,
    /// Members that records lose.
    removed: Vec<RemovedMember>,
    /// Codes of the problems that would prevent the import, in a dry run.
    blocked_by: Vec<&'static str>,
    /// First 100 keys of new records.
    new_keys: Vec<RecordKey>,
    /// First 100 rejected lines.
    errors: Vec<RefusedLine>,
    /// First 100 lines that were accepted although something is probably wrong.
    warnings: Vec<WarnedLine>,
}

/// Rejected line.
#[derive(Debug, Serialize, ToSchema)]
struct RefusedLine {
    /// Number of the line, from 1.
    line: u64,
    /// Problem document, as for a single write.
    #[schema(value_type = ItemProblem)]
    problem: Value,
}

/// Line that was accepted although something is probably wrong.
#[derive(Debug, Serialize, ToSchema)]
struct WarnedLine {
    /// Number of the line, from 1.
    line: u64,
    /// Warnings of the line.
    warnings: Vec<ProblemField>,
}

async fn import(
    app: App,
    Importer(caller): Importer,
    Query(how): Query<How>,
    ChangeReason(reason): ChangeReason,
    Told(lang): Told,
    upload: Upload,
) -> Result<Private<ImportReport>, Problem> {
    let reading = Reading {
        limits: Limits::OF_REQUESTS,
        kinds: how.kinds,
        by_kind: false,
        update: how.update,
    };
    let spool = upload.spool(reading).await?;
    let options = WriteOptions {
        dry_run: how.dry_run,
        reason,
        bulk: spool.lines > MAX_ITEMS as u64,
    };
    let mut report = ImportReport {
        dry_run: how.dry_run,
        lines: spool.lines + spool.faulty,
        failed: spool.faulty,
        ..ImportReport::default()
    };
    for faulty in &spool.told {
        report.refuse(
            faulty.line,
            StoreError::Invalid(faulty.errors.clone()),
            lang,
        );
    }
    let read = async |at, most| spool.lines(None, at, most).await;
    let note = |imported| report.note(imported, lang);
    let import = Import {
        mode: LoadMode::Upsert,
        confirm_removals: how.confirm_removals,
    };
    let imports = app.store.imports();
    let (removals, applied) = imports.run(&caller, import, &options, read, note).await?;
    if !applied {
        return Err(Problem::new(Code::RemovalThresholdExceeded)
            .member("records", json!(spool.lines))
            .list("removed", RemovedMember::all(removals)));
    }
    if how.dry_run && !how.confirm_removals && removals.are_many(spool.lines) {
        report
            .blocked_by
            .push(Code::RemovalThresholdExceeded.as_str());
    }
    report.removed = RemovedMember::all(removals);
    if !how.dry_run {
        let (searchable, position) = searchable(&app, how.wait).await;
        (report.searchable, report.position) = (Some(searchable), position);
    }
    // Unreadable lines were reported first.
    report.errors.sort_by_key(|one| one.line);
    report.errors.truncate(MAX_TOLD);
    Ok(Private::new(report))
}

impl ImportReport {
    fn note(&mut self, imported: Imported, lang: Lang) {
        let line = imported.line;
        let applied = match imported.outcome.0 {
            Ok(applied) => applied,
            Err(why) => {
                self.failed += 1;
                return self.refuse(line, why, lang);
            }
        };
        match applied.change {
            Some(Change::Created) => {
                self.created += 1;
                if let (Some(kind), Some(external_id), true) = (
                    imported.kind,
                    imported.external_id,
                    self.new_keys.len() < MAX_TOLD,
                ) {
                    self.new_keys.push(RecordKey { kind, external_id });
                }
            }
            Some(Change::Updated { overwritten, .. }) => {
                self.updated += 1;
                self.overwritten += u64::from(overwritten);
            }
            Some(Change::Deleted { .. }) | None => self.unchanged += 1,
        }
        if !applied.warnings.is_empty() && self.warnings.len() < MAX_TOLD {
            let warnings = ProblemField::all(&applied.warnings, lang);
            self.warnings.push(WarnedLine { line, warnings });
        }
    }

    fn refuse(&mut self, line: u64, why: StoreError, lang: Lang) {
        // The first in the file are kept, whichever stage refused them.
        if self.errors.len() < 2 * MAX_TOLD {
            let problem = Problem::from(why).of_item(lang);
            self.errors.push(RefusedLine { line, problem });
        }
    }
}
