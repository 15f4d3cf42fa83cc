//! Query parameters as values: name, type and meaning of each, for the server and the document.

use crate::http::problem::{Code, Problem};
use chrono::{DateTime, NaiveDate, NaiveTime, Utc};
use domain::base::kind::Kind;
use domain::base::nearest::nearest;
use domain::base::vocabulary::Coded;
use domain::validation::upgrade::renamed;
use domain::value::format;
use serde_json::{Map, Value, json};
use std::fmt::Display;
use std::ops::RangeInclusive;
use uuid::Uuid;

/// Default maximum length of texts.
const LONGEST_TEXT: usize = 4000;

/// 400 for an unknown parameter, with its current name or the nearest known one.
#[must_use]
pub fn unknown(given: &str, names: &[&str]) -> Problem {
    let mut kinds = Kind::ALL.iter();
    let now = kinds.find_map(|kind| renamed(*kind, given).filter(|now| names.contains(now)));
    if let Some(now) = now {
        return Problem::new(Code::UnknownParameter)
            .detail(
                format!("There is no parameter `{given}` here. It is called `{now}` now."),
                format!("Hier gibt es keinen Parameter `{given}`. Er heißt jetzt `{now}`."),
            )
            .correct(given, None, Some(now));
    }
    let right = nearest(given, names.iter().copied());
    let (en, de) = match right {
        Some(close) => (
            format!(" Did you mean `{close}`?"),
            format!(" Gemeint ist vielleicht `{close}`."),
        ),
        None => (String::new(), String::new()),
    };
    let known = if names.is_empty() {
        "–".to_owned()
    } else {
        names.join(", ")
    };
    Problem::new(Code::UnknownParameter)
        .detail(
            format!("There is no parameter `{given}` here.{en} Known: {known}"),
            format!("Hier gibt es keinen Parameter `{given}`.{de} Bekannt: {known}"),
        )
        .correct(given, None, right)
}

/// 400 with the parameter and the expected value, in English and German.
#[must_use]
pub fn wrong(parameter: &str, given: &str, (en, de): (impl Display, impl Display)) -> Problem {
    let given: String = given.chars().take(80).collect();
    Problem::new(Code::InvalidParameter)
        .detail(
            format!("`{parameter}={given}` is wrong; it must be {en}."),
            format!("`{parameter}={given}` ist falsch; erwartet: {de}."),
        )
        .correct(parameter, Some(&given), None)
}

#[derive(Debug, Clone, Copy)]
pub struct Parameter {
    pub name: &'static str,
    pub description: &'static str,
    /// Whether it may be repeated (AND).
    pub repeatable: bool,
    pub required: bool,
    values: Values,
    example: &'static str,
}

#[derive(Debug, Clone, Copy)]
enum Values {
    Text {
        most: usize,
    },
    Cursor {
        most: usize,
    },
    Uuid,
    Moment,
    Language,
    Boolean {
        default: Option<bool>,
    },
    Integer {
        least: u64,
        most: u64,
        default: Option<u64>,
    },
    Number {
        least: f64,
        most: f64,
        default: f64,
    },
    /// One code of a closed list.
    Code(Known),
    /// Codes of a closed list; comma is OR.
    Codes(Known),
}

#[derive(Debug, Clone, Copy)]
pub enum Known {
    /// The codes of a vocabulary.
    Of(fn() -> Vec<&'static str>),
    /// These codes.
    These(&'static [&'static str]),
}

impl Known {
    fn list(self) -> Vec<&'static str> {
        match self {
            Self::Of(list) => list(),
            Self::These(list) => list.to_vec(),
        }
    }
}

#[must_use]
pub fn of<T: Coded>() -> Vec<&'static str> {
    T::ALL.iter().map(|term| term.code()).collect()
}

const fn new(name: &'static str, description: &'static str, values: Values) -> Parameter {
    Parameter {
        name,
        description,
        values,
        example: "",
        repeatable: false,
        required: false,
    }
}

#[must_use]
pub const fn text(name: &'static str, description: &'static str) -> Parameter {
    let most = LONGEST_TEXT;
    new(name, description, Values::Text { most })
}

#[must_use]
pub const fn cursor(name: &'static str, description: &'static str, most: usize) -> Parameter {
    new(name, description, Values::Cursor { most })
}

#[must_use]
pub const fn uuid(name: &'static str, description: &'static str) -> Parameter {
    new(name, description, Values::Uuid)
}

#[must_use]
pub const fn moment(name: &'static str, description: &'static str) -> Parameter {
    new(name, description, Values::Moment).example("2026-01-31T08:00:00Z")
}

#[must_use]
pub const fn language(name: &'static str, description: &'static str) -> Parameter {
    new(name, description, Values::Language).example("en")
}

/// A boolean; false if absent.
#[must_use]
pub const fn boolean(name: &'static str, description: &'static str) -> Parameter {
    let default = Some(false);
    new(name, description, Values::Boolean { default }).example("true")
}

/// A boolean; undefined if absent.
#[must_use]
pub const fn flag(name: &'static str, description: &'static str) -> Parameter {
    new(name, description, Values::Boolean { default: None })
}

/// An integer.
#[must_use]
pub const fn integer(
    name: &'static str,
    description: &'static str,
    range: &RangeInclusive<u64>,
) -> Parameter {
    let values = Values::Integer {
        least: *range.start(),
        most: *range.end(),
        default: None,
    };
    new(name, description, values)
}

#[must_use]
pub const fn number(
    name: &'static str,
    description: &'static str,
    range: &RangeInclusive<f64>,
    default: f64,
) -> Parameter {
    let values = Values::Number {
        least: *range.start(),
        most: *range.end(),
        default,
    };
    new(name, description, values)
}

/// One code of a closed list.
#[must_use]
pub const fn code(name: &'static str, description: &'static str, known: Known) -> Parameter {
    new(name, description, Values::Code(known))
}

/// Codes of a closed list; comma is OR.
#[must_use]
pub const fn codes(name: &'static str, description: &'static str, known: Known) -> Parameter {
    new(name, description, Values::Codes(known))
}

impl Parameter {
    /// Makes a boolean true if absent; it is read as "not false".
    #[must_use]
    pub const fn on(mut self) -> Self {
        if let Values::Boolean { .. } = self.values {
            self.values = Values::Boolean {
                default: Some(true),
            };
            self.example = "false";
        }
        self
    }

    /// Limits the length of a text.
    #[must_use]
    pub const fn max(mut self, most: usize) -> Self {
        if let Values::Text { .. } = self.values {
            self.values = Values::Text { most };
        }
        self
    }

    /// Sets the default of an integer.
    #[must_use]
    pub const fn default(mut self, value: u64) -> Self {
        if let Values::Integer { least, most, .. } = self.values {
            self.values = Values::Integer {
                least,
                most,
                default: Some(value),
            };
        }
        self
    }

    /// Sets an example from the seed data.
    #[must_use]
    pub const fn example(mut self, example: &'static str) -> Self {
        self.example = example;
        self
    }

    /// Allows repetition (AND).
    #[must_use]
    pub const fn repeatable(mut self) -> Self {
        self.repeatable = true;
        self
    }

    /// Requires the parameter.
    #[must_use]
    pub const fn required(mut self) -> Self {
        self.required = true;
        self
    }

    /// Replaces the description.
    #[must_use]
    pub const fn described(mut self, description: &'static str) -> Self {
        self.description = description;
        self
    }

    /// Combines two parameters of one name; codes that differ become any text.
    #[must_use]
    pub(crate) fn or(self, other: &Self) -> Self {
        match (self.values, other.values) {
            (Values::Codes(own), Values::Codes(others)) if own.list() != others.list() => {
                let most = LONGEST_TEXT;
                let values = Values::Text { most };
                Self { values, ..self }
            }
            (_, _) => self,
        }
    }

    pub(crate) const fn absent(&self) -> Option<u64> {
        match self.values {
            Values::Integer { default, .. } => default,
            Values::Text { .. }
            | Values::Cursor { .. }
            | Values::Uuid
            | Values::Moment
            | Values::Language
            | Values::Boolean { .. }
            | Values::Number { .. }
            | Values::Code(_)
            | Values::Codes(_) => None,
        }
    }

    /// The OpenAPI parameter object.
    pub(crate) fn document(&self) -> Value {
        let mut parameter = json!({
            "name": self.name,
            "in": "query",
            "description": self.description,
            "schema": self.schema(),
        });
        let Some(members) = parameter.as_object_mut() else {
            return parameter;
        };
        if let Values::Codes(_) = self.values {
            // The notation of generated clients and Swagger UI: a comma is OR.
            members.insert("style".to_owned(), json!("form"));
            members.insert("explode".to_owned(), json!(false));
        }
        if !self.example.is_empty() {
            members.insert("example".to_owned(), self.example_value());
        }
        if self.required {
            members.insert("required".to_owned(), json!(true));
        }
        parameter
    }

    fn example_value(&self) -> Value {
        match self.values {
            Values::Boolean { .. } | Values::Integer { .. } | Values::Number { .. } => {
                serde_json::from_str(self.example).unwrap_or_default()
            }
            Values::Text { .. }
            | Values::Cursor { .. }
            | Values::Uuid
            | Values::Moment
            | Values::Language
            | Values::Code(_)
            | Values::Codes(_) => json!(self.example),
        }
    }

    fn schema(&self) -> Value {
        let mut schema = match self.values {
            Values::Text { most } | Values::Cursor { most } => {
                json!({"type": "string", "maxLength": most})
            }
            Values::Uuid => json!({"type": "string", "format": "uuid"}),
            Values::Moment => json!({"type": "string", "format": "date-time"}),
            Values::Language => json!({"type": "string", "maxLength": 35}),
            Values::Boolean { .. } => json!({"type": "boolean"}),
            Values::Integer { least, most, .. } => {
                json!({"type": "integer", "minimum": least, "maximum": most})
            }
            Values::Number { least, most, .. } => {
                json!({"type": "number", "format": "double", "minimum": least, "maximum": most})
            }
            Values::Code(known) => json!({"type": "string", "enum": known.list()}),
            Values::Codes(known) => {
                json!({"type": "array", "items": {"type": "string", "enum": known.list()}})
            }
        };
        let default = match self.values {
            Values::Boolean { default } => default.map(Value::from),
            Values::Integer { default, .. } => default.map(Value::from),
            Values::Number { default, .. } => Some(json!(default)),
            Values::Text { .. }
            | Values::Cursor { .. }
            | Values::Uuid
            | Values::Moment
            | Values::Language
            | Values::Code(_)
            | Values::Codes(_) => None,
        };
        let members = schema.as_object_mut();
        let default = default.map(|value| Map::from_iter([("default".to_owned(), value)]));
        if let (Some(members), Some(default)) = (members, default) {
            members.extend(default);
        }
        schema
    }

    /// Checks a value.
    ///
    /// # Errors
    /// `invalid-parameter`, naming the parameter and the expected value; `invalid-cursor`.
    pub(crate) fn check(&self, value: &str) -> Result<(), Problem> {
        match self.values {
            // No cursor is as long.
            Values::Cursor { most } if value.len() > most => Err(Problem::new(Code::InvalidCursor)),
            Values::Code(known) => one_of(self.name, value, &known.list()),
            Values::Codes(known) => {
                let known = known.list();
                let mut words = value.split(',').map(str::trim);
                words.try_for_each(|word| one_of(self.name, word, &known))
            }
            _ if self.fits(value) => Ok(()),
            _ => Err(wrong(self.name, value, self.expected())),
        }
    }

    /// Whether a value has the right form; lists of codes are checked word by word.
    fn fits(&self, value: &str) -> bool {
        match self.values {
            // There are never fewer bytes than characters.
            Values::Text { most } => value.len() <= most || value.chars().count() <= most,
            Values::Uuid => Uuid::try_parse(value).is_ok(),
            Values::Moment => read_moment(value).is_some(),
            Values::Language => value.len() <= 35 && format::language(value).is_ok(),
            Values::Boolean { .. } => ["true", "false"].contains(&value),
            Values::Integer { least, most, .. } => {
                let number = value.parse().ok();
                number.is_some_and(|number| (least..=most).contains(&number))
            }
            Values::Number { least, most, .. } => {
                let number = value.parse().ok();
                number.is_some_and(|number| (least..=most).contains(&number))
            }
            Values::Cursor { .. } | Values::Code(_) | Values::Codes(_) => true,
        }
    }

    /// The expected form of a value, in English and German.
    fn expected(&self) -> (String, String) {
        let both = |en: &str, de: &str| (en.to_owned(), de.to_owned());
        let range = |least: &dyn Display, most: &dyn Display| {
            (
                format!("a number from {least} to {most}"),
                format!("eine Zahl von {least} bis {most}"),
            )
        };
        match self.values {
            Values::Text { most } | Values::Cursor { most } => (
                format!("at most {most} characters"),
                format!("höchstens {most} Zeichen"),
            ),
            Values::Uuid => both("a UUID", "eine UUID"),
            Values::Moment => both(
                "a date, or an RFC 3339 date-time such as 2026-01-31T08:00:00Z",
                "ein Datum, oder ein Zeitpunkt nach RFC 3339, etwa 2026-01-31T08:00:00Z",
            ),
            Values::Language => both(
                "a BCP 47 language tag such as en",
                "ein Sprachkürzel nach BCP 47, etwa en",
            ),
            Values::Boolean { .. } => both("true or false", "true oder false"),
            Values::Integer { least, most, .. } => range(&least, &most),
            Values::Number { least, most, .. } => range(&least, &most),
            Values::Code(known) | Values::Codes(known) => {
                let all = known.list().join(", ");
                (format!("one of {all}"), format!("eines von {all}"))
            }
        }
    }
}

/// Parses a moment; a date is its first moment in UTC.
pub(crate) fn read_moment(text: &str) -> Option<DateTime<Utc>> {
    if let Ok(date) = NaiveDate::parse_from_str(text, "%Y-%m-%d") {
        return Some(date.and_time(NaiveTime::MIN).and_utc());
    }
    // A plus that was not encoded is a blank.
    let text = text.replace(' ', "+");
    let moment = DateTime::parse_from_rfc3339(&text).ok()?;
    Some(moment.to_utc())
}

/// Checks that a word is in a closed list.
///
/// # Errors
/// `invalid-parameter`, naming the nearest word.
pub(crate) fn one_of(name: &str, word: &str, known: &[&str]) -> Result<(), Problem> {
    if known.contains(&word) {
        return Ok(());
    }
    let (en, de) = meant(word, known);
    let all = known.join(", ");
    let expected = (format!("one of {all}{en}"), format!("eines von {all}{de}"));
    let right = nearest(word, known.iter().copied());
    Err(wrong(name, word, expected).correct(name, Some(word), right))
}

/// A suggestion, in English and German.
pub(crate) fn meant(word: &str, known: &[&str]) -> (String, String) {
    match nearest(word, known.iter().copied()) {
        Some(close) => (
            format!(" (did you mean {close}?)"),
            format!(" (gemeint ist vielleicht {close})"),
        ),
        None => (String::new(), String::new()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::base::fault::Lang;

    const LIMIT: Parameter = integer("limit", "How many.", &(1..=200)).default(20);
    const WHAT: Parameter = codes("what", "Which.", Known::These(&["one", "two"])).repeatable();

    fn german(parameter: &Parameter, value: &str) -> String {
        let problem = parameter.check(value).unwrap_err();
        let document = problem.document(Lang::De, "", "");
        document["detail"].as_str().unwrap().to_owned()
    }

    #[test]
    fn values_are_checked_as_the_document_says() {
        for (parameter, good, bad) in [
            (LIMIT, "200", "201"),
            (LIMIT, "1", "-1"),
            (WHAT, "two, one", "one,three"),
            (text("q", "").max(3), "äöü", "abcd"),
            (boolean("b", ""), "false", "yes"),
            (
                uuid("u", ""),
                "0193e5a0-0000-7000-8000-000000000000",
                "0193",
            ),
            (moment("m", ""), "2026-01-31T08:00:00Z", "31.01.2026"),
            (moment("m", ""), "2026-01-31", "2026-02-30"),
            (language("l", ""), "de-AT", "de_AT"),
            (number("n", "", &(0.5..=1.0), 0.7), "0.7", "NaN"),
            (code("c", "", Known::These(&["now"])), "now", "now,now"),
        ] {
            assert!(parameter.check(good).is_ok(), "{} {good}", parameter.name);
            assert!(parameter.check(bad).is_err(), "{} {bad}", parameter.name);
        }
        let long = "x".repeat(11);
        let problem = cursor("cursor", "", 10).check(&long).unwrap_err();
        assert_eq!(problem.kind.code, Code::InvalidCursor);
        assert_eq!(
            german(&LIMIT, "900"),
            "`limit=900` ist falsch; erwartet: eine Zahl von 1 bis 200."
        );
        assert_eq!(
            german(&WHAT, "twoo"),
            "`what=twoo` ist falsch; erwartet: eines von one, two (gemeint ist vielleicht two)."
        );
    }

    #[test]
    fn what_is_checked_is_documented() {
        let schema = &LIMIT.document()["schema"];
        let expected = json!({"type": "integer", "minimum": 1, "maximum": 200, "default": 20});
        assert_eq!(*schema, expected);
        let what = WHAT.document();
        assert_eq!(what["schema"]["items"]["enum"], json!(["one", "two"]));
        assert_eq!(what["explode"], false);
        // Values that two parameters of one name do not share are in neither list.
        let other = codes("what", "", Known::These(&["three"]));
        assert!(WHAT.or(&other).check("three").is_ok());
    }
}
