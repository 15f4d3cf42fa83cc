//! `POST /v1/import`: many records at once, like `verbund import` on the command line.

use crate::http::problem::{ItemProblem, Problem, ProblemField};
use crate::operation::extract::{
    App, ChangeReason, DRY_RUN, Importer, Pairs, Parameter, Parameters, Query, Told,
};
use crate::operation::param;
use crate::operation::param::Known;
use crate::operation::reply::Private;
use crate::operation::routes::Routes;
use crate::operation::upload::{Spool, Upload};
use actix_web::http::Method;
use domain::access::rules::Caller;
use domain::base::fault::Lang;
use domain::base::kind::Kind;
use persistence::StoreError;
use persistence::load::{CHUNK, LoadMode, Loaded};
use persistence::push::MAX_ITEMS;
use persistence::transaction::{Transaction, WriteOptions};
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;

const MAX_TOLD: usize = 100;

#[must_use]
pub fn routes() -> Routes {
    let names = ("import", "Create and replace many records: NDJSON or CSV");
    Routes::new("Export").route(Method::POST, "/v1/import", names, &[], import)
}

struct How {
    dry_run: bool,
    kinds: Vec<Kind>,
}

const KIND: Parameter = param::codes(
    "kind",
    "The kinds of records that may be in it, with commas; all when absent. A table is of one kind and tells it in its column `kind`, if not here.",
    Known::Of(param::of::<Kind>),
)
.example("actor");

impl Parameters for How {
    fn table(_: Option<Kind>) -> &'static [Parameter] {
        &[DRY_RUN, KIND]
    }

    fn read(pairs: &Pairs) -> Result<Self, Problem> {
        Ok(Self {
            dry_run: pairs.flag(&DRY_RUN),
            kinds: pairs.codes(KIND.name).concat(),
        })
    }
}

/// Outcomes of an import.
#[derive(Debug, Default, Serialize, ToSchema)]
#[schema(example = json!({"dry_run": false, "lines": 3, "created": 1, "updated": 1, "overwritten": 1, "unchanged": 0, "failed": 1, "errors": [{"line": 3, "problem": {"type": "/problems/validation-failed", "title": "The body is not valid", "status": 422, "detail": "One error in the body must be corrected; see `errors`.", "errors": [{"pointer": "/name", "code": "required", "message": "is required"}]}}], "warnings": []}))]
struct ImportReport {
    /// Whether this was a dry run.
    dry_run: bool,
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
    let spool = upload.spool(how.kinds, false).await?;
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
    if how.dry_run {
        // In one transaction, so that a line may reference one before it.
        let rehearsal = async |tx: &mut Transaction<'_>| {
            let (mut part, mut at) = (ImportReport::default(), 0);
            while let Some(next) = chunk(tx, &spool, at, &mut part, lang).await? {
                at = next;
            }
            Ok(part)
        };
        report.add(app.store.write(&caller, &options, rehearsal).await?);
    } else {
        in_chunks(&app, &caller, (&spool, lang), &options, &mut report).await?;
    }
    Ok(Private::new(report))
}

async fn in_chunks(
    app: &App,
    caller: &Caller,
    (spool, lang): (&Spool, Lang),
    options: &WriteOptions,
    report: &mut ImportReport,
) -> Result<(), Problem> {
    let mut at = 0;
    loop {
        let one = async |tx: &mut Transaction<'_>| {
            let mut part = ImportReport::default();
            let next = chunk(tx, spool, at, &mut part, lang).await?;
            Ok((part, next))
        };
        let (part, next) = app.store.write(caller, options, one).await?;
        report.add(part);
        match next {
            Some(next) => at = next,
            None => return Ok(()),
        }
    }
}

/// Imports the lines from a position on, and returns the next position; `None` at the end.
async fn chunk(
    tx: &mut Transaction<'_>,
    spool: &Spool,
    at: u64,
    report: &mut ImportReport,
    lang: Lang,
) -> persistence::Result<Option<u64>> {
    let (lines, next) = spool.lines(None, at, CHUNK).await?;
    if lines.is_empty() {
        return Ok(None);
    }
    let (numbers, records): (Vec<_>, Vec<_>) = lines
        .into_iter()
        .map(|line| (line.number, line.record))
        .unzip();
    let loaded = tx.imports().load(records, LoadMode::Upsert).await?;
    for (line, outcome) in numbers.into_iter().zip(loaded) {
        report.note(line, outcome, lang);
    }
    Ok(Some(next))
}

impl ImportReport {
    fn note(&mut self, line: u64, outcome: Loaded, lang: Lang) {
        let saved = match outcome {
            Loaded::Created(saved) => {
                self.created += 1;
                saved
            }
            Loaded::Updated { saved, overwritten } => {
                self.updated += 1;
                self.overwritten += u64::from(overwritten);
                saved
            }
            Loaded::Unchanged(_) => {
                self.unchanged += 1;
                return;
            }
            Loaded::Refused(why) => {
                self.failed += 1;
                return self.refuse(line, why, lang);
            }
        };
        if !saved.warnings.is_empty() && self.warnings.len() < MAX_TOLD {
            let warnings = ProblemField::all(&saved.warnings, lang);
            self.warnings.push(WarnedLine { line, warnings });
        }
    }

    fn add(&mut self, part: Self) {
        self.created += part.created;
        self.updated += part.updated;
        self.overwritten += part.overwritten;
        self.unchanged += part.unchanged;
        self.failed += part.failed;
        self.errors.extend(part.errors);
        // Unreadable lines were reported first.
        self.errors.sort_by_key(|one| one.line);
        self.errors.truncate(MAX_TOLD);
        self.warnings.extend(part.warnings);
        self.warnings.truncate(MAX_TOLD);
    }

    fn refuse(&mut self, line: u64, why: StoreError, lang: Lang) {
        if self.errors.len() < MAX_TOLD {
            let problem = Problem::from(why).of_item(lang);
            self.errors.push(RefusedLine { line, problem });
        }
    }
}
