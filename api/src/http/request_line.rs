//! Request lines with letters beyond ASCII, which are percent-encoded before they are parsed.
//!
//! Browsers encode them, `curl "…?q=Würzburg"` does not, and the parser answers with 400 and no
//! body.

use std::task::Poll;
use tokio::io::ReadBuf;

/// Bytes of a request line that are looked at; longer ones are refused anyway.
const LONGEST: usize = 16 * 1024;

/// The longest method with the beginning of a target.
const METHOD: usize = 24;

#[derive(Debug, Default)]
pub(super) struct RequestLine {
    place: Place,
    /// Bytes for which there was no room.
    late: Vec<u8>,
}

#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
enum Place {
    #[default]
    Start,
    /// So many bytes after the start.
    Within(usize),
    Past,
}

impl RequestLine {
    /// The next bytes may be those of another request.
    pub(super) fn restart(&mut self) {
        self.place = Place::Start;
    }

    /// Gives what there was no room for; `Pending` if there is nothing.
    pub(super) fn give_late(&mut self, buffer: &mut ReadBuf<'_>) -> Poll<()> {
        if self.late.is_empty() {
            return Poll::Pending;
        }
        let length = self.late.len().min(buffer.remaining());
        let given: Vec<u8> = self.late.drain(..length).collect();
        buffer.put_slice(&given);
        Poll::Ready(())
    }

    /// Encodes the part of the line among the bytes that were read after the first `before`.
    pub(super) fn encode(&mut self, buffer: &mut ReadBuf<'_>, before: usize) {
        let read = buffer.filled().get(before..).unwrap_or_default();
        let seen = match self.place {
            Place::Past => return,
            _ if read.is_empty() => return,
            // The rest of a body that was refused is no request.
            Place::Start if !is_request(read) => {
                self.place = Place::Past;
                return;
            }
            Place::Start => 0,
            Place::Within(seen) => seen,
        };
        let end = read.iter().position(|byte| *byte == b'\n');
        let length = end.unwrap_or(read.len());
        self.place = match end {
            None if seen + length <= LONGEST => Place::Within(seen + length),
            None | Some(_) => Place::Past,
        };
        let (line, rest) = read.split_at_checked(length).unwrap_or((read, &[]));
        if line.is_ascii() {
            return;
        }
        let mut encoded = Vec::with_capacity(read.len() * 2);
        for byte in line {
            match byte {
                0x80.. => encoded.extend(format!("%{byte:02X}").bytes()),
                _ => encoded.push(*byte),
            }
        }
        encoded.extend_from_slice(rest);
        buffer.set_filled(before);
        let room = encoded.len().min(buffer.remaining());
        self.late = encoded.split_off(room);
        buffer.put_slice(&encoded);
    }
}

/// Whether bytes begin like a request: a method, and a target.
fn is_request(bytes: &[u8]) -> bool {
    let start = bytes.get(..METHOD.min(bytes.len())).unwrap_or_default();
    let method = start
        .iter()
        .take_while(|byte| byte.is_ascii_uppercase())
        .count();
    method >= 3
        && start
            .get(method..method + 2)
            .is_some_and(|next| next == b" /")
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What the parser gets of these parts, in a buffer of this size.
    fn read(line: &mut RequestLine, parts: &[&[u8]], size: usize) -> String {
        let mut all = Vec::new();
        for part in parts {
            let mut room = vec![0; size.max(part.len())];
            let mut buffer = ReadBuf::new(&mut room);
            buffer.put_slice(part);
            line.encode(&mut buffer, 0);
            all.extend_from_slice(buffer.filled());
            loop {
                let mut room = vec![0; size];
                let mut buffer = ReadBuf::new(&mut room);
                if line.give_late(&mut buffer).is_pending() {
                    break;
                }
                all.extend_from_slice(buffer.filled());
            }
        }
        String::from_utf8(all).unwrap()
    }

    #[test]
    fn letters_of_the_line_are_encoded_and_nothing_else() {
        let sent = "GET /v1/actors?q=Würzburg HTTP/1.1\r\nX-Name: ü\r\n\r\n";
        let expected = "GET /v1/actors?q=W%C3%BCrzburg HTTP/1.1\r\nX-Name: ü\r\n\r\n";
        assert_eq!(
            read(&mut RequestLine::default(), &[sent.as_bytes()], 4096),
            expected
        );
        // Without room, and with a letter between two reads.
        assert_eq!(
            read(&mut RequestLine::default(), &[sent.as_bytes()], 7),
            expected
        );
        let (one, two) = sent.as_bytes().split_at(19);
        assert_eq!(
            read(&mut RequestLine::default(), &[one, two], 4096),
            expected
        );
    }

    #[test]
    fn what_is_no_request_stays_as_it_is() {
        for sent in ["ü".repeat(50), "GET ü\n".to_owned(), "POSTÄ /\n".to_owned()] {
            assert_eq!(
                read(&mut RequestLine::default(), &[sent.as_bytes()], 4096),
                sent
            );
        }
        let mut line = RequestLine::default();
        let (body, next) = ("GET /a HTTP/1.1\r\n\r\nü", "GET /ü HTTP/1.1\r\n");
        assert_eq!(read(&mut line, &[body.as_bytes()], 4096), body);
        line.restart();
        assert_eq!(
            read(&mut line, &[next.as_bytes()], 4096),
            "GET /%C3%BC HTTP/1.1\r\n"
        );
    }
}
