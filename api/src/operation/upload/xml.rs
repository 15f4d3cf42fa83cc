//! XML in a ZIP archive, read piece by piece within limits.
//!
//! Nothing that the archive declares is trusted: not the sizes of its files, nor any number in them.

use quick_xml::Reader;
use quick_xml::XmlVersion;
use quick_xml::events::{BytesRef, BytesStart, Event};
use std::fs::File;
use std::io::{BufReader, Error, ErrorKind, Read, Result};
use zip::ZipArchive;

/// Unpacked bytes of a file of the archive.
pub(super) const MAX_UNPACKED: u64 = 512 * 1024 * 1024;

/// Unpacked bytes of a file that is held in memory.
pub(super) const MAX_HELD: u64 = 64 * 1024 * 1024;

const MAX_FILES: usize = 5000;

/// Bytes without a tag: no cell is longer than a line.
const MAX_TEXT: u64 = super::limits::MAX_LINE;

pub(super) type Archive<'f> = ZipArchive<BufReader<&'f mut File>>;

#[derive(Debug, PartialEq, Eq)]
pub(super) enum Piece {
    Start(Tag),
    End(String),
    Text(String),
}

/// The beginning of an element, without the prefixes of its name and attributes.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Tag {
    pub(super) name: String,
    attributes: Vec<(String, String)>,
}

impl Tag {
    pub(super) fn get(&self, name: &str) -> Option<&str> {
        let found = self.attributes.iter().find(|(key, _)| key == name);
        found.map(|(_, value)| value.as_str())
    }

    pub(super) fn number(&self, name: &str) -> Option<u64> {
        self.get(name)?.parse().ok()
    }
}

pub(super) struct Xml<R: Read> {
    reader: Reader<BufReader<Bounded<R>>>,
    buffer: Vec<u8>,
}

pub(super) fn open(file: &mut File) -> Result<Archive<'_>> {
    let archive = ZipArchive::new(BufReader::new(file)).map_err(unfit)?;
    if archive.len() > MAX_FILES {
        return Err(Error::from(ErrorKind::FileTooLarge));
    }
    Ok(archive)
}

/// A file of the archive; none if there is none.
pub(super) fn part<'a, 'f>(
    archive: &'a mut Archive<'f>,
    name: &str,
    most: u64,
) -> Result<Option<Xml<impl Read + use<'a, 'f>>>> {
    let found = match archive.by_name(name) {
        Ok(found) => found,
        Err(zip::result::ZipError::FileNotFound) => return Ok(None),
        Err(why) => return Err(unfit(why)),
    };
    Ok(Some(Xml::of(found, most)))
}

fn unfit(why: impl std::error::Error) -> Error {
    Error::new(ErrorKind::InvalidData, why.to_string())
}

impl<R: Read> Xml<R> {
    fn of(file: R, most: u64) -> Self {
        let bounded = Bounded {
            file,
            left: most,
            since_tag: 0,
        };
        let mut reader = Reader::from_reader(BufReader::new(bounded));
        reader.config_mut().expand_empty_elements = true;
        Self {
            reader,
            buffer: Vec::new(),
        }
    }

    pub(super) fn next(&mut self) -> Result<Option<Piece>> {
        loop {
            self.buffer.clear();
            let event = match self.reader.read_event_into(&mut self.buffer) {
                Ok(event) => event,
                Err(quick_xml::Error::Io(why)) => {
                    return Err(Error::new(why.kind(), why.to_string()));
                }
                Err(why) => return Err(unfit(why)),
            };
            return Ok(Some(match event {
                Event::Start(start) => Piece::Start(tag(&start)?),
                Event::End(end) => Piece::End(end.local_name().as_ref().to_owned()),
                Event::Text(text) => Piece::Text(text.xml10_content().into_owned()),
                Event::CData(text) => Piece::Text(text.xml10_content().into_owned()),
                Event::GeneralRef(name) => Piece::Text(entity(&name)?),
                Event::Eof => return Ok(None),
                _ => continue,
            }));
        }
    }

    /// The text up to the end of an element, and whether there was a tag in it.
    pub(super) fn text(&mut self, name: &str) -> Result<String> {
        let mut text = String::new();
        while let Some(piece) = self.next()? {
            match piece {
                Piece::Text(part) => text.push_str(&part),
                Piece::End(end) if end == name => return Ok(text),
                Piece::End(_) | Piece::Start(_) => {}
            }
            if text.len() as u64 > MAX_TEXT {
                return Err(Error::from(ErrorKind::FileTooLarge));
            }
        }
        Err(Error::from(ErrorKind::UnexpectedEof))
    }
}

fn tag(start: &BytesStart<'_>) -> Result<Tag> {
    let mut attributes = Vec::new();
    for attribute in start.attributes().with_checks(false) {
        let attribute = attribute.map_err(unfit)?;
        let value = attribute
            .normalized_value(XmlVersion::Implicit1_0)
            .map_err(unfit)?;
        let name = attribute.key.local_name().as_ref().to_owned();
        attributes.push((name, value.into_owned()));
    }
    Ok(Tag {
        name: start.local_name().as_ref().to_owned(),
        attributes,
    })
}

/// Entities of a document's own are not resolved: they may grow without limit.
fn entity(name: &BytesRef<'_>) -> Result<String> {
    if let Some(letter) = name.resolve_char_ref().map_err(unfit)? {
        return Ok(letter.to_string());
    }
    Ok(match name.xml10_content().as_ref() {
        "lt" => "<",
        "gt" => ">",
        "amp" => "&",
        "quot" => "\"",
        "apos" => "'",
        _ => return Err(Error::new(ErrorKind::InvalidData, "an entity of its own")),
    }
    .to_owned())
}

/// A reader that ends with an error after so many bytes, or so many without a tag.
struct Bounded<R> {
    file: R,
    left: u64,
    since_tag: u64,
}

impl<R: Read> Read for Bounded<R> {
    fn read(&mut self, buffer: &mut [u8]) -> Result<usize> {
        let length = self.file.read(buffer)?;
        let bytes = buffer.get(..length).unwrap_or_default();
        self.since_tag = match bytes.iter().rposition(|byte| *byte == b'<') {
            Some(at) => (length - at) as u64,
            None => self.since_tag + length as u64,
        };
        let Some(left) = self
            .left
            .checked_sub(length as u64)
            .filter(|_| self.since_tag <= MAX_TEXT)
        else {
            return Err(Error::from(ErrorKind::FileTooLarge));
        };
        self.left = left;
        Ok(length)
    }
}
