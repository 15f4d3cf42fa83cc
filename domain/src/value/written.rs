//! Values as people write them, and what they probably mean.

/// Bytes that a written date has at most. Texts come from anywhere, and nothing is looked for in long
/// ones.
const MAX_DATE: usize = 64;

/// Bytes that an address of a mailbox has at most, with what is around it.
const MAX_EMAIL: usize = 400;

/// A date of the EDTF subset; none if it is written in no known way.
#[must_use]
pub fn date(text: &str) -> Option<String> {
    if text.len() > MAX_DATE {
        return None;
    }
    let lower = text.trim().to_lowercase();
    let about = ["ca. ", "circa ", "um ", "etwa ", "about ", "c. "];
    let rest = about.iter().find_map(|about| lower.strip_prefix(about));
    match rest {
        Some(rest) => day_or_month(rest.trim()).map(|date| format!("{date}~")),
        None => day_or_month(text.trim()),
    }
}

fn day_or_month(text: &str) -> Option<String> {
    // A date of a spreadsheet often has a time of zero.
    let day = text.split([' ', 'T']).next().unwrap_or_default();
    let midnight = text.get(day.len()..).unwrap_or_default();
    let midnight = midnight.trim_start_matches([' ', 'T']);
    if !midnight.is_empty()
        && !midnight
            .bytes()
            .all(|byte| matches!(byte, b'0' | b':' | b'.' | b'Z'))
    {
        return named_month(text);
    }
    let parts: Vec<&str> = day.split(['.', '/', '-']).collect();
    let number = |part: &str| {
        part.parse::<u16>()
            .ok()
            .filter(|_| part.bytes().all(|b| b.is_ascii_digit()))
    };
    let year = |part: &&&str| part.len() == 4;
    match parts.as_slice() {
        [one] if one.len() == 4 => number(one).map(|_| (*one).to_owned()),
        [month, last] if year(&last) => valid(last, number(month)?, None),
        [first, month] if year(&first) => valid(first, number(month)?, None),
        [first, month, day] if year(&first) => valid(first, number(month)?, Some(number(day)?)),
        [day, month, last] if year(&last) => valid(last, number(month)?, Some(number(day)?)),
        _ => None,
    }
}

/// A date with a time, without a zone; or a date.
#[must_use]
pub fn moment(text: &str) -> Option<String> {
    if text.len() > MAX_DATE {
        return None;
    }
    let text = text.trim();
    let (day, time) = text.split_once([' ', 'T', ','])?;
    let day = date(day).filter(|day| day.len() == 10)?;
    let time = time.trim().trim_end_matches("Uhr").trim();
    let mut parts = time.split([':', '.']);
    let mut next = |max: u8| match parts.next() {
        None => Some(None),
        Some(part) => part.parse::<u8>().ok().filter(|it| *it <= max).map(Some),
    };
    let hours = next(23)??;
    let minutes = next(59)?.unwrap_or_default();
    let seconds = next(59)?.unwrap_or_default();
    parts.next().is_none().then_some(())?;
    Some(format!("{day}T{hours:02}:{minutes:02}:{seconds:02}"))
}

/// An address of a mailbox without what is around it.
#[must_use]
pub fn email(text: &str) -> Option<String> {
    if text.len() > MAX_EMAIL {
        return None;
    }
    let lower = text.to_lowercase();
    let bare = text.get(if lower.starts_with("mailto:") { 7 } else { 0 }..)?;
    let bare =
        bare.trim_matches(|c: char| c.is_whitespace() || matches!(c, '<' | '>' | ',' | ';' | '"'));
    let mut plain: String = bare.split_whitespace().collect();
    for (written, meant) in [
        ("(at)", "@"),
        ("[at]", "@"),
        ("(dot)", "."),
        ("[dot]", "."),
        ("(punkt)", "."),
    ] {
        plain = plain.replace(written, meant);
    }
    let fits = plain != text && plain.matches('@').count() == 1;
    (fits && validator::ValidateEmail::validate_email(&plain)).then_some(plain)
}

fn named_month(text: &str) -> Option<String> {
    const MONTHS: [[&str; 2]; 12] = [
        ["januar", "january"],
        ["februar", "february"],
        ["märz", "march"],
        ["april", "april"],
        ["mai", "may"],
        ["juni", "june"],
        ["juli", "july"],
        ["august", "august"],
        ["september", "september"],
        ["oktober", "october"],
        ["november", "november"],
        ["dezember", "december"],
    ];
    let words: Vec<&str> = text.split_whitespace().collect();
    let month = |word: &str| {
        let word = word.trim_end_matches(['.', ',']).to_lowercase();
        let long = |name: &&str| **name == word || (word.len() >= 3 && name.starts_with(&word));
        let found = MONTHS
            .iter()
            .zip(1..)
            .find(|(names, _)| names.iter().any(&long));
        found.map(|(_, number)| number)
    };
    match words.as_slice() {
        [name, year] if year.len() == 4 => valid(year, month(name)?, None),
        [day, name, year] if year.len() == 4 => {
            let day = day.trim_end_matches('.').parse().ok()?;
            valid(year, month(name)?, Some(day))
        }
        _ => None,
    }
}

fn valid(year: &str, month: u16, day: Option<u16>) -> Option<String> {
    let year: i32 = year.parse().ok()?;
    let date =
        chrono::NaiveDate::from_ymd_opt(year, u32::from(month), u32::from(day.unwrap_or(1)))?;
    Some(match day {
        Some(_) => date.format("%Y-%m-%d").to_string(),
        None => date.format("%Y-%m").to_string(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_are_read_as_they_are_written() {
        for (text, expected) in [
            ("31.12.2015", "2015-12-31"),
            ("1.2.2015", "2015-02-01"),
            ("31/12/2015", "2015-12-31"),
            ("12/2015", "2015-12"),
            ("12.2015", "2015-12"),
            ("2015", "2015"),
            ("2015-12-31 00:00:00", "2015-12-31"),
            ("2015-12-31T00:00:00", "2015-12-31"),
            ("ca. 2015", "2015~"),
            ("März 2015", "2015-03"),
            ("1. Okt. 2015", "2015-10-01"),
        ] {
            assert_eq!(date(text).as_deref(), Some(expected), "{text}");
        }
        for text in [
            "31.12.15",
            "31.02.2015",
            "13/2015",
            "bald",
            "2015-12-31 14:00",
            "",
            "1.2.3.4",
            "ca. ca. 2015",
        ] {
            assert_eq!(date(text), None, "{text}");
        }
        assert_eq!(
            moment("31.12.2015 14:30").as_deref(),
            Some("2015-12-31T14:30:00")
        );
        assert_eq!(
            moment("31.12.2015, 14 Uhr").as_deref(),
            Some("2015-12-31T14:00:00")
        );
        for text in [
            "31.12.2015 25:00",
            "2015-12-31T14:30:00.5Z",
            "2015-12-31T14:30:00+01:00",
        ] {
            assert_eq!(moment(text), None, "{text}");
        }
    }
}
