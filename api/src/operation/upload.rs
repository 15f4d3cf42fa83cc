//! Bulk uploads: a body is spooled to a file, decompressed within limits, and read in chunks of
//! lines.
//!
//! The files have no name, so that nothing is left of them, whatever happens.

mod annotated;
mod array;
mod csv;
mod encoding;
mod faults;
mod heading;
mod limits;
mod lines;
mod mapping;
mod ods;
mod options;
mod report;
mod row;
mod spool;
mod table;
mod xlsx;
mod xml;

pub(crate) use annotated::Annotations;
pub(crate) use encoding::named as charset;
pub(crate) use limits::Limits;
pub(crate) use mapping::Mapping;
pub(crate) use options::{CHARSET, FIX, Options, SHEET, stored_mapping};
pub(crate) use report::{TableView, ValuesView};
pub(crate) use spool::{Faulty, Reading, Spool};

use self::limits::{MAX_BYTES, MAX_LINES, MAX_RATIO, too_large};
use self::spool::Filling;
use crate::http::problem::{Code, Problem};
use crate::operation::extract::describe_refusals;
use crate::operation::routes::{Draft, Extract};
use actix_web::dev::Payload;
use actix_web::http::header;
use actix_web::{FromRequest, HttpMessage, HttpRequest};
use encoding_rs::Encoding;
use flate2::write::MultiGzDecoder;
use futures::StreamExt;
use futures::future::LocalBoxFuture;
use serde_json::json;
use std::fs::File;
use std::io::{BufReader, Error, ErrorKind, Read, Seek, Write};

/// The format of an upload.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Form {
    /// A record per line.
    Lines,
    /// A JSON array of records.
    Array,
    /// A table as text, with the separator if the format has one.
    Text(Option<u8>),
    Xlsx,
    Ods,
}

/// Media types and extensions of the formats.
const FORMS: [(&str, &str, Form); 6] = [
    ("application/x-ndjson", "ndjson", Form::Lines),
    ("application/json", "json", Form::Array),
    ("text/csv", "csv", Form::Text(None)),
    ("text/tab-separated-values", "tsv", Form::Text(Some(b'\t'))),
    (
        "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
        "xlsx",
        Form::Xlsx,
    ),
    (
        "application/vnd.oasis.opendocument.spreadsheet",
        "ods",
        Form::Ods,
    ),
];

impl Form {
    /// The format of files with this extension.
    pub(crate) fn of_extension(extension: &str) -> Option<Self> {
        let mut known = FORMS.iter();
        let found = known.find(|(_, known, _)| known.eq_ignore_ascii_case(extension));
        found.map(|(.., form)| *form)
    }

    pub(crate) fn extensions() -> impl Iterator<Item = &'static str> {
        FORMS.iter().map(|(_, extension, _)| *extension)
    }

    /// What a file that is said to be a table is: browsers and generated clients often declare CSV
    /// for every file.
    ///
    /// Workbooks are ZIP archives; the first entry of an ODS file is its media type, uncompressed
    /// ([ODF 1.2, part 3, section 3.3](https://docs.oasis-open.org/office/v1.2/os/OpenDocument-v1.2-os-part3.html)).
    fn recognized(self, file: &mut File) -> std::io::Result<Self> {
        let Self::Text(_) = self else {
            return Ok(self);
        };
        let mut start = Vec::new();
        file.take(80).read_to_end(&mut start)?;
        file.rewind()?;
        if start.starts_with(b"PK\x03\x04") {
            let is_ods = (start.get(30..)).is_some_and(|name| name.starts_with(b"mimetype"));
            return Ok(if is_ods { Self::Ods } else { Self::Xlsx });
        }
        let text = start.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(&start);
        Ok(match text.trim_ascii_start().first() {
            Some(b'{') => Self::Lines,
            Some(b'[') => Self::Array,
            _ => self,
        })
    }

    fn of_media_type(media_type: &str) -> Result<Self, Problem> {
        let mut known = FORMS.iter();
        let found = known.find(|(known, ..)| known.eq_ignore_ascii_case(media_type));
        found.map(|(.., form)| *form).ok_or_else(|| {
            let known: Vec<&str> = FORMS.iter().map(|(known, ..)| *known).collect();
            let known = known.join(", ");
            Problem::new(Code::UnsupportedMediaType).detail(
                format!("Content-Type is \"{media_type}\"; send {known}."),
                format!("Content-Type ist „{media_type}“; richtig ist {known}."),
            )
        })
    }
}

#[derive(Debug)]
pub(crate) struct Upload {
    file: File,
    form: Form,
    charset: Option<&'static Encoding>,
}

/// Reads records, or a table of them.
///
/// # Errors
/// `payload-too-large` for too many lines, `validation-failed` for a table with invalid columns,
/// `invalid-parameter` if its kind is unknown.
pub(crate) fn read(mut file: File, form: Form, reading: Reading) -> Result<Spool, Problem> {
    file.rewind().map_err(|why| Problem::of_file(&why))?;
    let form = (form.recognized(&mut file)).map_err(|why| Problem::of_file(&why))?;
    let (charset, sheet) = (reading.options.charset, reading.options.sheet.clone());
    let mut filling = Filling::new(reading);
    match form {
        Form::Lines => filling.read_lines(BufReader::new(file))?,
        Form::Array => array::read(BufReader::new(file), &mut filling)?,
        Form::Text(separator) => csv::read(file, charset, separator, &mut filling)?,
        Form::Xlsx => xlsx::read(file, sheet.as_deref(), &mut filling)?,
        Form::Ods => ods::read(file, sheet.as_deref(), &mut filling)?,
    }
    filling.finish()
}

/// Copies what cannot be read twice to a file without a name.
pub(crate) fn copied(mut from: impl Read) -> std::io::Result<File> {
    let mut file = tempfile::tempfile()?;
    std::io::copy(&mut from, &mut file)?;
    Ok(file)
}

impl Upload {
    /// Reads an upload as [`read`] does.
    ///
    /// # Errors
    /// As [`read`].
    pub(crate) async fn spool(self, mut reading: Reading) -> Result<Spool, Problem> {
        reading.options.charset = reading.options.charset.or(self.charset);
        let task = tokio::task::spawn_blocking(move || read(self.file, self.form, reading));
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
            "description": format!("At most {MAX_BYTES} bytes; an import may have {MAX_LINES} lines, an ODS file 20000 rows. `Content-Encoding: gzip` is accepted. A JSON array of records (`application/json`) is read as well. A body that is declared a table and begins as another of these formats does is read as what it is."),
            "content": {
                "application/x-ndjson": text("One record per line.", lines),
                "text/tab-separated-values": text("Such a table with tabs.", &table.replace(',', "\t")),
                "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet": {"schema": {"type": "string", "format": "binary", "description": "A workbook (XLSX) with such a table: the sheet named by `sheet`, or by the plural of the kind, or the first."}, "example": "PK…"},
                "application/vnd.oasis.opendocument.spreadsheet": {"schema": {"type": "string", "format": "binary", "description": "A workbook (ODS) with such a table."}, "example": "PK…"},
                // Last, because generated Python clients send the last one for every file.
                "text/csv": text("A table of one kind, with any of the columns of exports, by path or by their German or English name (`Name`, `PLZ`, `Ort`). A column that it lacks leaves the member as it is; an empty cell removes it. Some columns of a list of objects change it element by element, if the number of elements is the stored one. Separator, encoding, and lines above the heading are found; `charset` declares the encoding.", table),
            },
        }));
        describe_refusals(draft);
    }
}

async fn receive(request: HttpRequest, mut payload: Payload) -> Result<Upload, Problem> {
    let form = Form::of_media_type(request.content_type())?;
    let charset = declared_charset(&request)?;
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
    Ok(Upload {
        file,
        form,
        charset,
    })
}

fn declared_charset(request: &HttpRequest) -> Result<Option<&'static Encoding>, Problem> {
    let header = request.headers().get(header::CONTENT_TYPE);
    let parameters = header
        .and_then(|value| value.to_str().ok())
        .unwrap_or_default();
    let declared = parameters.split(';').skip(1).find_map(|parameter| {
        let (name, value) = parameter.split_once('=')?;
        name.trim()
            .eq_ignore_ascii_case("charset")
            .then_some(value.trim())
    });
    declared.map(encoding::named).transpose()
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
