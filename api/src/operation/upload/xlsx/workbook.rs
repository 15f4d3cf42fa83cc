//! The parts of a workbook that its sheets refer to: their names and files, shared texts, formats.

use super::value::{Shown, built_in, shown};
use crate::formats::POSITION;
use crate::operation::upload::limits::MAX_LINE;
use crate::operation::upload::xml::{Archive, MAX_HELD, Piece, Xml, part};
use std::collections::BTreeMap;
use std::io::{Error, ErrorKind, Read, Result};

const MAX_SHEETS: usize = 1000;

const MAX_TARGETS: usize = 10_000;

/// Texts that fit into [`MAX_HELD`], unless they are empty.
const MAX_STRINGS: usize = 3_500_000;

const MAX_STYLES: usize = 100_000;

pub(super) struct Sheet {
    pub(super) name: String,
    pub(super) relation: String,
    pub(super) hidden: bool,
}

#[derive(Default)]
pub(super) struct Workbook {
    pub(super) sheets: Vec<Sheet>,
    /// The files of the sheets, by their relations.
    pub(super) targets: BTreeMap<String, String>,
    pub(super) strings: Vec<String>,
    /// For each style of cells: what its number means.
    pub(super) styles: Vec<Shown>,
    pub(super) since_1904: bool,
}

impl Workbook {
    pub(super) fn read(archive: &mut Archive<'_>) -> Result<Self> {
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
pub(super) fn position(archive: &mut Archive<'_>) -> Result<Option<String>> {
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
pub(super) fn rich_text(xml: &mut Xml<impl Read>, name: &str) -> Result<String> {
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
