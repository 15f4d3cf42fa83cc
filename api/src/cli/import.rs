//! `verbund import`: NDJSON in, a report line for each line out.

use crate::cli::context::{Failure, complain, say};
use crate::http::problem::Problem;
use clap::Args;
use domain::access::rules::Caller;
use domain::base::fault::Lang;
use indicatif::{ProgressBar, ProgressStyle};
use persistence::Store;
use persistence::load::{CHUNK, LoadMode, Loaded};
use persistence::transaction::WriteOptions;
use serde_json::{Value, json};
use std::io::{BufRead, IsTerminal};
use std::path::{Path, PathBuf};

#[derive(Debug, Args)]
pub(super) struct Import {
    /// File, or - for standard input
    file: PathBuf,
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
    failed: usize,
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
    let (reader, bytes) = input(&import.file)?;
    let progress = progress(bytes);
    let mut tally = Tally::default();
    let mut chunk: Vec<(usize, String)> = Vec::with_capacity(CHUNK);
    for (index, line) in reader.lines().enumerate() {
        let line = line.map_err(|why| Failure::Io(import.file.display().to_string(), why))?;
        progress.inc(line.len() as u64 + 1);
        if !line.trim().is_empty() {
            chunk.push((index + 1, line));
        }
        if chunk.len() == CHUNK {
            load(store, &mut chunk, mode, &options, &mut tally).await?;
        }
    }
    load(store, &mut chunk, mode, &options, &mut tally).await?;
    progress.finish_and_clear();
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

fn input(file: &Path) -> Result<(Box<dyn BufRead>, Option<u64>), Failure> {
    if file.as_os_str() == "-" {
        return Ok((Box::new(std::io::BufReader::new(std::io::stdin())), None));
    }
    let name = file.display().to_string();
    let opened = std::fs::File::open(file).map_err(|why| Failure::Io(name, why))?;
    let bytes = opened.metadata().ok().map(|data| data.len());
    Ok((Box::new(std::io::BufReader::new(opened)), bytes))
}

fn progress(bytes: Option<u64>) -> ProgressBar {
    match bytes {
        Some(bytes) if std::io::stderr().is_terminal() => {
            let style = ProgressStyle::with_template("{bar:40} {percent}% {bytes_per_sec} {eta}");
            let bar = ProgressBar::new(bytes);
            match style {
                Ok(style) => bar.with_style(style),
                Err(_) => bar,
            }
        }
        Some(_) | None => ProgressBar::hidden(),
    }
}

async fn load(
    store: &Store,
    chunk: &mut Vec<(usize, String)>,
    mode: LoadMode,
    options: &WriteOptions,
    tally: &mut Tally,
) -> Result<(), Failure> {
    let lines: Vec<&str> = chunk.iter().map(|(_, line)| line.as_str()).collect();
    let outcomes = store
        .imports()
        .load(&Caller::node(), &lines, mode, options)
        .await?;
    for ((number, _), outcome) in chunk.iter().zip(outcomes) {
        say(&report(*number, outcome, tally).to_string());
    }
    chunk.clear();
    Ok(())
}

fn report(line: usize, outcome: Loaded, tally: &mut Tally) -> Value {
    match outcome {
        Loaded::Created(saved) => {
            tally.created += 1;
            json!({"line": line, "status": "created", "kind": saved.row.kind, "id": saved.row.id, "warnings": warnings(&saved.warnings)})
        }
        Loaded::Updated { saved, overwritten } => {
            tally.updated += 1;
            tally.overwritten += usize::from(overwritten);
            json!({"line": line, "status": "updated", "kind": saved.row.kind, "id": saved.row.id, "overwritten": overwritten, "warnings": warnings(&saved.warnings)})
        }
        Loaded::Unchanged(id) => {
            tally.unchanged += 1;
            json!({"line": line, "status": "unchanged", "id": id})
        }
        Loaded::Refused(why) => {
            tally.failed += 1;
            let problem = Problem::from(why).of_item(Lang::En);
            json!({"line": line, "status": "failed", "problem": problem})
        }
    }
}

fn warnings(found: &[domain::base::fault::FieldError]) -> Vec<Value> {
    let each = found.iter().map(|one| {
        json!({"pointer": one.pointer, "code": one.fault.code, "message": one.fault.message(Lang::En)})
    });
    each.collect()
}
