//! Texts of this node's own writers: in composed form (Unicode NFC) and without outer blanks, so that
//! what looks the same is one name, slug and record; identifiers as people write them; and local times
//! with the offset of their zone.

use crate::base::clock::Tz;
use crate::base::fault::FieldError;
use crate::base::pointer::child;
use crate::base::reading::Reason;
use crate::value::identifier::Scheme;
use chrono::{LocalResult, NaiveDateTime, SecondsFormat, TimeDelta, TimeZone};
use serde_json::Value;
use unicode_normalization::{UnicodeNormalization, is_nfc};

/// Members whose code points are kept: the words of a source, and keys of other systems.
const VERBATIM: [&str; 4] = ["description", "note", "as_stated", "external_id"];

/// Changes that are reported of one body.
const MAX_WARNINGS: usize = 20;

/// Characters of a text that a warning shows.
const SHOWN: usize = 60;

/// Normalizes the texts of a body; returns a warning for each that was changed.
pub(super) fn normalize(body: &mut Value) -> Vec<FieldError> {
    let mut warnings = Vec::new();
    each_text(body, "", &mut warnings);
    let identifiers = body.get_mut("identifiers").and_then(Value::as_array_mut);
    for (index, one) in identifiers.into_iter().flatten().enumerate() {
        tidy_identifier(one, index, &mut warnings);
    }
    let zone = body.get("timezone").and_then(Value::as_str);
    if let Some(zone) = zone.and_then(|zone| zone.parse::<Tz>().ok()) {
        for (pointer, name) in [("/start", "start"), ("/end", "end")] {
            if let Some(Value::String(text)) = body.get_mut(name) {
                add_offset(text, zone, pointer, &mut warnings);
            }
        }
    }
    warnings
}

/// Takes an identifier as people write it (`IK 260 326 822`, the address of a Wikidata item) for what
/// it is, if it does not have the shape of its scheme otherwise.
fn tidy_identifier(one: &mut Value, index: usize, warnings: &mut Vec<FieldError>) {
    let scheme = one.get("scheme").and_then(Value::as_str);
    let Some(Ok(scheme)) = scheme.map(str::parse::<Scheme>) else {
        return;
    };
    let Some(Value::String(value)) = one.get_mut("value") else {
        return;
    };
    let fits = |value: &str| scheme.fits(&scheme.normalise(value));
    let tidied = scheme.tidied(value);
    if fits(value) || !fits(&tidied) {
        return;
    }
    let pointer = format!("/identifiers/{index}/value");
    warnings.push(warning(&pointer, value, &tidied, Reason::Identifier));
    *value = tidied;
}

/// Adds the offset of the zone to a local time. Of an hour that occurs twice the first one is meant; an
/// hour that clocks skip is the one after it.
fn add_offset(text: &mut String, zone: Tz, pointer: &str, warnings: &mut Vec<FieldError>) {
    const HOUR: TimeDelta = TimeDelta::hours(1);
    let formats = ["%Y-%m-%dT%H:%M:%S", "%Y-%m-%dT%H:%M"];
    let local = |format| NaiveDateTime::parse_from_str(text, format).ok();
    let Some(local) = formats.into_iter().find_map(local) else {
        return;
    };
    let (moment, reason) = match zone.from_local_datetime(&local) {
        LocalResult::Single(moment) => (Some(moment), None),
        LocalResult::Ambiguous(first, _) => (Some(first), Some(Reason::RepeatedHour)),
        LocalResult::None => {
            let before = local.checked_sub_signed(HOUR);
            let before = before.and_then(|before| zone.from_local_datetime(&before).earliest());
            let after = before.and_then(|at| at.checked_add_signed(HOUR));
            (after, Some(Reason::SkippedHour))
        }
    };
    let Some(moment) = moment else {
        return;
    };
    let taken = moment.to_rfc3339_opts(SecondsFormat::Secs, false);
    if let Some(reason) = reason {
        warnings.push(warning(pointer, text, &taken, reason));
    }
    *text = taken;
}

fn each_text(value: &mut Value, pointer: &str, warnings: &mut Vec<FieldError>) {
    match value {
        Value::String(text) => {
            let Some(normal) = normal(text) else {
                return;
            };
            if warnings.len() < MAX_WARNINGS {
                let bare = trimmed(text) == normal;
                let reason = if bare {
                    Reason::Blanks
                } else {
                    Reason::Composed
                };
                warnings.push(warning(pointer, text, &normal, reason));
            }
            *text = normal;
        }
        Value::Array(items) => {
            for (index, item) in items.iter_mut().enumerate() {
                each_text(item, &child(pointer, &index.to_string()), warnings);
            }
        }
        Value::Object(members) => {
            for (name, member) in members.iter_mut() {
                if !VERBATIM.contains(&name.as_str()) {
                    each_text(member, &child(pointer, name), warnings);
                }
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

/// The normal form of a text; none if it has it.
fn normal(text: &str) -> Option<String> {
    let bare = trimmed(text);
    if bare.is_ascii() || is_nfc(bare) {
        return (bare != text).then(|| bare.to_owned());
    }
    Some(bare.nfc().collect())
}

fn trimmed(text: &str) -> &str {
    text.trim_matches(|c: char| c.is_whitespace() || matches!(c, '\u{200b}' | '\u{feff}'))
}

fn warning(pointer: &str, given: &str, taken: &str, reason: Reason) -> FieldError {
    let excerpt = |text: &str| text.chars().take(SHOWN).collect::<String>();
    FieldError::new(pointer, reason.fault(&excerpt(given), &excerpt(taken)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn texts_are_composed_and_bare_except_the_words_of_sources() {
        let mut body = json!({
            "name": " Universita\u{308}t\u{a0}",
            "names": [{"value": "Uni"}, {"value": "Uni\n"}],
            "description": " ab\u{308} ",
            "figures": [{"as_stated": "rund 50 "}],
            "external_id": {"system": "a", "id": " u\u{308}"},
            "position": 1,
        });
        let warnings = normalize(&mut body);
        let expected = json!({
            "name": "Universität",
            "names": [{"value": "Uni"}, {"value": "Uni"}],
            "description": " ab\u{308} ",
            "figures": [{"as_stated": "rund 50 "}],
            "external_id": {"system": "a", "id": " u\u{308}"},
            "position": 1,
        });
        assert_eq!(body, expected);
        let pointers: Vec<&str> = warnings.iter().map(|one| one.pointer.as_str()).collect();
        assert_eq!(pointers, ["/name", "/names/1/value"]);
        assert_eq!(normalize(&mut body), Vec::new());
    }

    #[test]
    fn identifiers_are_taken_as_people_write_them() {
        for (scheme, given, taken) in [
            ("ik", "IK 260 326 822", "260326822"),
            ("vat", "DE 136.695.976", "DE136695976"),
            ("wikidata", "https://www.wikidata.org/wiki/Q42", "Q42"),
            ("ags", "6611000", "06611000"),
        ] {
            let mut body = json!({"identifiers": [{"scheme": scheme, "value": given}]});
            assert_eq!(normalize(&mut body).len(), 1, "{given}");
            assert_eq!(body["identifiers"][0]["value"], taken);
            assert_eq!(normalize(&mut body), Vec::new(), "{taken}");
        }
        for (scheme, kept) in [("wikidata", "q42"), ("ik", "2603"), ("own", "1 2")] {
            let mut body = json!({"identifiers": [{"scheme": scheme, "value": kept}]});
            assert_eq!(normalize(&mut body), Vec::new(), "{kept}");
        }
    }

    #[test]
    fn local_times_get_the_offset_of_their_zone() {
        for (given, expected, warned) in [
            ("2024-10-05T13:00:00", "2024-10-05T13:00:00+02:00", false),
            ("2024-12-05T13:00", "2024-12-05T13:00:00+01:00", false),
            ("2024-10-05T13:00:00Z", "2024-10-05T13:00:00Z", false),
            ("2024-10-05", "2024-10-05", false),
            ("2024-10-27T02:30:00", "2024-10-27T02:30:00+02:00", true),
            ("2024-03-31T02:30:00", "2024-03-31T03:30:00+02:00", true),
        ] {
            let mut body = json!({"start": given, "timezone": "Europe/Berlin"});
            assert_eq!(!normalize(&mut body).is_empty(), warned, "{given}");
            assert_eq!(body["start"], expected, "{given}");
            let mut body = json!({"start": given});
            assert_eq!(normalize(&mut body), Vec::new());
            assert_eq!(body["start"], given, "without a zone");
        }
    }
}
