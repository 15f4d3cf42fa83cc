//! Texts: lines, `CommonMark` without raw HTML, and slugs made from names.

use crate::base::fault::{Fault, FaultCode};
use pulldown_cmark::{Event, LinkType, Parser, Tag};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use validator::ValidationError;

/// One entry of an ordered list of texts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[schema(value_type = String, min_length = 1, max_length = 2000)]
pub struct Line(pub String);

/// Allowed schemes of links and images: with others a browser executes code (`javascript:`) or,
/// without a scheme, the target depends on the page that shows the text.
const LINK_SCHEMES: [&str; 4] = ["http", "https", "mailto", "tel"];

/// Checks that a text is `CommonMark` without raw HTML, with allowed link targets only.
///
/// # Errors
/// `raw-html` or `link-scheme`, naming the first piece of HTML or the first such target.
pub fn commonmark(text: &str) -> Result<(), ValidationError> {
    if !text.contains(['<', '[']) {
        return Ok(());
    }
    for event in Parser::new(text) {
        match event {
            Event::Html(html) | Event::InlineHtml(html) => {
                return Err(naming(FaultCode::RawHtml, &html));
            }
            // `<info@example.org>`: the renderer prefixes `mailto:`.
            Event::Start(Tag::Link {
                link_type: LinkType::Email,
                ..
            }) => {}
            Event::Start(Tag::Link { dest_url, .. } | Tag::Image { dest_url, .. })
                if !leads_somewhere(&dest_url) =>
            {
                return Err(naming(FaultCode::LinkScheme, &dest_url));
            }
            _ => {}
        }
    }
    Ok(())
}

fn leads_somewhere(target: &str) -> bool {
    target.split_once(':').is_some_and(|(scheme, _)| {
        LINK_SCHEMES
            .iter()
            .any(|known| scheme.eq_ignore_ascii_case(known))
    })
}

fn naming(code: FaultCode, piece: &str) -> ValidationError {
    let given: String = piece.trim().chars().take(40).collect();
    Fault::new(code).with("given", format!("`{given}`")).into()
}

/// Whether a character makes a name look like another one: it is invisible, breaks the line, or
/// changes the direction of others (Trojan Source, CVE-2021-42574).
///
/// The joiners U+200C and U+200D are part of some scripts and of emoji.
#[must_use]
pub fn is_deceptive(letter: char) -> bool {
    letter.is_control()
        || matches!(letter,
            '\u{ad}' | '\u{61c}' | '\u{115f}' | '\u{1160}' | '\u{2800}' | '\u{3164}' | '\u{ffa0}' | '\u{200b}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}'
            | '\u{2060}'..='\u{2069}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}'
            | '\u{e0000}'..='\u{e007f}')
}

/// Checks that a name consists of visible characters, and of more than signs.
///
/// # Errors
/// `deceptive-character`, naming the first other one; `required` if there is no letter or digit.
pub fn name(text: &str) -> Result<(), ValidationError> {
    if let Some(letter) = text.chars().find(|letter| is_deceptive(*letter)) {
        return Err(Fault::new(FaultCode::DeceptiveCharacter)
            .with("given", format!("U+{:04X}", u32::from(letter)))
            .into());
    }
    if !text.chars().any(char::is_alphanumeric) {
        return Err(Fault::new(FaultCode::Required)
            .with("what", "")
            .with("what_de", "")
            .into());
    }
    Ok(())
}

pub const SLUG_MAX: usize = 200;

/// A text in ASCII: German letters are spelt out, other letters lose their marks.
#[must_use]
pub fn transliterated(text: &str) -> String {
    let mut spelt = String::with_capacity(text.len());
    for letter in text.chars() {
        match letter {
            'ä' | 'Ä' => spelt.push_str("ae"),
            'ö' | 'Ö' => spelt.push_str("oe"),
            'ü' | 'Ü' => spelt.push_str("ue"),
            'ß' | 'ẞ' => spelt.push_str("ss"),
            other => spelt.push(other),
        }
    }
    deunicode::deunicode(&spelt)
}

/// The slug of a name: German letters are spelt out, other letters lose their marks, everything
/// else becomes a hyphen. Never empty, never shaped like a UUID.
#[must_use]
pub fn slugify(name: &str) -> String {
    let plain = transliterated(name);
    let mut slug = String::with_capacity(plain.len());
    for letter in plain.chars() {
        if letter.is_ascii_alphanumeric() {
            slug.push(letter.to_ascii_lowercase());
        } else if !slug.is_empty() && !slug.ends_with('-') {
            slug.push('-');
        }
    }
    // Room for a "-2" and so on.
    slug.truncate(SLUG_MAX - 20);
    let slug = slug.trim_matches('-');
    match slug {
        "" => "unnamed".to_owned(),
        uuid if looks_like_uuid(uuid) => format!("id-{uuid}"),
        fine => fine.to_owned(),
    }
}

#[must_use]
pub fn is_slug(text: &str) -> bool {
    !text.is_empty()
        && text.len() <= SLUG_MAX
        && !text.starts_with('-')
        && !text.ends_with('-')
        && !text.contains("--")
        && text
            .bytes()
            .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
        && !looks_like_uuid(text)
}

/// Whether a URL segment is read as an id rather than as a slug.
#[must_use]
pub fn looks_like_uuid(text: &str) -> bool {
    uuid::Uuid::try_parse(text).is_ok()
}

/// A text whose byte order is German dictionary order (DIN 5007-1): umlauts sort as their vowels, ß
/// as ss, letters regardless of case; punctuation counts as a space.
#[must_use]
pub fn collation_key(name: &str) -> String {
    let plain = deunicode::deunicode(name).to_lowercase();
    let mut key = String::with_capacity(plain.len());
    for char in plain.chars() {
        if char.is_ascii_alphanumeric() {
            key.push(char);
        } else if !key.is_empty() && !key.ends_with(' ') {
            key.push(' ');
        }
    }
    key.truncate(key.trim_end().len());
    key
}

/// A key without what is lost when it is copied: leading zeros of its numbers, case, blanks, and
/// the difference between composed and decomposed letters.
#[must_use]
pub fn fold_key(key: &str) -> String {
    let plain = deunicode::deunicode(key).to_lowercase();
    let mut folded = String::with_capacity(plain.len());
    let mut in_number = false;
    let mut letters = plain.chars().filter(|c| !c.is_whitespace()).peekable();
    while let Some(letter) = letters.next() {
        let leading_zero = letter == '0' && !in_number;
        if leading_zero && letters.peek().is_some_and(char::is_ascii_digit) {
            continue;
        }
        in_number = letter.is_ascii_digit();
        folded.push(letter);
    }
    folded
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn german_names_make_readable_slugs() {
        assert_eq!(slugify("Mo.WiN.net"), "mo-win-net");
        assert_eq!(
            slugify("Gesundheitsregion Münsterland"),
            "gesundheitsregion-muensterland"
        );
        assert_eq!(slugify("Straße & Größe – Übung"), "strasse-groesse-uebung");
        assert_eq!(slugify("Hôpital Général"), "hopital-general");
        assert_eq!(slugify("???"), "unnamed");
    }

    #[test]
    fn raw_html_is_refused_and_autolinks_are_not() {
        assert!(commonmark("5 < 6 und <https://example.org>").is_ok());
        assert!(commonmark("Text <b>fett</b>").is_err());
        assert!(commonmark("<script>alert(1)</script>").is_err());
    }

    #[test]
    fn links_lead_to_known_schemes_only() {
        for fine in [
            "[a](https://example.org) [b](HTTP://example.org) [c](mailto:a@example.org)",
            "![Logo](https://example.org/logo.png) [d](tel:+49561) <a@example.org>",
            "[e][1] und [nicht verlinkt]\n\n[1]: https://example.org",
            "`[f](javascript:x)` ist Code",
        ] {
            assert_eq!(commonmark(fine), Ok(()), "{fine}");
        }
        for broken in [
            "[a](javascript:alert(1))",
            "[a](java&#115;cript:alert)",
            "[a](&#9;javascript:alert)",
            "![a](data:image/png;base64,AA)",
            "<javascript:alert(1)>",
            "[a][1]\n\n[1]: ftp://example.org",
            "[a](/relative)",
            "[a](//example.org)",
            "[a](#here)",
            "[a]()",
        ] {
            let error = commonmark(broken).unwrap_err();
            assert_eq!(error.code, "link-scheme", "{broken}");
        }
    }

    proptest! {
        #[test]
        fn every_name_makes_a_slug(name in ".*") {
            prop_assert!(is_slug(&slugify(&name)), "{}", slugify(&name));
        }

        #[test]
        fn a_slug_is_its_own_slug(slug in "[a-z0-9]{1,8}(-[a-z0-9]{1,8}){0,4}") {
            prop_assume!(!looks_like_uuid(&slug));
            prop_assert_eq!(slugify(&slug), slug);
        }
    }

    #[test]
    fn names_sort_as_in_a_german_dictionary() {
        let mut names = [
            "Zürich",
            "Äpfel",
            "Apfel",
            "öffentlich",
            "Ofen",
            "Straße 2",
            "Strasse 1",
            "„Adler“",
        ];
        names.sort_by_key(|name| collation_key(name));
        assert_eq!(
            names,
            [
                "„Adler“",
                "Äpfel",
                "Apfel",
                "Ofen",
                "öffentlich",
                "Strasse 1",
                "Straße 2",
                "Zürich"
            ]
        );
        assert_eq!(collation_key("Äpfel"), collation_key("apfel"));
    }

    #[test]
    fn keys_that_were_copied_fold_alike() {
        for (one, other) in [
            ("0100", "100"),
            ("A-007", "a-7"),
            (" k 1 ", "K1"),
            ("Z\u{fc}rich", "Zu\u{308}rich"),
            ("00", "0"),
        ] {
            assert_eq!(fold_key(one), fold_key(other), "{one} {other}");
        }
        for (one, other) in [("100", "1000"), ("1.2", "12"), ("0", ""), ("10", "1")] {
            assert_ne!(fold_key(one), fold_key(other), "{one} {other}");
        }
    }
}
