//! Shapes: which characters, how many, in which order.

/// The digits of Crockford's base 32: no i, l, o, u.
pub(super) const BASE32: &str = "0123456789abcdefghjkmnpqrstvwxyz";

/// Whether the text is a scheme, a colon and a rest of characters that RFC 3986 allows.
pub(super) fn is_uri(text: &str) -> bool {
    let Some((scheme, rest)) = text.split_once(':') else {
        return false;
    };
    scheme.starts_with(|c: char| c.is_ascii_alphabetic())
        && all(scheme, |c| c.is_ascii_alphanumeric() || "+-.".contains(c))
        && !rest.is_empty()
        && all(rest, |c| c.is_ascii_graphic() && !"\"<>\\^`{|}".contains(c))
}

pub(super) fn all(text: &str, allowed: impl Fn(char) -> bool) -> bool {
    text.chars().all(allowed)
}

pub(super) fn digits(text: &str, count: std::ops::RangeInclusive<usize>) -> bool {
    count.contains(&text.len()) && all(text, |c| c.is_ascii_digit())
}

pub(super) fn ends_in_digits(text: &str, count: usize) -> bool {
    text.chars().rev().take(count).all(|c| c.is_ascii_digit())
}

pub(super) fn is_code(c: char) -> bool {
    c.is_ascii_uppercase() || c.is_ascii_digit()
}

pub(super) fn is_prefixed(text: &str) -> bool {
    let mut prefix = text.chars().take(2).filter(char::is_ascii_uppercase);
    prefix.next().is_some() && prefix.next().is_some()
}

/// ISO 15511: prefix of 1–4 letters or digits, a hyphen, then letters, digits, `/`, `-` or `:`.
pub(super) fn fits_isil(value: &str) -> bool {
    value.len() <= 16
        && value.split_once('-').is_some_and(|(prefix, unit)| {
            (1..=4).contains(&prefix.len())
                && all(prefix, is_code)
                && !unit.is_empty()
                && all(unit, |c| is_code(c) || "/-:".contains(c))
        })
}

pub(super) fn fits_vat(value: &str) -> bool {
    match value.strip_prefix("DE") {
        Some(number) => digits(number, 9..=9),
        None => (4..=15).contains(&value.len()) && is_prefixed(value) && all(value, is_code),
    }
}

pub(super) fn normalise_ror(value: &str) -> String {
    let lower = value.to_ascii_lowercase();
    let rest = lower
        .strip_prefix("https://")
        .or_else(|| lower.strip_prefix("http://"));
    let rest = rest.unwrap_or(&lower);
    format!(
        "https://ror.org/{}",
        rest.strip_prefix("ror.org/").unwrap_or(rest)
    )
}

pub(super) fn ror_code(value: &str) -> &str {
    value.strip_prefix("https://ror.org/").unwrap_or_default()
}

pub(super) fn fits_ror(value: &str) -> bool {
    let code = ror_code(value);
    code.len() == 9
        && code.starts_with('0')
        && all(code, |c| BASE32.contains(c))
        && ends_in_digits(code, 2)
}
