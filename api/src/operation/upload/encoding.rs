//! The encoding of a text file: declared, or found.

use crate::http::problem::{Code, Problem};
use encoding_rs::{Encoding, UTF_8, UTF_16BE, UTF_16LE, WINDOWS_1252};
use encoding_rs_io::DecodeReaderBytesBuilder;
use std::fs::File;
use std::io::{BufRead, BufReader, Read, Result, Seek};

/// Bytes of a file by which UTF-16 without a mark is found.
const SAMPLE: usize = 4096;

/// Letters with marks: their bytes in Windows-1252, and in the encoding of old Macs.
const WINDOWS: [u8; 8] = [0xe4, 0xf6, 0xfc, 0xc4, 0xd6, 0xdc, 0xdf, 0xe9];
const MAC: [u8; 8] = [0x8a, 0x9a, 0x9f, 0x80, 0x85, 0x86, 0xa7, 0x8e];

const UTF_8_MARK: &[u8] = &[0xef, 0xbb, 0xbf];

/// Bytes without a character in Windows-1252.
const UNDEFINED: [u8; 5] = [0x81, 0x8d, 0x8f, 0x90, 0x9d];

/// The encoding that a label such as `windows-1252` names.
///
/// # Errors
/// `invalid-parameter` if there is none.
pub(crate) fn named(label: &str) -> std::result::Result<&'static Encoding, Problem> {
    Encoding::for_label(label.trim_matches(['"', ' ']).as_bytes()).ok_or_else(|| {
        Problem::new(Code::InvalidParameter).detail(
            format!("\"{label}\" is no known charset; write utf-8, windows-1252, utf-16le or macintosh."),
            format!("„{label}“ ist kein bekannter Zeichensatz; richtig ist etwa utf-8, windows-1252, utf-16le oder macintosh."),
        )
    })
}

/// The encoding of a file: its mark, then what was declared, then what its bytes show.
pub(super) fn of(
    file: &mut File,
    declared: Option<&'static Encoding>,
) -> std::result::Result<&'static Encoding, Problem> {
    let broken = |why: std::io::Error| Problem::of_file(&why);
    file.rewind().map_err(broken)?;
    let mut start = Vec::new();
    let sample = (&mut *file).take(SAMPLE as u64).read_to_end(&mut start);
    sample.map_err(broken)?;
    if let Some((marked, _)) = Encoding::for_bom(&start) {
        return Ok(marked);
    }
    if let Some(declared) = declared {
        return Ok(declared);
    }
    if let Some(wide) = without_mark(&start) {
        return Ok(wide);
    }
    file.rewind().map_err(broken)?;
    let seen = Seen::of(&mut *file).map_err(broken)?;
    // In a UTF-8 table with a few cells from elsewhere only the rows with these are refused: to read
    // it as Windows-1252 would spoil all others. By chance, letters of Windows-1252 hardly ever look
    // like UTF-8.
    if seen.invalid == 0 || seen.multibyte >= seen.invalid {
        return Ok(UTF_8);
    }
    if seen.mac > seen.windows || seen.undefined > 0 {
        return Err(Problem::new(Code::InvalidParameter).detail(
            "The file is neither UTF-8 nor Windows-1252; it looks like an old Mac's. Save it as UTF-8, or tell its encoding, such as charset=macintosh.",
            "Die Datei ist weder UTF-8 noch Windows-1252; sie sieht nach einem alten Mac aus. Speichern Sie sie als UTF-8, oder nennen Sie den Zeichensatz, etwa charset=macintosh.",
        ));
    }
    Ok(WINDOWS_1252)
}

/// UTF-16 without a mark, by the zero bytes of its Latin letters.
fn without_mark(start: &[u8]) -> Option<&'static Encoding> {
    let zeros = |first: usize| {
        start
            .iter()
            .skip(first)
            .step_by(2)
            .filter(|byte| **byte == 0)
            .count()
    };
    let (even, odd, half) = (zeros(0), zeros(1), start.len() / 2);
    match (even, odd) {
        _ if half < 2 => None,
        (0, odd) if odd * 2 > half => Some(UTF_16LE),
        (even, 0) if even * 2 > half => Some(UTF_16BE),
        _ => None,
    }
}

struct Seen {
    /// Letters of several bytes, if it is UTF-8.
    multibyte: u64,
    /// Sequences that are no UTF-8.
    invalid: u64,
    windows: u64,
    mac: u64,
    undefined: u64,
}

impl Seen {
    fn of(mut file: impl Read) -> Result<Self> {
        let mut seen = Self {
            multibyte: 0,
            invalid: 0,
            windows: 0,
            mac: 0,
            undefined: 0,
        };
        let (mut buffer, mut rest, mut before) = (vec![0; 64 * 1024], Vec::new(), 0);
        loop {
            let length = file.read(&mut buffer)?;
            let bytes = buffer.get(..length).unwrap_or_default();
            for byte in bytes {
                if u8::is_ascii_alphabetic(&before) || *byte >= 0x80 {
                    seen.windows += u64::from(WINDOWS.contains(byte));
                    seen.mac += u64::from(MAC.contains(byte) && u8::is_ascii_alphabetic(&before));
                }
                seen.undefined += u64::from(UNDEFINED.contains(byte));
                before = *byte;
            }
            rest.extend_from_slice(bytes);
            let cut = seen.take_utf8(&rest, length == 0);
            rest.drain(..rest.len() - cut);
            if length == 0 {
                return Ok(seen);
            }
        }
    }

    /// Counts what is UTF-8 and what is not; returns the bytes of a letter that is cut at the end.
    fn take_utf8(&mut self, bytes: &[u8], is_end: bool) -> usize {
        let mut at = 0;
        for chunk in bytes.utf8_chunks() {
            let letters = chunk.valid().chars().filter(|letter| !letter.is_ascii());
            self.multibyte += letters.count() as u64;
            let invalid = chunk.invalid();
            at += chunk.valid().len() + invalid.len();
            let is_cut = std::str::from_utf8(invalid).is_err_and(|why| why.error_len().is_none());
            if is_cut && at == bytes.len() && !is_end {
                return invalid.len();
            }
            self.invalid += u64::from(!invalid.is_empty());
        }
        0
    }
}

/// The file from its beginning, as UTF-8 without a mark; what is invalid in a UTF-8 file stays so.
pub(super) fn decoded<'a>(
    file: &'a mut File,
    encoding: &'static Encoding,
) -> Result<Box<dyn Read + Send + 'a>> {
    file.rewind()?;
    let mut reader = BufReader::new(file);
    if encoding == UTF_8 {
        // A decoder would replace what is invalid, and the row would not be refused.
        if reader.fill_buf()?.starts_with(UTF_8_MARK) {
            reader.consume(UTF_8_MARK.len());
        }
        return Ok(Box::new(reader));
    }
    let reader = DecodeReaderBytesBuilder::new()
        .encoding(Some(encoding))
        .bom_override(true)
        .strip_bom(true)
        .build(reader);
    Ok(Box::new(reader))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;

    fn file(bytes: &[u8]) -> File {
        let mut file = tempfile::tempfile().unwrap();
        file.write_all(bytes).unwrap();
        file
    }

    fn read(bytes: &[u8], declared: Option<&str>) -> (String, String) {
        let mut file = file(bytes);
        let declared = declared.map(|label| named(label).unwrap());
        let encoding = of(&mut file, declared).unwrap();
        let mut text = String::new();
        let mut reader = decoded(&mut file, encoding).unwrap();
        reader.read_to_string(&mut text).unwrap();
        (encoding.name().to_owned(), text)
    }

    #[test]
    fn encodings_are_found() {
        let text = "Name;Größe\nKäthe Übelhör;5 €\n";
        let (windows, ..) = WINDOWS_1252.encode(text);
        let wide = |bytes: fn(u16) -> [u8; 2]| -> Vec<u8> {
            text.encode_utf16().flat_map(bytes).collect()
        };
        let marked = [b"\xff\xfe".to_vec(), wide(u16::to_le_bytes)].concat();
        let utf8 = [b"\xef\xbb\xbf", text.as_bytes()].concat();
        for (bytes, encoding) in [
            (text.as_bytes(), "UTF-8"),
            (&utf8, "UTF-8"),
            (&windows, "windows-1252"),
            (&marked, "UTF-16LE"),
            (&wide(u16::to_le_bytes), "UTF-16LE"),
            (&wide(u16::to_be_bytes), "UTF-16BE"),
        ] {
            assert_eq!(read(bytes, None), (encoding.to_owned(), text.to_owned()));
        }
        assert_eq!(read(&windows, Some("iso-8859-1")).1, text);
    }

    #[test]
    fn what_looks_like_an_old_mac_is_never_taken_silently() {
        // Käthe Übelhör
        let mac = b"Name\nK\x8athe \x86belh\x9ar\n";
        let refused = of(&mut file(mac), None).unwrap_err();
        assert_eq!(refused.kind.code, Code::InvalidParameter);
        assert_eq!(read(mac, Some("macintosh")).1, "Name\nKäthe Übelhör\n");
        assert!(named("klingonisch").is_err());
    }

    #[test]
    fn one_cell_from_elsewhere_spoils_no_other() {
        let mixed = [
            "Name\nKäthe\nKöln\n".as_bytes(),
            b"M\xfcller\nSpa\xdf\x94\n",
        ]
        .concat();
        let mut file = file(&mixed);
        assert_eq!(of(&mut file, None).unwrap(), UTF_8);
    }

    #[test]
    fn a_letter_between_two_reads_is_still_utf8() {
        let text = format!("{}ä", "x".repeat(64 * 1024 - 1));
        assert_eq!(read(text.as_bytes(), None).0, "UTF-8");
        let cut = &text.as_bytes()[..text.len() - 1];
        assert_eq!(read(cut, None).0, "windows-1252");
    }
}
