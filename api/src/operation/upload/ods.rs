//! ODS (ISO/IEC 26300), a row at a time.

use super::faults::too_long;
use super::limits::MAX_LINE;
use super::row::{Raw, RawKind, Row};
use super::spool::Filling;
use super::table::{Table, not_a_workbook, sheet_missing, sheet_of};
use super::xml::{Archive, MAX_UNPACKED, Piece, Tag, Xml, open, part};
use crate::http::problem::{Code, Problem};
use std::collections::BTreeMap;
use std::fs::File;
use std::io::{Error, ErrorKind, Read, Result};

const CONTENT: &str = "content.xml";

const MAX_ROWS: u64 = 20_000;

/// Columns of a table: a blank cell may be repeated to the last column of a spreadsheet.
const MAX_COLUMNS: usize = 1024;

pub(super) fn read(
    mut file: File,
    sheet: Option<&str>,
    filling: &mut Filling,
) -> std::result::Result<(), Problem> {
    let broken = |why: Error| not_a_workbook(&why);
    let mut archive = open(&mut file).map_err(broken)?;
    let names = names(&mut archive).map_err(broken)?;
    let shown: Vec<&str> = names.iter().map(String::as_str).collect();
    let chosen = sheet_of(sheet, &shown, filling);
    let chosen = chosen
        .ok_or_else(|| sheet_missing(sheet, &shown))?
        .to_owned();
    let xml = part(&mut archive, CONTENT, MAX_UNPACKED).map_err(broken)?;
    let xml = xml.ok_or_else(|| not_a_workbook(&Error::from(ErrorKind::NotFound)))?;
    let mut table = Table::new(filling);
    table.told.sheet = Some(chosen.clone());
    let mut rows = Rows {
        xml,
        number: 0,
        above: BTreeMap::new(),
    };
    if rows.find(&chosen).map_err(broken)? {
        let mut count = 0;
        while let Some((row, times)) = rows.next().map_err(broken)? {
            if row.is_blank() {
                continue;
            }
            count = times.saturating_add(count);
            if count > MAX_ROWS {
                return Err(Problem::new(Code::PayloadTooLarge).detail(
                    format!("An ODS file may have {MAX_ROWS} rows; save larger tables as XLSX or CSV."),
                    format!("Eine ODS-Datei darf {MAX_ROWS} Zeilen haben; speichern Sie größere Tabellen als XLSX oder CSV."),
                ));
            }
            for repeated in 0..times {
                let number = row.number + repeated;
                table.push(Row {
                    line: number,
                    number,
                    ..row.clone()
                })?;
            }
        }
    }
    table.finish()
}

fn names(archive: &mut Archive<'_>) -> Result<Vec<String>> {
    let mut names = Vec::new();
    let xml = part(archive, CONTENT, MAX_UNPACKED)?;
    let mut xml = xml.ok_or_else(|| Error::from(ErrorKind::NotFound))?;
    while let Some(piece) = xml.next()? {
        if let Piece::Start(tag) = piece
            && tag.name == "table"
            && names.len() < 1000
        {
            names.push(tag.get("name").unwrap_or_default().to_owned());
        }
    }
    Ok(names)
}

struct Rows<R: Read> {
    xml: Xml<R>,
    number: u64,
    /// Merged cells of several rows: the last row, and the value.
    above: BTreeMap<usize, (u64, String)>,
}

impl<R: Read> Rows<R> {
    fn find(&mut self, sheet: &str) -> Result<bool> {
        while let Some(piece) = self.xml.next()? {
            if matches!(&piece, Piece::Start(tag) if tag.name == "table" && tag.get("name") == Some(sheet))
            {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// The next row, and how often it is there.
    fn next(&mut self) -> Result<Option<(Row, u64)>> {
        while let Some(piece) = self.xml.next()? {
            match piece {
                Piece::Start(tag) if tag.name == "table-row" => {
                    let times = tag.number("number-rows-repeated").unwrap_or(1).max(1);
                    let row = self.row()?;
                    self.number = self.number.saturating_add(times);
                    return Ok(Some((row, times)));
                }
                Piece::End(name) if name == "table" => return Ok(None),
                Piece::Start(_) | Piece::End(_) | Piece::Text(_) => {}
            }
        }
        Ok(None)
    }

    fn row(&mut self) -> Result<Row> {
        let number = self.number.saturating_add(1);
        let mut row = Row {
            line: number,
            number,
            ..Row::default()
        };
        let mut bytes = 0;
        while let Some(piece) = self.xml.next()? {
            match piece {
                Piece::Start(tag)
                    if tag.name == "table-cell" || tag.name == "covered-table-cell" =>
                {
                    let name = tag.name.clone();
                    let cell = self.cell(&tag, &name)?;
                    let times = tag.number("number-columns-repeated").unwrap_or(1).max(1);
                    bytes += (cell.text.len() as u64).saturating_mul(times);
                    if bytes > MAX_LINE {
                        row.fault = Some(too_long());
                        continue;
                    }
                    let at = row.cells.len();
                    let room = (MAX_COLUMNS - at.min(MAX_COLUMNS)) as u64;
                    for _ in 0..times.min(room) {
                        row.cells.push(cell.clone());
                    }
                    let rows = tag.number("number-rows-spanned").unwrap_or(1);
                    if rows > 1 && !cell.text.is_empty() {
                        self.above
                            .insert(at, (number.saturating_add(rows - 1), cell.text));
                    }
                }
                Piece::End(name) if name == "table-row" => break,
                Piece::Start(_) | Piece::End(_) | Piece::Text(_) => {}
            }
        }
        if row.fault.is_some() {
            row.cells.clear();
            return Ok(row);
        }
        while row.cells.last().is_some_and(Raw::is_blank) {
            row.cells.pop();
        }
        if !row.is_blank() {
            self.fill_merged(&mut row);
        }
        Ok(row)
    }

    fn fill_merged(&mut self, row: &mut Row) {
        self.above.retain(|_, (last, _)| *last >= row.number);
        for (at, (_, text)) in &self.above {
            if row.cells.len() <= *at {
                row.cells.resize(at + 1, Raw::default());
            }
            if let Some(cell) = row.cells.get_mut(*at).filter(|cell| cell.is_blank()) {
                *cell = Raw {
                    text: text.clone(),
                    kind: RawKind::Merged,
                };
            }
        }
    }

    fn cell(&mut self, tag: &Tag, name: &str) -> Result<Raw> {
        let text = self.paragraphs(name)?;
        let number = |text: String| Raw {
            text,
            kind: RawKind::Number,
        };
        Ok(match tag.get("value-type") {
            Some("float" | "currency" | "percentage") => {
                let value = tag.get("value").unwrap_or_default();
                match value
                    .parse::<f64>()
                    .ok()
                    .and_then(serde_json::Number::from_f64)
                {
                    Some(value) => {
                        let text = value.to_string();
                        number(text.strip_suffix(".0").map_or(text.clone(), str::to_owned))
                    }
                    None => Raw::text(text),
                }
            }
            Some("boolean") => number(tag.get("boolean-value").unwrap_or("false").to_owned()),
            Some("date") => {
                let date = tag.get("date-value").unwrap_or_default();
                Raw::text(date.trim_end_matches("T00:00:00"))
            }
            _ if text.is_empty() && tag.get("formula").is_some() => Raw {
                text,
                kind: RawKind::WithoutValue,
            },
            _ => Raw::text(text),
        })
    }

    /// The paragraphs of a cell, without its comments.
    fn paragraphs(&mut self, name: &str) -> Result<String> {
        let (mut text, mut within, mut comment, mut any) = (String::new(), false, false, false);
        while let Some(piece) = self.xml.next()? {
            match piece {
                Piece::Start(tag) if tag.name == "annotation" => comment = true,
                Piece::End(end) if end == "annotation" => comment = false,
                Piece::Start(tag) if tag.name == "p" && !comment => {
                    if any {
                        text.push('\n');
                    }
                    (within, any) = (true, true);
                }
                Piece::End(end) if end == "p" => within = false,
                Piece::Start(tag) if within && tag.name == "s" => {
                    let count = tag.number("c").unwrap_or(1).min(1000);
                    text.extend((0..count).map(|_| ' '));
                }
                Piece::Start(tag) if within && tag.name == "tab" => text.push('\t'),
                Piece::Start(tag) if within && tag.name == "line-break" => text.push('\n'),
                Piece::Text(part) if within => text.push_str(&part),
                Piece::End(end) if end == name => return Ok(text),
                Piece::Start(_) | Piece::End(_) | Piece::Text(_) => {}
            }
            if text.len() as u64 > MAX_LINE {
                return Err(Error::from(ErrorKind::FileTooLarge));
            }
        }
        Err(Error::from(ErrorKind::UnexpectedEof))
    }
}
