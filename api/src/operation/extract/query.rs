//! Query parameters, parsed strictly: a typo in a filter must never mean "no filter".

use crate::http::problem::Problem;
use crate::operation::routes::{Draft, Extract};
use actix_web::HttpRequest;
use domain::base::json::insert;
use domain::base::kind::Kind;
use domain::base::nearest::nearest;
use domain::base::vocabulary::Coded;
use serde_json::{Value, json};

#[derive(Debug, Clone, Copy)]
pub struct Parameter {
    pub name: &'static str,
    pub description: &'static str,
    pub schema: &'static str,
    pub example: &'static str,
    /// Whether it may be repeated (AND).
    pub repeatable: bool,
}

impl Parameter {
    /// Checks the length of a value; the rest of the schema is checked during parsing.
    fn bears(&self, value: &str) -> Result<(), Problem> {
        // No parameter is shorter.
        if value.len() <= 10 {
            return Ok(());
        }
        let schema: Value = serde_json::from_str(self.schema).unwrap_or_default();
        let most = schema.get("maxLength").and_then(Value::as_u64);
        match most {
            // No cursor is as long.
            Some(most) if self.name == "cursor" && value.len() as u64 > most => {
                Err(Problem::new("invalid-cursor"))
            }
            Some(most) if value.chars().count() as u64 > most => {
                let expected = format!("at most {most} characters");
                Err(wrong(self.name, value, &expected))
            }
            _ => Ok(()),
        }
    }
}

pub trait Parameters: Sized + 'static {
    /// The parameters of a route with this kind, or without a single kind.
    fn table(kind: Option<Kind>) -> &'static [Parameter];

    const REQUIRED: &'static [&'static str] = &[];

    fn read(pairs: &Pairs) -> Result<Self, Problem>;
}

#[derive(Debug, Default)]
pub struct Pairs {
    kind: Option<Kind>,
    pairs: Vec<(String, String)>,
}

/// Query parameters of the set `T`; anything else is rejected.
#[derive(Debug)]
pub struct Query<T>(pub T);

impl Parameters for () {
    fn table(_: Option<Kind>) -> &'static [Parameter] {
        &[]
    }

    fn read(_: &Pairs) -> Result<Self, Problem> {
        Ok(())
    }
}

from_head!(Query<T>, T: Parameters);

impl<T: Parameters> Query<T> {
    fn of(request: &HttpRequest) -> Result<Self, Problem> {
        read(request).map(Self)
    }
}

impl<T: Parameters> Extract for Query<T> {
    fn describe(draft: &mut Draft) {
        for one in T::table(draft.kind()) {
            let schema: Value = serde_json::from_str(one.schema).unwrap_or_default();
            let mut parameter = json!({
                "name": one.name,
                "in": "query",
                "description": one.description,
                "schema": schema,
                "example": example(one.example, &schema),
            });
            if T::REQUIRED.contains(&one.name) {
                insert(&mut parameter, &["required"], true);
            }
            draft.parameter(parameter);
        }
        draft.problem("unknown-parameter");
        draft.problem("invalid-parameter");
    }
}

/// The example as JSON: anything but a string is inserted verbatim.
fn example(text: &str, schema: &Value) -> Value {
    if schema.get("type") == Some(&json!("string")) {
        return json!(text);
    }
    serde_json::from_str(text).unwrap_or_else(|_| json!(text))
}

/// Parses the query of a request as the set `T`.
pub(crate) fn read<T: Parameters>(request: &HttpRequest) -> Result<T, Problem> {
    let query = request.query_string();
    let kind = request.app_data::<Kind>().copied();
    let mut pairs = Pairs {
        kind,
        pairs: Vec::new(),
    };
    let table = T::table(kind);
    for (name, value) in url::form_urlencoded::parse(query.as_bytes()) {
        let known = table.iter().find(|one| one.name == name);
        let Some(known) = known else {
            let names: Vec<&str> = table.iter().map(|one| one.name).collect();
            return Err(unknown(&name, &names));
        };
        let repeated = pairs.pairs.iter().any(|(one, _)| *one == name);
        if repeated && !known.repeatable {
            return Err(wrong(known.name, &value, "given once"));
        }
        if value.chars().any(char::is_control) {
            return Err(wrong(known.name, "a control character", "plain text"));
        }
        known.bears(&value)?;
        pairs.pairs.push((name.into_owned(), value.into_owned()));
    }
    let missing = T::REQUIRED.iter().find(|name| pairs.one(name).is_none());
    if let Some(name) = missing {
        return Err(Problem::new("invalid-parameter")
            .detail(format!("`{name}` is missing."), format!("`{name}` fehlt.")));
    }
    T::read(&pairs)
}

#[must_use]
pub fn unknown(given: &str, names: &[&str]) -> Problem {
    let (en, de) = match nearest(given, names.iter().copied()) {
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
    Problem::new("unknown-parameter").detail(
        format!("There is no parameter `{given}` here.{en} Known: {known}"),
        format!("Hier gibt es keinen Parameter `{given}`.{de} Bekannt: {known}"),
    )
}

#[must_use]
pub fn wrong(parameter: &str, given: &str, expected: &str) -> Problem {
    let given: String = given.chars().take(80).collect();
    Problem::new("invalid-parameter").detail(
        format!("`{parameter}={given}` is wrong; it must be {expected}."),
        format!("`{parameter}={given}` ist falsch; erwartet: {expected}."),
    )
}

impl Pairs {
    /// The kind of the route, if it has a single one.
    #[must_use]
    pub const fn kind(&self) -> Option<Kind> {
        self.kind
    }

    #[must_use]
    pub fn one(&self, name: &str) -> Option<&str> {
        self.all(name).next()
    }

    pub fn all(&self, name: &str) -> impl Iterator<Item = &str> {
        self.pairs
            .iter()
            .filter(move |(one, _)| one == name)
            .map(|(_, value)| value.as_str())
    }

    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.pairs.iter().map(|(name, _)| name.as_str())
    }

    #[must_use]
    pub fn without(&self, names: &[&str]) -> Self {
        self.filter(|name, _| !names.contains(&name))
    }

    #[must_use]
    pub fn filter(&self, wanted: impl Fn(&str, &str) -> bool) -> Self {
        let kept = self.pairs.iter();
        let kept = kept.filter(|(name, value)| wanted(name, value));
        Self {
            kind: self.kind,
            pairs: kept.cloned().collect(),
        }
    }

    pub fn flag(&self, name: &str) -> Result<Option<bool>, Problem> {
        self.one(name)
            .map(|text| match text {
                "true" => Ok(true),
                "false" => Ok(false),
                other => Err(wrong(name, other, "true or false")),
            })
            .transpose()
    }

    pub fn number(&self, name: &str, least: u64, most: u64) -> Result<Option<u64>, Problem> {
        self.one(name)
            .map(|text| {
                let number = text.parse::<u64>().ok();
                number
                    .filter(|number| (least..=most).contains(number))
                    .ok_or_else(|| wrong(name, text, &format!("a number from {least} to {most}")))
            })
            .transpose()
    }

    /// Values of any type: commas mean OR, a repeated parameter AND.
    pub fn lists<T>(
        &self,
        name: &str,
        expected: &str,
        parse: impl Fn(&str) -> Option<T>,
    ) -> Result<Vec<Vec<T>>, Problem> {
        self.all(name)
            .map(|list| {
                list.split(',')
                    .map(|text| parse(text.trim()).ok_or_else(|| wrong(name, text, expected)))
                    .collect()
            })
            .collect()
    }

    /// Codes of a vocabulary: commas mean OR, a repeated parameter AND.
    pub fn codes<T: Coded>(&self, name: &str) -> Result<Vec<Vec<T>>, Problem> {
        let known: Vec<&str> = T::ALL.iter().map(|term| term.code()).collect();
        let lists = self.known(name, &known)?;
        let parse = |list: Vec<String>| list.iter().filter_map(|code| T::parse(code)).collect();
        Ok(lists.into_iter().map(parse).collect())
    }

    /// Words of a closed list: commas mean OR, a repeated parameter AND.
    pub fn known(&self, name: &str, known: &[&str]) -> Result<Vec<Vec<String>>, Problem> {
        let check = |text: &str| {
            if known.contains(&text) {
                return Ok(text.to_owned());
            }
            let close = nearest(text, known.iter().copied());
            let close = close.map_or(String::new(), |close| format!(" (did you mean {close}?)"));
            Err(wrong(
                name,
                text,
                &format!("one of {}{close}", known.join(", ")),
            ))
        };
        let lists = self
            .all(name)
            .map(|list| list.split(',').map(str::trim).map(check).collect());
        lists.collect()
    }

    /// The address of the next page: the path, the query without its cursor, and the new cursor.
    #[must_use]
    pub fn next(path: &str, query: &str, cursor: &str) -> String {
        let separator = if query.is_empty() { "" } else { "&" };
        format!("{path}?{query}{separator}cursor={cursor}")
    }

    /// The query without the parameter `cursor`, as a text to which a cursor can be bound.
    #[must_use]
    pub fn without_cursor(&self) -> String {
        let mut pairs: Vec<_> = self
            .pairs
            .iter()
            .filter(|(name, _)| name != "cursor")
            .collect();
        pairs.sort();
        let mut query = url::form_urlencoded::Serializer::new(String::new());
        for (name, value) in pairs {
            query.append_pair(name, value);
        }
        query.finish()
    }
}
