//! Parsing the parameters of a list, without the database.

use crate::http::problem::Problem;
use crate::operation::extract::{Pairs, Parameter, Parameters, wrong};
use crate::operation::paging::LIMIT;
use crate::records::areas::GEOMETRY;
use crate::records::list::filter::{Names, Narrowing, WITH_NEAR, WITH_Q};
use crate::records::list::parameters;
use crate::records::list::parameters::Listed;
use crate::records::view::Representation;
use domain::base::kind::Kind;
use persistence::search::{ListQuery, Order, Sort};

/// The query of a list; references are not resolved yet.
#[derive(Debug)]
pub(crate) struct ListParameters {
    pub kind: Listed,
    /// The query without references.
    pub query: ListQuery,
    pub names: Vec<Names>,
    pub representation: Representation,
    /// Whether regions have their area.
    pub geometry: bool,
    /// Whether matches are highlighted.
    pub highlights: bool,
    pub given: Given,
}

/// What was given explicitly, where formats differ.
#[derive(Debug)]
pub(crate) struct Given {
    pub limit: bool,
    pub sort: bool,
    /// Whether dates are asked for.
    pub dates: bool,
    /// A parameter of pages, with its value.
    pub of_pages: Option<(&'static str, String)>,
}

/// Parameters that only a list with pages has.
pub(super) const OF_PAGES: [&str; 5] = ["limit", "cursor", "facets", "sort", "highlights"];

impl Given {
    fn read(pairs: &Pairs) -> Self {
        let given = |name: &str| pairs.one(name).is_some();
        let mut of_pages = OF_PAGES.into_iter();
        let of_pages = of_pages.find_map(|name| Some((name, pairs.one(name)?.to_owned())));
        Self {
            limit: given(LIMIT.name),
            sort: given("sort"),
            dates: ["start_from", "start_to", "active_on"]
                .into_iter()
                .any(given),
            of_pages,
        }
    }
}

/// The parameters of a list of events at another record.
#[derive(Debug)]
pub(crate) struct EventParameters(pub ListParameters);

impl Parameters for EventParameters {
    fn table(_: Listed) -> &'static [Parameter] {
        parameters::table(Some(Kind::Event))
    }

    fn read(pairs: &Pairs) -> Result<Self, Problem> {
        let pairs = pairs.of_kind(Kind::Event);
        Ok(Self(ListParameters::read(&pairs)?))
    }
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
        let order = order(pairs, filter.text.is_some(), near.is_some())?;
        let highlights = pairs.flag(&parameters::HIGHLIGHTS);
        if highlights && filter.text.is_none() {
            return Err(wrong("highlights", "true", WITH_Q));
        }
        Ok(Self {
            kind: listed,
            representation: Representation::read(pairs, parameters::kinds(listed))?,
            geometry: pairs.flag(&GEOMETRY),
            query: ListQuery {
                filter,
                order,
                near,
                limit: pairs.integer(&LIMIT),
                cursor: pairs.one("cursor").map(str::to_owned),
                facets: facets(pairs)?,
                text: pairs.without_cursor(),
            },
            names,
            highlights,
            given: Given::read(pairs),
        })
    }
}

fn order(pairs: &Pairs, typed: bool, near: bool) -> Result<Order, Problem> {
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
    let (name, descending) = match text.strip_prefix('-') {
        Some(name) => (name, true),
        None => (text, false),
    };
    let sort = match name {
        "updated_at" => Sort::UpdatedAt,
        "start" | "founded" => Sort::Start,
        "end" => Sort::End,
        "distance" => Sort::Distance,
        "relevance" => Sort::Relevance,
        _ => Sort::Name,
    };
    match sort {
        Sort::Distance if !near => Err(wrong("sort", text, WITH_NEAR)),
        Sort::Relevance if !typed => Err(wrong("sort", text, WITH_Q)),
        _ => Ok(Order { sort, descending }),
    }
}

fn facets(pairs: &Pairs) -> Result<Vec<String>, Problem> {
    let mut names: Vec<String> = Vec::new();
    for name in pairs.words("facets").concat() {
        if !names.iter().any(|known| known == name) {
            names.push(name.to_owned());
        }
    }
    if names.len() > 6 {
        let expected = ("at most 6 names", "höchstens 6 Namen");
        return Err(wrong("facets", &names.join(","), expected));
    }
    Ok(names)
}
