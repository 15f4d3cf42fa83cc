//! Line numbers of positions in a file: tables have various line endings, and empty lines. And a
//! limit for what is read at once: a row without an end would be held in memory as a whole.

use std::collections::VecDeque;
use std::io::{Error, ErrorKind, Read, Result};

/// A reader that keeps track of the beginnings of lines.
pub(crate) struct Lines<R> {
    file: R,
    /// Bytes that may be read until more are allowed.
    left: u64,
    read: u64,
    line: u64,
    at_start: bool,
    starts: VecDeque<(u64, u64)>,
}

impl<R> Lines<R> {
    pub(crate) fn of(file: R) -> Self {
        Self {
            file,
            left: u64::MAX,
            read: 0,
            line: 1,
            at_start: true,
            starts: VecDeque::new(),
        }
    }

    /// Allows so many bytes from here on; to read more is an error of the kind `FileTooLarge`.
    pub(crate) fn allow(&mut self, bytes: u64) {
        self.left = bytes;
    }

    /// The number of the first non-empty line that begins at this byte or after it.
    pub(crate) fn first_after(&mut self, byte: u64) -> u64 {
        while self.starts.front().is_some_and(|(start, _)| *start < byte) {
            self.starts.pop_front();
        }
        self.starts.front().map_or(self.line, |(_, line)| *line)
    }
}

impl<R: Read> Read for Lines<R> {
    fn read(&mut self, buffer: &mut [u8]) -> Result<usize> {
        if self.left == 0 {
            return Err(Error::from(ErrorKind::FileTooLarge));
        }
        let length = self.file.read(buffer)?;
        self.left = self.left.saturating_sub(length as u64);
        for (at, byte) in (self.read..).zip(buffer.iter().take(length)) {
            match byte {
                b'\n' => {
                    self.line += 1;
                    self.at_start = true;
                }
                b'\r' => {}
                _ if self.at_start => {
                    self.starts.push_back((at, self.line));
                    self.at_start = false;
                }
                _ => {}
            }
        }
        self.read += length as u64;
        Ok(length)
    }
}
