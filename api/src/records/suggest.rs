use crate::http::problem::{Code, Problem};
use crate::operation::extract::{App, Pairs, Parameter, Parameters, Query, Reader};
use crate::operation::param;
use crate::operation::param::Known;
use crate::operation::reply::Json;
use crate::operation::routes::Routes;
use crate::records::list::parameters::{DESCRIBED, described_kinds};
use crate::records::view::translate;
use domain::base::kind::Kind;
use persistence::records::Record;
use persistence::search::filter::Filter;
use persistence::search::text::Typed;
use persistence::search::{ListQuery, Order, Sort};
use serde::Serialize;
use serde_json::Value;
use std::collections::BTreeMap;
use utoipa::ToSchema;
use uuid::Uuid;

#[must_use]
pub fn routes() -> Routes {
    let names = ("suggest", "Suggest records while typing");
    Routes::new("Search").get(
        "/v1/suggest",
        names,
        &[Code::IndexBehind, Code::Overloaded],
        suggest,
    )
}

#[derive(Debug)]
struct Wanted {
    typed: String,
    kinds: Vec<Kind>,
    limit: u64,
    lang: Option<String>,
}

const Q: Parameter = param::text(
    "q",
    "What was typed so far, from the first letter on; nothing suggests nothing.",
)
.max(500)
.example("Telerad");
const KIND: Parameter = param::codes(
    "kind",
    "Only these kinds; comma is OR.",
    Known::Of(described_kinds),
)
.example("actor,network");
const LIMIT: Parameter = param::integer("limit", "How many suggestions.", &(1..=50))
    .default(10)
    .example("10");
const LANG: Parameter = param::language(
    "lang",
    "Labels in this language (BCP 47), where there is a translation.",
);

impl Parameters for Wanted {
    fn table(_: Option<Kind>) -> &'static [Parameter] {
        &[Q, KIND, LIMIT, LANG]
    }

    fn read(pairs: &Pairs) -> Result<Self, Problem> {
        let kinds = pairs.codes::<Kind>(KIND.name).concat();
        Ok(Self {
            typed: pairs.one(Q.name).unwrap_or_default().to_owned(),
            kinds: if kinds.is_empty() {
                DESCRIBED.to_vec()
            } else {
                kinds
            },
            limit: pairs.integer(&LIMIT),
            lang: pairs.one(LANG.name).map(str::to_owned),
        })
    }
}

/// Suggestions, best first.
#[derive(Debug, Serialize, ToSchema)]
#[schema(example = json!({"items": [{"kind": "network", "id": "0193e5a0-0000-7000-8000-000000000000", "slug": "teleradiologieverbund-ruhr", "label": "Teleradiologieverbund Ruhr", "highlight": "<mark>Teleradiologieverbund</mark> Ruhr"}]}))]
struct Suggestions {
    /// List of suggestions.
    items: Vec<Suggestion>,
}

/// Suggested record.
#[derive(Debug, Serialize, ToSchema)]
struct Suggestion {
    /// Kind of the record.
    kind: Kind,
    /// Id of the record.
    id: Uuid,
    #[serde(skip_serializing_if = "Option::is_none")]
    slug: Option<String>,
    /// Name of the record.
    label: String,
    /// Seat, to distinguish records of the same name.
    #[serde(skip_serializing_if = "Option::is_none")]
    place: Option<String>,
    /// Label as HTML: escaped, with `<mark>` around the typed text.
    highlight: String,
}

async fn suggest(
    app: App,
    Reader(caller): Reader,
    Query(wanted): Query<Wanted>,
) -> Result<Json<Suggestions>, Problem> {
    if wanted.typed.trim().is_empty() {
        return Ok(Json(Suggestions { items: Vec::new() }));
    }
    let query = ListQuery {
        filter: Filter {
            kinds: wanted.kinds.clone(),
            text: Some(wanted.typed.clone()),
            beginnings: true,
            ..Filter::default()
        },
        order: Order {
            sort: Sort::Use,
            descending: false,
        },
        near: None,
        limit: wanted.limit,
        cursor: None,
        facets: Vec::new(),
        text: String::new(),
    };
    let page = app.search.list(&caller, &query).await?;
    let mut found = Vec::with_capacity(page.hits.len());
    for hit in &page.hits {
        let mut body = hit.row.current_value();
        if let Some(lang) = &wanted.lang {
            translate(hit.row.kind, &mut body, lang);
        }
        found.push((&hit.row, body));
    }
    // The regions of all of them in one query.
    let regions: Vec<Uuid> = found.iter().filter_map(|(_, body)| region(body)).collect();
    let regions = app.store.records().list_resolved(&caller, &regions).await?;
    let regions: BTreeMap<Uuid, Record> = regions.into_iter().map(|row| (row.id, row)).collect();
    let typed = Typed::parse(&wanted.typed);
    let items = found
        .into_iter()
        .map(|(row, body)| suggestion(row, &body, &regions, &typed));
    Ok(Json(Suggestions {
        items: items.collect(),
    }))
}

fn suggestion(
    row: &Record,
    body: &Value,
    regions: &BTreeMap<Uuid, Record>,
    typed: &Typed,
) -> Suggestion {
    let label = body
        .get("name")
        .and_then(Value::as_str)
        .unwrap_or_default()
        .to_owned();
    let city = domain::base::pointer::values(body, "/places/*/city")
        .into_iter()
        .find_map(Value::as_str);
    let region = || region(body).and_then(|id| regions.get(&id)?.name.clone());
    Suggestion {
        kind: row.kind,
        id: row.id,
        slug: row.slug.clone(),
        place: city.map(str::to_owned).or_else(region),
        highlight: typed.highlight(&label).unwrap_or_else(|| escape(&label)),
        label,
    }
}

fn region(body: &Value) -> Option<Uuid> {
    let regions = domain::base::pointer::values(body, "/places/*/region");
    regions
        .into_iter()
        .find_map(|id| Uuid::try_parse(id.as_str()?).ok())
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
        .replace('"', "&quot;")
}
