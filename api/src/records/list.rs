//! Lists of records and the search across kinds: one handler over the index.

mod complete;
mod events;
mod filter;
mod page;
pub mod parameters;
mod read;

use crate::formats::place::changed_here;
use crate::formats::{self, Context, FEED_ITEMS, Format, Item, Place};
use crate::http::problem::{Code, Problem};
use crate::operation::extract::{
    Accepted, Address, AfterPosition, App, IfNoneMatch, Pairs, Query, Reader, parse,
};
use crate::operation::reply::weak_tag;
use crate::operation::routes::Routes;
use crate::records::areas;
use domain::access::rules::Caller;
use domain::base::fault::Lang;
use domain::base::kind::Kind;
use domain::validation::body::KindSchema;
pub(crate) use events::json as events_json;
pub use events::routes as events_of;
pub(crate) use filter::{Names, Narrowing};
use page::{Content, RecordList};
use parameters::Listed;
use persistence::search::filter::{Condition, Filter};
use persistence::search::{ListQuery, Order, Sort};
use read::{Given, ListParameters};

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
    Routes::new("Search").get(SEARCH, names, PROBLEMS, list)
}

const SEARCH: &str = "/v1/search";

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
    answer(&app, &caller, parameters, (&address, &known, format)).await
}

async fn answer(
    app: &App,
    caller: &Caller,
    mut parameters: ListParameters,
    (address, known, format): (&Address, &IfNoneMatch, &'static dyn Format),
) -> Result<RecordList, Problem> {
    if format.is_calendar() {
        let filter = &mut parameters.query.filter;
        resolve_all(app, caller, &parameters.names, filter).await?;
        return complete::answer(app, caller, parameters, (address, known, format)).await;
    }
    let page = read(app, caller, parameters, (address, format)).await?;
    let etag = weak_tag(&page.text);
    Ok(RecordList {
        body: (!known.has(&etag)).then_some((format, Content::Text(page.text))),
        etag: Some(etag),
        next: page.next,
        languages: page.languages,
    })
}

/// A page of a list as JSON: what the route answers to a caller, for the pages of the explorer.
pub(crate) async fn json(
    app: &App,
    caller: &Caller,
    listed: Listed,
    query: &str,
) -> Result<String, Problem> {
    let parameters = parse::<ListParameters>(query, listed, true)?;
    let path = match listed {
        Some(kind) => format!("/v1/{}", kind.plural()),
        None => SEARCH.to_owned(),
    };
    let address = Address::new(path, query, Lang::default());
    let page = read(app, caller, parameters, (&address, &formats::Json)).await?;
    Ok(page.text)
}

/// A page of a list in a format.
struct ReadPage {
    text: String,
    next: Option<String>,
    languages: Vec<String>,
}

async fn read(
    app: &App,
    caller: &Caller,
    parameters: ListParameters,
    (address, format): (&Address, &'static dyn Format),
) -> Result<ReadPage, Problem> {
    let geometry = areas::check(parameters.geometry, format)?;
    let mut query = parameters.query;
    resolve_all(app, caller, &parameters.names, &mut query.filter).await?;
    if format.is_feed() {
        as_feed(&mut query, &parameters.given);
    }
    // A cursor is valid for its own list only.
    let text = address.query_in(format, std::mem::take(&mut query.text));
    query.text = format!("{}?{text}", address.path);
    let found = app.search.list(caller, &query).await?;
    let rows: Vec<_> = found.hits.iter().map(|hit| &hit.row).collect();
    let shown = parameters
        .representation
        .show_all(&app.store, caller, &rows)
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
        names: None,
    });
    let kinds = parameters::kinds(parameters.kind);
    let lang = parameters.representation.lang();
    let context = Context {
        place: Place {
            next: next.clone(),
            updated: rows.iter().map(|row| changed_here(row)).max(),
            ..address.place(&app.site, parameters.kind, lang)
        },
        ..format.context(parameters.kind, &|member| {
            let mut kinds = kinds.iter();
            kinds.any(|kind| parameters.representation.shows(*kind, member))
        })
    };
    let text = formats::page(format, &context, items, &rest)?;
    Ok(ReadPage {
        text,
        next,
        languages: shown.languages,
    })
}

/// A feed has more items, the newest changes first: by the times that its entries have.
const fn as_feed(query: &mut ListQuery, given: &Given) {
    if !given.limit {
        query.limit = FEED_ITEMS;
    }
    if !given.sort {
        query.order = Order {
            sort: Sort::ChangedHere,
            descending: true,
        };
    }
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
