//! XLSX (ISO/IEC 29500), a row at a time.
//!
//! Own code, because the readers that exist reserve what a file declares, and do not tell a formula
//! without its result from an empty cell (ADR 34).

mod value;
mod workbook;

use super::faults::too_long;
use super::limits::{MAX_COLUMNS, MAX_LINE, MAX_ROWS, too_many};
use super::row::{Raw, RawKind, Row};
use super::spool::Filling;
use super::table::{Table, not_a_workbook, sheet_missing};
use super::xml::{Archive, MAX_UNPACKED, Piece, Tag, Xml, open, part};
use crate::http::problem::Problem;
use std::collections::BTreeMap;
use std::fs::File;
use std::io::{Error, ErrorKind, Read, Result};
use value::{Shown, numeric, unescaped};
use workbook::{Workbook, position, rich_text};

const MAX_MERGED: usize = 100_000;

/// Columns with merged cells of several rows.
const MAX_MERGED_COLUMNS: usize = 200;

/// Merged cells of several rows in one column: its first and last row.
type Merged = BTreeMap<usize, BTreeMap<u64, u64>>;

pub(super) fn read(
    mut file: File,
    sheet: Option<&str>,
    filling: &mut Filling,
) -> std::result::Result<(), Problem> {
    let mut archive = open(&mut file).map_err(|why| not_a_workbook(&why))?;
    let workbook = Workbook::read(&mut archive).map_err(|why| not_a_workbook(&why))?;
    let names = workbook
        .sheets
        .iter()
        .filter(|one| !one.hidden)
        .map(|one| one.name.as_str());
    let names: Vec<&str> = names.collect();
    let chosen = super::table::sheet_of(sheet, &names, filling);
    let found = workbook
        .sheets
        .iter()
        .find(|one| Some(one.name.as_str()) == chosen);
    let found = found.ok_or_else(|| sheet_missing(sheet, &names))?;
    let path = workbook
        .targets
        .get(&found.relation)
        .cloned()
        .unwrap_or_default();
    let position = position(&mut archive).map_err(|why| not_a_workbook(&why))?;
    let merged = merged(&mut archive, &path).map_err(|why| not_a_workbook(&why))?;
    let xml = part(&mut archive, &path, MAX_UNPACKED).map_err(|why| not_a_workbook(&why))?;
    let xml = xml.ok_or_else(|| not_a_workbook(&Error::from(ErrorKind::NotFound)))?;
    filling.was_exported_at(position);
    let mut table = Table::new(filling);
    table.told.sheet = Some(found.name.clone());
    let mut rows = Rows {
        xml,
        workbook: &workbook,
        merged,
        above: BTreeMap::new(),
        number: 0,
    };
    let mut count = 0;
    while let Some(row) = rows.next().map_err(|why| not_a_workbook(&why))? {
        count += 1;
        if count > MAX_ROWS {
            return Err(too_many(MAX_ROWS));
        }
        table.push(row)?;
    }
    table.finish()
}

/// Merged cells of several rows; they are declared after the cells.
fn merged(archive: &mut Archive<'_>, path: &str) -> Result<Merged> {
    let mut merged = Merged::new();
    let Some(mut xml) = part(archive, path, MAX_UNPACKED)? else {
        return Ok(merged);
    };
    let mut count = 0;
    while let Some(piece) = xml.next()? {
        let Piece::Start(tag) = piece else { continue };
        if tag.name != "mergeCell" {
            continue;
        }
        let area = tag.get("ref").and_then(|area| area.split_once(':'));
        let Some((from, to)) = area.and_then(|(from, to)| Some((place(from)?, place(to)?))) else {
            continue;
        };
        count += 1;
        let is_known = merged.contains_key(&from.1) || merged.len() < MAX_MERGED_COLUMNS;
        if to.0 > from.0 && count <= MAX_MERGED && is_known {
            merged.entry(from.1).or_default().insert(from.0, to.0);
        }
    }
    Ok(merged)
}

/// Row from 1 and column from 0 of `B17`.
fn place(reference: &str) -> Option<(u64, usize)> {
    let reference = reference.replace('$', "");
    let digits = reference.find(|c: char| c.is_ascii_digit())?;
    let (letters, row) = reference.split_at_checked(digits)?;
    let mut column = 0;
    for letter in letters.bytes() {
        let letter = letter.to_ascii_uppercase();
        if !letter.is_ascii_uppercase() || column > MAX_COLUMNS {
            return None;
        }
        column = column * 26 + usize::from(letter - b'A') + 1;
    }
    (1..=MAX_COLUMNS).contains(&column).then_some(())?;
    Some((row.parse().ok()?, column - 1))
}

struct Rows<'w, R: Read> {
    xml: Xml<R>,
    workbook: &'w Workbook,
    merged: Merged,
    /// The last values of merged columns.
    above: BTreeMap<usize, (u64, String)>,
    number: u64,
}

impl<R: Read> Rows<'_, R> {
    fn next(&mut self) -> Result<Option<Row>> {
        while let Some(piece) = self.xml.next()? {
            match piece {
                Piece::Start(tag) if tag.name == "row" => {
                    self.number = tag.number("r").unwrap_or(self.number.saturating_add(1));
                    return self.row().map(Some);
                }
                Piece::End(name) if name == "sheetData" => return Ok(None),
                Piece::Start(_) | Piece::End(_) | Piece::Text(_) => {}
            }
        }
        Ok(None)
    }

    fn row(&mut self) -> Result<Row> {
        let mut row = Row {
            line: self.number,
            number: self.number,
            ..Row::default()
        };
        let (mut next, mut bytes) = (0, 0);
        while let Some(piece) = self.xml.next()? {
            match piece {
                Piece::Start(tag) if tag.name == "c" => {
                    let at = tag
                        .get("r")
                        .map_or(Some(next), |place_of| Some(place(place_of)?.1));
                    let at = at.filter(|at| *at < MAX_COLUMNS);
                    let at = at.ok_or_else(|| Error::from(ErrorKind::InvalidData))?;
                    let cell = self.cell(&tag)?;
                    next = at + 1;
                    bytes += cell.text.len() as u64;
                    if bytes > MAX_LINE {
                        row.fault = Some(too_long());
                        continue;
                    }
                    if row.cells.len() <= at {
                        row.cells.resize(at + 1, Raw::default());
                    }
                    if let Some(place) = row.cells.get_mut(at) {
                        *place = cell;
                    }
                }
                Piece::End(name) if name == "row" => break,
                Piece::Start(_) | Piece::End(_) | Piece::Text(_) => {}
            }
        }
        if row.fault.is_some() {
            row.cells.clear();
        }
        while row.cells.last().is_some_and(Raw::is_blank) {
            row.cells.pop();
        }
        if !row.cells.is_empty() {
            self.fill_merged(&mut row);
        }
        Ok(row)
    }

    /// A merged cell counts for each of its rows.
    fn fill_merged(&mut self, row: &mut Row) {
        for (at, areas) in &self.merged {
            let before = areas.range(..=row.number).next_back();
            let Some((first, _)) = before.filter(|(_, to)| **to >= row.number) else {
                continue;
            };
            if *first == row.number {
                let text = row.cells.get(*at).map(|cell| cell.text.clone());
                self.above.insert(*at, (*first, text.unwrap_or_default()));
                continue;
            }
            let above = self
                .above
                .get(at)
                .filter(|(from, text)| from == first && !text.is_empty());
            let Some((_, text)) = above else { continue };
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

    fn cell(&mut self, tag: &Tag) -> Result<Raw> {
        let (mut value, mut inline, mut formula) = (None, None, false);
        while let Some(piece) = self.xml.next()? {
            match piece {
                Piece::Start(tag) if tag.name == "v" => value = Some(self.xml.text("v")?),
                Piece::Start(tag) if tag.name == "is" => {
                    inline = Some(rich_text(&mut self.xml, "is")?);
                }
                Piece::Start(tag) if tag.name == "f" => formula = true,
                Piece::End(name) if name == "c" => break,
                Piece::Start(_) | Piece::End(_) | Piece::Text(_) => {}
            }
        }
        let Some(value) =
            inline.or(value.filter(|value| !value.is_empty() || tag.get("t") == Some("str")))
        else {
            return Ok(Raw {
                text: String::new(),
                kind: if formula {
                    RawKind::WithoutValue
                } else {
                    RawKind::Text
                },
            });
        };
        let number = |text: String| Raw {
            text,
            kind: RawKind::Number,
        };
        Ok(match tag.get("t") {
            Some("s") => {
                let index = value.trim().parse::<usize>().ok();
                let found = index.and_then(|index| self.workbook.strings.get(index));
                let found = found.ok_or_else(|| Error::from(ErrorKind::InvalidData))?;
                Raw::text(unescaped(found))
            }
            Some("b") => number((value.trim() == "1").to_string()),
            Some("str" | "inlineStr" | "e") => Raw::text(unescaped(&value)),
            Some("d") => Raw::text(value),
            _ => {
                let style = tag
                    .number("s")
                    .and_then(|at| usize::try_from(at).ok())
                    .unwrap_or_default();
                let shown = self.workbook.styles.get(style).copied();
                numeric(
                    &value,
                    shown.unwrap_or(Shown::Number),
                    self.workbook.since_1904,
                )
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_letters_and_a_row() {
        assert_eq!(place("B17"), Some((17, 1)));
        assert_eq!(place("$CI$3"), Some((3, 86)));
        assert_eq!(place("XFD1048576"), Some((1_048_576, 16_383)));
        for bad in ["", "17", "B", "ZZZZ1", "B-1", "Ä1"] {
            assert_eq!(place(bad), None, "{bad}");
        }
    }
}
