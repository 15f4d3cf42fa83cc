//! A cell as people write it, in the notation of its column.

use super::{numbers, words};
use crate::base::fault::{Fault, FaultCode, FieldError};
use crate::base::pointer::child;
use crate::base::vocabulary::Coded;
use crate::exchange::table::{Column, Content, Reason, join, split};
use crate::kinds::common::Publication;
use crate::value::format::proposed_url;
use crate::value::text::is_deceptive;
use crate::value::written;

/// How a table is written.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Notation {
    /// Whether a comma parts the whole from its fraction.
    pub comma: bool,
    /// Whether addresses without `https://` get it.
    pub fix_urls: bool,
}

/// A cell as its column has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Taken {
    pub text: String,
    /// What was changed, if it was.
    pub reason: Option<Reason>,
}

/// Reads a cell; `number` tells that the file has it as a number, not as a text.
///
/// # Errors
/// What the cell cannot be read as.
pub fn take(
    column: &Column,
    cell: &str,
    number: bool,
    notation: Notation,
) -> Result<Taken, FieldError> {
    let is_word = matches!(column.content(), Content::Truth | Content::Code(_));
    if cell.is_empty() || (number && (!is_word || column.is_list())) {
        return Ok(Taken {
            text: cell.to_owned(),
            reason: None,
        });
    }
    let at_fault = |fault| {
        let pointer = column
            .path_members()
            .fold(String::new(), |at, member| child(&at, member));
        FieldError::new(pointer, fault)
    };
    if let Some(given) = formula_error(cell) {
        let fault = Fault::new(FaultCode::FormulaError).with("given", given);
        return Err(at_fault(fault.with("example", example(column))));
    }
    let mut reason = None;
    let text = if column.is_list() {
        let mut pieces = split(cell);
        // Codes are words without commas, so that a list of them may be written with commas.
        if let ([one], Content::Code(codes)) = (pieces.as_slice(), column.content()) {
            let parts: Vec<String> = one.split([',', '\n', '/']).map(str::to_owned).collect();
            if parts.len() > 1 && parts.iter().all(|part| words::code(codes, part).is_some()) {
                pieces = parts;
            }
        }
        let mut taken = Vec::with_capacity(pieces.len());
        for piece in &pieces {
            let one = value(column, piece, notation).map_err(at_fault)?;
            reason = reason.or(one.reason);
            taken.push(one.text);
        }
        join(taken)
    } else {
        let one = value(column, cell, notation).map_err(at_fault)?;
        reason = one.reason;
        one.text
    };
    Ok(Taken { text, reason })
}

/// The error that a spreadsheet shows in place of the result of a formula.
fn formula_error(cell: &str) -> Option<&str> {
    const ERRORS: [&str; 13] = [
        "#N/A",
        "#NV",
        "#REF!",
        "#BEZUG!",
        "#NAME?",
        "#VALUE!",
        "#WERT!",
        "#DIV/0!",
        "#NULL!",
        "#NUM!",
        "#ZAHL!",
        "#SPILL!",
        "#ÜBERLAUF!",
    ];
    let cell = cell.trim();
    ERRORS.contains(&cell).then_some(cell)
}

fn example(column: &Column) -> &'static str {
    match column.content() {
        Content::Text | Content::Json => "Praxis am Markt",
        Content::Key => "4711",
        Content::Url => "https://example.org",
        Content::Email => "info@example.org",
        Content::Date | Content::Moment => "2026-01-31",
        Content::Number => "51.96",
        Content::WholeNumber => "3",
        Content::Truth => "true",
        Content::Code(_) => "hospital",
        Content::Country => "DE",
        Content::Reference(_) => "nordhessen",
        Content::Record => "actor/praxis-am-markt",
    }
}

fn value(column: &Column, given: &str, notation: Notation) -> Result<Taken, Fault> {
    if keeps_its_letters(column) {
        return Ok(Taken {
            text: given.to_owned(),
            reason: None,
        });
    }
    let mut bare = trimmed(given, *column.content() == Content::Text);
    if column.path_members().last() == Some("name") && bare.contains(is_deceptive) {
        // Line breaks of a cell, soft hyphens of a web page.
        bare = bare.split_whitespace().collect::<Vec<_>>().join(" ");
        bare.retain(|letter| letter.is_control() || !is_deceptive(letter));
    }
    let blanks = (bare != given).then_some(Reason::Blanks);
    let content = column.content();
    if bare.is_empty() {
        return Ok(Taken {
            text: bare,
            reason: blanks,
        });
    }
    if !matches!(content, Content::Text | Content::Key | Content::Json) && words::is_nothing(&bare)
    {
        return Ok(Taken {
            text: String::new(),
            reason: Some(Reason::Empty),
        });
    }
    let read = match content {
        Content::Text | Content::Json | Content::Record | Content::Key | Content::Reference(_) => {
            None
        }
        Content::Url => url(&bare, notation).map(|text| (text, Reason::Url)),
        Content::Email => email(&bare).map(|text| (text, Reason::Url)),
        Content::Date => (bare != "..")
            .then(|| written::date(&bare))
            .flatten()
            .map(|text| (text, Reason::Date)),
        // With a T it is in the notation of exports, with a zone.
        Content::Moment if bare.contains('T') => None,
        Content::Moment => written::date(&bare)
            .or_else(|| written::moment(&bare))
            .map(|text| (text, Reason::Date)),
        Content::Number | Content::WholeNumber => {
            let whole = *content == Content::WholeNumber;
            let fraction = column.path_members().any(|member| member == "point");
            let read = numbers::number(&bare, notation.comma, whole, fraction)?;
            read.map(|text| (text, Reason::Number))
        }
        Content::Truth => words::truth(&bare).map(|truth| (truth.to_string(), Reason::Truth)),
        Content::Code(codes) => {
            let code = words::code(codes, &bare).map(str::to_owned);
            code.or_else(|| publication(column, &bare))
                .map(|text| (text, Reason::Label))
        }
        Content::Country => words::country(&bare).map(|code| (code.to_owned(), Reason::Label)),
    };
    Ok(match read {
        Some((text, reason)) if text != bare => Taken {
            text,
            reason: Some(reason),
        },
        Some(_) | None => Taken {
            text: bare,
            reason: blanks,
        },
    })
}

/// Whether blanks at the ends and invisible characters may be meant.
fn keeps_its_letters(column: &Column) -> bool {
    let last = column.path_members().last();
    *column.content() == Content::Json
        || matches!(last, Some("description" | "note" | "as_stated") | None)
}

/// Without outer blanks of any kind, and without invisible characters; those within a text are left
/// to its writer.
fn trimmed(text: &str, is_prose: bool) -> String {
    let hidden = |c: char| matches!(c, '\u{200b}' | '\u{200e}' | '\u{200f}' | '\u{feff}' | '\u{202a}'..='\u{202e}' | '\u{2060}' | '\u{2066}'..='\u{2069}');
    let outer = text.trim_matches(|c: char| c.is_whitespace() || hidden(c));
    if is_prose {
        return outer.to_owned();
    }
    let seen = outer.chars().filter(|c| !hidden(*c));
    seen.map(|c| if c == '\u{a0}' { ' ' } else { c }).collect()
}

fn publication(column: &Column, word: &str) -> Option<String> {
    if column.name != "publication" {
        return None;
    }
    let publication = if words::truth(word)? {
        Publication::Published
    } else {
        Publication::Draft
    };
    Some(publication.code().to_owned())
}

fn url(text: &str, notation: Notation) -> Option<String> {
    if text.contains("://") || !notation.fix_urls {
        return None;
    }
    proposed_url(text)
}

fn email(text: &str) -> Option<String> {
    written::email(text)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::kind::Kind;
    use crate::exchange::table::columns;

    fn read(kind: Kind, name: &str, cell: &str) -> Taken {
        let column = columns(kind).iter().find(|one| one.name == name);
        let notation = Notation {
            comma: true,
            fix_urls: true,
        };
        take(column.unwrap(), cell, false, notation).unwrap()
    }

    #[test]
    fn cells_are_read_as_people_write_them() {
        for (name, cell, text, reason) in [
            ("name", "  Klinik\u{a0}", "Klinik", Some(Reason::Blanks)),
            ("name", "Klinik", "Klinik", None),
            ("name", "Haus\u{a0}5", "Haus\u{a0}5", None),
            (
                "publish_at",
                "2026-11-30T19:31:46.055023Z",
                "2026-11-30T19:31:46.055023Z",
                None,
            ),
            ("name", "-", "-", None),
            ("description", " Klinik ", " Klinik ", None),
            ("categories", "Krankenhaus", "hospital", Some(Reason::Label)),
            ("categories", "hospital", "hospital", None),
            (
                "categories",
                "Krankenhaus, pharmacy",
                "hospital;pharmacy",
                Some(Reason::Label),
            ),
            ("categories", "Kronkenhaus", "Kronkenhaus", None),
            (
                "publication",
                "Veröffentlicht",
                "published",
                Some(Reason::Label),
            ),
            ("publication", "ja", "published", Some(Reason::Label)),
            ("publication", "nein", "draft", Some(Reason::Label)),
            ("places.country", "Deutschland", "DE", Some(Reason::Label)),
            (
                "places.country",
                "DE;Österreich",
                "DE;AT",
                Some(Reason::Label),
            ),
            (
                "places.city",
                "Kassel; Fulda",
                "Kassel;Fulda",
                Some(Reason::Blanks),
            ),
            ("places.point.lat", "51,96", "51.96", Some(Reason::Number)),
            ("founded", "31.12.2015", "2015-12-31", Some(Reason::Date)),
            ("founded", "2015-12~", "2015-12~", None),
            ("founded", "k. A.", "", Some(Reason::Empty)),
            ("name_is_description", "WAHR", "true", Some(Reason::Truth)),
            (
                "contact.website",
                "www.klinik.de",
                "https://www.klinik.de",
                Some(Reason::Url),
            ),
            (
                "contact.website",
                "https://klinik.de",
                "https://klinik.de",
                None,
            ),
            (
                "contact.email",
                "mailto:info@klinik.de",
                "info@klinik.de",
                Some(Reason::Url),
            ),
            (
                "home_region",
                " Nordhessen",
                "Nordhessen",
                Some(Reason::Blanks),
            ),
        ] {
            let expected = Taken {
                text: text.to_owned(),
                reason,
            };
            assert_eq!(read(Kind::Actor, name, cell), expected, "{name}: {cell}");
        }
        assert_eq!(
            read(Kind::Event, "start", "31.12.2015 14:30").text,
            "2015-12-31T14:30:00"
        );
    }

    #[test]
    fn the_error_of_a_formula_is_no_value() {
        let column = columns(Kind::Actor)
            .iter()
            .find(|one| one.name == "places.point.lat");
        let refused = take(column.unwrap(), "#BEZUG!", false, Notation::default()).unwrap_err();
        assert_eq!(
            (refused.pointer.as_str(), refused.fault.code),
            ("/places/point/lat", FaultCode::FormulaError)
        );
        assert_eq!(refused.fault.param("example"), Some("51.96"));
    }
}
