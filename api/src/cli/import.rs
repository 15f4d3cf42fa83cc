//! `verbund import`: lines or a table in, a report line for each line out.

use crate::cli::context::{Failure, complain, say};
use crate::http::problem::Problem;
use crate::operation::upload::{self, Form, Limits, Reading, Spool};
use clap::{Args, ValueEnum};
use domain::access::rules::Caller;
use domain::base::fault::Lang;
use domain::base::json::insert;
use domain::base::kind::Kind;
use domain::base::vocabulary::Coded;
use domain::exchange::line::Update;
use indicatif::{ProgressBar, ProgressStyle};
use persistence::load::{Imported, LoadMode};
use persistence::transaction::WriteOptions;
use persistence::write::outcome::Change;
use persistence::{Store, StoreError};
use serde_json::{Value, json};
use std::io::{BufRead, BufReader, IsTerminal};
use std::iter::Peekable;
use std::path::{Path, PathBuf};

#[derive(Debug, Args)]
pub(super) struct Import {
    /// File, or - for standard input
    file: PathBuf,
    /// Format of the file; by default a table if its name ends in .csv
    #[arg(long, value_enum)]
    format: Option<Format>,
    /// Kind of the records, if they do not state it
    #[arg(long, value_parser = crate::cli::export::kind)]
    kind: Option<Kind>,
    /// Whether a line changes a record or replaces it; by default, rows of tables change it
    #[arg(long, value_parser = update)]
    update: Option<Update>,
    /// Remove members from more than 20 records and more than one in twenty
    #[arg(long)]
    confirm_removals: bool,
    /// Leave existing records unchanged
    #[arg(long)]
    create_missing: bool,
    /// Check everything and report the outcome, but write nothing
    #[arg(long)]
    dry_run: bool,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Format {
    /// One record per line
    Ndjson,
    /// A table of one kind
    Csv,
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
    let spool = spool(import)?;
    let progress = progress(spool.lines);
    let mut tally = Tally {
        failed: spool.faulty,
        ..Tally::default()
    };
    let mut unreadable = spool.told.iter().peekable();
    let read = async |at, most| spool.lines(None, at, most).await;
    let report = |imported: Imported| {
        progress.inc(1);
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

fn spool(import: &Import) -> Result<Spool, Failure> {
    let table = import.format.map_or_else(
        || is_table(&import.file),
        |format| matches!(format, Format::Csv),
    );
    let form = if table { Form::Table } else { Form::Lines };
    let reading = Reading {
        limits: Limits::OF_COMMANDS,
        kinds: import.kind.into_iter().collect(),
        by_kind: false,
        update: import.update,
    };
    let read = upload::read(open(&import.file)?, form, reading);
    read.map_err(|problem| Failure::Told(problem.document(Lang::En, "", "").to_string()))
}

fn is_table(file: &Path) -> bool {
    let extension = file.extension().unwrap_or_default();
    extension.eq_ignore_ascii_case("csv")
}

fn open(file: &Path) -> Result<Box<dyn BufRead>, Failure> {
    if file.as_os_str() == "-" {
        return Ok(Box::new(BufReader::new(std::io::stdin())));
    }
    let opened = std::fs::File::open(file);
    let opened = opened.map_err(|why| Failure::Io(file.display().to_string(), why))?;
    Ok(Box::new(BufReader::new(opened)))
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
