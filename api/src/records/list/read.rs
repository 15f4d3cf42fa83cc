//! Parsing the parameters of a list, without the database.

use crate::formats::view::Representation;
use crate::http::problem::Problem;
use crate::operation::extract::{Pairs, Parameter, Parameters, wrong};
use crate::records::list::filter::{Names, Narrowing};
use crate::records::list::parameters;
use crate::records::list::parameters::Listed;
use domain::base::nearest::nearest;
use persistence::search::{ListQuery, Order, Sort};

/// The query of a list; references are not resolved yet.
#[derive(Debug)]
pub(crate) struct ListParameters {
    /// The query without references.
    pub query: ListQuery,
    pub names: Vec<Names>,
    pub representation: Representation,
    pub geometry: Option<bool>,
    pub highlights: bool,
}

impl Parameters for ListParameters {
    fn table(listed: Listed) -> &'static [Parameter] {
        parameters::table(listed)
    }

    fn read(pairs: &Pairs) -> Result<Self, Problem> {
        let listed = pairs.kind();
        let Narrowing {
            filter,
            names,
            near,
        } = Narrowing::read(listed, pairs)?;
        let order = order(listed, pairs, filter.text.is_some(), near.is_some())?;
        let highlights = pairs.flag("highlights")?.unwrap_or(false);
        if highlights && filter.text.is_none() {
            return Err(wrong("highlights", "true", "given together with `q`"));
        }
        Ok(Self {
            representation: Representation::read(pairs, parameters::kinds(listed))?,
            geometry: pairs.flag("geometry")?,
            query: ListQuery {
                filter,
                order,
                near,
                limit: pairs.number("limit", 1, 200)?.unwrap_or(20),
                cursor: pairs.one("cursor").map(str::to_owned),
                facets: facets(listed, pairs)?,
                text: pairs.without_cursor(),
            },
            names,
            highlights,
        })
    }
}

fn order(listed: Listed, pairs: &Pairs, typed: bool, near: bool) -> Result<Order, Problem> {
    let Some(text) = pairs.one("sort") else {
        let sort = match (typed, near) {
            (true, _) => Sort::Relevance,
            (false, true) => Sort::Distance,
            (false, false) => Sort::Name,
        };
        return Ok(Order {
            sort,
            descending: false,
        });
    };
    let known = parameters::sorts(listed);
    let (name, descending) = match text.strip_prefix('-') {
        Some(name) => (name, true),
        None => (text, false),
    };
    let sort = match name {
        _ if !known.contains(&name) => None,
        "name" => Some(Sort::Name),
        "updated_at" => Some(Sort::UpdatedAt),
        "start" => Some(Sort::Start),
        "distance" => Some(Sort::Distance),
        "relevance" => Some(Sort::Relevance),
        _ => None,
    };
    let sort = sort.ok_or_else(|| {
        let close = nearest(name, known.iter().copied());
        let close = close.map_or(String::new(), |close| format!(" (did you mean {close}?)"));
        wrong(
            "sort",
            text,
            &format!(
                "one of {}{close}, with a leading `-` to reverse it",
                known.join(", ")
            ),
        )
    })?;
    match sort {
        Sort::Distance if !near => Err(wrong("sort", text, "given together with `near`")),
        Sort::Relevance if !typed => Err(wrong("sort", text, "given together with `q`")),
        _ => Ok(Order { sort, descending }),
    }
}

fn facets(listed: Listed, pairs: &Pairs) -> Result<Vec<String>, Problem> {
    let known = parameters::facets(listed);
    let mut names: Vec<String> = pairs
        .known("facets", &known)?
        .into_iter()
        .flatten()
        .collect();
    let mut seen = std::collections::BTreeSet::new();
    names.retain(|name| seen.insert(name.clone()));
    if names.len() > 6 {
        return Err(wrong("facets", &names.join(","), "at most 6 names"));
    }
    Ok(names)
}
