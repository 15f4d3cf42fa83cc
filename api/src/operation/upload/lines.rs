//! Which line of a file a place is in: tables end lines as they like, and have empty ones.

use std::collections::VecDeque;
use std::io::{Read, Result};

/// A file that knows of what it has handed out where its lines begin.
pub(crate) struct Lines<R> {
    file: R,
    /// How many bytes it has handed out.
    read: u64,
    /// The line that it is in, from 1.
    line: u64,
    /// Whether it has handed out nothing of that line.
    at_start: bool,
    /// Where lines begin that are not empty, and their numbers; none that were passed already.
    starts: VecDeque<(u64, u64)>,
}

impl<R> Lines<R> {
    pub(crate) fn of(file: R) -> Self {
        Self {
            file,
            read: 0,
            line: 1,
            at_start: true,
            starts: VecDeque::new(),
        }
    }

    /// The number of the first line, not an empty one, that begins at this byte or after it.
    pub(crate) fn first_after(&mut self, byte: u64) -> u64 {
        while self.starts.front().is_some_and(|(start, _)| *start < byte) {
            self.starts.pop_front();
        }
        self.starts.front().map_or(self.line, |(_, line)| *line)
    }
}

impl<R: Read> Read for Lines<R> {
    fn read(&mut self, buffer: &mut [u8]) -> Result<usize> {
        let length = self.file.read(buffer)?;
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
