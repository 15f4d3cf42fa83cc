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
use domain::exchange::table::{Column, columns, record};
use domain::validation::upgrade::renamed;
use persistence::StoreError;
use std::io::BufRead;

pub(crate) fn read(mut file: impl BufRead, filling: &mut Filling) -> Result<(), Problem> {
    let separator = separator(&mut file).map_err(|why| Problem::of_file(&why))?;
    let mut table = ReaderBuilder::new()
        .delimiter(separator)
        .from_reader(Lines::of(file));
    let headings = match table.headers() {
        Ok(headings) => headings.clone(),
        Err(why) => return Err(refused(heading(&why.to_string()))),
    };
    if headings.as_slice().len() as u64 > MAX_LINE {
        return Err(refused(too_long()));
    }
    let mut row = StringRecord::new();
    let mut known = None;
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
        let columns = match &known {
            Some(columns) => columns,
            None => known.insert(of_kind(&headings, Some(&row), filling)?),
        };
        take(filling, line, columns, &row)?;
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

fn take(
    filling: &mut Filling,
    line: u64,
    columns: &[&Column],
    row: &StringRecord,
) -> Result<(), Problem> {
    if row.as_slice().len() as u64 > MAX_LINE {
        return filling.fault(line, vec![too_long()]);
    }
    if row.iter().all(str::is_empty) {
        return Ok(());
    }
    match record(columns.iter().copied().zip(row.iter())) {
        Ok(record) => {
            // Cells may contain what JSON from outside must not.
            match domain::base::json::parse(record.to_string().as_bytes()) {
                Ok(record) => filling.record(line, record),
                Err(why) => filling.fault(line, vec![unfit("", &why.to_string())]),
            }
        }
        Err(column) => {
            let pointer = format!("/{}", column.replace('.', "/"));
            let why = "the cell cannot be read; see how an export writes it";
            filling.fault(line, vec![unfit(&pointer, why)])
        }
    }
}

fn unfit(pointer: &str, why: &str) -> FieldError {
    FieldError::new(
        pointer,
        Fault::new(FaultCode::InvalidValue).with("why", why),
    )
}

fn unreadable(filling: &mut Filling, line: u64, why: csv::Error) -> Result<(), Problem> {
    let told = match why.into_kind() {
        ErrorKind::Io(why) => return Err(Problem::of_file(&why)),
        ErrorKind::Utf8 { .. } => "it is not UTF-8; save the table as CSV in UTF-8".to_owned(),
        ErrorKind::UnequalLengths {
            expected_len, len, ..
        } => format!("it has {len} cells, the heading has {expected_len}"),
        _ => "it is not a line of CSV".to_owned(),
    };
    filling.fault(line, vec![unfit("", &told)])
}

/// The columns of a table by its headings; its kind is that of its first row, unless it is given.
fn of_kind(
    headings: &StringRecord,
    first: Option<&StringRecord>,
    filling: &mut Filling,
) -> Result<Vec<&'static Column>, Problem> {
    let told = headings.iter().position(|name| name == "kind");
    let told = told.and_then(|at| Kind::parse(first?.get(at)?));
    let Some(kind) = filling.only_kind().or(told) else {
        return Err(Problem::new(Code::InvalidParameter).detail(
            "`kind` is missing: set the kind of the records in the table, here or in a column `kind`.",
            "`kind` fehlt: Sagen Sie hier oder in einer Spalte `kind`, von welcher Art die Datensätze der Tabelle sind.",
        ));
    };
    filling.is_table_of(kind);
    let all = columns(kind);
    if headings.len() > all.len() {
        let why = format!(
            "the heading has {} columns; a table of {} has at most {}",
            headings.len(),
            kind.plural(),
            all.len()
        );
        return Err(refused(heading(&why)));
    }
    let mut found = Vec::with_capacity(headings.len());
    let mut errors = Vec::new();
    for name in headings {
        match all.iter().find(|column| column.name == name) {
            Some(column) if found.iter().any(|one: &&Column| one.name == column.name) => {
                errors.push(heading(&format!("the column \"{name}\" occurs twice")));
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
    if errors.is_empty() {
        return Ok(found);
    }
    Err(StoreError::Invalid(errors).into())
}

fn heading(why: &str) -> FieldError {
    unfit("", why)
}

fn refused(error: FieldError) -> Problem {
    StoreError::Invalid(vec![error]).into()
}
