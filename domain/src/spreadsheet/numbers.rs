//! Numbers as people write them.

use crate::base::fault::{Fault, FaultCode};
use crate::value::figure::Qualifier;

/// A number in JSON notation; none if it is not one.
///
/// # Errors
/// `1.234` or `1,234`, if it may be a thousand or a fraction.
pub(super) fn number(
    text: &str,
    comma: bool,
    whole: bool,
    fraction: bool,
) -> Result<Option<String>, Fault> {
    let text = text.trim().trim_start_matches('+');
    if is_json(text) && !(comma && !fraction && is_grouped(text, '.')) {
        return Ok(Some(text.to_owned()));
    }
    if comma && is_json(&text.replace(',', ".")) && text.contains(['e', 'E']) {
        return Ok(Some(text.replace(',', ".")));
    }
    let bare: String = text
        .chars()
        .filter(|c| !matches!(c, ' ' | '\u{a0}' | '\u{202f}' | '\u{2009}' | '\'' | '’'))
        .map(|c| if c == '−' { '-' } else { c })
        .collect();
    if bare.is_empty()
        || !bare
            .trim_start_matches('-')
            .chars()
            .all(|c| c.is_ascii_digit() || matches!(c, '.' | ','))
    {
        return Ok(None);
    }
    let points = bare.matches('.').count();
    let commas = bare.matches(',').count();
    let without = |mark: char| bare.replace(mark, "");
    let made = match (points, commas) {
        // 1.234,5 and 1,234.5
        (_, 1) if points > 0 && bare.rfind(',') > bare.rfind('.') => without('.').replace(',', "."),
        (1, _) if commas > 0 && bare.rfind('.') > bare.rfind(',') => without(','),
        (0, 1) if is_grouped(&bare, ',') && !fraction => {
            if whole {
                without(',')
            } else if comma {
                bare.replace(',', ".")
            } else {
                return Err(ambiguous(text, &without(','), &bare.replace(',', ".")));
            }
        }
        (0, 1) => bare.replace(',', "."),
        (1, 0) if is_grouped(&bare, '.') && !fraction && comma => {
            if whole {
                without('.')
            } else {
                return Err(ambiguous(text, &without('.'), &bare.replace('.', ",")));
            }
        }
        (0 | 1, 0) => bare.clone(),
        (_, 0) if is_grouped(&bare, '.') => without('.'),
        (0, _) if is_grouped(&bare, ',') => without(','),
        _ => return Ok(None),
    };
    let made = canonical(&made);
    Ok(made.filter(|made| is_json(made)))
}

/// Leading zeros and a bare point are no JSON.
fn canonical(text: &str) -> Option<String> {
    let (sign, digits) = match text.strip_prefix('-') {
        Some(digits) => ("-", digits),
        None => ("", text),
    };
    let (whole, part) = digits.split_once('.').unwrap_or((digits, ""));
    if part.contains('.') || (whole.is_empty() && part.is_empty()) {
        return None;
    }
    let whole = whole.trim_start_matches('0');
    let whole = if whole.is_empty() { "0" } else { whole };
    Some(if part.is_empty() {
        format!("{sign}{whole}")
    } else {
        format!("{sign}{whole}.{part}")
    })
}

fn is_json(text: &str) -> bool {
    serde_json::from_str::<serde_json::Number>(text).is_ok()
}

/// Whether it may be a number with its thousands apart.
fn is_grouped(text: &str, mark: char) -> bool {
    let mut groups = text.trim_start_matches('-').split(mark);
    let first = groups.next().unwrap_or_default();
    let mut others = groups.peekable();
    let digits = |group: &str| group.bytes().all(|byte| byte.is_ascii_digit());
    (1..=3).contains(&first.len())
        && digits(first)
        && !first.starts_with('0')
        && others.peek().is_some()
        && others.all(|group| group.len() == 3 && digits(group))
}

fn ambiguous(given: &str, thousands: &str, fraction: &str) -> Fault {
    Fault::new(FaultCode::AmbiguousNumber)
        .with("given", given)
        .with("one", thousands)
        .with("other", fraction)
        .with("one_written", thousands)
        .with("other_written", format!("{fraction}0"))
}

/// „ca. 50": the number, and how exact it is.
#[must_use]
pub fn estimate(text: &str) -> Option<(Qualifier, &str)> {
    const WORDS: [(&str, Qualifier); 22] = [
        ("circa", Qualifier::About),
        ("zirka", Qualifier::About),
        ("ca.", Qualifier::About),
        ("ca", Qualifier::About),
        ("etwa", Qualifier::About),
        ("rund", Qualifier::About),
        ("ungefähr", Qualifier::About),
        ("about", Qualifier::About),
        ("approx.", Qualifier::About),
        ("~", Qualifier::About),
        ("≈", Qualifier::About),
        ("mindestens", Qualifier::AtLeast),
        ("at least", Qualifier::AtLeast),
        ("mehr als", Qualifier::MoreThan),
        ("more than", Qualifier::MoreThan),
        ("über", Qualifier::MoreThan),
        (">", Qualifier::MoreThan),
        ("höchstens", Qualifier::AtMost),
        ("bis zu", Qualifier::AtMost),
        ("at most", Qualifier::AtMost),
        ("weniger als", Qualifier::FewerThan),
        ("unter", Qualifier::FewerThan),
    ];
    let text = text.trim();
    let lower = text.to_lowercase();
    WORDS.iter().find_map(|(word, qualifier)| {
        // Lower case changes the length of few letters, none of them here.
        let rest = lower.strip_prefix(word)?;
        let number = text
            .get(text.len().checked_sub(rest.len())?..)?
            .trim_start();
        let parted = rest.starts_with(|c: char| c.is_whitespace() || c.is_ascii_digit());
        (parted && number.starts_with(|c: char| c.is_ascii_digit())).then_some((*qualifier, number))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str, comma: bool) -> Option<String> {
        number(text, comma, false, false).unwrap()
    }

    #[test]
    fn numbers_are_read_as_they_are_written() {
        for (text, number) in [
            ("51,96", "51.96"),
            ("51.96", "51.96"),
            ("1.234,5", "1234.5"),
            ("1,234.5", "1234.5"),
            ("1.234.567", "1234567"),
            ("1 234", "1234"),
            ("1\u{a0}234,50", "1234.50"),
            ("−3,5", "-3.5"),
            ("007", "7"),
            ("+5", "5"),
            ("1e3", "1e3"),
        ] {
            assert_eq!(read(text, true).as_deref(), Some(number), "{text}");
        }
        for text in ["", "viele", "1.2.3", "1,2,3", "12.34,5,6", "-", "."] {
            assert_eq!(read(text, true), None, "{text}");
        }
    }

    #[test]
    fn a_thousand_that_may_be_a_fraction_is_asked_about() {
        let fault = number("1.200", true, false, false).unwrap_err();
        assert_eq!(fault.param("one"), Some("1200"));
        assert_eq!(fault.param("other_written"), Some("1,2000"));
        assert_eq!(
            number("1.200", true, true, false).unwrap().as_deref(),
            Some("1200")
        );
        // Coordinates are fractions, and so is what an export writes.
        assert_eq!(
            number("9.123", true, false, true).unwrap().as_deref(),
            Some("9.123")
        );
        assert_eq!(
            number("1.200", false, false, false).unwrap().as_deref(),
            Some("1.200")
        );
        assert_eq!(
            number("1,200", true, false, false).unwrap().as_deref(),
            Some("1.200")
        );
        assert!(number("1,200", false, false, false).is_err());
        assert_eq!(
            number("1,2000", false, false, false).unwrap().as_deref(),
            Some("1.2000")
        );
    }

    #[test]
    fn estimates_are_a_number_and_its_exactness() {
        for (text, expected) in [
            ("ca. 50", Some((Qualifier::About, "50"))),
            ("Rund 1.200", Some((Qualifier::About, "1.200"))),
            ("über 35", Some((Qualifier::MoreThan, "35"))),
            (">100", Some((Qualifier::MoreThan, "100"))),
            ("bis zu 7", Some((Qualifier::AtMost, "7"))),
            ("50", None),
            ("rundweg", None),
        ] {
            assert_eq!(estimate(text), expected, "{text}");
        }
    }
}
