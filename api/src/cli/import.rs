//! `verbund import`: lines or a table in, a report line for each line out.

use crate::cli::context::{Failure, complain, say};
use crate::http::problem::Problem;
use crate::operation::upload::{
    self, Annotations, Form, Limits, Mapping, Options, Reading, Spool, stored_mapping,
};
use clap::Args;
use domain::access::rules::Caller;
use domain::base::fault::Lang;
use domain::base::json::insert;
use domain::base::kind::Kind;
use domain::base::vocabulary::Coded;
use domain::exchange::line::Update;
use encoding_rs::Encoding;
use indicatif::{ProgressBar, ProgressStyle};
use persistence::load::{Imported, LoadMode};
use persistence::transaction::WriteOptions;
use persistence::write::outcome::Change;
use persistence::{Store, StoreError};
use serde_json::{Value, json};
use std::fs::File;
use std::io::IsTerminal;
use std::iter::Peekable;
use std::path::{Path, PathBuf};

#[derive(Debug, Args)]
pub(super) struct Import {
    /// File, or - for standard input
    file: PathBuf,
    /// Format of the file: ndjson, json, csv, tsv, xlsx or ods; by default, the ending of its name
    #[arg(long, value_parser = form)]
    format: Option<Form>,
    /// Kind of the records, if they do not state it
    #[arg(long, value_parser = crate::cli::export::kind)]
    kind: Option<Kind>,
    /// Whether a line changes a record or replaces it; by default, rows of tables change it
    #[arg(long, value_parser = update)]
    update: Option<Update>,
    /// Remove members from more than 20 records and more than one in twenty
    #[arg(long)]
    confirm_removals: bool,
    /// Encoding of a table as text, such as windows-1252 or macintosh; by default it is found
    #[arg(long, value_parser = charset)]
    charset: Option<&'static Encoding>,
    /// Sheet of a workbook with the table
    #[arg(long)]
    sheet: Option<String>,
    /// JSON file that tells what the columns of a table are: {"columns": {…}, "values": {…}}
    #[arg(long, conflicts_with = "source")]
    columns: Option<PathBuf>,
    /// System whose stored columns tell what the columns of a table are; needs --kind
    #[arg(long, requires = "kind")]
    source: Option<String>,
    /// `urls`: give https:// to addresses on the web that lack it
    #[arg(long, value_parser = ["urls"])]
    fix: Vec<String>,
    /// `members`: leave out an invalid value of a table instead of its row
    #[arg(long, value_parser = ["members"])]
    skip_invalid: Option<String>,
    /// Write the table to this XLSX file, with its faulty cells coloured and commented
    #[arg(long)]
    report: Option<PathBuf>,
    /// Leave existing records unchanged
    #[arg(long)]
    create_missing: bool,
    /// Check everything and report the outcome, but write nothing
    #[arg(long)]
    dry_run: bool,
}

#[derive(Debug, Default)]
struct Tally {
    created: usize,
    updated: usize,
    overwritten: usize,
    unchanged: usize,
    failed: u64,
}

pub(super) async fn run(store: &Store, import: &Import) -> Result<(), Failure> {
    let mode = if import.create_missing {
        LoadMode::CreateMissing
    } else {
        LoadMode::Upsert
    };
    let options = WriteOptions {
        dry_run: import.dry_run,
        ..WriteOptions::default()
    };
    let mut spool = spool(store, import).await?;
    let kept = spool.kept.take();
    let mut annotations = Annotations::default();
    for faulty in &spool.told {
        annotations.refuse(faulty.line, &faulty.errors, Lang::De);
    }
    report_table(&spool);
    let progress = progress(spool.lines);
    let mut tally = Tally {
        failed: spool.faulty,
        ..Tally::default()
    };
    let mut unreadable = spool.told.iter().peekable();
    let read = async |at, most| spool.lines(None, at, most).await;
    let report = |imported: Imported| {
        progress.inc(1);
        match &imported.outcome.0 {
            Ok(applied) => annotations.warn(imported.line, &applied.warnings, Lang::De),
            Err(StoreError::Invalid(errors)) => annotations.refuse(imported.line, errors, Lang::De),
            Err(why) => annotations.refuse_line(imported.line, why.to_string()),
        }
        report_unreadable(&mut unreadable, imported.line);
        say(&report(imported, &mut tally).to_string());
    };
    let caller = Caller::node();
    let imports = store.imports();
    let how = persistence::load::Import {
        mode,
        confirm_removals: import.confirm_removals,
    };
    let (removals, applied) = imports.run(&caller, how, &options, read, report).await?;
    report_unreadable(&mut unreadable, u64::MAX);
    progress.finish_and_clear();
    let many = removals.are_many(spool.lines) && !import.confirm_removals;
    for ((kind, member), removed) in &removals.members {
        let lines = removed.examples.iter().map(|(line, _)| line.to_string());
        let lines: Vec<_> = lines.collect();
        complain(&format!(
            "{} of {} {} removed, in line {}",
            member,
            removed.records,
            kind.plural(),
            lines.join(", ")
        ));
    }
    if many {
        complain(
            "more than one in twenty records would lose members: nothing was written; check the list above, and add --confirm-removals if it is right",
        );
    }
    if !applied {
        return Err(Failure::Silent);
    }
    if let (Some(rows), Some(path)) = (kept, &import.report) {
        let results = [
            ("angelegt", tally.created as u64),
            ("geändert", tally.updated as u64),
            ("unverändert", tally.unchanged as u64),
            ("abgelehnt", tally.failed),
        ];
        let made = annotations.workbook(rows, &results, Lang::De);
        let mut made =
            made.map_err(|problem| Failure::Told(problem.document(Lang::En, "", "").to_string()))?;
        let broken = |why| Failure::Io(path.display().to_string(), why);
        let mut file = File::create(path).map_err(broken)?;
        std::io::copy(&mut made, &mut file).map_err(broken)?;
    }
    complain(&format!(
        "{}{} created, {} updated ({} overwritten without a version), {} unchanged, {} failed",
        if import.dry_run { "dry run: " } else { "" },
        tally.created,
        tally.updated,
        tally.overwritten,
        tally.unchanged,
        tally.failed
    ));
    if tally.failed > 0 {
        return Err(Failure::Silent);
    }
    Ok(())
}

fn update(given: &str) -> Result<Update, String> {
    Update::parse(given).ok_or_else(|| "patch or replace".to_owned())
}

fn form(given: &str) -> Result<Form, String> {
    let known: Vec<&str> = Form::extensions().collect();
    Form::of_extension(given).ok_or_else(|| format!("one of {}", known.join(", ")))
}

fn charset(given: &str) -> Result<&'static Encoding, String> {
    let known = "one such as utf-8, windows-1252, utf-16le or macintosh";
    upload::charset(given).map_err(|_| known.to_owned())
}

async fn spool(store: &Store, import: &Import) -> Result<Spool, Failure> {
    let extension = import.file.extension().and_then(|one| one.to_str());
    let by_name = || Form::of_extension(extension.unwrap_or_default());
    let form = import.format.or_else(by_name).unwrap_or(Form::Lines);
    let kinds: Vec<Kind> = import.kind.into_iter().collect();
    let mut reading = Reading::new(Limits::OF_COMMANDS, kinds);
    reading.update = import.update;
    reading.options = Options {
        charset: import.charset,
        sheet: import.sheet.clone(),
        fix_urls: !import.fix.is_empty(),
        skip_invalid: import.skip_invalid.is_some(),
    };
    reading.keeps_rows = import.report.is_some();
    reading.mapping = mapping(store, import).await?;
    let file = open(&import.file)?;
    let read = tokio::task::spawn_blocking(move || upload::read(file, form, reading));
    let read = read.await.map_err(|why| Failure::Told(why.to_string()))?;
    read.map_err(|problem| Failure::Told(problem.document(Lang::En, "", "").to_string()))
}

async fn mapping(store: &Store, import: &Import) -> Result<Mapping, Failure> {
    if let (Some(source), Some(kind)) = (&import.source, import.kind) {
        return Ok(stored_mapping(store, source, &[kind]).await?);
    }
    let Some(path) = &import.columns else {
        return Ok(Mapping::default());
    };
    let told = |why: String| Failure::Told(format!("{}: {why}", path.display()));
    let text = std::fs::read(path).map_err(|why| told(why.to_string()))?;
    let mapping: Mapping = serde_json::from_slice(&text).map_err(|why| told(why.to_string()))?;
    let wrong = import
        .kind
        .map(|kind| mapping.violations(kind))
        .unwrap_or_default();
    match wrong.first() {
        Some(error) => Err(told(format!(
            "{}: {}",
            error.pointer,
            error.fault.message(Lang::En)
        ))),
        None => Ok(mapping),
    }
}

/// Tells how a table was read.
fn report_table(spool: &Spool) {
    let Some(table) = &spool.table else { return };
    let how = [
        table.sheet.as_ref().map(|sheet| format!("sheet {sheet}")),
        table.encoding.map(str::to_owned),
        table
            .separator
            .map(|separator| format!("separator {separator:?}")),
        Some(format!("heading in row {}", table.heading)),
    ];
    let how: Vec<String> = how.into_iter().flatten().collect();
    complain(&format!("table: {}", how.join(", ")));
    if !table.skipped.is_empty() {
        let rows: Vec<String> = table.skipped.iter().map(u64::to_string).collect();
        complain(&format!("no records: row {}", rows.join(", ")));
    }
    for column in table
        .columns
        .iter()
        .filter(|column| column.member.is_none())
    {
        let why = column.reason.map_or("", |reason| reason.labels().en);
        complain(&format!(
            "column {} \"{}\" left out: {why}",
            column.letter, column.heading
        ));
    }
}

/// The file, or a copy of standard input: a table is read several times.
fn open(file: &Path) -> Result<File, Failure> {
    let broken = |why| Failure::Io(file.display().to_string(), why);
    if file.as_os_str() == "-" {
        return upload::copied(std::io::stdin().lock()).map_err(broken);
    }
    File::open(file).map_err(broken)
}

fn progress(lines: u64) -> ProgressBar {
    if !std::io::stderr().is_terminal() {
        return ProgressBar::hidden();
    }
    let style = ProgressStyle::with_template("{bar:40} {pos} of {len} {per_sec} {eta}");
    let bar = ProgressBar::new(lines);
    match style {
        Ok(style) => bar.with_style(style),
        Err(_) => bar,
    }
}

/// Reports the unreadable lines before a line.
fn report_unreadable<'a>(
    unreadable: &mut Peekable<impl Iterator<Item = &'a upload::Faulty>>,
    line: u64,
) {
    while let Some(one) = unreadable.next_if(|one| one.line < line) {
        let why = StoreError::Invalid(one.errors.clone());
        say(&failed(one.line, why).to_string());
    }
}

fn failed(line: u64, why: StoreError) -> Value {
    let problem = Problem::from(why).of_item(Lang::En);
    json!({"line": line, "status": "failed", "problem": problem})
}

fn report(imported: Imported, tally: &mut Tally) -> Value {
    let (line, status) = (imported.line, imported.outcome.status());
    let applied = match imported.outcome.0 {
        Ok(applied) => applied,
        Err(why) => {
            tally.failed += 1;
            return failed(line, why);
        }
    };
    let kind = imported.kind.map(Kind::code);
    let mut told = json!({"line": line, "status": status.code(), "kind": kind, "id": applied.id});
    match applied.change {
        Some(Change::Created) => tally.created += 1,
        Some(Change::Updated { overwritten, .. }) => {
            tally.updated += 1;
            tally.overwritten += usize::from(overwritten);
            insert(&mut told, &["overwritten"], overwritten);
        }
        Some(Change::Deleted { .. }) | None => {
            tally.unchanged += 1;
            return told;
        }
    }
    insert(&mut told, &["warnings"], warnings(&applied.warnings));
    told
}

fn warnings(found: &[domain::base::fault::FieldError]) -> Vec<Value> {
    let each = found.iter().map(|one| {
        json!({"pointer": one.pointer, "code": one.fault.code, "message": one.fault.message(Lang::En)})
    });
    each.collect()
}
