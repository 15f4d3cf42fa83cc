//! Query parameters, parsed strictly: a typo in a filter must never mean "no filter".

use crate::http::problem::{Code, Problem};
use crate::operation::media_type;
use crate::operation::media_type::FORMAT;
use crate::operation::param;
use crate::operation::param::{Parameter, unknown, wrong};
use crate::operation::routes::{Draft, Extract};
use actix_web::HttpRequest;
use chrono::{DateTime, Utc};
use domain::base::kind::Kind;
use domain::base::vocabulary::Coded;
use std::collections::BTreeSet;
use uuid::Uuid;

pub trait Parameters: Sized + 'static {
    /// The parameters of a route with this kind, or without a single kind.
    fn table(kind: Option<Kind>) -> &'static [Parameter];

    /// Parses the values.
    ///
    /// # Errors
    /// `invalid-parameter`, naming the parameter and the expected value.
    fn read(pairs: &Pairs) -> Result<Self, Problem>;
}

#[derive(Debug, Default)]
pub struct Pairs {
    kind: Option<Kind>,
    /// The format, where there is a choice.
    format: Option<String>,
    sent: Vec<(String, String)>,
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
            draft.parameter(one.document());
        }
        draft.problem(Code::UnknownParameter);
        draft.problem(Code::InvalidParameter);
    }
}

/// Parses the query of a request as the set `T`.
///
/// # Errors
/// `unknown-parameter` and `invalid-parameter`.
pub(crate) fn read<T: Parameters>(request: &HttpRequest) -> Result<T, Problem> {
    let kind = request.app_data::<Kind>().copied();
    let format = media_type::offered(request).is_negotiated();
    parse(request.query_string(), kind, format)
}

/// Parses a query as the set `T`, for a route of this kind; `format` tells whether it offers several
/// formats.
///
/// # Errors
/// `unknown-parameter` and `invalid-parameter`.
pub(crate) fn parse<T: Parameters>(
    query: &str,
    kind: Option<Kind>,
    format: bool,
) -> Result<T, Problem> {
    let mut pairs = Pairs {
        kind,
        ..Pairs::default()
    };
    let table = T::table(kind);
    let once = ("given once", "nur einmal angegeben");
    // Its value was checked when the format was chosen.
    let format = format.then_some(FORMAT);
    let mut budget = Budget::default();
    for (name, value) in url::form_urlencoded::parse(query.as_bytes()) {
        if format.is_some_and(|format| name == format) {
            if pairs.format.is_some() {
                return Err(wrong(FORMAT, &value, once));
            }
            pairs.format = Some(value.into_owned());
            continue;
        }
        let known = table.iter().find(|one| one.name == name);
        let Some(known) = known else {
            let names = table.iter().map(|one| one.name).chain(format);
            return Err(unknown(&name, &names.collect::<Vec<_>>()));
        };
        let repeated = pairs.sent.iter().any(|(one, _)| *one == name);
        if repeated && !known.repeatable {
            return Err(wrong(known.name, &value, once));
        }
        if value.contains('\u{fffd}') && !query.to_ascii_uppercase().contains("%EF%BF%BD") {
            let expected = (
                "encoded as UTF-8, such as W%C3%BCrzburg",
                "in UTF-8 kodiert, etwa W%C3%BCrzburg",
            );
            return Err(wrong(known.name, &value, expected));
        }
        // A cell that was pasted ends with a tab or a line end.
        let value = value.trim_matches(|c: char| matches!(c, '\t' | '\r' | '\n'));
        if value.chars().any(char::is_control) {
            let expected = ("plain text", "Text ohne Steuerzeichen");
            return Err(wrong(known.name, "�", expected));
        }
        known.check(value)?;
        // The same condition twice is one.
        let equal = |(one, other): &(String, String)| *one == name && other == value;
        if repeated && pairs.sent.iter().any(equal) {
            continue;
        }
        if known.repeatable {
            budget.spend(known.name, value)?;
        }
        pairs.sent.push((name.into_owned(), value.to_owned()));
    }
    let missing = |one: &&Parameter| one.required && pairs.one(one.name).is_none();
    if let Some(Parameter { name, .. }) = table.iter().find(missing) {
        return Err(Problem::new(Code::InvalidParameter)
            .detail(format!("`{name}` is missing."), format!("`{name}` fehlt.")));
    }
    T::read(&pairs)
}

/// What the conditions of one query may have together.
#[derive(Debug, Default)]
struct Budget {
    conditions: usize,
    values: usize,
}

/// Conditions of a query: values of parameters that may be repeated.
const MAX_CONDITIONS: usize = 20;

/// Values in these, separated by commas.
const MAX_VALUES: usize = 250;

impl Budget {
    /// Adds a condition.
    ///
    /// # Errors
    /// `invalid-parameter`, naming the parameter and what there is too much of.
    fn spend(&mut self, name: &str, value: &str) -> Result<(), Problem> {
        self.conditions += 1;
        let values: BTreeSet<&str> = value.split(',').map(str::trim).collect();
        self.values += values.len();
        let (most, en, de) = if self.conditions > MAX_CONDITIONS {
            (MAX_CONDITIONS, "conditions", "Bedingungen")
        } else if self.values > MAX_VALUES {
            (MAX_VALUES, "values", "Werte")
        } else {
            return Ok(());
        };
        Err(Problem::new(Code::InvalidParameter).detail(
            format!("With `{name}` the query has more than {most} {en}; ask in several requests."),
            format!("Mit `{name}` hat die Anfrage mehr als {most} {de}; fragen Sie in mehreren Anfragen."),
        ))
    }
}

/// The elements of a list, each once.
fn elements(list: &str) -> Vec<&str> {
    let mut elements = Vec::new();
    for element in list.split(',').map(str::trim) {
        if !elements.contains(&element) {
            elements.push(element);
        }
    }
    elements
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
        self.sent
            .iter()
            .filter(move |(one, _)| one == name)
            .map(|(_, value)| value.as_str())
    }

    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.sent.iter().map(|(name, _)| name.as_str())
    }

    #[must_use]
    pub fn without(&self, names: &[&str]) -> Self {
        let kept = self.sent.iter();
        let kept = kept.filter(|(name, _)| !names.contains(&name.as_str()));
        Self {
            kind: self.kind,
            format: self.format.clone(),
            sent: kept.cloned().collect(),
        }
    }

    /// The same parameters, of a list of another kind.
    #[must_use]
    pub fn of_kind(&self, kind: Kind) -> Self {
        Self {
            kind: Some(kind),
            ..self.without(&[])
        }
    }

    /// The value of a boolean; false if absent.
    #[must_use]
    pub fn flag(&self, parameter: &Parameter) -> bool {
        self.one(parameter.name) == Some("true")
    }

    /// The value of an integer, if given.
    #[must_use]
    pub fn given(&self, parameter: &Parameter) -> Option<u64> {
        self.one(parameter.name)?.parse().ok()
    }

    /// The value of an integer, or its default.
    #[must_use]
    pub fn integer(&self, parameter: &Parameter) -> u64 {
        let given = self.given(parameter).or(parameter.absent());
        given.unwrap_or_default()
    }

    #[must_use]
    pub fn moment(&self, parameter: &Parameter) -> Option<DateTime<Utc>> {
        param::read_moment(self.one(parameter.name)?)
    }

    #[must_use]
    pub fn uuid(&self, parameter: &Parameter) -> Option<Uuid> {
        Uuid::try_parse(self.one(parameter.name)?).ok()
    }

    /// Values of any type: commas mean OR, a repeated parameter AND.
    pub fn lists<T>(
        &self,
        name: &str,
        expected: (&str, &str),
        parse: impl Fn(&str) -> Option<T>,
    ) -> Result<Vec<Vec<T>>, Problem> {
        self.all(name)
            .map(|list| {
                let elements = elements(list).into_iter();
                elements
                    .map(|text| parse(text).ok_or_else(|| wrong(name, text, expected)))
                    .collect()
            })
            .collect()
    }

    /// Codes of a vocabulary: commas mean OR, a repeated parameter AND.
    #[must_use]
    pub fn codes<T: Coded>(&self, name: &str) -> Vec<Vec<T>> {
        let parse = |list: Vec<&str>| list.into_iter().filter_map(T::parse).collect();
        self.words(name).into_iter().map(parse).collect()
    }

    /// Words of a closed list: commas mean OR, a repeated parameter AND.
    #[must_use]
    pub fn words(&self, name: &str) -> Vec<Vec<&str>> {
        self.all(name).map(elements).collect()
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
            .sent
            .iter()
            .filter(|(name, _)| name != "cursor")
            .collect();
        pairs.sort();
        let mut query = url::form_urlencoded::Serializer::new(String::new());
        for (name, value) in pairs {
            query.append_pair(name, value);
        }
        if let Some(format) = &self.format {
            query.append_pair(FORMAT, format);
        }
        query.finish()
    }
}
