//! `POST /v1/import`: many records at once, like `verbund import` on the command line.

use crate::formats::{Json, Xlsx};
use crate::http::problem::{Code, ItemProblem, Problem, ProblemField};
use crate::operation::disappearing::{
    CONFIRM_REMOVALS, RecordKey, RemovedMember, UPDATE, WAIT, searchable,
};
use crate::operation::extract::{
    App, ChangeReason, DRY_RUN, Importer, Pairs, Parameter, Parameters, Query, Told, wrong,
};
use crate::operation::param;
use crate::operation::param::Known;
use crate::operation::reply::{Private, content};
use crate::operation::routes::{Draft, Reply, Routes};
use crate::operation::upload::{
    Annotations, CHARSET, FIX, Limits, Options, Reading, SHEET, TableView, Upload, ValuesView,
    stored_mapping,
};
use actix_web::body::BoxBody;
use actix_web::http::{Method, header};
use actix_web::web::Bytes;
use actix_web::{HttpRequest, HttpResponse, Responder};
use domain::base::fault::Lang;
use domain::base::json::insert;
use domain::base::kind::Kind;
use domain::base::vocabulary::Coded;
use domain::exchange::line::Update;
use persistence::StoreError;
use persistence::load::{Import, Imported, LoadMode};
use persistence::push::MAX_ITEMS;
use persistence::transaction::WriteOptions;
use persistence::write::outcome::Change;
use persistence::write::readings::Readings;
use serde::Serialize;
use serde_json::{Value, json};
use std::fs::File;
use std::io::Read;
use utoipa::ToSchema;

const MAX_TOLD: usize = 100;

#[must_use]
pub fn routes() -> Routes {
    let names = (
        "import",
        "Create and replace many records: NDJSON, CSV, XLSX or ODS",
    );
    let problems = &[Code::RemovalThresholdExceeded];
    Routes::new("Export").route(Method::POST, "/v1/import", names, problems, import)
}

const SKIP_INVALID: Parameter = param::code(
    "skip_invalid",
    "`members`: a value in a table that is invalid is left out, instead of its row: the stored one stays, and the report says so.",
    Known::These(&["members"]),
);

const ANNOTATED: Parameter = param::flag(
    "annotated",
    "Whether to answer with a workbook (XLSX): the table with its faulty cells coloured and commented, and the numbers on the first sheet. Tables only.",
);

const SOURCE: Parameter = param::text(
    "source",
    "System whose stored `columns` tell what the columns of the table mean; needs a single `kind`.",
)
.max(63);

#[expect(
    clippy::struct_excessive_bools,
    reason = "each is a parameter of its own"
)]
struct How {
    dry_run: bool,
    source: Option<String>,
    /// Whether the answer is the table with comments, instead of JSON.
    annotated: bool,
    options: Options,
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
        &[
            DRY_RUN,
            KIND,
            UPDATE,
            CONFIRM_REMOVALS,
            WAIT,
            SKIP_INVALID,
            SOURCE,
            ANNOTATED,
            CHARSET,
            SHEET,
            FIX,
        ]
    }

    fn read(pairs: &Pairs) -> Result<Self, Problem> {
        Ok(Self {
            dry_run: pairs.flag(&DRY_RUN),
            source: pairs.one(SOURCE.name).map(str::to_owned),
            annotated: pairs.flag(&ANNOTATED),
            options: Options::read(pairs)?,
            kinds: pairs.codes(KIND.name).concat(),
            update: pairs.one(UPDATE.name).and_then(Update::parse),
            confirm_removals: pairs.flag(&CONFIRM_REMOVALS),
            wait: pairs.one(WAIT.name) != Some("false"),
        })
    }
}

/// Outcomes of an import.
#[derive(Debug, Default, Serialize, ToSchema)]
#[schema(example = json!({"dry_run": false, "searchable": true, "lines": 3, "created": 1, "updated": 1, "overwritten": 1, "unchanged": 0, "failed": 1, "removed": [{"kind": "actor", "member": "contact.phone", "records": 1, "examples": [{"line": 2, "id": "0193e5a0-0000-7000-8000-000000000000"}]}], "blocked_by": [], "new_keys": [{"kind": "actor", "external_id": "42"}], "errors": [{"line": 3, "problem": {"type": "/problems/validation-failed", "title": "The body is not valid", "status": 422, "detail": "One error in the body must be corrected; see `errors`.", "errors": [{"pointer": "/name", "code": "required", "message": "is required"}]}}], "warnings": [], "values": []}))]
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
    /// How the table was read; absent for records as JSON.
    #[serde(skip_serializing_if = "Option::is_none")]
    table: Option<TableView>,
    /// Values of accepted rows that were changed or left out while the table was read.
    values: Vec<ValuesView>,
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
) -> Result<ImportReply, Problem> {
    let limits = match (how.dry_run, how.annotated) {
        (true, false) => Limits::OF_DRY_RUNS,
        (true, true) => Limits::OF_DRY_WORKBOOKS,
        (false, true) => Limits::OF_WORKBOOKS,
        (false, false) => Limits::OF_IMPORTS,
    };
    let mut reading = Reading::new(limits, how.kinds);
    reading.keeps_rows = how.annotated;
    reading.update = how.update;
    reading.options = how.options;
    if let Some(source) = &how.source {
        reading.mapping = stored_mapping(&app.store, source, &reading.kinds).await?;
    }
    let mut spool = upload.spool(reading).await?;
    if how.annotated && spool.table.is_none() {
        let expected = ("given with a table", "nur mit einer Tabelle");
        return Err(wrong(ANNOTATED.name, "true", expected));
    }
    let mut annotations = Annotations::default();
    let options = WriteOptions {
        dry_run: how.dry_run,
        reason,
        bulk: spool.lines > MAX_ITEMS as u64,
    };
    let mut report = ImportReport {
        dry_run: how.dry_run,
        lines: spool.lines + spool.faulty,
        failed: spool.faulty,
        table: spool.table.clone().map(TableView::new),
        ..ImportReport::default()
    };
    let mut readings = Readings::default();
    for faulty in &spool.told {
        annotations.refuse(faulty.line, &faulty.errors, lang);
        report.refuse(
            faulty.line,
            StoreError::Invalid(faulty.errors.clone()),
            lang,
        );
    }
    let read = async |at, most| spool.lines(None, at, most).await;
    let note = |mut imported: Imported| {
        if how.annotated {
            annotate(&mut annotations, &imported, lang);
        }
        readings.take(&mut imported.outcome);
        report.note(imported, lang);
    };
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
    report.values = ValuesView::all(readings, lang);
    if !how.dry_run {
        let (searchable, position) = searchable(&app, how.wait).await;
        (report.searchable, report.position) = (Some(searchable), position);
    }
    // Unreadable lines were reported first.
    report.errors.sort_by_key(|one| one.line);
    report.errors.truncate(MAX_TOLD);
    if let Some(rows) = spool.kept.take() {
        return report.workbook(annotations, rows, lang).await;
    }
    Ok(ImportReply::Report(Box::new(Private::new(report))))
}

fn annotate(annotations: &mut Annotations, imported: &Imported, lang: Lang) {
    match &imported.outcome.0 {
        Ok(applied) => annotations.warn(imported.line, &applied.warnings, lang),
        Err(StoreError::Invalid(errors)) => annotations.refuse(imported.line, errors, lang),
        Err(why) => annotations.refuse_line(imported.line, why.to_string()),
    }
}

/// The outcomes of an import, as JSON or in a workbook.
enum ImportReply {
    Report(Box<Private<ImportReport>>),
    Workbook(Bytes),
}

impl Responder for ImportReply {
    type Body = BoxBody;

    fn respond_to(self, request: &HttpRequest) -> HttpResponse {
        match self {
            Self::Report(report) => report.respond_to(request),
            Self::Workbook(file) => HttpResponse::Ok()
                .insert_header((header::CACHE_CONTROL, "no-store"))
                .insert_header((
                    header::CONTENT_DISPOSITION,
                    "attachment; filename=\"import.xlsx\"",
                ))
                .content_type(Xlsx::MEDIA_TYPE)
                .body(file),
        }
    }
}

impl Reply for ImportReply {
    fn describe(draft: &mut Draft) {
        let schema = draft.schema::<ImportReport>();
        let mut response = content("The outcomes.", Json::MEDIA_TYPE, &schema);
        let workbook = json!({"schema": {"type": "string", "format": "binary"}});
        insert(&mut response, &["content", Xlsx::MEDIA_TYPE], workbook);
        let header = json!({"schema": {"type": "string"}});
        insert(&mut response, &["headers", "Cache-Control"], header);
        draft.response(200, response);
    }
}

impl ImportReport {
    async fn workbook(
        self,
        annotations: Annotations,
        rows: File,
        lang: Lang,
    ) -> Result<ImportReply, Problem> {
        let writing = tokio::task::spawn_blocking(move || {
            let results = match lang {
                Lang::En => [
                    ("lines", self.lines),
                    ("created", self.created),
                    ("updated", self.updated),
                    ("unchanged", self.unchanged),
                    ("failed", self.failed),
                ],
                Lang::De => [
                    ("Zeilen", self.lines),
                    ("angelegt", self.created),
                    ("geändert", self.updated),
                    ("unverändert", self.unchanged),
                    ("abgelehnt", self.failed),
                ],
            };
            let mut file = annotations.workbook(rows, &results, lang)?;
            let mut bytes = Vec::new();
            file.read_to_end(&mut bytes)
                .map_err(|why| Problem::of_file(&why))?;
            Ok(ImportReply::Workbook(Bytes::from(bytes)))
        });
        writing.await.map_err(|why| {
            tracing::error!(error = %why, "cannot write a workbook");
            Problem::new(Code::Internal)
        })?
    }

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
