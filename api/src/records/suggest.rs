use crate::formats::view::translate;
use crate::http::problem::Problem;
use crate::operation::extract::{App, Pairs, Parameter, Parameters, Query, Reader, wrong};
use crate::operation::reply::Json;
use crate::operation::routes::Routes;
use crate::records::list::parameters::DESCRIBED;
use domain::base::kind::Kind;
use domain::value::format;
use persistence::entity::record;
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
    Routes::new("Search").get("/v1/suggest", names, &["index-behind"], suggest)
}

#[derive(Debug)]
struct Wanted {
    typed: String,
    kinds: Vec<Kind>,
    limit: u64,
    lang: Option<String>,
}

impl Parameters for Wanted {
    fn table(_: Option<Kind>) -> &'static [Parameter] {
        &[
            Parameter {
                name: "q",
                description: "Text typed so far, from the first letter on; no suggestions if empty.",
                schema: r#"{"type": "string", "maxLength": 500}"#,
                example: "Telerad",
                repeatable: false,
            },
            Parameter {
                name: "kind",
                description: "Only these kinds; comma is OR.",
                schema: r#"{"type": "string", "maxLength": 100}"#,
                example: "actor,network",
                repeatable: false,
            },
            Parameter {
                name: "limit",
                description: "Number of suggestions.",
                schema: r#"{"type": "integer", "minimum": 1, "maximum": 50, "default": 10}"#,
                example: "10",
                repeatable: false,
            },
            Parameter {
                name: "lang",
                description: "Labels in this language (BCP 47), if there is a translation.",
                schema: r#"{"type": "string", "maxLength": 35}"#,
                example: "en",
                repeatable: false,
            },
        ]
    }

    fn read(pairs: &Pairs) -> Result<Self, Problem> {
        let typed = pairs.one("q").unwrap_or_default();
        if typed.chars().count() > 500 {
            return Err(wrong("q", typed, "500 characters at most"));
        }
        let lang = pairs.one("lang").map(str::to_owned);
        if let Some(lang) = &lang
            && format::language(lang).is_err()
        {
            return Err(wrong("lang", lang, "a BCP 47 language tag such as en"));
        }
        let kinds: Vec<Kind> = pairs.codes("kind")?.into_iter().flatten().collect();
        if kinds.contains(&Kind::Relationship) {
            return Err(wrong(
                "kind",
                "relationship",
                "a described kind; relationships have no names",
            ));
        }
        Ok(Self {
            typed: typed.to_owned(),
            kinds: if kinds.is_empty() {
                DESCRIBED.to_vec()
            } else {
                kinds
            },
            limit: pairs.number("limit", 1, 50)?.unwrap_or(10),
            lang,
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
        let mut body: Value = serde_json::from_str(&hit.row.body).unwrap_or_default();
        if let Some(lang) = &wanted.lang {
            translate(&mut body, lang);
        }
        found.push((&hit.row, body));
    }
    // The regions of all of them in one query.
    let regions: Vec<Uuid> = found.iter().filter_map(|(_, body)| region(body)).collect();
    let regions = app.store.records().list_visible(&caller, &regions).await?;
    let regions: BTreeMap<Uuid, record::Model> =
        regions.into_iter().map(|row| (row.id, row)).collect();
    let typed = Typed::parse(&wanted.typed);
    let items = found
        .into_iter()
        .map(|(row, body)| suggestion(row, &body, &regions, &typed));
    Ok(Json(Suggestions {
        items: items.collect::<persistence::Result<_>>()?,
    }))
}

fn suggestion(
    row: &record::Model,
    body: &Value,
    regions: &BTreeMap<Uuid, record::Model>,
    typed: &Typed,
) -> persistence::Result<Suggestion> {
    let label = body
        .get("name")
        .and_then(Value::as_str)
        .unwrap_or_default()
        .to_owned();
    let city = domain::base::pointer::values(body, "/places/*/city")
        .into_iter()
        .find_map(Value::as_str);
    let region = || region(body).and_then(|id| regions.get(&id)?.name.clone());
    Ok(Suggestion {
        kind: persistence::entity::record::kind_of(row)?,
        id: row.id,
        slug: row.slug.clone(),
        place: city.map(str::to_owned).or_else(region),
        highlight: typed.highlight(&label).unwrap_or_else(|| escape(&label)),
        label,
    })
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
