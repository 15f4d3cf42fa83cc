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

    /// The values of a filter: several where a comma means OR, otherwise one as it is.
    pub(super) fn words(&self, name: &str) -> Vec<&str> {
        match self.one(name) {
            Some(value) if has_alternatives(name) => value.split(',').map(str::trim).collect(),
            one => one.into_iter().collect(),
        }
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

    /// The query without parameters.
    pub(super) fn without(&self, names: &[&str]) -> String {
        let rest = self.pairs();
        query(rest.filter(|(one, _)| !names.contains(one) && *one != "cursor"))
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

/// Filters whose values may have commas: texts as they are written, and coordinates.
const WHOLE: &[&str] = &["programme", "identifier", "external_id", "near", "bbox"];

fn has_alternatives(name: &str) -> bool {
    !WHOLE.contains(&name)
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_alternatives_are_split_at_commas() {
        let asked = Asked {
            pairs: [
                ("region", "hessen, bayern"),
                ("near", "51.31,9.48"),
                ("radius", "25km"),
                ("programme", "Bildung, Forschung"),
            ]
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .to_vec(),
        };
        assert_eq!(asked.words("region"), ["hessen", "bayern"]);
        assert_eq!(asked.words("near"), ["51.31,9.48"]);
        assert_eq!(asked.words("programme"), ["Bildung, Forschung"]);
        assert!(asked.words("bbox").is_empty());
        assert_eq!(
            asked.without(&["near", "radius"]),
            "region=hessen%2C+bayern&programme=Bildung%2C+Forschung"
        );
    }
}
