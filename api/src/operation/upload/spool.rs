//! Lines that can be read repeatedly: those with records, and the violations of the others.

use crate::http::problem::Problem;
use crate::operation::upload::annotated::KeptRow;
use crate::operation::upload::faults::too_long;
use crate::operation::upload::limits::{Limits, MAX_LINE, too_many, too_much};
use crate::operation::upload::mapping::Mapping;
use crate::operation::upload::options::Options;
use crate::operation::upload::row::{Row, TableRead};
use domain::base::fault::{Fault, FaultCode, FieldError};
use domain::base::json::{hash, parse};
use domain::base::kind::Kind;
use domain::base::nearest::nearest;
use domain::base::vocabulary::Coded;
use domain::exchange::line::{Line, Statement, Update};
use domain::exchange::table::{Cells, Heading, Note, Reason, join, split};
use persistence::StoreError;
use serde::{Deserialize, Serialize};
use serde_json::Value;
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
    /// The state that the export read of which a workbook was made.
    pub(crate) position: Option<String>,
    /// The rows of a table as they are, if they were to be kept.
    pub(crate) kept: Option<File>,
    /// How the table was read, if it is one.
    pub(crate) table: Option<TableRead>,
    /// The columns of a table.
    heading: Option<Arc<Heading>>,
    update: Option<Update>,
    codes: PostalCodes,
    skip_invalid: bool,
}

/// Postal codes of a table: if some have five digits, those of four lost their zero.
#[derive(Debug, Clone, Copy, Default)]
struct PostalCodes {
    has_five: bool,
}

/// A row in the spool.
#[derive(Debug, Serialize, Deserialize)]
struct Spooled {
    row: u64,
    texts: Vec<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    notes: Vec<Note>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    dropped: Vec<usize>,
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
    /// What the columns of a table are, beyond what their headings tell.
    pub(crate) mapping: Mapping,
    pub(crate) options: Options,
    /// Whether the rows of a table are kept as they are, for a workbook with the results.
    pub(crate) keeps_rows: bool,
}

impl Reading {
    pub(crate) fn new(limits: Limits, kinds: Vec<Kind>) -> Self {
        Self {
            limits,
            kinds,
            by_kind: false,
            update: None,
            mapping: Mapping::default(),
            options: Options::default(),
            keeps_rows: false,
        }
    }
}

pub(crate) struct Filling {
    reading: Reading,
    parts: BTreeMap<Option<Kind>, BufWriter<File>>,
    /// The rows of a table as they are.
    kept: Option<BufWriter<File>>,
    /// Bytes written to files so far.
    bytes: u64,
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
        let (heading, update, codes) = (self.heading.clone(), self.update, self.codes);
        let skip_invalid = self.skip_invalid;
        let reading = tokio::task::spawn_blocking(move || {
            read_chunk(&file, at, most, |number, text| {
                if let Some(heading) = &heading {
                    let row: Spooled = serde_json::from_str(text).map_err(|why| why.to_string())?;
                    let mut cells = Cells {
                        heading: Arc::clone(heading),
                        texts: row.texts,
                        row: row.row,
                        replace: update == Some(Update::Replace),
                        notes: row.notes,
                        dropped: row.dropped,
                        skip_invalid,
                    };
                    codes.complete(&mut cells);
                    let record = cells.whole_record().map_err(|why| format!("{why:?}"))?;
                    return Ok(Line {
                        number,
                        record,
                        statement: Statement::Cells(cells),
                    });
                }
                let statement = match update {
                    Some(Update::Patch) => Statement::Merge,
                    Some(Update::Replace) | None => Statement::Whole,
                };
                Ok(Line {
                    number,
                    record: serde_json::from_str(text).map_err(|why| why.to_string())?,
                    statement,
                })
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
    line: impl Fn(u64, &str) -> Result<Line, String>,
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
        let number = number.parse().map_err(|_| "a line without its number")?;
        lines.push(line(number, rest)?);
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
                position: None,
                kept: None,
                table: None,
                heading: None,
                update: reading.update,
                codes: PostalCodes::default(),
                skip_invalid: reading.options.skip_invalid,
            },
            reading,
            parts: BTreeMap::new(),
            kept: None,
            bytes: 0,
        }
    }

    fn spend(&mut self, bytes: usize) -> Result<(), Problem> {
        self.bytes = self.bytes.saturating_add(bytes as u64);
        if self.bytes > self.reading.limits.bytes {
            return Err(too_much());
        }
        Ok(())
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

    /// Keeps a row as it is, if it is wanted.
    pub(super) fn keep(&mut self, row: &Row) -> Result<(), Problem> {
        if !self.reading.keeps_rows {
            return Ok(());
        }
        let kept = KeptRow {
            line: row.line,
            number: row.number,
            cells: row.cells.iter().map(|cell| cell.text.clone()).collect(),
        };
        let text = serde_json::to_string(&kept).map_err(|why| Problem::of_file(&why.into()))?;
        self.spend(text.len())?;
        let file = match self.kept.take() {
            Some(file) => file,
            None => BufWriter::new(tempfile::tempfile().map_err(|why| Problem::of_file(&why))?),
        };
        let file = self.kept.insert(file);
        writeln!(file, "{text}").map_err(|why| Problem::of_file(&why))
    }

    pub(super) fn was_exported_at(&mut self, position: Option<String>) {
        self.spool.position = position;
    }

    pub(super) fn was_table(&mut self, read: TableRead) {
        self.spool.table = Some(read);
    }

    pub(super) fn mapping(&self) -> &Mapping {
        &self.reading.mapping
    }

    pub(super) const fn fix_urls(&self) -> bool {
        self.reading.options.fix_urls
    }

    /// Adds a row of the table.
    pub(super) fn row(&mut self, number: u64, mut cells: Cells) -> Result<(), Problem> {
        loop {
            let record = cells.whole_record().and_then(|record| {
                // Cells may contain what JSON from outside must not.
                let parsed = parse(record.to_string().as_bytes());
                parsed.map_err(|why| {
                    let fault = Fault::new(FaultCode::InvalidValue).with("why", why);
                    FieldError::new("", fault)
                })
            });
            match record {
                Ok(record) => {
                    self.spool.codes.see(&cells);
                    return self.add(number, record, Some(&cells));
                }
                Err(error) => {
                    let mut errors = vec![error];
                    if let Some(rest) = cells.without(&errors) {
                        cells = rest;
                        continue;
                    }
                    cells.locate(&mut errors);
                    return self.fault(number, errors);
                }
            }
        }
    }

    pub(super) const fn skips_invalid(&self) -> bool {
        self.reading.options.skip_invalid
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
    pub(super) fn record(&mut self, number: u64, record: Value) -> Result<(), Problem> {
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
        let text = match cells {
            None => record.to_string(),
            Some(cells) => {
                let row = Spooled {
                    row: cells.row,
                    texts: cells.texts.clone(),
                    notes: cells.notes.clone(),
                    dropped: cells.dropped.clone(),
                };
                serde_json::to_string(&row).map_err(|why| Problem::of_file(&why.into()))?
            }
        };
        self.spend(text.len())?;
        let part = self.reading.by_kind.then_some(kind);
        let file = match self.parts.entry(part) {
            std::collections::btree_map::Entry::Occupied(known) => known.into_mut(),
            std::collections::btree_map::Entry::Vacant(empty) => {
                let file = tempfile::tempfile().map_err(|why| Problem::of_file(&why))?;
                empty.insert(BufWriter::new(file))
            }
        };
        writeln!(file, "{number}\t{text}").map_err(|why| Problem::of_file(&why))
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
        Err(too_many(self.reading.limits.lines))
    }

    pub(super) fn finish(mut self) -> Result<Spool, Problem> {
        for (part, file) in self.parts {
            let file = file.into_inner();
            let file = file.map_err(|why| Problem::of_file(why.error()))?;
            self.spool.parts.insert(part, Arc::new(Mutex::new(file)));
        }
        if let Some(kept) = self.kept {
            let kept = kept.into_inner();
            self.spool.kept = Some(kept.map_err(|why| Problem::of_file(why.error()))?);
        }
        Ok(self.spool)
    }
}

impl PostalCodes {
    const COLUMN: &str = "places.postal_code";

    fn see(&mut self, cells: &Cells) {
        if !self.has_five {
            let at = cells.heading.index_of(Self::COLUMN);
            let codes = at.and_then(|at| cells.texts.get(at));
            self.has_five =
                codes.is_some_and(|codes| split(codes).iter().any(|one| is_code(one, 5)));
        }
    }

    /// Puts back the zero that a spreadsheet took from a German code.
    fn complete(self, cells: &mut Cells) {
        let at = cells
            .heading
            .index_of(Self::COLUMN)
            .filter(|_| self.has_five);
        let Some((at, given)) = at.and_then(|at| Some((at, cells.texts.get(at)?.clone()))) else {
            return;
        };
        let countries = cells.heading.index_of("places.country");
        let countries = countries
            .and_then(|at| cells.texts.get(at))
            .map(|text| split(text));
        let mut codes = split(&given);
        for (element, code) in codes.iter_mut().enumerate() {
            let country = countries.as_ref().and_then(|all| all.get(element));
            if is_code(code, 4)
                && country.is_none_or(|country| matches!(country.as_str(), "" | "DE"))
            {
                code.insert(0, '0');
            }
        }
        let taken = join(codes);
        if taken == given {
            return;
        }
        cells.replace_text(at, taken, Reason::Zeros);
    }
}

fn is_code(text: &str, digits: usize) -> bool {
    text.len() == digits && text.bytes().all(|byte| byte.is_ascii_digit())
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
