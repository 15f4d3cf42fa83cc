//! OGC API – Features (core, GeoJSON) for QGIS, GDAL and the like: a collection per kind.

mod page;

use crate::config::Site;
use crate::formats::place::changed_here;
use crate::formats::{Context, Format, GeoJson, Item, page as write_page};
use crate::http::problem::{Code, Problem};
use crate::operation::extract::{
    Address, App, OfKind, Pairs, Parameter, Parameters, Query, Reader, RecordId, wrong,
};
use crate::operation::paging::CURSOR;
use crate::operation::param;
use crate::operation::routes::Routes;
use crate::records::crud::find;
use crate::records::list::Narrowing;
use crate::records::list::parameters::{BBOX, DESCRIBED};
use crate::records::view::Representation;
use actix_web::http::header;
use actix_web::{HttpResponse, route};
use domain::base::clock::rfc3339;
use domain::base::json::insert;
use domain::base::kind::Kind;
use domain::kinds::dates::Dates;
use domain::validation::body::KindSchema;
use domain::value::edtf::EdtfDate;
use page::{Features, OgcDocument};
use persistence::search::filter::{Bound, Condition, Filter, Test};
use persistence::search::{ListQuery, Order, Sort};
use serde_json::{Value, json};

/// WGS 84, longitude first.
const CRS: &str = "http://www.opengis.net/def/crs/OGC/1.3/CRS84";

const CONFORMANCE: [&str; 2] = [
    "http://www.opengis.net/spec/ogcapi-features-1/1.0/conf/core",
    "http://www.opengis.net/spec/ogcapi-features-1/1.0/conf/geojson",
];

/// Features on a page at most; a request for more is answered with as many, as the standard wants it.
const MOST: u64 = 200;

#[must_use]
pub fn routes() -> Routes {
    let landing = ("get_ogc", "Read the landing page for maps");
    let conformance = ("get_ogc_conformance", "Read what standard the maps follow");
    let collections = ("list_ogc_collections", "List the collections of features");
    let problems = &[Code::PublicUrlMissing];
    Routes::new("Maps")
        .get("/ogc", landing, problems, get_landing)
        .get("/ogc/conformance", conformance, &[], get_conformance)
        .get("/ogc/collections", collections, problems, get_collections)
}

/// `OWSLib` puts a slash at the end of any address.
#[route("/ogc/", method = "GET", method = "HEAD")]
pub(crate) async fn without_slash() -> HttpResponse {
    HttpResponse::PermanentRedirect()
        .insert_header((header::LOCATION, "/ogc"))
        .finish()
}

/// The collection of a kind.
#[must_use]
pub fn of(schema: &KindSchema) -> Routes {
    let plural = schema.kind.plural();
    let path = format!("/ogc/collections/{plural}");
    let collection = (
        format!("get_ogc_{plural}"),
        format!("Describe the features of {plural}"),
    );
    let items = (
        format!("list_ogc_{plural}"),
        format!("List {plural} as features"),
    );
    let item = (
        format!("get_ogc_{}", schema.kind),
        format!("Read {} as a feature", schema.a),
    );
    let listing = &[
        Code::InvalidCursor,
        Code::IndexBehind,
        Code::Overloaded,
        Code::PublicUrlMissing,
    ];
    let reading = &[Code::Moved, Code::Gone, Code::PublicUrlMissing];
    Routes::new("Maps")
        .of_kind(schema)
        .get(
            &path,
            (&collection.0, &collection.1),
            &[Code::PublicUrlMissing],
            get_collection,
        )
        .get(
            &format!("{path}/items"),
            (&items.0, &items.1),
            listing,
            get_items,
        )
        .get(
            &format!("{path}/items/{{id}}"),
            (&item.0, &item.1),
            reading,
            get_item,
        )
}

fn known(site: &Site) -> Result<&str, Problem> {
    site.base()
        .ok_or_else(|| Problem::new(Code::PublicUrlMissing))
}

fn link(base: &str, rel: &str, of_type: &str, path: &str) -> Value {
    json!({"rel": rel, "type": of_type, "href": format!("{base}{path}")})
}

const JSON: &str = "application/json";
const OPENAPI_3_1: &str = "application/vnd.oai.openapi+json;version=3.1";
/// GDAL, QGIS and `OWSLib` look for this type only; what they read is the same in both.
const OPENAPI_3_0: &str = "application/vnd.oai.openapi+json;version=3.0";

async fn get_landing(_: Reader, app: App, _: Query<()>) -> Result<OgcDocument, Problem> {
    let base = known(&app.site)?;
    Ok(OgcDocument(json!({
        "title": app.site.provider(),
        "description": "Records of regional health networks on a map.",
        "links": [
            link(base, "self", JSON, "/ogc"),
            link(base, "service-desc", OPENAPI_3_0, "/openapi.json"),
            link(base, "service-desc", OPENAPI_3_1, "/openapi.json"),
            link(base, "service-doc", "text/html", "/docs/"),
            link(base, "conformance", JSON, "/ogc/conformance"),
            link(base, "data", JSON, "/ogc/collections"),
        ],
    })))
}

async fn get_conformance(_: Reader, _: Query<()>) -> Result<OgcDocument, Problem> {
    Ok(OgcDocument(json!({"conformsTo": CONFORMANCE})))
}

async fn get_collections(_: Reader, app: App, _: Query<()>) -> Result<OgcDocument, Problem> {
    let base = known(&app.site)?;
    let collections = DESCRIBED.iter().map(|kind| collection(base, *kind));
    Ok(OgcDocument(json!({
        "links": [link(base, "self", JSON, "/ogc/collections")],
        "collections": collections.collect::<Vec<_>>(),
    })))
}

async fn get_collection(
    _: Reader,
    app: App,
    OfKind(kind): OfKind,
    _: Query<()>,
) -> Result<OgcDocument, Problem> {
    Ok(OgcDocument(collection(known(&app.site)?, kind)))
}

fn collection(base: &str, kind: Kind) -> Value {
    let schema = KindSchema::of(kind);
    let path = format!("/ogc/collections/{}", kind.plural());
    json!({
        "id": kind.plural(),
        "title": schema.tag,
        "description": schema.about,
        "itemType": "feature",
        "extent": {"spatial": {"bbox": [[-180, -90, 180, 90]], "crs": CRS}},
        "crs": [CRS],
        "links": [
            link(base, "self", JSON, &path),
            link(base, "items", GeoJson::MEDIA_TYPE, &format!("{path}/items")),
        ],
    })
}

#[derive(Debug)]
struct ItemParameters {
    filter: Filter,
    limit: u64,
    cursor: Option<String>,
    text: String,
    lang: Option<String>,
}

const LIMIT: Parameter = param::integer(
    "limit",
    "How many features a page holds; at most 200 are sent, whatever is asked for.",
    &(1..=1_000_000),
)
.default(100)
.example("100");
const DATETIME: Parameter = param::text(
    "datetime",
    "Events that begin on this day or in this interval (RFC 3339, `..` for open); other features have no time and are not affected.",
)
.max(80)
.example("2026-01-01/..");
const LANG: Parameter = param::language(
    "lang",
    "Texts in this language (BCP 47), where there is a translation.",
);

impl Parameters for ItemParameters {
    fn table(_: Option<Kind>) -> &'static [Parameter] {
        &[BBOX, DATETIME, LIMIT, CURSOR, LANG]
    }

    fn read(pairs: &Pairs) -> Result<Self, Problem> {
        let kind = pairs.kind();
        let mut filter = Narrowing::read(kind, pairs)?.filter;
        let dates = kind.map(|kind| KindSchema::of(kind).dates);
        if let Some(text) = pairs.one(DATETIME.name) {
            let [from, to] = interval(text).ok_or_else(|| {
                let expected = (
                    "a date or an interval such as 2026-01-01/.. or 2026-01-01/2026-12-31",
                    "ein Datum oder Intervall, etwa 2026-01-01/.. oder 2026-01-01/2026-12-31",
                );
                wrong(DATETIME.name, text, expected)
            })?;
            if dates == Some(Dates::Start) && (from.is_some() || to.is_some()) {
                filter.conditions.push(Condition {
                    parameter: "start".to_owned(),
                    any: vec![Test::Within {
                        bound: Bound::Begin,
                        from,
                        to,
                        certain: false,
                    }],
                });
            }
        }
        Ok(Self {
            filter,
            limit: pairs.integer(&LIMIT).min(MOST),
            cursor: pairs.one(CURSOR.name).map(str::to_owned),
            text: pairs.without_cursor(),
            lang: pairs.one(LANG.name).map(str::to_owned),
        })
    }
}

/// The bounds of a date, an instant or an interval, as days.
fn interval(text: &str) -> Option<[Option<EdtfDate>; 2]> {
    let bound = |text: &str| match text {
        "" | ".." => Some(None),
        text => {
            let day = text.get(..10).unwrap_or(text);
            let rest = text.get(10..).unwrap_or_default();
            let instant = rest.is_empty() || chrono::DateTime::parse_from_rfc3339(text).is_ok();
            let day: EdtfDate = day.parse().ok()?;
            (instant && day.is_exact() && day.earliest() == day.latest()).then_some(Some(day))
        }
    };
    if let Some((from, to)) = text.split_once('/') {
        return Some([bound(from)?, bound(to)?]);
    }
    let day = bound(text).filter(Option::is_some)?;
    Some([day, day])
}

async fn get_items(
    app: App,
    Reader(caller): Reader,
    OfKind(kind): OfKind,
    Query(sent): Query<ItemParameters>,
    address: Address,
) -> Result<Features, Problem> {
    let base = known(&app.site)?;
    let query = ListQuery {
        filter: sent.filter,
        order: Order {
            sort: Sort::Name,
            descending: false,
        },
        near: None,
        limit: sent.limit,
        cursor: sent.cursor,
        facets: Vec::new(),
        text: format!("{}?{}", address.path, sent.text),
    };
    let found = app.search.list(&caller, &query).await?;
    let rows: Vec<_> = found.hits.iter().map(|hit| &hit.row).collect();
    let representation = Representation::in_language(sent.lang);
    let shown = representation.show_all(&app.store, &caller, &rows).await?;
    let place = address.place(&app.site, Some(kind), representation.lang());
    let mut links = vec![link(base, "self", GeoJson::MEDIA_TYPE, &place.path)];
    let next = found.next.as_ref();
    let next = next.map(|cursor| Pairs::next(&address.path, &sent.text, cursor));
    if let Some(next) = &next {
        links.push(link(base, "next", GeoJson::MEDIA_TYPE, next));
    }
    let path = format!("/ogc/collections/{}", kind.plural());
    links.push(link(base, "collection", JSON, &path));
    let mut rest = json!({
        "numberMatched": found.total,
        "numberReturned": rows.len(),
        "links": links,
    });
    if let Some(updated) = rows.iter().map(|row| changed_here(row)).max() {
        insert(&mut rest, &["timeStamp"], rfc3339(updated));
    }
    let items = rows.iter().zip(&shown.items);
    let items = items.map(|(row, json)| Item {
        row,
        json,
        more: None,
        area: None,
        slugs: None,
        names: None,
    });
    let context = Context {
        place,
        ..GeoJson.context(Some(kind), &|_| true)
    };
    let text = write_page(&GeoJson, &context, items, &rest)?;
    Ok(Features { text, next })
}

async fn get_item(
    app: App,
    Reader(caller): Reader,
    id: RecordId,
    _: Query<()>,
    address: Address,
) -> Result<Features, Problem> {
    let base = known(&app.site)?;
    let row = find(&app, &caller, id.kind, &id.key).await?;
    let path = format!("/ogc/collections/{}", row.kind.plural());
    let more = json!({"links": [
        link(base, "self", GeoJson::MEDIA_TYPE, &address.path),
        link(base, "collection", JSON, &path),
    ]});
    let json = row.json();
    let item = Item {
        row: &row,
        json: &json,
        more: None,
        area: None,
        slugs: None,
        names: None,
    };
    let text = GeoJson.record(&item, &Context::default(), &more)?;
    Ok(Features { text, next: None })
}
