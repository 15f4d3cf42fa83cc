//! CSV and its relatives: comma, semicolon, tab or bar between the cells.

use super::encoding::{decoded, of};
use super::faults::{refused, too_long, too_wide, unfit};
use super::heading;
use super::limits::{MAX_COLUMNS, MAX_LINE, MAX_RAW};
use super::lines::Lines;
use super::row::{Raw, Row};
use super::spool::Filling;
use super::table::Table;
use crate::http::problem::Problem;
use csv::{ErrorKind, ReaderBuilder, StringRecord};
use encoding_rs::Encoding;
use std::fs::File;
use std::io::{BufRead, BufReader, Read};

/// Text by which the separator is found.
const SAMPLE: u64 = 64 * 1024;

const SEPARATORS: [u8; 4] = [b',', b';', b'\t', b'|'];

/// How a text file is written.
struct Written {
    separator: u8,
    /// Whether the first line only tells the separator.
    is_told: bool,
}

pub(super) fn read(
    mut file: File,
    charset: Option<&'static Encoding>,
    separator: Option<u8>,
    filling: &mut Filling,
) -> Result<(), Problem> {
    let broken = |why: std::io::Error| Problem::of_file(&why);
    let encoding = of(&mut file, charset)?;
    let mut sample = Vec::new();
    let start = decoded(&mut file, encoding).map_err(broken)?;
    start
        .take(SAMPLE)
        .read_to_end(&mut sample)
        .map_err(broken)?;
    let sample = String::from_utf8_lossy(&sample);
    let told = told_separator(&sample);
    let written = Written {
        separator: told
            .or(separator)
            .unwrap_or_else(|| likeliest(&sample, filling)),
        is_told: told.is_some(),
    };
    let mut table = Table::new(filling);
    table.told.encoding = Some(encoding.name());
    table.told.separator = Some(char::from(written.separator));
    let mut reader = BufReader::new(decoded(&mut file, encoding).map_err(broken)?);
    if written.is_told {
        reader.read_until(b'\n', &mut Vec::new()).map_err(broken)?;
        table.told.skipped.push(1);
    }
    rows(reader, &written, &mut table)?;
    table.finish()
}

fn rows(reader: impl BufRead, written: &Written, table: &mut Table<'_>) -> Result<(), Problem> {
    let mut csv = ReaderBuilder::new()
        .delimiter(written.separator)
        .has_headers(false)
        .flexible(true)
        .from_reader(Lines::of(reader));
    let before = u64::from(written.is_told);
    let mut record = StringRecord::new();
    // Line breaks within cells, after which lines are no rows.
    let mut breaks = 0;
    loop {
        let start = csv.position().byte();
        csv.get_mut().allow(MAX_RAW);
        let read = csv.read_record(&mut record);
        let line = csv.get_mut().first_after(start) + before;
        let number = line.saturating_sub(breaks);
        let row = |cells, fault| Row {
            line,
            number,
            cells,
            fault,
            is_strict: true,
        };
        match read {
            Ok(false) => return Ok(()),
            Ok(true) if record.as_slice().len() as u64 > MAX_LINE => {
                table.push(row(Vec::new(), Some(too_long())))?;
            }
            Ok(true) if record.len() > MAX_COLUMNS => {
                table.push(row(Vec::new(), Some(too_wide(record.len()))))?;
            }
            Ok(true) => {
                let cells = record.iter().map(Raw::text).collect();
                table.push(row(cells, None))?;
                let inside = record.as_slice().bytes().filter(|byte| *byte == b'\n');
                breaks += inside.count() as u64;
            }
            Err(why) => {
                let fault = match why.into_kind() {
                    ErrorKind::Io(why) if why.kind() == std::io::ErrorKind::FileTooLarge => {
                        return Err(refused(too_long()));
                    }
                    ErrorKind::Io(why) => return Err(Problem::of_file(&why)),
                    ErrorKind::Utf8 { .. } => unfit((
                        "the row is not UTF-8, as the table is; save the table as CSV in UTF-8, or declare its charset".to_owned(),
                        "die Zeile ist kein UTF-8, wie es die Tabelle ist; speichern Sie die Tabelle als CSV in UTF-8, oder nennen Sie ihren Zeichensatz".to_owned(),
                    )),
                    _ => unfit((
                        "it is not a line of CSV".to_owned(),
                        "das ist keine Zeile in CSV".to_owned(),
                    )),
                };
                table.push(row(Vec::new(), Some(fault)))?;
            }
        }
    }
}

/// `sep=;` in the first line, as spreadsheets understand it.
fn told_separator(sample: &str) -> Option<u8> {
    let first = sample.lines().next()?.trim_end().trim_matches('"');
    let rest = first
        .strip_prefix("sep=")
        .or_else(|| first.strip_prefix("SEP="))?;
    match rest.as_bytes() {
        [one] if SEPARATORS.contains(one) => Some(*one),
        _ => first.ends_with('=').then_some(b'\t'),
    }
}

/// The separator with which a row has most headings; if none has, the one of the longest first row.
fn likeliest(sample: &str, filling: &Filling) -> u8 {
    let (mut best, mut chosen) = ((0, 0), b',');
    for separator in SEPARATORS {
        let mut csv = ReaderBuilder::new()
            .delimiter(separator)
            .has_headers(false)
            .flexible(true)
            .from_reader(sample.as_bytes());
        let records: Vec<StringRecord> = csv
            .records()
            .map_while(Result::ok)
            .take(heading::SEARCHED)
            .collect();
        let known = records.iter().map(|record| {
            record
                .iter()
                .take(heading::COUNTED)
                .filter(|cell| heading::is_known(filling, cell))
                .count()
        });
        let score = (
            known.max().unwrap_or_default(),
            records.first().map_or(0, StringRecord::len),
        );
        if score > best {
            (best, chosen) = (score, separator);
        }
    }
    chosen
}
