//! Lists of records and the search across kinds: one handler over the index.

mod filter;
mod page;
pub mod parameters;
mod read;

use crate::formats::geojson;
use crate::formats::view::with_members;
use crate::http::problem::{Code, Problem};
use crate::operation::extract::Address;
use crate::operation::extract::{App, IfNoneMatch, Pairs, Query, Reader};
use crate::operation::media_type::{Media, Wanted};
use crate::operation::routes::Routes;
use crate::records::reply::AsGeoJson;
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
    let map = format!("List {plural} as GeoJSON");
    let (at, named) = (format!("{path}.geojson"), format!("{id}_geojson"));
    Routes::of(schema)
        .get(&path, (&id, &summary), PROBLEMS, list)
        .get(&at, (&named, &map), PROBLEMS, list_geojson)
}

#[must_use]
pub fn search() -> Routes {
    let names = ("search", "Search all kinds at once");
    let map = ("search_geojson", "Search all kinds at once, as GeoJSON");
    Routes::new("Search")
        .get("/v1/search", names, PROBLEMS, list)
        .get("/v1/search.geojson", map, PROBLEMS, list_geojson)
}

const PROBLEMS: &[Code] = &[
    Code::InvalidCursor,
    Code::UnknownReference,
    Code::IndexBehind,
];

async fn list(
    app: App,
    Reader(caller): Reader,
    Query(parameters): Query<ListParameters>,
    known: IfNoneMatch,
    address: Address,
    Wanted(media): Wanted,
) -> Result<RecordList, Problem> {
    let mut query = parameters.query;
    let geometry = geojson::check_geometry(parameters.geometry, media)?;
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
    let items = page::items(&found, shown.items, typed);
    let rest = page::rest(
        &found,
        shown.included,
        next.as_deref(),
        &parameters.representation,
    );
    let json = match media {
        Media::GeoJson => {
            let stored = if geometry {
                geojson::stored(&app.store, &rows).await?
            } else {
                geojson::Geometries::new()
            };
            let features = rows.iter().zip(&items);
            let features = features.map(|(row, item)| geojson::feature(row, item, &stored, None));
            geojson::collection(&features.collect::<Vec<_>>(), &rest)
        }
        Media::Json | Media::NdJson | Media::Csv => {
            with_members(&format!("{{\"items\":[{}]}}", items.join(",")), &rest)
        }
    };
    let etag = crate::formats::view::weak_tag(&json);
    Ok(RecordList::new(
        (!known.has(&etag)).then_some((media, json)),
        etag,
        next,
        shown.languages,
    ))
}

async fn list_geojson(
    app: App,
    reader: Reader,
    parameters: Query<ListParameters>,
    known: IfNoneMatch,
    address: Address,
    wanted: Wanted,
) -> Result<AsGeoJson<RecordList>, Problem> {
    let found = list(app, reader, parameters, known, address, wanted).await;
    found.map(AsGeoJson)
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
