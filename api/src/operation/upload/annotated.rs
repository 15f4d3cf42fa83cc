//! The table of an import as a workbook, with the results and what is wrong in each cell.
//!
//! It has the same cells at the same places, as texts; formats, formulas and macros are not carried
//! over.

use crate::http::problem::Code;
use crate::http::problem::Problem;
use domain::base::fault::{FaultCode, FieldError, Lang};
use rust_xlsxwriter::{Color, Format, Note, Workbook, XlsxError};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::fs::File;
use std::io::{BufRead, BufReader, Seek};

/// Cells with a comment; the others are counted.
const MOST: usize = 20_000;

/// Characters of a cell and of a comment.
const MAX_CELL: usize = 32_767;

const ERROR: Color = Color::RGB(0x00F8_C9C4);
const WARNING: Color = Color::RGB(0x00FF_EBB5);
const CHANGED: Color = Color::RGB(0x00DC_EBFA);

/// A row of the file, for the workbook.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct KeptRow {
    pub(super) line: u64,
    pub(super) number: u64,
    pub(super) cells: Vec<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Severity {
    Changed,
    Warning,
    Error,
}

/// What there is to say about cells.
#[derive(Debug, Default)]
pub(crate) struct Annotations {
    /// By row and column, from 0; rows without a cell by their lines.
    cells: BTreeMap<(u64, usize), (Severity, Vec<String>)>,
    lines: BTreeMap<u64, Vec<String>>,
    left_out: u64,
}

impl Annotations {
    pub(crate) fn refuse(&mut self, line: u64, errors: &[FieldError], lang: Lang) {
        for error in errors {
            self.add(line, error, Severity::Error, lang);
        }
    }

    /// A line that was refused as a whole.
    pub(crate) fn refuse_line(&mut self, line: u64, message: String) {
        self.lines.entry(line).or_default().push(message);
    }

    pub(crate) fn warn(&mut self, line: u64, warnings: &[FieldError], lang: Lang) {
        for warning in warnings {
            let severity = match warning.fault.code {
                FaultCode::ReadAs => Severity::Changed,
                _ => Severity::Warning,
            };
            self.add(line, warning, severity, lang);
        }
    }

    fn add(&mut self, line: u64, error: &FieldError, severity: Severity, lang: Lang) {
        let message = error.fault.message(lang);
        if self.cells.len() + self.lines.len() >= MOST {
            self.left_out += 1;
            return;
        }
        let Some(place) = error.fault.param("cell").and_then(place) else {
            let message = match error.pointer.as_str() {
                "" => message,
                pointer => format!("{pointer}: {message}"),
            };
            self.lines.entry(line).or_default().push(message);
            return;
        };
        let known = self.cells.entry(place).or_insert((severity, Vec::new()));
        known.0 = known.0.max(severity);
        known.1.push(message);
    }

    /// The workbook; `results` are the numbers of its first sheet.
    ///
    /// # Errors
    /// If a file cannot be read or written.
    pub(crate) fn workbook(
        mut self,
        mut rows: File,
        results: &[(&str, u64)],
        lang: Lang,
    ) -> Result<File, Problem> {
        rows.rewind().map_err(|why| Problem::of_file(&why))?;
        let mut book = Workbook::new();
        let (first, second) = match lang {
            Lang::De => ("Ergebnis", "Tabelle"),
            Lang::En => ("Results", "Table"),
        };
        self.write_results(&mut book, first, results, lang)
            .map_err(failed)?;
        let sheet = book.add_worksheet_with_constant_memory().map_err(failed)?;
        sheet.set_name(second).map_err(failed)?;
        for line in BufReader::new(rows).lines() {
            let line = line.map_err(|why| Problem::of_file(&why))?;
            let row: KeptRow =
                serde_json::from_str(&line).map_err(|why| Problem::of_file(&why.into()))?;
            self.write_row(sheet, &row).map_err(failed)?;
        }
        let file = tempfile::tempfile().map_err(|why| Problem::of_file(&why))?;
        let mut copy = file.try_clone().map_err(|why| Problem::of_file(&why))?;
        book.save_to_writer(&mut copy).map_err(failed)?;
        copy.rewind().map_err(|why| Problem::of_file(&why))?;
        Ok(file)
    }

    fn write_results(
        &self,
        book: &mut Workbook,
        name: &str,
        results: &[(&str, u64)],
        lang: Lang,
    ) -> Result<(), XlsxError> {
        let bold = Format::new().set_bold();
        let sheet = book.add_worksheet();
        sheet.set_name(name)?;
        let mut row = 0;
        for (result, count) in results {
            sheet.write_string_with_format(row, 0, *result, &bold)?;
            #[expect(clippy::cast_precision_loss, reason = "numbers of lines")]
            sheet.write_number(row, 1, *count as f64)?;
            row += 1;
        }
        row += 1;
        let colours = match lang {
            Lang::De => [
                (ERROR, "abgelehnt"),
                (WARNING, "wahrscheinlich falsch, oder weggelassen"),
                (CHANGED, "anders gelesen, als es dasteht"),
            ],
            Lang::En => [
                (ERROR, "refused"),
                (WARNING, "probably wrong, or left out"),
                (CHANGED, "not taken as it is written"),
            ],
        };
        for (colour, meaning) in colours {
            let style = Format::new().set_background_color(colour);
            sheet.write_string_with_format(row, 0, meaning, &style)?;
            row += 1;
        }
        row += 1;
        for (place, (_, messages)) in self.cells.iter().take(1000) {
            let cell = format!("{}{}", domain::exchange::table::letters(place.1), place.0);
            sheet.write_string(row, 0, cell)?;
            sheet.write_string(row, 1, cut(&messages.join("\n")))?;
            row += 1;
        }
        if self.left_out > 0 {
            let more = self.left_out;
            let text = match lang {
                Lang::De => format!("… und {more} weitere"),
                Lang::En => format!("… and {more} more"),
            };
            sheet.write_string(row, 0, text)?;
        }
        Ok(())
    }

    fn write_row(
        &mut self,
        sheet: &mut rust_xlsxwriter::Worksheet,
        row: &KeptRow,
    ) -> Result<(), XlsxError> {
        let Ok(at) = u32::try_from(row.number.saturating_sub(1)) else {
            return Ok(());
        };
        if let Some(messages) = self.lines.remove(&row.line) {
            let place = self
                .cells
                .entry((row.number, 0))
                .or_insert((Severity::Error, Vec::new()));
            place.0 = Severity::Error;
            place.1.extend(messages);
        }
        let last = self
            .cells
            .range((row.number, 0)..=(row.number, usize::MAX))
            .next_back();
        let width = row
            .cells
            .len()
            .max(last.map_or(0, |((_, column), _)| column + 1));
        for column in 0..width {
            let Ok(place) = u16::try_from(column) else {
                return Ok(());
            };
            let text = row.cells.get(column).map_or("", String::as_str);
            let Some((severity, messages)) = self.cells.remove(&(row.number, column)) else {
                if !text.is_empty() {
                    sheet.write_string(at, place, cut(text))?;
                }
                continue;
            };
            let colour = match severity {
                Severity::Error => ERROR,
                Severity::Warning => WARNING,
                Severity::Changed => CHANGED,
            };
            let style = Format::new().set_background_color(colour);
            sheet.write_string_with_format(at, place, cut(text), &style)?;
            let note = Note::new(cut(&messages.join("\n"))).add_author_prefix(false);
            sheet.insert_note(at, place, &note)?;
        }
        Ok(())
    }
}

fn cut(text: &str) -> String {
    text.chars().take(MAX_CELL).collect()
}

/// Row from 1 and column from 0 of `C17`.
fn place(cell: &str) -> Option<(u64, usize)> {
    let digits = cell.find(|c: char| c.is_ascii_digit())?;
    let (letters, row) = cell.split_at_checked(digits)?;
    let column = letters.bytes().try_fold(0_usize, |column, letter| {
        letter
            .is_ascii_uppercase()
            .then(|| column * 26 + usize::from(letter - b'A') + 1)
    })?;
    Some((row.parse().ok()?, column.checked_sub(1)?))
}

#[expect(clippy::needless_pass_by_value, reason = "an error to be mapped")]
fn failed(why: XlsxError) -> Problem {
    tracing::error!(error = %why, "cannot write a workbook");
    Problem::new(Code::Internal)
}
