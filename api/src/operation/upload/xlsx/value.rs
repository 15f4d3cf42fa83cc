//! What the value of a cell is: a text, a number, or a date that is a number shown as one.

use crate::operation::upload::row::{Raw, RawKind};
use chrono::{Duration, NaiveDate};

/// What a number is shown as.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Shown {
    Number,
    Year,
    Month,
    Day,
    Moment,
    Time,
}

/// What the built-in format of numbers with this id shows (ISO/IEC 29500-1, 18.8.30).
pub(super) const fn built_in(id: u64) -> Shown {
    match id {
        14..=16 | 27..=31 | 36 | 50..=54 | 57 | 58 => Shown::Day,
        17 => Shown::Month,
        18..=21 | 45..=47 => Shown::Time,
        22 => Shown::Moment,
        _ => Shown::Number,
    }
}

/// What a format of numbers shows, by the letters outside of its texts.
pub(super) fn shown(format: &str) -> Shown {
    let mut letters = String::new();
    let (mut quoted, mut bracket, mut escaped) = (false, false, false);
    // Further sections are for negative numbers and texts.
    for letter in format
        .split(';')
        .next()
        .unwrap_or_default()
        .to_ascii_lowercase()
        .chars()
    {
        match letter {
            _ if escaped => escaped = false,
            '\\' | '_' | '*' => escaped = true,
            '"' => quoted = !quoted,
            '[' if !quoted => bracket = true,
            ']' if !quoted => bracket = false,
            'd' | 'm' | 'y' | 'h' | 's' | 'j' | 't' if !quoted && !bracket => letters.push(letter),
            _ => {}
        }
    }
    let has = |any: &[char]| letters.contains(any);
    let (year, day, time) = (has(&['y', 'j']), has(&['d', 't']), has(&['h', 's']));
    match (year, day, time) {
        (true, true, true) => Shown::Moment,
        (_, true, _) => Shown::Day,
        (true, false, _) if has(&['m']) => Shown::Month,
        (true, false, _) => Shown::Year,
        (false, false, true) => Shown::Time,
        (false, false, false) if has(&['m']) => Shown::Day,
        (false, false, false) => Shown::Number,
    }
}

/// A text of a cell, in which `_x000D_` is a character (ISO/IEC 29500-1, 22.4.2.4), and `_x005F_`
/// the underscore of a text that only looks like one.
pub(super) fn unescaped(text: &str) -> String {
    let (mut plain, mut rest) = (String::with_capacity(text.len()), text);
    while let Some((before, after)) = rest.split_once("_x") {
        plain.push_str(before);
        let code = after.get(..4).filter(|_| after.get(4..5) == Some("_"));
        let code = code.and_then(|code| u16::from_str_radix(code, 16).ok());
        if let Some(letter) = code.and_then(|code| char::from_u32(u32::from(code))) {
            plain.push(letter);
            rest = after.get(5..).unwrap_or_default();
        } else {
            plain.push_str("_x");
            rest = after;
        }
    }
    plain + rest
}

pub(super) fn numeric(text: &str, shown: Shown, since_1904: bool) -> Raw {
    let value = text
        .trim()
        .parse::<f64>()
        .ok()
        .filter(|value| value.is_finite());
    let Some(value) = value else {
        return Raw::text(text);
    };
    if shown != Shown::Number
        && let Some(date) = date(value, shown, since_1904)
    {
        return Raw::text(date);
    }
    Raw {
        text: serde_json::Number::from_f64(value).map_or_else(
            || text.to_owned(),
            |number| {
                // 3 is stored like 3.0.
                let text = number.to_string();
                text.strip_suffix(".0").map_or(text.clone(), str::to_owned)
            },
        ),
        kind: RawKind::Number,
    }
}

/// The date of a number of days since the end of 1899.
fn date(value: f64, shown: Shown, since_1904: bool) -> Option<String> {
    if shown == Shown::Time || !(0.0..2_958_466.0).contains(&value) {
        return None;
    }
    let days = value + if since_1904 { 1462.0 } else { 0.0 };
    // The 29 February 1900 that there never was.
    let days = if days < 60.0 { days + 1.0 } else { days };
    #[expect(clippy::cast_possible_truncation, reason = "at most 2 958 466 days")]
    let seconds = (days * 86_400.0).round() as i64;
    let start = NaiveDate::from_ymd_opt(1899, 12, 30)?.and_hms_opt(0, 0, 0)?;
    let moment = start.checked_add_signed(Duration::try_seconds(seconds)?)?;
    let has_time = seconds % 86_400 != 0;
    Some(
        match shown {
            Shown::Year => moment.format("%Y"),
            Shown::Month => moment.format("%Y-%m"),
            Shown::Moment if has_time => moment.format("%Y-%m-%dT%H:%M:%S"),
            _ => moment.format("%Y-%m-%d"),
        }
        .to_string(),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn formats_of_numbers_are_dates_or_not() {
        for (format, expected) in [
            ("General", Shown::Number),
            ("0.00", Shown::Number),
            ("#,##0 \"dmy\"", Shown::Number),
            ("[Red]0", Shown::Number),
            ("dd.mm.yyyy", Shown::Day),
            ("TT.MM.JJJJ", Shown::Day),
            ("[$-407]d. mmmm yyyy;@", Shown::Day),
            ("mm/yyyy", Shown::Month),
            ("yyyy", Shown::Year),
            ("dd.mm.yyyy hh:mm", Shown::Moment),
            ("hh:mm", Shown::Time),
            ("0\\d", Shown::Number),
        ] {
            assert_eq!(shown(format), expected, "{format}");
        }
    }

    #[test]
    fn numbers_are_dates_where_they_are_shown_so() {
        for (value, shown, expected) in [
            ("42369", Shown::Day, "2015-12-31"),
            ("42369.5", Shown::Day, "2015-12-31"),
            ("42369.5", Shown::Moment, "2015-12-31T12:00:00"),
            ("42369", Shown::Month, "2015-12"),
            ("1", Shown::Day, "1900-01-01"),
            ("60", Shown::Day, "1900-02-28"),
            ("61", Shown::Day, "1900-03-01"),
            ("42369", Shown::Number, "42369"),
            ("51.96", Shown::Number, "51.96"),
            ("1e3", Shown::Number, "1000"),
            ("-1", Shown::Day, "-1"),
        ] {
            assert_eq!(numeric(value, shown, false).text, expected, "{value}");
        }
        assert_eq!(numeric("40907", Shown::Day, true).text, "2015-12-31");
    }

    #[test]
    fn escaped_characters_are_read() {
        for (text, expected) in [
            ("a_x000D_\nb", "a\r\nb"),
            ("a_x005F_x000D_b", "a_x000D_b"),
            ("_x000d_", "\r"),
            ("max_x", "max_x"),
            ("_x12", "_x12"),
            ("_xD800_", "_xD800_"),
            ("_x0041", "_x0041"),
            ("_xäöü_", "_xäöü_"),
        ] {
            assert_eq!(unescaped(text), expected, "{text}");
        }
    }
}
