//! A JSON array of records, an element at a time.

use super::faults::{too_long, unfit};
use super::limits::MAX_LINE;
use super::spool::Filling;
use crate::http::problem::Problem;
use domain::base::fault::{Fault, FaultCode, FieldError};
use domain::base::json::parse;
use std::io::BufRead;

/// Where in the array the reader is.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Place {
    Before,
    Element,
    Between,
    After,
}

/// Reads the elements; they are numbered from 1.
pub(super) fn read(mut file: impl BufRead, filling: &mut Filling) -> Result<(), Problem> {
    let (mut place, mut element, mut number) = (Place::Before, Element::default(), 0);
    loop {
        let bytes = file.fill_buf().map_err(|why| Problem::of_file(&why))?;
        let length = bytes.len();
        if length == 0 {
            break;
        }
        for byte in bytes {
            let blank = byte.is_ascii_whitespace() || matches!(byte, 0xef | 0xbb | 0xbf);
            match place {
                Place::Before if *byte == b'[' => place = Place::Element,
                Place::Before | Place::After if blank => {}
                Place::Between if byte.is_ascii_whitespace() => {}
                Place::Between if *byte == b',' => place = Place::Element,
                Place::Between if *byte == b']' => place = Place::After,
                Place::Element if element.is_empty() && byte.is_ascii_whitespace() => {}
                Place::Element if element.is_empty() && *byte == b']' && number == 0 => {
                    place = Place::After;
                }
                Place::Element => {
                    if element.push(*byte) {
                        number += 1;
                        element.take(number, filling)?;
                        place = Place::Between;
                    }
                }
                Place::Before | Place::Between | Place::After => {
                    return not_an_array(number + 1, filling);
                }
            }
        }
        file.consume(length);
    }
    if place == Place::After {
        return Ok(());
    }
    not_an_array(number + 1, filling)
}

fn not_an_array(number: u64, filling: &mut Filling) -> Result<(), Problem> {
    let fault = unfit((
        "here the array of records breaks off; send [{…}, {…}], or one record per line".to_owned(),
        "hier bricht die Liste der Datensätze ab; senden Sie [{…}, {…}] oder einen Datensatz je Zeile".to_owned(),
    ));
    filling.fault(number, vec![fault])
}

/// An element that is being read.
#[derive(Default)]
struct Element {
    text: Vec<u8>,
    depth: u64,
    length: u64,
    in_text: bool,
    escaped: bool,
}

impl Element {
    fn is_empty(&self) -> bool {
        self.length == 0
    }

    /// Adds a byte; returns whether it is the last.
    fn push(&mut self, byte: u8) -> bool {
        self.length += 1;
        if self.length <= MAX_LINE {
            self.text.push(byte);
        }
        match byte {
            _ if self.escaped => self.escaped = false,
            b'\\' if self.in_text => self.escaped = true,
            b'"' => self.in_text = !self.in_text,
            b'{' | b'[' if !self.in_text => self.depth += 1,
            b'}' | b']' if !self.in_text => self.depth = self.depth.saturating_sub(1),
            _ => {}
        }
        self.depth == 0 && !self.in_text && matches!(byte, b'}' | b']' | b'"')
    }

    fn take(&mut self, number: u64, filling: &mut Filling) -> Result<(), Problem> {
        let element = std::mem::take(self);
        if element.length > MAX_LINE {
            return filling.fault(number, vec![too_long()]);
        }
        match parse(&element.text) {
            Ok(record) => filling.record(number, record),
            Err(why) => {
                let fault = Fault::new(FaultCode::InvalidValue).with("why", why);
                filling.fault(number, vec![FieldError::new("", fault)])
            }
        }
    }
}
