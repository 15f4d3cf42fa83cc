//! The query of a search page.

use crate::http::problem::Problem;
use crate::operation::extract::unknown;
use crate::pages::calls::query;
use crate::pages::layout::Visit;
use crate::records::list::parameters::{self, Listed};
use domain::base::filter::Form;
use domain::base::kind::Kind;

/// Parameters of the API that a page sets itself.
const OWN: &[&str] = &[
    "lang",
    "limit",
    "facets",
    "fields",
    "include",
    "highlights",
    "geometry",
];

/// The filters of a page. A form repeats a name for each choice, which means OR here.
pub(super) struct Asked {
    pub(super) pairs: Vec<(String, String)>,
}

impl Asked {
    pub(super) fn read(visit: &Visit, listed: Listed) -> Result<Self, Problem> {
        let table = parameters::table(listed).iter().map(|one| one.name);
        let known: Vec<&str> = table.filter(|name| !OWN.contains(name)).collect();
        let facets = parameters::facets(listed);
        let mut pairs: Vec<(String, String)> = Vec::new();
        for (name, value) in url::form_urlencoded::parse(visit.query.as_bytes()).into_owned() {
            if !known.contains(&name.as_str()) {
                return Err(unknown(&name, &known));
            }
            // Empty fields of a form.
            if value.is_empty() {
                continue;
            }
            let before = pairs.iter_mut().find(|(one, _)| *one == name);
            match before.filter(|_| facets.contains(&name.as_str())) {
                Some((_, values)) => {
                    values.push(',');
                    values.push_str(&value);
                }
                None => pairs.push((name, value)),
            }
        }
        Ok(Self { pairs })
    }

    pub(super) fn one(&self, name: &str) -> Option<&str> {
        let found = self.pairs.iter().find(|(one, _)| one == name);
        found.map(|(_, value)| value.as_str())
    }

    pub(super) fn words(&self, name: &str) -> Vec<&str> {
        self.one(name)
            .map(|value| value.split(',').map(str::trim).collect())
            .unwrap_or_default()
    }

    pub(super) fn pairs(&self) -> impl Iterator<Item = (&str, &str)> {
        self.pairs
            .iter()
            .map(|(name, value)| (name.as_str(), value.as_str()))
    }

    /// The query with a parameter set to other words.
    pub(super) fn with(&self, name: &str, words: &[&str]) -> String {
        let value = words.join(",");
        let rest = self
            .pairs()
            .filter(|(one, _)| *one != name && *one != "cursor");
        query(rest.chain((!words.is_empty()).then_some((name, value.as_str()))))
    }

    /// What another list understands too.
    pub(super) fn shared(&self, listed: Listed) -> String {
        let table = parameters::table(listed);
        let known = |name: &str| table.iter().any(|one| one.name == name);
        query(
            self.pairs()
                .filter(|(name, _)| known(name) && !["cursor", "kind", "sort"].contains(name)),
        )
    }
}

/// The facets of a list: its codes first, then what all kinds have.
pub(super) fn facets(listed: Listed) -> Vec<&'static str> {
    let codes = parameters::filters(listed).filter(|filter| matches!(filter.form, Form::Code(_)));
    let mut names: Vec<&str> = codes.map(|filter| filter.name).take(3).collect();
    if listed.is_none() {
        names.push("kind");
    }
    if listed != Some(Kind::Topic) {
        names.extend(["topic", "region"]);
    }
    names.push("origin");
    names.truncate(6);
    names
}

pub(super) fn path_of(listed: Listed) -> String {
    listed.map_or_else(|| "/".to_owned(), |kind| format!("/{}", kind.plural()))
}
