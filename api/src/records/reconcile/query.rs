//! One query of a batch, and its candidates.

use super::score::query_score;
use super::type_of;
use crate::http::problem::Problem;
use crate::operation::extract::{App, wrong};
use crate::operation::param::meant;
use crate::records::list::parameters::{DESCRIBED, described_kinds};
use domain::access::rules::Caller;
use domain::base::json::insert;
use domain::base::kind::Kind;
use domain::base::vocabulary::Coded;
use persistence::search::filter::Filter;
use persistence::search::{ListQuery, Order, Sort};
use serde_json::{Value, json};

/// What may be known in addition to the name: id and label.
pub(super) const PROPERTIES: [(&str, &str); 5] = [
    ("city", "Ort"),
    ("postal_code", "Postleitzahl"),
    ("street", "Straße"),
    ("website", "Website"),
    ("email", "E-Mail-Adresse"),
];

const DEFAULT_LIMIT: usize = 5;
const MAX_LIMIT: usize = 20;

/// Candidates that are scored.
const SCORED: u64 = 25;

/// The score from which a single candidate is taken unseen, and the most that the next one may have.
const MATCH: f64 = 95.0;
const APART: f64 = 80.0;

#[derive(Debug)]
pub(super) struct NameQuery {
    text: String,
    kinds: Vec<Kind>,
    limit: usize,
    /// Members of a body that the properties amount to.
    more: Value,
}

impl NameQuery {
    pub(super) fn read(query: &Value) -> Result<Self, Problem> {
        let text = query.get("query").and_then(Value::as_str);
        let text = text.ok_or_else(|| {
            let expected = (
                r#"queries with a text as "query""#,
                r"Anfragen mit einem Text als „query“",
            );
            wrong("queries", &query.to_string(), expected)
        })?;
        let limit = query.get("limit").and_then(Value::as_u64);
        let limit = limit.and_then(|limit| usize::try_from(limit).ok());
        Ok(Self {
            text: text.chars().take(500).collect(),
            kinds: kinds(query.get("type"))?,
            limit: limit.unwrap_or(DEFAULT_LIMIT).clamp(1, MAX_LIMIT),
            more: more(query.get("properties"))?,
        })
    }
}

/// The kinds of a query: one, several, or all.
fn kinds(given: Option<&Value>) -> Result<Vec<Kind>, Problem> {
    let names: Vec<&Value> = match given {
        None | Some(Value::Null) => return Ok(DESCRIBED.to_vec()),
        Some(Value::Array(names)) => names.iter().collect(),
        Some(name) => vec![name],
    };
    let kinds = names.into_iter().map(|name| {
        let id = name.get("id").unwrap_or(name).as_str().unwrap_or_default();
        let kind = Kind::parse(id).filter(|kind| DESCRIBED.contains(kind));
        kind.ok_or_else(|| {
            let known = described_kinds();
            let (en, de) = meant(id, &known);
            let known = known.join(", ");
            let expected = (
                format!("one of {known}{en}"),
                format!("eines von {known}{de}"),
            );
            wrong("type", id, expected)
        })
    });
    kinds.collect()
}

/// The properties of a query as members of a body.
fn more(given: Option<&Value>) -> Result<Value, Problem> {
    let mut more = json!({});
    let mut place = json!({});
    for property in given.and_then(Value::as_array).into_iter().flatten() {
        let id = property
            .get("pid")
            .and_then(Value::as_str)
            .unwrap_or_default();
        let value = property.get("v").unwrap_or(&Value::Null);
        let value = match value {
            Value::Array(values) => values.first().unwrap_or(&Value::Null),
            one => one,
        };
        let value = match value {
            Value::String(text) => text.clone(),
            Value::Number(number) => number.to_string(),
            Value::Object(entity) => {
                let name = entity.get("name").and_then(Value::as_str);
                name.unwrap_or_default().to_owned()
            }
            Value::Null | Value::Bool(_) | Value::Array(_) => String::new(),
        };
        if !PROPERTIES.iter().any(|(known, _)| *known == id) {
            let known = PROPERTIES.map(|(id, _)| id);
            let (en, de) = meant(id, &known);
            let known = known.join(", ");
            let expected = (
                format!("one of {known}{en}"),
                format!("eines von {known}{de}"),
            );
            return Err(wrong("pid", id, expected));
        }
        if value.trim().is_empty() {
            continue;
        }
        match id {
            "website" | "email" => insert(&mut more, &["contact", id], value),
            _ => insert(&mut place, &[id], value),
        }
    }
    if place.as_object().is_some_and(|place| !place.is_empty()) {
        insert(&mut more, &["places"], json!([place]));
    }
    Ok(more)
}

/// The candidates for a query, best first.
pub(super) async fn answer(
    app: &App,
    caller: &Caller,
    query: &NameQuery,
) -> Result<Vec<Value>, Problem> {
    if query.text.trim().is_empty() {
        return Ok(Vec::new());
    }
    let asked = ListQuery {
        filter: Filter {
            kinds: query.kinds.clone(),
            text: Some(query.text.clone()),
            ..Filter::default()
        },
        order: Order {
            sort: Sort::Relevance,
            descending: false,
        },
        near: None,
        limit: SCORED,
        cursor: None,
        facets: Vec::new(),
        text: String::new(),
    };
    let page = app.search.list(caller, &asked).await?;
    let mut scored = Vec::with_capacity(page.hits.len());
    for hit in &page.hits {
        let body = hit.row.current_value();
        let score = query_score(&query.text, &query.more, (hit.row.kind, &body));
        scored.push((score, &hit.row));
    }
    // Equally good ones stay in the order of the search.
    scored.sort_by(|(a, _), (b, _)| b.total_cmp(a));
    let second = scored.get(1).map_or(0.0, |(score, _)| *score);
    let candidates = scored.iter().enumerate().take(query.limit);
    let candidates = candidates.map(|(at, (score, row))| {
        json!({
            "id": row.id,
            "name": row.name,
            "type": [type_of(row.kind)],
            "score": score,
            "match": at == 0 && *score >= MATCH && second <= APART,
        })
    });
    Ok(candidates.collect())
}
