//! Lists of records and the search across kinds: one handler over the index.

mod page;
pub mod parameters;
mod read;

use crate::extract::{App, IfNoneMatch, Pairs, Query, Reader};
use crate::operation::Routes;
use crate::problem::Problem;
use crate::routes::relationships::Address;
use domain::access::Caller;
use domain::resource::{Kind, Resource};
use page::RecordList;
use persistence::search::filter::Condition;
use read::{Everything, ListParameters, Names, Of, Scope};

/// The list of a kind.
#[must_use]
pub fn routes<T: Resource>(tag: &'static str) -> Routes {
    let path = format!("/v1/{}", T::KIND.plural());
    let id = format!("list_{}", T::KIND.plural());
    let summary = format!(
        "List {}: filters, text search, facets, map",
        T::KIND.plural()
    );
    Routes::new(tag).get(&path, (&id, &summary), PROBLEMS, list::<Of<T>>)
}

/// The search across kinds.
#[must_use]
pub fn search() -> Routes {
    let names = ("search", "Search all kinds at once");
    Routes::new("Search").get("/v1/search", names, PROBLEMS, list::<Everything>)
}

const PROBLEMS: &[&str] = &["invalid-cursor", "unknown-reference", "index-behind"];

async fn list<S: Scope>(
    app: App,
    Reader(caller): Reader,
    Query(parameters): Query<ListParameters<S>>,
    known: IfNoneMatch,
    address: Address,
) -> Result<RecordList<S>, Problem> {
    let mut query = parameters.query;
    for names in &parameters.names {
        let condition = resolve(&app, &caller, names).await?;
        query.filter.conditions.push(condition);
    }
    // A cursor is good for its own list only.
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
    let json = page::body(
        &found,
        shown.items,
        shown.included,
        (next.as_deref(), typed),
        &parameters.representation,
    );
    let etag = crate::represent::weak_tag(&json);
    Ok(RecordList::new(
        (!known.has(&etag)).then_some(json),
        etag,
        next,
        shown.languages,
    ))
}

/// Finds the records that a parameter names.
async fn resolve(app: &App, caller: &Caller, names: &Names) -> Result<Condition, Problem> {
    let mut any = Vec::with_capacity(names.values.len());
    for (value, naming) in &names.values {
        let kinds: &[Kind] = &names.kinds;
        let (_, record) = app
            .store
            .named(caller, names.parameter, kinds, value)
            .await?;
        any.push(naming.test(record));
    }
    Ok(Condition {
        parameter: names.parameter.to_owned(),
        any,
    })
}
