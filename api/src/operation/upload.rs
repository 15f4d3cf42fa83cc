//! Bulk uploads: a body is spooled to a file, decompressed within limits, and read in chunks of
//! lines.
//!
//! The files have no name, so that nothing is left of them, whatever happens.

mod limits;
mod lines;
mod spool;
mod table;

pub(crate) use limits::Limits;
pub(crate) use spool::{Faulty, Reading, Spool};

use self::limits::{MAX_BYTES, MAX_LINES, MAX_RATIO, too_large};
use self::spool::Filling;
use crate::http::problem::{Code, Problem};
use crate::operation::extract::describe_refusals;
use crate::operation::routes::{Draft, Extract};
use actix_web::dev::Payload;
use actix_web::http::header;
use actix_web::{FromRequest, HttpMessage, HttpRequest};
use flate2::write::MultiGzDecoder;
use futures::StreamExt;
use futures::future::LocalBoxFuture;
use serde_json::json;
use std::fs::File;
use std::io::{BufRead, BufReader, Error, ErrorKind, Seek, Write};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Form {
    /// `application/x-ndjson`: a record per line.
    Lines,
    /// `text/csv`: a table.
    Table,
}

#[derive(Debug)]
pub(crate) struct Upload {
    file: File,
    form: Form,
}

/// Reads lines or a table.
///
/// # Errors
/// `payload-too-large` for too many lines, `validation-failed` for a table with invalid columns,
/// `invalid-parameter` if its kind is unknown.
pub(crate) fn read(file: impl BufRead, form: Form, reading: Reading) -> Result<Spool, Problem> {
    let mut filling = Filling::new(reading);
    match form {
        Form::Lines => filling.read_lines(file)?,
        Form::Table => table::read(file, &mut filling)?,
    }
    filling.finish()
}

impl Upload {
    /// Reads an upload as [`read`] does.
    ///
    /// # Errors
    /// As [`read`].
    pub(crate) async fn spool(self, reading: Reading) -> Result<Spool, Problem> {
        let task = tokio::task::spawn_blocking(move || {
            let mut file = self.file;
            file.rewind().map_err(|why| Problem::of_file(&why))?;
            read(BufReader::new(file), self.form, reading)
        });
        task.await.map_err(|why| {
            tracing::error!(error = %why, "cannot read a spooled body");
            Problem::new(Code::Internal)
        })?
    }
}

impl FromRequest for Upload {
    type Error = Problem;
    type Future = LocalBoxFuture<'static, Result<Self, Problem>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let (request, payload) = (request.clone(), payload.take());
        Box::pin(receive(request, payload))
    }
}

impl Extract for Upload {
    fn describe(draft: &mut Draft) {
        let lines = "{\"kind\":\"actor\",\"name\":\"Praxis am Markt\",\"home_region\":\"nordhessen\",\"external_id\":{\"system\":\"cms\",\"id\":\"42\"}}\n";
        let table = "name,home_region,external_id.system,external_id.id\r\nPraxis am Markt,nordhessen,cms,42\r\n";
        let text = |description: &str, example: &str| json!({"schema": {"type": "string", "format": "binary", "description": description}, "example": example});
        draft.request_body(json!({
            "required": true,
            "description": format!("At most {MAX_BYTES} bytes and {MAX_LINES} lines; `Content-Encoding: gzip` is accepted."),
            "content": {
                "application/x-ndjson": text("One record per line.", lines),
                "text/csv": text("A table of one kind, with any of the columns of exports. A column that it lacks leaves the member as it is; an empty cell removes it. Some columns of a list of objects change it element by element, if the number of elements is the stored one.", table),
            },
        }));
        describe_refusals(draft);
    }
}

async fn receive(request: HttpRequest, mut payload: Payload) -> Result<Upload, Problem> {
    let form = form(request.content_type())?;
    let mut sink = Sink::new(packed(&request)?)?;
    let announced = request.headers().get(header::CONTENT_LENGTH);
    let announced = announced.and_then(|value| value.to_str().ok()?.parse::<u64>().ok());
    if announced.is_some_and(|length| length > MAX_BYTES) {
        return Err(too_large());
    }
    while let Some(chunk) = payload.next().await {
        let chunk = chunk.map_err(|why| {
            Problem::new(Code::MalformedJson).detail(
                format!("The body was incomplete: {why}."),
                format!("Der Body kam nicht vollständig an: {why}."),
            )
        })?;
        sink.take(&chunk).map_err(|why| refused(&why))?;
    }
    let file = sink.finish().map_err(|why| refused(&why))?;
    Ok(Upload { file, form })
}

fn form(content_type: &str) -> Result<Form, Problem> {
    match content_type.to_ascii_lowercase().as_str() {
        "application/x-ndjson" => Ok(Form::Lines),
        "text/csv" => Ok(Form::Table),
        _ => Err(Problem::new(Code::UnsupportedMediaType).detail(
            format!("Content-Type is \"{content_type}\"; send application/x-ndjson or text/csv."),
            format!(
                "Content-Type ist „{content_type}“; richtig ist application/x-ndjson oder text/csv."
            ),
        )),
    }
}

fn packed(request: &HttpRequest) -> Result<bool, Problem> {
    let coding = request.headers().get(header::CONTENT_ENCODING);
    match coding.map(|coding| coding.as_bytes().to_ascii_lowercase()) {
        None => Ok(false),
        Some(coding) if coding == b"identity" => Ok(false),
        Some(coding) if coding == b"gzip" || coding == b"x-gzip" => Ok(true),
        Some(_) => Err(Problem::new(Code::UnsupportedMediaType).detail(
            "Content-Encoding may be gzip; or leave it out.",
            "Content-Encoding darf gzip sein; oder lassen Sie es weg.",
        )),
    }
}

fn refused(why: &Error) -> Problem {
    match why.kind() {
        ErrorKind::FileTooLarge => too_large(),
        ErrorKind::InvalidInput | ErrorKind::InvalidData | ErrorKind::UnexpectedEof => {
            Problem::new(Code::MalformedJson).detail(
                "The body is not gzip, as Content-Encoding says.",
                "Der Body ist kein gzip, wie Content-Encoding sagt.",
            )
        }
        _ => Problem::of_file(why),
    }
}

struct Bounded {
    file: File,
    written: u64,
    allowed: u64,
}

impl Write for Bounded {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        let after = self.written + bytes.len() as u64;
        if after > self.allowed {
            return Err(Error::from(ErrorKind::FileTooLarge));
        }
        self.file.write_all(bytes)?;
        self.written = after;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        self.file.flush()
    }
}

enum Sink {
    Plain(Bounded),
    Packed(Box<MultiGzDecoder<Bounded>>, u64),
}

impl Sink {
    fn new(packed: bool) -> Result<Self, Problem> {
        let file = tempfile::tempfile().map_err(|why| Problem::of_file(&why))?;
        let bounded = Bounded {
            file,
            written: 0,
            allowed: MAX_BYTES,
        };
        Ok(if packed {
            Self::Packed(Box::new(MultiGzDecoder::new(bounded)), 0)
        } else {
            Self::Plain(bounded)
        })
    }

    fn take(&mut self, bytes: &[u8]) -> std::io::Result<()> {
        match self {
            Self::Plain(file) => file.write_all(bytes),
            Self::Packed(decoder, received) => {
                *received += bytes.len() as u64;
                decoder.get_mut().allowed = MAX_BYTES.min(*received * MAX_RATIO);
                decoder.write_all(bytes)
            }
        }
    }

    fn finish(self) -> std::io::Result<File> {
        match self {
            Self::Plain(bounded) => Ok(bounded.file),
            Self::Packed(decoder, 0) => Ok(decoder.get_ref().file.try_clone()?),
            Self::Packed(decoder, _) => Ok(decoder.finish()?.file),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use flate2::{Compression, write::GzEncoder};
    use std::io::{Read, Seek};

    fn unpacked(bytes: &[u8]) -> Result<String, ErrorKind> {
        let mut sink = Sink::new(true).unwrap();
        for chunk in bytes.chunks(1000) {
            sink.take(chunk).map_err(|why| why.kind())?;
        }
        let mut file = sink.finish().map_err(|why| why.kind())?;
        file.rewind().unwrap();
        let mut text = String::new();
        file.read_to_string(&mut text).unwrap();
        Ok(text)
    }

    fn packed(text: &[u8]) -> Vec<u8> {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
        encoder.write_all(text).unwrap();
        encoder.finish().unwrap()
    }

    #[test]
    fn what_unpacks_to_much_more_is_refused() {
        let text = "Käthe".repeat(20);
        assert_eq!(unpacked(&packed(text.as_bytes())), Ok(text));
        let bomb = packed(&vec![b'x'; 10_000_000]);
        assert_eq!(unpacked(&bomb), Err(ErrorKind::FileTooLarge));
        let both = [packed(b"a"), packed(b"b")].concat();
        assert_eq!(unpacked(&both), Ok("ab".to_owned()));
    }

    #[test]
    fn what_is_no_gzip_or_breaks_off_is_told_as_such() {
        let whole = packed(b"text that is long enough to be cut");
        let cut = whole.get(..whole.len() - 10).unwrap();
        for bad in [cut, b"plain text, and not gzip at all"] {
            let why = Error::from(unpacked(bad).unwrap_err());
            assert_eq!(refused(&why).kind.code, Code::MalformedJson, "{why}");
        }
    }
}
