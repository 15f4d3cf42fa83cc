//! Reconciliation (W3C Entity Reconciliation Community Group, 0.2), which `OpenRefine` speaks: rows of a
//! spreadsheet are matched with records.

mod form;
mod query;
mod score;

use crate::config::Site;
use crate::http::problem::{Code, Problem};
use crate::operation::extract::{App, Pairs, Parameter, Parameters, Query, Reader, wrong};
use crate::operation::param;
use crate::operation::reply::content;
use crate::operation::routes::{Draft, Reply, Routes};
use crate::records::list::parameters::DESCRIBED;
use actix_web::body::BoxBody;
use actix_web::http::Method;
use actix_web::{HttpRequest, HttpResponse, Responder};
use domain::access::rules::Caller;
use domain::base::json::insert;
use domain::base::kind::Kind;
use domain::base::vocabulary::Coded;
use form::QueriesForm;
use persistence::search::filter::Filter;
use persistence::search::{ListQuery, Order, Sort};
use query::{NameQuery, PROPERTIES, answer};
use serde_json::{Map, Value, json};

const PATH: &str = "/reconcile";
const ENTITY: &str = "/reconcile/suggest/entity";
const TYPE: &str = "/reconcile/suggest/type";
const PROPERTY: &str = "/reconcile/suggest/property";

/// Queries in one request; `OpenRefine` sends ten.
const MAX_QUERIES: usize = 50;

const MEDIA_TYPE: &str = "application/json";

#[must_use]
pub fn routes() -> Routes {
    let problems = &[Code::IndexBehind, Code::Overloaded, Code::PublicUrlMissing];
    let get = ("get_reconciliation", "Read the reconciliation service");
    let post = ("reconcile", "Match names with records");
    let entity = ("suggest_entities", "Suggest records for reconciliation");
    let of_type = ("suggest_types", "Suggest types for reconciliation");
    let property = (
        "suggest_properties",
        "Suggest properties for reconciliation",
    );
    Routes::new("Reconciliation")
        .get(PATH, get, problems, read)
        .route(Method::POST, PATH, post, problems, reconcile)
        .get(ENTITY, entity, problems, suggest_entity)
        .get(TYPE, of_type, &[], suggest_type)
        .get(PROPERTY, property, &[], suggest_property)
}

#[derive(Debug)]
struct Batch(Option<String>);

const QUERIES: Parameter = param::text(
    "queries",
    "A batch of queries as JSON; without it the answer is the manifest of the service.",
)
.max(8000)
.example(r#"{"q0":{"query":"Klinikum Kassel","type":"actor"}}"#);

impl Parameters for Batch {
    fn table(_: Option<Kind>) -> &'static [Parameter] {
        &[QUERIES]
    }

    fn read(pairs: &Pairs) -> Result<Self, Problem> {
        Ok(Self(pairs.one(QUERIES.name).map(str::to_owned)))
    }
}

async fn read(
    app: App,
    Reader(caller): Reader,
    Query(Batch(queries)): Query<Batch>,
) -> Result<Reconciled, Problem> {
    match queries {
        Some(queries) => results(&app, &caller, &queries).await,
        None => Ok(Reconciled(manifest(&app.site)?)),
    }
}

async fn reconcile(
    app: App,
    Reader(caller): Reader,
    _: Query<()>,
    QueriesForm(queries): QueriesForm,
) -> Result<Reconciled, Problem> {
    results(&app, &caller, &queries).await
}

async fn results(app: &App, caller: &Caller, text: &str) -> Result<Reconciled, Problem> {
    let queries = batch(text)?;
    let mut results = Map::new();
    for (name, query) in queries {
        let found = answer(app, caller, &query).await?;
        results.insert(name, json!({"result": found}));
    }
    Ok(Reconciled(Value::Object(results)))
}

/// The queries of a batch, by name.
fn batch(text: &str) -> Result<Vec<(String, NameQuery)>, Problem> {
    let expected = (
        r#"an object of queries such as {"q0":{"query":"Klinikum Kassel"}}"#,
        r#"ein Objekt aus Anfragen, etwa {"q0":{"query":"Klinikum Kassel"}}"#,
    );
    let parsed = domain::base::json::parse(text.as_bytes()).ok();
    let Some(Value::Object(queries)) = parsed else {
        return Err(wrong("queries", text, expected));
    };
    if queries.len() > MAX_QUERIES {
        let expected = (
            format!("at most {MAX_QUERIES} queries"),
            format!("höchstens {MAX_QUERIES} Anfragen"),
        );
        return Err(wrong("queries", text, expected));
    }
    let queries = queries.into_iter();
    let queries = queries.map(|(name, query)| {
        let query = NameQuery::read(&query)?;
        Ok((name, query))
    });
    queries.collect()
}

/// What the service offers.
fn manifest(site: &Site) -> Result<Value, Problem> {
    let base = site
        .base()
        .ok_or_else(|| Problem::new(Code::PublicUrlMissing))?;
    let suggest = |path: &str| json!({"service_url": base, "service_path": path});
    Ok(json!({
        "versions": ["0.2"],
        "name": format!("Verbund – {}", site.provider()),
        "identifierSpace": format!("{base}/v1/"),
        "schemaSpace": format!("{base}/v1/vocabularies"),
        "defaultTypes": DESCRIBED.iter().map(|kind| type_of(*kind)).collect::<Vec<_>>(),
        "view": {"url": format!("{base}/v1/search?id={{{{id}}}}")},
        "suggest": {
            "entity": suggest(ENTITY),
            "type": suggest(TYPE),
            "property": suggest(PROPERTY),
        },
    }))
}

fn type_of(kind: Kind) -> Value {
    json!({"id": kind.code(), "name": kind.labels().de})
}

#[derive(Debug)]
struct Prefix {
    prefix: String,
}

const PREFIX: Parameter = param::text("prefix", "What was typed so far.")
    .max(500)
    .example("Telerad");

impl Parameters for Prefix {
    fn table(_: Option<Kind>) -> &'static [Parameter] {
        &[PREFIX]
    }

    fn read(pairs: &Pairs) -> Result<Self, Problem> {
        Ok(Self {
            prefix: pairs.one(PREFIX.name).unwrap_or_default().to_owned(),
        })
    }
}

async fn suggest_entity(
    app: App,
    Reader(caller): Reader,
    Query(typed): Query<Prefix>,
) -> Result<Suggested, Problem> {
    if typed.prefix.trim().is_empty() {
        return Ok(Suggested(Vec::new()));
    }
    let query = ListQuery {
        filter: Filter {
            kinds: DESCRIBED.to_vec(),
            text: Some(typed.prefix),
            beginnings: true,
            ..Filter::default()
        },
        order: Order {
            sort: Sort::Use,
            descending: false,
        },
        near: None,
        limit: 10,
        cursor: None,
        facets: Vec::new(),
        text: String::new(),
    };
    let page = app.search.list(&caller, &query).await?;
    let found = page.hits.iter().map(|hit| {
        let row = &hit.row;
        json!({"id": row.id, "name": row.name, "notable": [type_of(row.kind)]})
    });
    Ok(Suggested(found.collect()))
}

async fn suggest_type(_: Reader, Query(typed): Query<Prefix>) -> Result<Suggested, Problem> {
    let types = DESCRIBED.iter().map(|kind| type_of(*kind));
    Ok(Suggested(beginning_with(&typed.prefix, types)))
}

async fn suggest_property(_: Reader, Query(typed): Query<Prefix>) -> Result<Suggested, Problem> {
    let properties = PROPERTIES.iter();
    let properties = properties.map(|(id, name)| json!({"id": id, "name": name}));
    Ok(Suggested(beginning_with(&typed.prefix, properties)))
}

/// Those whose id or name begins with a text.
fn beginning_with(prefix: &str, of: impl Iterator<Item = Value>) -> Vec<Value> {
    let prefix = prefix.trim().to_lowercase();
    let begins = |value: Option<&Value>| {
        let text = value.and_then(Value::as_str);
        text.is_some_and(|text| text.to_lowercase().starts_with(&prefix))
    };
    let fitting = of.filter(|one| begins(one.get("id")) || begins(one.get("name")));
    fitting.collect()
}

/// The manifest, or the results of a batch.
#[derive(Debug)]
struct Reconciled(Value);

impl Responder for Reconciled {
    type Body = BoxBody;

    fn respond_to(self, _: &HttpRequest) -> HttpResponse {
        HttpResponse::Ok().json(self.0)
    }
}

impl Reply for Reconciled {
    fn describe(draft: &mut Draft) {
        let schema = json!({
            "type": "object",
            "description": "The manifest, or per query its candidates, best first: each with `id`, `name`, `type`, `score` (0 to 100) and `match`, which is true if it is safe to take it unseen.",
        });
        let example = json!({"q0": {"result": [{"id": "0193e5a0-0000-7000-8000-000000000000", "name": "Klinikum Kassel", "type": [{"id": "actor", "name": "Akteur"}], "score": 100, "match": true}]}});
        let mut response = content("The manifest or the results.", MEDIA_TYPE, &schema);
        insert(&mut response, &["content", MEDIA_TYPE, "example"], example);
        draft.response(200, response);
    }
}

#[derive(Debug)]
struct Suggested(Vec<Value>);

impl Responder for Suggested {
    type Body = BoxBody;

    fn respond_to(self, _: &HttpRequest) -> HttpResponse {
        HttpResponse::Ok().json(json!({"result": self.0}))
    }
}

impl Reply for Suggested {
    fn describe(draft: &mut Draft) {
        let item = json!({
            "type": "object",
            "required": ["id", "name"],
            "properties": {"id": {"type": "string"}, "name": {"type": "string"}},
        });
        let schema = json!({
            "type": "object",
            "required": ["result"],
            "properties": {"result": {"type": "array", "items": item}},
        });
        let example = json!({"result": [{"id": "actor", "name": "Akteur"}]});
        let mut response = content("Suggestions.", MEDIA_TYPE, &schema);
        insert(&mut response, &["content", MEDIA_TYPE, "example"], example);
        draft.response(200, response);
    }
}
