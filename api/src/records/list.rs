//! Lists of records and the search across kinds: one handler over the index.

mod filter;
mod page;
pub mod parameters;
mod read;

use crate::formats::{self, Item};
use crate::http::problem::{Code, Problem};
use crate::operation::extract::{
    Accepted, Address, AfterPosition, App, IfNoneMatch, Pairs, Query, Reader,
};
use crate::operation::routes::Routes;
use crate::records::areas;
use crate::records::view::weak_tag;
use domain::access::rules::Caller;
use domain::base::kind::Kind;
use domain::validation::body::KindSchema;
pub(crate) use filter::{Names, Narrowing};
use page::RecordList;
use persistence::search::filter::{Condition, Filter};
use read::ListParameters;

#[must_use]
pub fn routes(schema: &KindSchema) -> Routes {
    let plural = schema.kind.plural();
    let path = format!("/v1/{plural}");
    let id = format!("list_{plural}");
    let summary = format!("List {plural}: filters, text search, facets, map");
    Routes::of(schema).get(&path, (&id, &summary), PROBLEMS, list)
}

#[must_use]
pub fn search() -> Routes {
    let names = ("search", "Search all kinds at once");
    Routes::new("Search").get("/v1/search", names, PROBLEMS, list)
}

const PROBLEMS: &[Code] = &[
    Code::InvalidCursor,
    Code::UnknownReference,
    Code::IndexBehind,
];

async fn list(
    app: App,
    Reader(caller): Reader,
    _: AfterPosition,
    Query(parameters): Query<ListParameters>,
    known: IfNoneMatch,
    address: Address,
    Accepted(format): Accepted,
) -> Result<RecordList, Problem> {
    let mut query = parameters.query;
    let geometry = areas::check(parameters.geometry, format)?;
    resolve_all(&app, &caller, &parameters.names, &mut query.filter).await?;
    // A cursor is valid for its own list only.
    let text = std::mem::take(&mut query.text);
    query.text = format!("{}?{text}", address.path);
    let found = app.search.list(&caller, &query).await?;
    let rows: Vec<_> = found.hits.iter().map(|hit| &hit.row).collect();
    let shown = parameters
        .representation
        .show_all(&app.store, &caller, &rows)
        .await?;
    let next = found
        .next
        .as_ref()
        .map(|cursor| Pairs::next(&address.path, &text, cursor));
    let typed = query
        .filter
        .text
        .as_deref()
        .filter(|_| parameters.highlights);
    let more = page::more(&found, &shown.items, typed);
    let rest = page::rest(
        &found,
        shown.included,
        next.as_deref(),
        &parameters.representation,
    );
    let areas = if geometry {
        areas::stored(&app.store, &rows).await?
    } else {
        areas::Areas::new()
    };
    let items = rows.iter().zip(&shown.items).zip(&more);
    let items = items.map(|((row, json), more)| Item {
        row,
        json,
        more: more.as_ref(),
        area: areas.get(&row.id).map(String::as_str),
        slugs: None,
    });
    let kinds = parameters::kinds(parameters.kind);
    let context = format.context(parameters.kind, &|member| {
        let mut kinds = kinds.iter();
        kinds.any(|kind| parameters.representation.shows(*kind, member))
    });
    let text = formats::page(format, &context, items, &rest)?;
    let etag = weak_tag(&text);
    Ok(RecordList::new(
        (!known.has(&etag)).then_some((format, text)),
        etag,
        next,
        shown.languages,
    ))
}

/// Resolves the references of a filter.
pub(crate) async fn resolve_all(
    app: &App,
    caller: &Caller,
    all: &[Names],
    filter: &mut Filter,
) -> Result<(), Problem> {
    for names in all {
        let condition = resolve(app, caller, names).await?;
        filter.conditions.push(condition);
    }
    Ok(())
}

async fn resolve(app: &App, caller: &Caller, names: &Names) -> Result<Condition, Problem> {
    let mut any = Vec::with_capacity(names.values.len());
    for (value, naming) in &names.values {
        let kinds: &[Kind] = &names.kinds;
        let (_, record) = app
            .store
            .records()
            .find_named(caller, names.parameter, kinds, value)
            .await?;
        any.push(naming.test(record));
    }
    Ok(Condition {
        parameter: names.parameter.to_owned(),
        any,
    })
}
