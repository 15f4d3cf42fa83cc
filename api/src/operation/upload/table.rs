//! A table as records: any columns of an export, in any order.

use crate::http::problem::{Code, Problem};
use crate::operation::upload::limits::MAX_LINE;
use crate::operation::upload::lines::Lines;
use crate::operation::upload::spool::{Filling, too_long};
use csv::{ErrorKind, ReaderBuilder, StringRecord};
use domain::base::fault::{Fault, FaultCode, FieldError};
use domain::base::kind::Kind;
use domain::base::nearest::nearest;
use domain::base::vocabulary::Coded;
use domain::exchange::table::{Cells, Column, Heading, columns};
use domain::validation::upgrade::renamed;
use persistence::StoreError;
use std::io::BufRead;
use std::sync::Arc;

pub(crate) fn read(mut file: impl BufRead, filling: &mut Filling) -> Result<(), Problem> {
    let separator = separator(&mut file).map_err(|why| Problem::of_file(&why))?;
    let mut table = ReaderBuilder::new()
        .delimiter(separator)
        .from_reader(Lines::of(file));
    let headings = match table.headers() {
        Ok(headings) => headings.clone(),
        Err(why) => return Err(refused(unfit(malformed(why)?))),
    };
    if headings.as_slice().len() as u64 > MAX_LINE {
        return Err(refused(too_long()));
    }
    let mut row = StringRecord::new();
    let mut known = None;
    // Line breaks within cells, after which lines are no rows.
    let mut breaks = breaks_in(&headings);
    loop {
        let start = table.position().byte();
        let read = table.read_record(&mut row);
        let line = table.get_mut().first_after(start);
        match read {
            Ok(false) => break,
            Ok(true) => {}
            Err(why) => {
                unreadable(filling, line, why)?;
                continue;
            }
        }
        let heading = match &known {
            Some(heading) => heading,
            None => known.insert(of_kind(&headings, Some(&row), filling)?),
        };
        take(filling, line, line.saturating_sub(breaks), heading, &row)?;
        breaks += breaks_in(&row);
    }
    if known.is_none() {
        of_kind(&headings, None, filling)?;
    }
    Ok(())
}

/// `,`, or `;` as spreadsheets write it where the comma is in numbers.
fn separator(file: &mut impl BufRead) -> std::io::Result<u8> {
    let start = file.fill_buf()?;
    let heading = start.split(|byte| *byte == b'\n').next();
    let heading = heading.unwrap_or_default();
    let has = |byte| heading.contains(&byte);
    Ok(if has(b';') && !has(b',') { b';' } else { b',' })
}

fn breaks_in(row: &StringRecord) -> u64 {
    let breaks = row.as_slice().bytes().filter(|byte| *byte == b'\n');
    breaks.count() as u64
}

fn take(
    filling: &mut Filling,
    line: u64,
    number: u64,
    heading: &Arc<Heading>,
    row: &StringRecord,
) -> Result<(), Problem> {
    if row.as_slice().len() as u64 > MAX_LINE {
        return filling.fault(line, vec![too_long()]);
    }
    if row.iter().all(str::is_empty) {
        return Ok(());
    }
    let cells = Cells {
        heading: Arc::clone(heading),
        texts: row.iter().map(str::to_owned).collect(),
        row: number,
        replace: false,
    };
    let read = cells.record().and_then(|record| {
        // Cells may contain what JSON from outside must not.
        let parsed = domain::base::json::parse(record.to_string().as_bytes());
        parsed.map_err(|why| {
            let fault = Fault::new(FaultCode::InvalidValue).with("why", why);
            FieldError::new("", fault)
        })
    });
    match read {
        Ok(record) => filling.row(line, record, &cells),
        Err(error) => {
            let mut errors = vec![error];
            cells.locate(&mut errors);
            filling.fault(line, errors)
        }
    }
}

/// A violation of a whole line, in English and German.
fn unfit((en, de): (String, String)) -> FieldError {
    let fault = Fault::new(FaultCode::InvalidValue)
        .with("why", en)
        .with("why_de", de);
    FieldError::new("", fault)
}

fn unreadable(filling: &mut Filling, line: u64, why: csv::Error) -> Result<(), Problem> {
    filling.fault(line, vec![unfit(malformed(why)?)])
}

/// Why a line is no line of the table.
fn malformed(why: csv::Error) -> Result<(String, String), Problem> {
    Ok(match why.into_kind() {
        ErrorKind::Io(why) => return Err(Problem::of_file(&why)),
        ErrorKind::Utf8 { .. } => (
            "it is not UTF-8; save the table as CSV in UTF-8".to_owned(),
            "kein UTF-8; speichern Sie die Tabelle als CSV in UTF-8".to_owned(),
        ),
        ErrorKind::UnequalLengths {
            expected_len, len, ..
        } => (
            format!("it has {len} cells, the heading has {expected_len}"),
            format!("die Zeile hat {len} Zellen, die Überschrift {expected_len}"),
        ),
        _ => (
            "it is not a line of CSV".to_owned(),
            "das ist keine Zeile in CSV".to_owned(),
        ),
    })
}

/// The columns of a table by its headings; its kind is that of its first row, unless it is given.
fn of_kind(
    headings: &StringRecord,
    first: Option<&StringRecord>,
    filling: &mut Filling,
) -> Result<Arc<Heading>, Problem> {
    let told = headings.iter().position(|name| name == "kind");
    let told = told.and_then(|at| Kind::parse(first?.get(at)?));
    let Some(kind) = filling.only_kind().or(told) else {
        return Err(Problem::new(Code::InvalidParameter).detail(
            "`kind` is missing: set the kind of the records in the table, here or in a column `kind`.",
            "`kind` fehlt: Sagen Sie hier oder in einer Spalte `kind`, von welcher Art die Datensätze der Tabelle sind.",
        ));
    };
    let all = columns(kind);
    if headings.len() > all.len() {
        let (given, most, kinds) = (headings.len(), all.len(), kind.plural());
        return Err(refused(unfit((
            format!("the heading has {given} columns; a table of {kinds} has at most {most}"),
            format!(
                "die Überschrift hat {given} Spalten, eine Tabelle von {kinds} höchstens {most}"
            ),
        ))));
    }
    let mut found = Vec::with_capacity(headings.len());
    let mut errors = Vec::new();
    for name in headings {
        match all.iter().find(|column| column.name == name) {
            Some(column) if found.iter().any(|one: &&Column| one.name == column.name) => {
                errors.push(unfit((
                    format!("the column \"{name}\" occurs twice"),
                    format!("die Spalte „{name}“ kommt zweimal vor"),
                )));
            }
            Some(column) => found.push(column),
            None if let Some(now) = renamed(kind, name) => {
                let fault = Fault::new(FaultCode::RenamedMember)
                    .with("given", name)
                    .with("now", now);
                errors.push(FieldError::new("", fault));
            }
            None => {
                let close = nearest(name, all.iter().map(|column| column.name.as_str()));
                let fault = Fault::new(FaultCode::UnknownMember)
                    .with("given", name)
                    .with("nearest", close.unwrap_or_default());
                errors.push(FieldError::new("", fault));
            }
        }
    }
    if !errors.is_empty() {
        return Err(StoreError::Invalid(errors).into());
    }
    let heading = Arc::new(Heading::new(kind, found));
    filling.is_table_of(kind, Arc::clone(&heading));
    Ok(heading)
}

fn refused(error: FieldError) -> Problem {
    StoreError::Invalid(vec![error]).into()
}
