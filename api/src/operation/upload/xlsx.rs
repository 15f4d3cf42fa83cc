//! XLSX (ISO/IEC 29500), a row at a time.
//!
//! Own code, because the readers that exist reserve what a file declares, and do not tell a formula
//! without its result from an empty cell (ADR 34).

use super::faults::too_long;
use super::limits::{MAX_COLUMNS, MAX_LINE, MAX_ROWS, too_many};
use super::row::{Raw, RawKind, Row};
use super::spool::Filling;
use super::table::{Table, not_a_workbook, sheet_missing};
use super::xml::{Archive, MAX_HELD, MAX_UNPACKED, Piece, Tag, Xml, open, part};
use crate::formats::POSITION;
use crate::http::problem::Problem;
use chrono::{Duration, NaiveDate};
use std::collections::BTreeMap;
use std::fs::File;
use std::io::{Error, ErrorKind, Read, Result};

const MAX_MERGED: usize = 100_000;

const MAX_SHEETS: usize = 1000;

const MAX_TARGETS: usize = 10_000;

/// Texts that fit into [`MAX_HELD`], unless they are empty.
const MAX_STRINGS: usize = 3_500_000;

const MAX_STYLES: usize = 100_000;

/// Columns with merged cells of several rows.
const MAX_MERGED_COLUMNS: usize = 200;

struct Sheet {
    name: String,
    relation: String,
    hidden: bool,
}

#[derive(Default)]
struct Workbook {
    sheets: Vec<Sheet>,
    /// The files of the sheets, by their relations.
    targets: BTreeMap<String, String>,
    strings: Vec<String>,
    /// For each style of cells: what its number means.
    styles: Vec<Shown>,
    since_1904: bool,
}

/// What a number is shown as.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Shown {
    Number,
    Year,
    Month,
    Day,
    Moment,
    Time,
}

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

impl Workbook {
    fn read(archive: &mut Archive<'_>) -> Result<Self> {
        let mut workbook = Self::default();
        let missing = || Error::from(ErrorKind::NotFound);
        let xml = part(archive, "xl/workbook.xml", MAX_HELD)?;
        workbook.take_sheets(xml.ok_or_else(missing)?)?;
        let xml = part(archive, "xl/_rels/workbook.xml.rels", MAX_HELD)?;
        workbook.take_targets(xml.ok_or_else(missing)?)?;
        if let Some(xml) = part(archive, "xl/sharedStrings.xml", MAX_HELD)? {
            workbook.take_strings(xml)?;
        }
        if let Some(xml) = part(archive, "xl/styles.xml", MAX_HELD)? {
            workbook.take_styles(xml)?;
        }
        Ok(workbook)
    }

    fn take_sheets(&mut self, mut xml: Xml<impl Read>) -> Result<()> {
        while let Some(piece) = xml.next()? {
            let Piece::Start(tag) = piece else { continue };
            match tag.name.as_str() {
                "workbookPr" => self.since_1904 = matches!(tag.get("date1904"), Some("1" | "true")),
                "sheet" if self.sheets.len() < MAX_SHEETS => self.sheets.push(Sheet {
                    name: tag.get("name").unwrap_or_default().to_owned(),
                    relation: tag.get("id").unwrap_or_default().to_owned(),
                    hidden: matches!(tag.get("state"), Some("hidden" | "veryHidden")),
                }),
                _ => {}
            }
        }
        Ok(())
    }

    fn take_targets(&mut self, mut xml: Xml<impl Read>) -> Result<()> {
        while let Some(piece) = xml.next()? {
            let Piece::Start(tag) = piece else { continue };
            if let (Some(id), Some(target)) = (tag.get("Id"), tag.get("Target"))
                && self.targets.len() < MAX_TARGETS
            {
                let path = match target.strip_prefix('/') {
                    Some(path) => path.to_owned(),
                    None => format!("xl/{}", target.trim_start_matches("./")),
                };
                self.targets.insert(id.to_owned(), path);
            }
        }
        Ok(())
    }

    fn take_strings(&mut self, mut xml: Xml<impl Read>) -> Result<()> {
        while let Some(piece) = xml.next()? {
            if matches!(&piece, Piece::Start(tag) if tag.name == "si") {
                if self.strings.len() == MAX_STRINGS {
                    return Err(Error::from(ErrorKind::FileTooLarge));
                }
                self.strings.push(rich_text(&mut xml, "si")?);
            }
        }
        Ok(())
    }

    fn take_styles(&mut self, mut xml: Xml<impl Read>) -> Result<()> {
        let (mut formats, mut in_cells) = (BTreeMap::new(), false);
        while let Some(piece) = xml.next()? {
            match piece {
                Piece::Start(tag) if tag.name == "numFmt" => {
                    let shown = shown(tag.get("formatCode").unwrap_or_default());
                    formats.insert(tag.number("numFmtId").unwrap_or_default(), shown);
                }
                Piece::Start(tag) if tag.name == "cellXfs" => in_cells = true,
                Piece::End(name) if name == "cellXfs" => in_cells = false,
                Piece::Start(tag)
                    if in_cells && tag.name == "xf" && self.styles.len() < MAX_STYLES =>
                {
                    let id = tag.number("numFmtId").unwrap_or_default();
                    let shown = formats.get(&id).copied();
                    self.styles.push(shown.unwrap_or_else(|| built_in(id)));
                }
                _ => {}
            }
        }
        Ok(())
    }
}

/// The state that an export read, if the workbook is one.
fn position(archive: &mut Archive<'_>) -> Result<Option<String>> {
    let Some(mut xml) = part(archive, "docProps/custom.xml", MAX_HELD)? else {
        return Ok(None);
    };
    while let Some(piece) = xml.next()? {
        if matches!(&piece, Piece::Start(tag) if tag.name == "property" && tag.get("name") == Some(POSITION))
        {
            return xml.text("property").map(Some);
        }
    }
    Ok(None)
}

/// The text of an element with runs, without the readings of Japanese words.
fn rich_text(xml: &mut Xml<impl Read>, name: &str) -> Result<String> {
    let (mut text, mut in_text, mut beside) = (String::new(), false, false);
    while let Some(piece) = xml.next()? {
        match piece {
            Piece::Start(tag) if tag.name == "t" => in_text = !beside,
            Piece::Start(tag) if tag.name == "rPh" => beside = true,
            Piece::Text(part) if in_text => text.push_str(&part),
            Piece::End(end) if end == "t" => in_text = false,
            Piece::End(end) if end == "rPh" => beside = false,
            Piece::End(end) if end == name => return Ok(text),
            Piece::Start(_) | Piece::Text(_) | Piece::End(_) => {}
        }
        if text.len() as u64 > MAX_LINE {
            return Err(Error::from(ErrorKind::FileTooLarge));
        }
    }
    Err(Error::from(ErrorKind::UnexpectedEof))
}

const fn built_in(id: u64) -> Shown {
    match id {
        14..=16 | 27..=31 | 36 | 50..=54 | 57 | 58 => Shown::Day,
        17 => Shown::Month,
        18..=21 | 45..=47 => Shown::Time,
        22 => Shown::Moment,
        _ => Shown::Number,
    }
}

/// What a format of numbers shows, by the letters outside of its texts.
fn shown(format: &str) -> Shown {
    let mut letters = String::new();
    let (mut quoted, mut bracket, mut escaped) = (false, false, false);
    // Further sections are for negative numbers and texts.
    for letter in format
        .split(';')
        .next()
        .unwrap_or_default()
        .to_ascii_lowercase()
        .chars()
    {
        match letter {
            _ if escaped => escaped = false,
            '\\' | '_' | '*' => escaped = true,
            '"' => quoted = !quoted,
            '[' if !quoted => bracket = true,
            ']' if !quoted => bracket = false,
            'd' | 'm' | 'y' | 'h' | 's' | 'j' | 't' if !quoted && !bracket => letters.push(letter),
            _ => {}
        }
    }
    let has = |any: &[char]| letters.contains(any);
    let (year, day, time) = (has(&['y', 'j']), has(&['d', 't']), has(&['h', 's']));
    match (year, day, time) {
        (true, true, true) => Shown::Moment,
        (_, true, _) => Shown::Day,
        (true, false, _) if has(&['m']) => Shown::Month,
        (true, false, _) => Shown::Year,
        (false, false, true) => Shown::Time,
        (false, false, false) if has(&['m']) => Shown::Day,
        (false, false, false) => Shown::Number,
    }
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

/// A text of a cell, in which `_x000D_` is a character (ISO/IEC 29500-1, 22.4.2.4), and `_x005F_`
/// the underscore of a text that only looks like one.
fn unescaped(text: &str) -> String {
    let (mut plain, mut rest) = (String::with_capacity(text.len()), text);
    while let Some((before, after)) = rest.split_once("_x") {
        plain.push_str(before);
        let code = after.get(..4).filter(|_| after.get(4..5) == Some("_"));
        let code = code.and_then(|code| u16::from_str_radix(code, 16).ok());
        if let Some(letter) = code.and_then(|code| char::from_u32(u32::from(code))) {
            plain.push(letter);
            rest = after.get(5..).unwrap_or_default();
        } else {
            plain.push_str("_x");
            rest = after;
        }
    }
    plain + rest
}

fn numeric(text: &str, shown: Shown, since_1904: bool) -> Raw {
    let value = text
        .trim()
        .parse::<f64>()
        .ok()
        .filter(|value| value.is_finite());
    let Some(value) = value else {
        return Raw::text(text);
    };
    if shown != Shown::Number
        && let Some(date) = date(value, shown, since_1904)
    {
        return Raw::text(date);
    }
    Raw {
        text: serde_json::Number::from_f64(value).map_or_else(
            || text.to_owned(),
            |number| {
                // 3 is stored like 3.0.
                let text = number.to_string();
                text.strip_suffix(".0").map_or(text.clone(), str::to_owned)
            },
        ),
        kind: RawKind::Number,
    }
}

/// The date of a number of days since the end of 1899.
fn date(value: f64, shown: Shown, since_1904: bool) -> Option<String> {
    if shown == Shown::Time || !(0.0..2_958_466.0).contains(&value) {
        return None;
    }
    let days = value + if since_1904 { 1462.0 } else { 0.0 };
    // The 29 February 1900 that there never was.
    let days = if days < 60.0 { days + 1.0 } else { days };
    #[expect(clippy::cast_possible_truncation, reason = "at most 2 958 466 days")]
    let seconds = (days * 86_400.0).round() as i64;
    let start = NaiveDate::from_ymd_opt(1899, 12, 30)?.and_hms_opt(0, 0, 0)?;
    let moment = start.checked_add_signed(Duration::try_seconds(seconds)?)?;
    let has_time = seconds % 86_400 != 0;
    Some(
        match shown {
            Shown::Year => moment.format("%Y"),
            Shown::Month => moment.format("%Y-%m"),
            Shown::Moment if has_time => moment.format("%Y-%m-%dT%H:%M:%S"),
            _ => moment.format("%Y-%m-%d"),
        }
        .to_string(),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn formats_of_numbers_are_dates_or_not() {
        for (format, expected) in [
            ("General", Shown::Number),
            ("0.00", Shown::Number),
            ("#,##0 \"dmy\"", Shown::Number),
            ("[Red]0", Shown::Number),
            ("dd.mm.yyyy", Shown::Day),
            ("TT.MM.JJJJ", Shown::Day),
            ("[$-407]d. mmmm yyyy;@", Shown::Day),
            ("mm/yyyy", Shown::Month),
            ("yyyy", Shown::Year),
            ("dd.mm.yyyy hh:mm", Shown::Moment),
            ("hh:mm", Shown::Time),
            ("0\\d", Shown::Number),
        ] {
            assert_eq!(shown(format), expected, "{format}");
        }
    }

    #[test]
    fn numbers_are_dates_where_they_are_shown_so() {
        for (value, shown, expected) in [
            ("42369", Shown::Day, "2015-12-31"),
            ("42369.5", Shown::Day, "2015-12-31"),
            ("42369.5", Shown::Moment, "2015-12-31T12:00:00"),
            ("42369", Shown::Month, "2015-12"),
            ("1", Shown::Day, "1900-01-01"),
            ("60", Shown::Day, "1900-02-28"),
            ("61", Shown::Day, "1900-03-01"),
            ("42369", Shown::Number, "42369"),
            ("51.96", Shown::Number, "51.96"),
            ("1e3", Shown::Number, "1000"),
            ("-1", Shown::Day, "-1"),
        ] {
            assert_eq!(numeric(value, shown, false).text, expected, "{value}");
        }
        assert_eq!(numeric("40907", Shown::Day, true).text, "2015-12-31");
    }

    #[test]
    fn escaped_characters_are_read() {
        for (text, expected) in [
            ("a_x000D_\nb", "a\r\nb"),
            ("a_x005F_x000D_b", "a_x000D_b"),
            ("_x000d_", "\r"),
            ("max_x", "max_x"),
            ("_x12", "_x12"),
            ("_xD800_", "_xD800_"),
            ("_x0041", "_x0041"),
            ("_xäöü_", "_xäöü_"),
        ] {
            assert_eq!(unescaped(text), expected, "{text}");
        }
    }

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
