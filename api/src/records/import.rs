//! `POST /v1/import`: many records at once, as `verbund import` takes them on the command line.

use crate::http::problem::{ItemProblem, Problem, ProblemField};
use crate::operation::extract::{
    App, ChangeReason, Importer, Pairs, Parameter, Parameters, Query, Told,
};
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
use persistence::unit::{Unit, WriteOptions};
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;

/// How many lines are told of.
const MAX_TOLD: usize = 100;

/// The route.
#[must_use]
pub fn routes() -> Routes {
    let names = ("import", "Create and replace many records: NDJSON or CSV");
    Routes::new("Export").route(Method::POST, "/v1/import", names, &[], import)
}

/// How an import is to be done.
struct How {
    dry_run: bool,
    kinds: Vec<Kind>,
}

impl Parameters for How {
    fn table(_: Option<Kind>) -> &'static [Parameter] {
        &[
            Parameter {
                name: "dry_run",
                description: "Check everything and answer as if, but write nothing.",
                schema: r#"{"type": "boolean", "default": false}"#,
                example: "true",
                repeatable: false,
            },
            Parameter {
                name: "kind",
                description: "The kinds of records that may be in it, with commas; all when absent. A table is of one kind and tells it in its column `kind`, if not here.",
                schema: r#"{"type": "string"}"#,
                example: "actor",
                repeatable: false,
            },
        ]
    }

    fn read(pairs: &Pairs) -> Result<Self, Problem> {
        Ok(Self {
            dry_run: pairs.flag("dry_run")?.unwrap_or(false),
            kinds: pairs.codes("kind")?.into_iter().flatten().collect(),
        })
    }
}

/// What became of the lines of an import.
#[derive(Debug, Default, Serialize, ToSchema)]
#[schema(example = json!({"dry_run": false, "lines": 3, "created": 1, "updated": 1, "overwritten": 1, "unchanged": 0, "invalid": 1, "refused": [{"line": 3, "problem": {"type": "/problems/validation-failed", "title": "The body is not valid", "status": 422, "detail": "One place in the body must be corrected; see `errors`.", "errors": [{"pointer": "/name", "code": "required", "message": "is required"}]}}], "warned": []}))]
struct ImportReport {
    /// Whether it was only rehearsed.
    dry_run: bool,
    /// How many lines there are.
    lines: u64,
    /// How many made a record.
    created: u64,
    /// How many changed one.
    updated: u64,
    /// How many of these gave no version, so that a change of somebody else may be lost.
    overwritten: u64,
    /// How many changed nothing.
    unchanged: u64,
    /// How many were refused.
    invalid: u64,
    /// The first 100 that were.
    refused: Vec<RefusedLine>,
    /// The first 100 that were accepted although something is likely wrong.
    warned: Vec<WarnedLine>,
}

/// A line that was refused.
#[derive(Debug, Serialize, ToSchema)]
struct RefusedLine {
    /// Its number, from 1.
    line: u64,
    /// Why: what a single write would be answered.
    #[schema(value_type = ItemProblem)]
    problem: Value,
}

/// A line that was accepted although something is likely wrong.
#[derive(Debug, Serialize, ToSchema)]
struct WarnedLine {
    /// Its number, from 1.
    line: u64,
    /// What.
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
        invalid: spool.faulty,
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
        // As one, so that a line may name one before it.
        let rehearsal = async |unit: &mut Unit<'_>| {
            let (mut part, mut at) = (ImportReport::default(), 0);
            while let Some(next) = chunk(unit, &spool, at, &mut part, lang).await? {
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

/// Loads all, a transaction for each chunk.
async fn in_chunks(
    app: &App,
    caller: &Caller,
    (spool, lang): (&Spool, Lang),
    options: &WriteOptions,
    report: &mut ImportReport,
) -> Result<(), Problem> {
    let mut at = 0;
    loop {
        let one = async |unit: &mut Unit<'_>| {
            let mut part = ImportReport::default();
            let next = chunk(unit, spool, at, &mut part, lang).await?;
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

/// Loads the lines from a place on, and answers the place after them; `None` at the end.
async fn chunk(
    unit: &mut Unit<'_>,
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
    let loaded = unit.load(records, LoadMode::Upsert).await?;
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
                self.invalid += 1;
                return self.refuse(line, why, lang);
            }
        };
        if !saved.warnings.is_empty() && self.warned.len() < MAX_TOLD {
            let warnings = ProblemField::all(&saved.warnings, lang);
            self.warned.push(WarnedLine { line, warnings });
        }
    }

    /// Takes in what became of further lines.
    fn add(&mut self, part: Self) {
        self.created += part.created;
        self.updated += part.updated;
        self.overwritten += part.overwritten;
        self.unchanged += part.unchanged;
        self.invalid += part.invalid;
        self.refused.extend(part.refused);
        // Lines that could not be read were told of first.
        self.refused.sort_by_key(|one| one.line);
        self.refused.truncate(MAX_TOLD);
        self.warned.extend(part.warned);
        self.warned.truncate(MAX_TOLD);
    }

    fn refuse(&mut self, line: u64, why: StoreError, lang: Lang) {
        if self.refused.len() < MAX_TOLD {
            let problem = Problem::from(why).of_item(lang);
            self.refused.push(RefusedLine { line, problem });
        }
    }
}
