//! A table as records: rows of any file, with any columns of an export, in any order.

use super::faults::{refused, too_long, unfit};
use super::heading::{Columns, SEARCHED, choose, columns_of};
use super::limits::MAX_LINE;
use super::row::{Raw, RawKind, Row, TableRead};
use super::spool::Filling;
use crate::http::problem::{Code, Problem};
use domain::base::fault::{Fault, FaultCode, FieldError};
use domain::base::vocabulary::Coded;
use domain::exchange::table::{Cells, Column, Content, Note, Position, Reason, join, split};
use domain::spreadsheet::{Meaning, Notation, Taken, estimate, meaning, take};
use domain::value::figure::Qualifier;
use domain::value::identifier::Scheme;
use std::io::ErrorKind;
use std::sync::Arc;

/// A table that is being read.
pub(super) struct Table<'f> {
    filling: &'f mut Filling,
    /// Rows that may be before the heading.
    waiting: Vec<Row>,
    columns: Option<Columns>,
    /// Whether rows of data have begun.
    begun: bool,
    pub(super) told: TableRead,
}

impl<'f> Table<'f> {
    pub(super) fn new(filling: &'f mut Filling) -> Self {
        Self {
            filling,
            waiting: Vec::new(),
            columns: None,
            begun: false,
            told: TableRead::default(),
        }
    }

    pub(super) fn push(&mut self, row: Row) -> Result<(), Problem> {
        self.filling.keep(&row)?;
        if self.columns.is_some() {
            return self.take(&row);
        }
        if row.is_blank() {
            return Ok(());
        }
        self.waiting.push(row);
        if self.waiting.len() < SEARCHED {
            return Ok(());
        }
        self.begin()
    }

    pub(super) fn finish(mut self) -> Result<(), Problem> {
        if self.columns.is_none() {
            self.begin()?;
        }
        self.filling.was_table(self.told);
        Ok(())
    }

    /// Chooses the heading among the rows so far, and reads those after it.
    fn begin(&mut self) -> Result<(), Problem> {
        let rows = std::mem::take(&mut self.waiting);
        let Some(at) = choose(&rows, self.filling) else {
            return Err(refused(unfit((
                "the table is empty; its first row has the headings, such as name and home_region".to_owned(),
                "die Tabelle ist leer; in ihrer ersten Zeile stehen die Überschriften, etwa Name und Region".to_owned(),
            ))));
        };
        let mut rows = rows.into_iter();
        let before = rows.by_ref().take(at).map(|row| row.number);
        self.told.skipped.extend(before);
        let Some(heading) = rows.next() else {
            return Ok(());
        };
        if let Some(fault) = heading.fault {
            return Err(refused(fault));
        }
        if heading.bytes() > MAX_LINE {
            return Err(refused(too_long()));
        }
        let mut headings = heading.cells;
        while headings.last().is_some_and(Raw::is_blank) {
            headings.pop();
        }
        let rest: Vec<Row> = rows.collect();
        let first = rest
            .iter()
            .find(|row| row.fault.is_none() && !row.is_blank());
        let columns = columns_of(&headings, heading.number, first, self.filling)?;
        self.filling
            .is_table_of(columns.kind, Arc::clone(&columns.heading));
        self.told.heading = heading.number;
        self.told.columns.clone_from(&columns.read);
        self.columns = Some(columns);
        rest.iter().try_for_each(|row| self.take(row))
    }

    fn take(&mut self, row: &Row) -> Result<(), Problem> {
        let Some(columns) = &self.columns else {
            return Ok(());
        };
        if let Some(fault) = &row.fault {
            return self.filling.fault(row.line, vec![fault.clone()]);
        }
        if row.is_blank() {
            return Ok(());
        }
        if !std::mem::replace(&mut self.begun, true) && is_second_heading(columns, row) {
            self.told.skipped.push(row.number);
            return Ok(());
        }
        if row.bytes() > MAX_LINE {
            return self.filling.fault(row.line, vec![too_long()]);
        }
        let beyond = row.cells.get(columns.width..).unwrap_or_default();
        let beyond = !beyond.iter().all(Raw::is_blank);
        if beyond || (row.is_strict && row.cells.len() < columns.width) {
            let (len, width) = (row.cells.len(), columns.width);
            let fault = unfit((
                format!("it has {len} cells, the heading has {width}"),
                format!("die Zeile hat {len} Zellen, die Überschrift {width}"),
            ));
            return self.filling.fault(row.line, vec![fault]);
        }
        let notation = Notation {
            comma: self.told.separator == Some(';') || columns.is_worded,
            fix_urls: self.filling.fix_urls(),
        };
        let skip_invalid = self.filling.skips_invalid();
        match Reading::of(columns, row, notation, skip_invalid) {
            Ok(cells) => self.filling.row(row.line, cells),
            Err(mut errors) => {
                let cells = Cells {
                    heading: Arc::clone(&columns.heading),
                    texts: Vec::new(),
                    row: row.number,
                    replace: false,
                    notes: Vec::new(),
                    dropped: Vec::new(),
                    skip_invalid: false,
                };
                cells.locate(&mut errors);
                self.filling.fault(row.line, errors)
            }
        }
    }
}

/// Whether a row repeats the heading in other words, as workbooks of exports have it.
fn is_second_heading(columns: &Columns, row: &Row) -> bool {
    let mut any = 0;
    let all = row
        .cells
        .iter()
        .enumerate()
        .filter(|(_, cell)| !cell.is_blank())
        .all(|(at, cell)| {
            any += 1;
            let position = columns.positions.iter().find(|one| one.at == at);
            let column = position.and_then(|one| columns.heading.columns.get(one.column));
            match (meaning(columns.kind, &cell.text), column) {
                (Meaning::Column(path), Some(column)) => path == column.name,
                (Meaning::NameBeside, None) => true,
                _ => false,
            }
        });
    all && any >= 2
}

/// A row that is being read.
struct Reading<'a> {
    columns: &'a Columns,
    notation: Notation,
    skip_invalid: bool,
    texts: Vec<String>,
    notes: Vec<Note>,
    dropped: Vec<usize>,
    errors: Vec<FieldError>,
}

impl<'a> Reading<'a> {
    fn of(
        columns: &'a Columns,
        row: &Row,
        notation: Notation,
        skip_invalid: bool,
    ) -> Result<Cells, Vec<FieldError>> {
        let mut reading = Self {
            columns,
            notation,
            skip_invalid,
            texts: vec![String::new(); columns.heading.columns.len()],
            notes: Vec::new(),
            dropped: Vec::new(),
            errors: Vec::new(),
        };
        reading.take_cells(row);
        reading.take_values();
        reading.take_estimates();
        reading.tidy_identifiers();
        for (at, reason) in &columns.left_out {
            let given = row.cells.get(*at).map(|cell| cell.text.trim());
            let told = *reason == Reason::Person;
            if let Some(given) = given.filter(|given| told && !given.is_empty()) {
                reading.note(*at, Reason::Person, given, "");
            }
        }
        if reading.errors.is_empty() {
            return Ok(Cells {
                heading: Arc::clone(&columns.heading),
                texts: reading.texts,
                row: row.number,
                replace: false,
                notes: reading.notes,
                dropped: reading.dropped,
                skip_invalid,
            });
        }
        Err(reading.errors)
    }

    fn note(&mut self, at: usize, reason: Reason, given: &str, taken: &str) {
        self.notes.push(Note {
            at,
            reason,
            given: given.to_owned(),
            taken: taken.to_owned(),
        });
    }

    fn take_cells(&mut self, row: &Row) {
        let none = Raw::default();
        for position in &self.columns.positions {
            let raw = row.cells.get(position.at).unwrap_or(&none);
            let Some(column) = self.columns.heading.columns.get(position.column) else {
                continue;
            };
            if raw.kind == RawKind::WithoutValue {
                let pointer = column.path_members().fold(String::new(), |at, member| {
                    domain::base::pointer::child(&at, member)
                });
                let fault = Fault::new(FaultCode::FormulaWithoutValue);
                self.refuse(position, raw, FieldError::new(pointer, fault));
                continue;
            }
            let is_element = position.element.is_some();
            let cell = if is_element && raw.kind != RawKind::Number {
                join(vec![raw.text.clone()])
            } else {
                raw.text.clone()
            };
            let is_typed = raw.kind == RawKind::Number;
            match self.read(column, &cell, is_typed) {
                Ok(taken) => {
                    let text = self.texts.get_mut(position.column);
                    if let Some(text) = text {
                        match position.element {
                            Some(element) => put(text, element, &taken.text),
                            None => text.clone_from(&taken.text),
                        }
                    }
                    let merged = (raw.kind == RawKind::Merged).then_some(Reason::Merged);
                    if let Some(reason) = taken.reason.or(merged) {
                        self.note(position.at, reason, &raw.text, &taken.text);
                    }
                }
                Err(error) => self.refuse(position, raw, error),
            }
        }
    }

    /// Reads a cell; estimates in it are no numbers yet.
    fn read(&self, column: &Column, cell: &str, is_typed: bool) -> Result<Taken, FieldError> {
        let is_number = *column.content() == Content::Number && !is_typed;
        let mut pieces = if is_number { split(cell) } else { Vec::new() };
        if !pieces.iter().any(|piece| estimate(piece).is_some()) {
            return take(column, cell, is_typed, self.notation);
        }
        for piece in &mut pieces {
            if estimate(piece).is_none() {
                *piece = take(column, piece, false, self.notation)?.text;
            }
        }
        Ok(Taken {
            text: join(pieces),
            reason: None,
        })
    }

    /// A cell that cannot be read costs the row, or only itself.
    fn refuse(&mut self, position: &Position, raw: &Raw, error: FieldError) {
        if !self.skip_invalid {
            return self.errors.push(error);
        }
        self.dropped.push(position.column);
        self.note(position.at, Reason::Invalid, &raw.text, "");
    }

    /// Values of the mapping, for the elements of lists that have other values.
    fn take_values(&mut self) {
        let list = |at: usize| {
            let column = self.columns.heading.columns.get(at)?;
            column.is_list().then(|| column.path_members().next())?
        };
        for (index, element, value) in &self.columns.values {
            let Some(name) = list(*index) else {
                if let Some(text) = self.texts.get_mut(*index).filter(|text| text.is_empty()) {
                    text.clone_from(value);
                }
                continue;
            };
            let of_list = self
                .columns
                .positions
                .iter()
                .filter(|one| list(one.column) == Some(name));
            let mut others: Vec<usize> = of_list.map(|one| one.column).collect();
            others.dedup();
            let pieces: Vec<Vec<String>> = others
                .iter()
                .filter_map(|at| self.texts.get(*at))
                .map(|text| split(text))
                .collect();
            let filled = |element: usize| {
                pieces
                    .iter()
                    .any(|pieces| pieces.get(element).is_some_and(|piece| !piece.is_empty()))
            };
            let own = others.is_empty();
            let Some(text) = self.texts.get_mut(*index) else {
                continue;
            };
            match element {
                Some(element) if own || filled(*element) => {
                    put(text, *element, &join(vec![value.clone()]));
                }
                Some(_) => {}
                None if own => text.clone_from(value),
                None => {
                    let count = pieces.iter().map(Vec::len).max().unwrap_or_default();
                    let mut own = elements(text);
                    own.resize(count.max(own.len()), String::new());
                    for (at, piece) in own.iter_mut().enumerate().take(count) {
                        if filled(at) {
                            piece.clone_from(value);
                        }
                    }
                    *text = join(own);
                }
            }
        }
        self.close_gaps();
    }

    /// Elements without any value are none.
    fn close_gaps(&mut self) {
        let mut lists: Vec<&str> = Vec::new();
        for position in self
            .columns
            .positions
            .iter()
            .filter(|one| one.element.is_some())
        {
            let column = self.columns.heading.columns.get(position.column);
            if let Some(name) = column.and_then(|column| column.path_members().next())
                && !lists.contains(&name)
            {
                lists.push(name);
            }
        }
        for list in lists {
            let own = self.columns.heading.columns.iter().enumerate();
            let own = own.filter(|(_, column)| column.path_members().next() == Some(list));
            let own: Vec<usize> = own.map(|(at, _)| at).collect();
            let pieces: Vec<Vec<String>> = own
                .iter()
                .filter_map(|at| self.texts.get(*at))
                .map(|text| split(text))
                .collect();
            let count = pieces.iter().map(Vec::len).max().unwrap_or_default();
            let kept: Vec<usize> = (0..count)
                .filter(|at| {
                    pieces
                        .iter()
                        .any(|pieces| pieces.get(*at).is_some_and(|piece| !piece.is_empty()))
                })
                .collect();
            for (at, pieces) in own.into_iter().zip(pieces) {
                let rest = kept
                    .iter()
                    .map(|element| pieces.get(*element).cloned().unwrap_or_default());
                if let Some(text) = self.texts.get_mut(at) {
                    *text = join(rest.collect());
                }
            }
        }
    }

    /// Identifiers in the form of their issuer.
    fn tidy_identifiers(&mut self) {
        let at = |name: &str| self.columns.heading.index_of(name);
        let (Some(schemes), Some(values)) = (at("identifiers.scheme"), at("identifiers.value"))
        else {
            return;
        };
        let text = |at: usize| self.texts.get(at).cloned().unwrap_or_default();
        let (schemes, given) = (split(&text(schemes)), text(values));
        let mut tidied = split(&given);
        for (value, scheme) in tidied.iter_mut().zip(&schemes) {
            if let (Ok(scheme), false) = (scheme.parse::<Scheme>(), value.is_empty()) {
                *value = scheme.tidied(value);
            }
        }
        let tidied = join(tidied);
        if tidied == given || given.is_empty() {
            return;
        }
        if let Some(at) = self.columns.heading.place_of("/identifiers/0/value") {
            self.note(at, Reason::Identifier, &given, &tidied);
        }
        if let Some(text) = self.texts.get_mut(values) {
            *text = tidied;
        }
    }

    /// „ca. 50" is 50, about.
    fn take_estimates(&mut self) {
        let columns = self.columns;
        for [value, qualifier, wording] in &columns.estimates {
            let text = self.texts.get(*value).cloned().unwrap_or_default();
            let pieces = split(&text);
            let estimates = pieces.iter().map(|piece| estimate(piece));
            let estimates: Vec<Option<(Qualifier, &str)>> = estimates.collect();
            if estimates.iter().any(Option::is_some) {
                let codes = estimates.iter();
                let codes = codes.map(|one| one.map(|(exactness, _)| exactness.code()));
                self.complete(*qualifier, &codes.collect::<Vec<_>>());
                let words = pieces.iter().zip(&estimates);
                let words = words.map(|(piece, one)| one.map(|_| piece.as_str()));
                self.complete(*wording, &words.collect::<Vec<_>>());
                self.take_numbers(*value, &pieces, &estimates);
                continue;
            }
            // The table has no such columns, and the row says nothing of them.
            let is_stated = |at: usize| {
                self.columns.positions.iter().any(|one| one.column == at)
                    || self.columns.values.iter().any(|(column, ..)| *column == at)
            };
            let silent = [*qualifier, *wording]
                .into_iter()
                .filter(|at| !is_stated(*at));
            self.dropped.extend(silent);
        }
    }
}

impl Reading<'_> {
    /// Fills in the elements of a list that the table does not state. What its mapping says of all
    /// rows yields to what a cell says.
    fn complete(&mut self, at: usize, stated: &[Option<&str>]) {
        let is_column = self.columns.positions.iter().any(|one| one.column == at);
        let Some(text) = self.texts.get_mut(at) else {
            return;
        };
        let mut pieces = elements(text);
        let count = stated
            .iter()
            .rposition(Option::is_some)
            .map_or(0, |last| last + 1);
        pieces.resize(count.max(pieces.len()), String::new());
        for (piece, stated) in pieces.iter_mut().zip(stated) {
            if let (Some(stated), true) = (stated, piece.is_empty() || !is_column) {
                (*stated).clone_into(piece);
            }
        }
        *text = join(pieces);
    }

    /// The numbers of estimates.
    fn take_numbers(
        &mut self,
        value: usize,
        pieces: &[String],
        estimates: &[Option<(Qualifier, &str)>],
    ) {
        let columns = self.columns;
        let position = columns.positions.iter().find(|one| one.column == value);
        let (Some(column), Some(position)) = (columns.heading.columns.get(value), position) else {
            return;
        };
        let (mut numbers, mut given) = (pieces.to_vec(), Vec::new());
        for (number, estimate) in numbers.iter_mut().zip(estimates) {
            let Some((_, stated)) = estimate else {
                continue;
            };
            given.push(std::mem::take(number));
            match take(column, stated, false, self.notation) {
                Ok(taken) => *number = taken.text,
                Err(error) => {
                    let raw = Raw::text(given.join("; "));
                    return self.refuse(position, &raw, error);
                }
            }
        }
        let joined = join(numbers);
        self.note(position.at, Reason::Estimate, &given.join("; "), &joined);
        if let Some(text) = self.texts.get_mut(value) {
            *text = joined;
        }
    }
}

/// The elements in the cell of a list.
fn elements(cell: &str) -> Vec<String> {
    if cell.is_empty() {
        return Vec::new();
    }
    split(cell)
}

/// Puts an escaped element into the cell of a list.
fn put(cell: &mut String, element: usize, escaped: &str) {
    let mut pieces = elements(cell);
    if pieces.len() <= element {
        pieces.resize(element + 1, String::new());
    }
    if let Some(piece) = pieces.get_mut(element) {
        *piece = split(escaped).into_iter().next().unwrap_or_default();
    }
    *cell = join(pieces);
}

/// The sheet to be read: the named one, that of the kind of records, or the first.
pub(super) fn sheet_of<'n>(
    named: Option<&str>,
    names: &[&'n str],
    filling: &Filling,
) -> Option<&'n str> {
    if let Some(named) = named {
        return names.iter().find(|name| **name == named).copied();
    }
    let kind = filling.only_kind();
    let of_kind = names
        .iter()
        .find(|name| kind.is_some_and(|kind| kind.plural() == **name));
    of_kind.or(names.first()).copied()
}

pub(super) fn sheet_missing(named: Option<&str>, names: &[&str]) -> Problem {
    let (named, known) = (named.unwrap_or_default(), names.join(", "));
    Problem::new(Code::InvalidParameter).detail(
        format!(
            "There is no sheet \"{named}\" to be seen in the workbook; `sheet` can be: {known}."
        ),
        format!("Die Mappe hat kein sichtbares Blatt „{named}“; `sheet` kann sein: {known}."),
    )
}

/// Why a file is no workbook, or one that is too large.
pub(super) fn not_a_workbook(why: &std::io::Error) -> Problem {
    match why.kind() {
        ErrorKind::FileTooLarge => Problem::new(Code::PayloadTooLarge).detail(
            "The workbook is too large when it is unpacked; save the table as CSV, or send it in parts.",
            "Die Mappe ist entpackt zu groß; speichern Sie die Tabelle als CSV, oder senden Sie sie in Teilen.",
        ),
        ErrorKind::InvalidData | ErrorKind::NotFound | ErrorKind::UnexpectedEof | ErrorKind::InvalidInput => {
            Problem::new(Code::MalformedJson).detail(
                "The file is no XLSX or ODS workbook, or is damaged or protected by a password; save it again without one, as .xlsx or as CSV.",
                "Die Datei ist keine XLSX- oder ODS-Mappe, beschädigt oder mit einem Passwort geschützt; speichern Sie sie ohne Passwort neu, als .xlsx oder als CSV.",
            )
        }
        _ => Problem::of_file(why),
    }
}
