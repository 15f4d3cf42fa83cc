//! Violations as data: a stable code and its parameters.
//!
//! Codes are the contract with clients; the messages are rendered from one table ([`FaultCode`]) in
//! the caller's language. A message names the wrong value and the expected one.

use serde::Serialize;

mod messages;

pub use messages::FaultCode;

/// The language of messages and labels (of problem documents, never of the data).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Lang {
    #[default]
    En,
    De,
}

/// A violation: a code and the parameters of its message.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Fault {
    /// Documented at `/problems/validation-failed`.
    pub code: FaultCode,
    pub params: Vec<(&'static str, String)>,
}

impl Fault {
    #[must_use]
    pub fn new(code: FaultCode) -> Self {
        Self {
            code,
            params: Vec::new(),
        }
    }

    #[must_use]
    #[expect(
        clippy::needless_pass_by_value,
        reason = "literals, numbers and dates are handed over as they are"
    )]
    pub fn with(mut self, key: &'static str, value: impl ToString) -> Self {
        self.params.push((key, value.to_string()));
        self
    }

    #[must_use]
    pub fn param(&self, key: &str) -> Option<&str> {
        let found = self.params.iter().find(|(name, _)| *name == key);
        found.map(|(_, value)| value.as_str())
    }

    /// Carries the violation through a serde error, whose only channel is text.
    pub fn into_serde<E: serde::de::Error>(self) -> E {
        E::custom(self.message(Lang::En))
    }

    /// The message. The second half of an optional part `[with|without]`, or nothing, is used when
    /// a parameter is empty.
    #[must_use]
    pub fn message(&self, lang: Lang) -> String {
        let template = self.code.template(lang);
        let mut text = String::new();
        for (number, part) in template.split(['[', ']']).enumerate() {
            // Odd parts are those in brackets.
            let (with, without) = if number % 2 == 0 {
                (part, None)
            } else {
                let (with, without) = part.split_once('|').unwrap_or((part, ""));
                (with, Some(without))
            };
            match (self.fill(with), without) {
                ((_, true), Some(without)) => text.push_str(&self.fill(without).0),
                ((filled, _), _) => text.push_str(&filled),
            }
        }
        text
    }

    /// The template with its placeholders filled, and whether one of them was empty.
    fn fill(&self, template: &str) -> (String, bool) {
        let mut text = String::new();
        let mut missing = false;
        let mut rest = template;
        // One pass, so that a value that looks like a placeholder stays text.
        while let Some((before, after)) = rest.split_once('{') {
            text.push_str(before);
            let placeholder = after.split_once('}').and_then(|(name, tail)| {
                let value = self.params.iter().find(|(key, _)| *key == name)?;
                Some((&value.1, tail))
            });
            if let Some((value, tail)) = placeholder {
                missing |= value.is_empty();
                text.push_str(value);
                rest = tail;
            } else if let Some(tail) = missing_parameter(after) {
                missing = true;
                rest = tail;
            } else {
                // JSON in a message.
                text.push('{');
                rest = after;
            }
        }
        text.push_str(rest);
        (text, missing)
    }
}

/// The rest after a placeholder without a value; none if it is no placeholder.
fn missing_parameter(after: &str) -> Option<&str> {
    let (name, tail) = after.split_once('}')?;
    let is_name = !name.is_empty() && name.bytes().all(|b| b.is_ascii_lowercase() || b == b'_');
    is_name.then_some(tail)
}

impl From<Fault> for validator::ValidationError {
    fn from(fault: Fault) -> Self {
        let mut error = Self::new(fault.code.as_str());
        for (key, value) in fault.params {
            error.add_param(key.into(), &value);
        }
        error
    }
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct FieldError {
    /// JSON pointer (RFC 6901) into the body that was sent; empty for the whole body.
    pub pointer: String,
    pub fault: Fault,
}

impl FieldError {
    #[must_use]
    pub fn new(pointer: impl Into<String>, fault: Fault) -> Self {
        Self {
            pointer: pointer.into(),
            fault,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_names_the_nearest_member_or_leaves_the_question_out() {
        let fault = Fault::new(FaultCode::UnknownMember).with("given", "nam");
        assert_eq!(
            fault.clone().with("nearest", "name").message(Lang::En),
            "unknown member \"nam\"; did you mean \"name\"?"
        );
        assert_eq!(
            fault.with("nearest", "").message(Lang::De),
            "unbekanntes Feld „nam“"
        );
    }

    #[test]
    fn sentences_stay_apart_when_nothing_is_near() {
        let role = Fault::new(FaultCode::Role)
            .with("given", "host")
            .with("type", "serves");
        let none = role.clone().with("nearest", "").with("known", "");
        assert_eq!(
            none.message(Lang::En),
            "\"host\" is not a role of `serves`. Allowed: none"
        );
        assert_eq!(
            none.message(Lang::De),
            "„host“ ist keine Rolle von `serves`. Erlaubt: keine"
        );
        let near = role.with("nearest", "a").with("known", "a, b");
        assert_eq!(
            near.message(Lang::En),
            "\"host\" is not a role of `serves`; did you mean \"a\"? Allowed: a, b"
        );
        let code = Fault::new(FaultCode::UnknownCode).with("given", "x");
        let code = code.with("nearest", "").with("known", "a, b");
        assert_eq!(
            code.message(Lang::En),
            "\"x\" is not one of the known codes. Known: a, b"
        );
    }

    #[test]
    fn a_reason_without_a_translation_is_given_as_it_is() {
        let fault = Fault::new(FaultCode::InvalidValue).with("why", "broken");
        assert_eq!(fault.message(Lang::De), "ist nicht lesbar: broken");
        let fault = fault.with("why_de", "kaputt");
        assert_eq!(fault.message(Lang::De), "ist nicht lesbar: kaputt");
        assert_eq!(fault.message(Lang::En), "is malformed: broken");
    }

    #[test]
    fn json_in_a_message_stays_as_written() {
        let message = Fault::new(FaultCode::Reference).message(Lang::En);
        for form in [
            r#"{"kind": …, "external_id": {…}}"#,
            r#"{"class": {…}, "as_stated": …}"#,
        ] {
            assert!(message.contains(form), "{message}");
        }
    }

    #[test]
    fn codes_are_unique() {
        let mut codes: Vec<_> = FaultCode::ALL.iter().map(|code| code.as_str()).collect();
        codes.sort_unstable();
        let all = codes.len();
        codes.dedup();
        assert_eq!(codes.len(), all);
    }
}
