//! Relationships as terms of the index: what is at the other end, and between which days they begin
//! and end. A query for a day reads the terms of a token, and leaves out those that do not hold then.

use chrono::{Datelike, NaiveDate};
use domain::kinds::relationship::on::HoldsOn;
use domain::value::edtf::Bounds;
use tantivy::InvertedIndexReader;
use tantivy::postings::TermInfo;
use tantivy::schema::Field;
use uuid::Uuid;

/// Between a token and its days: less than every character of a token.
const DAYS: char = '\u{1}';

/// After all terms of a token, and before those of every longer one.
const END: char = '\u{2}';

/// `type|other` or `type|role|other`.
pub(super) fn edge_token(code: &str, role: Option<&str>, other: Uuid) -> String {
    match role {
        Some(role) => format!("{code}|{role}|{other}"),
        None => format!("{code}|{other}"),
    }
}

/// The term of a relationship: its token, followed by its days if it has any.
pub(super) fn edge_term(token: &str, bounds: &Bounds) -> String {
    if *bounds == Bounds::default() {
        return token.to_owned();
    }
    let days = [
        bounds.from_earliest,
        bounds.from_latest,
        bounds.to_earliest,
        bounds.to_latest,
    ];
    let days =
        days.map(|day| day.map_or_else(String::new, |day| day.num_days_from_ce().to_string()));
    format!("{token}{DAYS}{}", days.join(","))
}

fn parse(term: &[u8]) -> Option<(&str, Bounds)> {
    let term = std::str::from_utf8(term).ok()?;
    let Some((token, days)) = term.split_once(DAYS) else {
        return Some((term, Bounds::default()));
    };
    let mut days = days.split(',');
    let mut next = || NaiveDate::from_num_days_from_ce_opt(days.next()?.parse().ok()?);
    let bounds = Bounds {
        from_earliest: next(),
        from_latest: next(),
        to_earliest: next(),
        to_latest: next(),
    };
    Some((token, bounds))
}

/// The relationships with a token that hold on a day, or at any time.
#[derive(Debug, Clone)]
pub(super) struct EdgeTerms {
    pub(super) field: Field,
    pub(super) token: String,
    pub(super) holds: Option<HoldsOn>,
}

impl EdgeTerms {
    /// Their terms in a segment.
    ///
    /// # Errors
    /// If the segment cannot be read.
    pub(super) fn find(&self, index: &InvertedIndexReader) -> tantivy::Result<Vec<TermInfo>> {
        let found = dated(index, &self.token, self.holds)?;
        Ok(found.into_iter().map(|(_, info)| info).collect())
    }
}

/// The terms of a token, or of all tokens that begin with a text that ends in `|`, with these
/// tokens.
///
/// # Errors
/// If the segment cannot be read.
pub(super) fn dated(
    index: &InvertedIndexReader,
    begin: &str,
    holds: Option<HoldsOn>,
) -> tantivy::Result<Vec<(String, TermInfo)>> {
    // `|` is followed by `}` in ASCII.
    let end = match begin.strip_suffix('|') {
        Some(code) => format!("{code}}}"),
        None => format!("{begin}{END}"),
    };
    let range = index.terms().range().ge(begin.as_bytes());
    let mut terms = range.lt(end.as_bytes()).into_stream()?;
    let mut found = Vec::new();
    while let Some((term, info)) = terms.next() {
        if let Some((token, bounds)) = parse(term)
            && holds.is_none_or(|day| day.includes(&bounds))
        {
            found.push((token.to_owned(), info.clone()));
        }
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::value::edtf::Period;

    #[test]
    fn a_term_keeps_its_days() {
        let token = edge_token("member_of", Some("chair"), Uuid::from_u128(7));
        for period in [
            "{}",
            r#"{"from": "2010"}"#,
            r#"{"to": "0000-01-01"}"#,
            r#"{"from": "2010?", "to": "2015-03"}"#,
            r#"{"from": "9999~", "to": ".."}"#,
        ] {
            let period: Period = serde_json::from_str(period).unwrap();
            let bounds = period.bounds(None);
            let term = edge_term(&token, &bounds);
            assert_eq!(parse(term.as_bytes()), Some((token.as_str(), bounds)));
            let after = format!("{token}{END}");
            assert!(token <= term && term < after);
        }
        assert_eq!(edge_term(&token, &Bounds::default()), token);
    }
}
