//! Lines that can be read repeatedly: those with records, and the violations of the others.

use crate::http::problem::Problem;
use crate::operation::upload::limits::{Limits, MAX_LINE, too_large};
use domain::base::fault::{Fault, FaultCode, FieldError};
use domain::base::json::{hash, parse};
use domain::base::kind::Kind;
use domain::base::nearest::nearest;
use domain::base::vocabulary::Coded;
use domain::exchange::line::{Line, Statement, Update};
use domain::exchange::table::{Cells, Heading};
use persistence::StoreError;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::fs::File;
use std::io::{BufRead, BufReader, BufWriter, Read, Seek, SeekFrom, Write};
use std::sync::{Arc, Mutex, PoisonError};

/// Bytes of lines that are read at once, except for the first.
const CHUNK_BYTES: usize = 4 * 1024 * 1024;

/// A line without a valid record.
#[derive(Debug, Clone)]
pub(crate) struct Faulty {
    pub(crate) line: u64,
    pub(crate) errors: Vec<FieldError>,
}

#[derive(Debug)]
pub(crate) struct Spool {
    parts: BTreeMap<Option<Kind>, Arc<Mutex<File>>>,
    pub(crate) lines: u64,
    pub(crate) faulty: u64,
    pub(crate) told: Vec<Faulty>,
    pub(crate) faults: String,
    pub(crate) kind: Option<Kind>,
    /// The columns of a table.
    heading: Option<Arc<Heading>>,
    update: Option<Update>,
}

/// How an upload is read.
#[derive(Debug)]
pub(crate) struct Reading {
    pub(crate) limits: Limits,
    /// The allowed kinds; all if empty.
    pub(crate) kinds: Vec<Kind>,
    /// Whether each kind is read separately.
    pub(crate) by_kind: bool,
    /// What its lines do with stored records; by default, lines replace them and rows change them.
    pub(crate) update: Option<Update>,
}

pub(crate) struct Filling {
    reading: Reading,
    parts: BTreeMap<Option<Kind>, BufWriter<File>>,
    spool: Spool,
}

impl Spool {
    /// The records of a part from a position on, at most `most`, and the next position.
    pub(crate) async fn lines(
        &self,
        part: Option<Kind>,
        at: u64,
        most: usize,
    ) -> persistence::Result<(Vec<Line>, u64)> {
        let Some(file) = self.parts.get(&part).cloned() else {
            return Ok((Vec::new(), at));
        };
        let (heading, update) = (self.heading.clone(), self.update);
        let reading = tokio::task::spawn_blocking(move || {
            read_chunk(&file, at, most, |cells| match (cells, &heading) {
                (Some((row, texts)), Some(heading)) => Statement::Cells(Cells {
                    heading: Arc::clone(heading),
                    texts,
                    row,
                    replace: update == Some(Update::Replace),
                }),
                _ if update == Some(Update::Patch) => Statement::Merge,
                _ => Statement::Whole,
            })
        });
        let read = reading.await.map_err(|why| why.to_string());
        read.and_then(|read| read)
            .map_err(|why| StoreError::Corrupt(format!("the spool of a body: {why}")))
    }
}

fn read_chunk(
    file: &Mutex<File>,
    at: u64,
    most: usize,
    statement: impl Fn(Option<(u64, Vec<String>)>) -> Statement,
) -> Result<(Vec<Line>, u64), String> {
    let mut file = file.lock().unwrap_or_else(PoisonError::into_inner);
    let broken = |why: std::io::Error| why.to_string();
    file.seek(SeekFrom::Start(at)).map_err(broken)?;
    let mut reader = BufReader::new(&mut *file);
    let (mut lines, mut bytes) = (Vec::new(), 0);
    while lines.len() < most && bytes < CHUNK_BYTES {
        let mut text = String::new();
        let count = reader.read_line(&mut text).map_err(broken)?;
        if count == 0 {
            break;
        }
        bytes += count;
        let (number, rest) = text.split_once('\t').ok_or("a line without its number")?;
        let (record, cells) = match rest.split_once('\t') {
            Some((record, cells)) => (record, Some(cells)),
            None => (rest, None),
        };
        let cells = cells.map(serde_json::from_str).transpose();
        lines.push(Line {
            number: number.parse().map_err(|_| "a line without its number")?,
            record: serde_json::from_str(record).map_err(|why| why.to_string())?,
            statement: statement(cells.map_err(|why| why.to_string())?),
        });
    }
    Ok((lines, at + bytes as u64))
}

impl Filling {
    pub(super) fn new(reading: Reading) -> Self {
        Self {
            spool: Spool {
                parts: BTreeMap::new(),
                lines: 0,
                faulty: 0,
                told: Vec::new(),
                faults: String::new(),
                kind: None,
                heading: None,
                update: reading.update,
            },
            reading,
            parts: BTreeMap::new(),
        }
    }

    /// The only allowed kind.
    pub(crate) fn only_kind(&self) -> Option<Kind> {
        match self.reading.kinds.as_slice() {
            [one] => Some(*one),
            _ => None,
        }
    }

    /// Declares that the rest is a table of a kind.
    pub(crate) fn is_table_of(&mut self, kind: Kind, heading: Arc<Heading>) {
        self.reading.kinds = vec![kind];
        self.spool.kind = Some(kind);
        self.spool.heading = Some(heading);
    }

    /// Adds a row of the table.
    pub(crate) fn row(&mut self, number: u64, record: Value, cells: &Cells) -> Result<(), Problem> {
        self.add(number, record, Some(cells))
    }

    pub(super) fn read_lines(&mut self, mut reader: impl BufRead) -> Result<(), Problem> {
        let mut number = 0;
        loop {
            let mut line = Vec::new();
            let mut limited = (&mut reader).take(MAX_LINE + 1);
            let read = limited.read_until(b'\n', &mut line);
            if read.map_err(|why| Problem::of_file(&why))? == 0 {
                return Ok(());
            }
            number += 1;
            if line.len() as u64 > MAX_LINE {
                let end = skip_line(&mut reader).map_err(|why| Problem::of_file(&why))?;
                self.fault(number, vec![too_long()])?;
                if end {
                    return Ok(());
                }
                continue;
            }
            // Editors insert one at the beginning of files.
            let bare = line.strip_prefix(b"\xef\xbb\xbf").unwrap_or(&line);
            if bare.iter().all(u8::is_ascii_whitespace) {
                continue;
            }
            match parse(bare) {
                Ok(record) => self.record(number, record)?,
                Err(why) => {
                    let fault = Fault::new(FaultCode::InvalidValue).with("why", why);
                    self.fault(number, vec![FieldError::new("", fault)])?;
                }
            }
        }
    }

    /// Adds a record; `kind` is filled in if only one is allowed.
    fn record(&mut self, number: u64, record: Value) -> Result<(), Problem> {
        self.add(number, record, None)
    }

    fn add(
        &mut self,
        number: u64,
        mut record: Value,
        cells: Option<&Cells>,
    ) -> Result<(), Problem> {
        let kind = match self.kind_of(&mut record) {
            Ok(kind) => kind,
            Err(error) => return self.fault(number, vec![error]),
        };
        self.count()?;
        self.spool.lines += 1;
        let part = self.reading.by_kind.then_some(kind);
        let file = match self.parts.entry(part) {
            std::collections::btree_map::Entry::Occupied(known) => known.into_mut(),
            std::collections::btree_map::Entry::Vacant(empty) => {
                let file = tempfile::tempfile().map_err(|why| Problem::of_file(&why))?;
                empty.insert(BufWriter::new(file))
            }
        };
        let cells = cells.map_or(String::new(), |cells| {
            format!("\t{}", json!([cells.row, cells.texts]))
        });
        writeln!(file, "{number}\t{record}{cells}").map_err(|why| Problem::of_file(&why))
    }

    fn kind_of(&self, record: &mut Value) -> Result<Kind, FieldError> {
        let only = self.only_kind();
        let members = record.as_object_mut().ok_or_else(|| {
            let why = "a line is one JSON object";
            FieldError::new("", Fault::new(FaultCode::InvalidValue).with("why", why))
        })?;
        if let (None | Some(Value::Null), Some(kind)) = (members.get("kind"), only) {
            members.insert("kind".to_owned(), kind.code().into());
        }
        let given = members.get("kind").and_then(Value::as_str);
        let given = given.unwrap_or_default();
        let known =
            |kind: &&Kind| self.reading.kinds.is_empty() || self.reading.kinds.contains(kind);
        let known: Vec<Kind> = Kind::ALL.iter().filter(known).copied().collect();
        let found = known.iter().find(|kind| kind.code() == given);
        found.copied().ok_or_else(|| {
            let known: Vec<&str> = known.iter().map(|kind| kind.code()).collect();
            let close = nearest(given, known.iter().copied());
            let fault = Fault::new(FaultCode::UnknownCode)
                .with("given", given)
                .with("nearest", close.unwrap_or_default())
                .with("known", known.join(", "));
            FieldError::new("/kind", fault)
        })
    }

    pub(crate) fn fault(&mut self, line: u64, errors: Vec<FieldError>) -> Result<(), Problem> {
        self.count()?;
        self.spool.faulty += 1;
        let spool = &mut self.spool;
        spool.faults = hash(&format!("{}{line}{errors:?}", spool.faults));
        if spool.told.len() < self.reading.limits.told {
            spool.told.push(Faulty { line, errors });
        }
        Ok(())
    }

    fn count(&self) -> Result<(), Problem> {
        if self.spool.lines + self.spool.faulty < self.reading.limits.lines {
            return Ok(());
        }
        Err(too_large())
    }

    pub(super) fn finish(mut self) -> Result<Spool, Problem> {
        for (part, file) in self.parts {
            let file = file.into_inner();
            let file = file.map_err(|why| Problem::of_file(why.error()))?;
            self.spool.parts.insert(part, Arc::new(Mutex::new(file)));
        }
        Ok(self.spool)
    }
}

/// The violation of a line that is longer than any record.
pub(crate) fn too_long() -> FieldError {
    let fault = Fault::new(FaultCode::TooLong).with("max", MAX_LINE);
    FieldError::new("", fault)
}

/// Skips the rest of a line; returns whether it was the last.
fn skip_line(reader: &mut impl BufRead) -> std::io::Result<bool> {
    loop {
        let bytes = reader.fill_buf()?;
        let (count, end) = match bytes.iter().position(|byte| *byte == b'\n') {
            Some(at) => (at + 1, true),
            None => (bytes.len(), false),
        };
        if count == 0 {
            return Ok(true);
        }
        reader.consume(count);
        if end {
            return Ok(false);
        }
    }
}
