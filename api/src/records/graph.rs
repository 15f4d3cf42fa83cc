//! The graph around a record as vertices and edges, for diagrams.

use crate::formats::{self, Context, Format, GraphMl, Item, Json, Place, RecordSchema};
use crate::http::problem::{Code, Problem};
use crate::http::request::language;
use crate::operation::extract::from_head;
use crate::operation::extract::{
    Accepted, App, IfNoneMatch, Pairs, Parameter, Parameters, Query, Reader, parse,
};
use crate::operation::media_type::Formats;
use crate::operation::param;
use crate::operation::param::Known;
use crate::operation::reply::weak_tag;
use crate::operation::routes::{Draft, Extract, Reply, Routes};
use crate::records::relationships::query::{
    ACTIVE_ON, CERTAINTY, LANG, RELATIONSHIPS_ON, lang, on,
};
use crate::records::view::named;
use actix_web::body::BoxBody;
use actix_web::http::header;
use actix_web::{HttpRequest, HttpResponse, Responder};
use domain::access::rules::Caller;
use domain::base::fault::Lang;
use domain::base::json::insert;
use domain::base::kind::Kind;
use domain::base::vocabulary::Coded;
use domain::kinds::common::Publication;
use domain::kinds::relationship::end::End;
use domain::kinds::relationship::on::RelationshipsOn;
use domain::kinds::relationship::table::Side;
use domain::kinds::relationship::{RelationshipRole, RelationshipType};
use domain::value::edtf::{Certainty, Period};
use domain::value::place::Point;
use persistence::read::graph::{self, GraphQuery};
use persistence::read::relationships::AllOf;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use utoipa::ToSchema;
use uuid::Uuid;

const MAX_EDGES: usize = 5000;

#[must_use]
pub fn routes() -> Routes {
    let names = ("get_graph", "Read the graph around a record");
    Routes::new("Search").get("/v1/graph", names, &[Code::UnknownReference], get)
}

async fn get(
    app: App,
    Reader(caller): Reader,
    Query(asked): Query<Asked>,
    known: IfNoneMatch,
    Labels(preferred): Labels,
    Accepted(format): Accepted,
) -> Result<GraphReply, Problem> {
    let asked_lang = asked.lang;
    let (graph, lang) = read(&app, &caller, asked, preferred).await?;
    let text = if format.extension() == GraphMl.extension() {
        graph_ml(&graph, lang)?
    } else {
        as_json(graph, lang, asked_lang)?
    };
    let etag = weak_tag(&text);
    Ok(GraphReply {
        body: (!known.has(&etag)).then_some((format, text)),
        etag,
    })
}

/// The graph as JSON: what the route answers to a caller, for the pages of the explorer.
pub(crate) async fn json(app: &App, caller: &Caller, query: &str) -> Result<String, Problem> {
    let asked = parse::<Asked>(query, None, false)?;
    let asked_lang = asked.lang;
    let (graph, lang) = read(app, caller, asked, Lang::En).await?;
    as_json(graph, lang, asked_lang)
}

/// The graph with labels in a language; `asked` is that of names, if one was given.
fn as_json(graph: graph::Graph, lang: Lang, asked: Option<Lang>) -> Result<String, Problem> {
    Ok(serde_json::to_string(&Graph::of(graph, lang, asked))
        .map_err(|why| persistence::StoreError::Corrupt(why.to_string()))?)
}

async fn read(
    app: &App,
    caller: &Caller,
    asked: Asked,
    preferred: Lang,
) -> Result<(graph::Graph, Lang), Problem> {
    let described = Kind::ALL.iter().copied();
    let described: Vec<Kind> = described.filter(|k| *k != Kind::Relationship).collect();
    let (_, from) = app
        .store
        .records()
        .find_named(caller, "from", &described, &asked.from)
        .await?;
    let query = GraphQuery {
        from,
        depth: asked.depth,
        types: asked.types,
        kinds: asked.kinds,
        on: asked.on,
        max_vertices: asked.limit,
        max_edges: MAX_EDGES,
    };
    let graph = app.store.relationships().graph(caller, &query).await?;
    let lang = asked.lang.unwrap_or(preferred);
    Ok((graph, lang))
}

/// The records as nodes, nearest first, then their relationships as edges.
fn graph_ml(graph: &graph::Graph, lang: Lang) -> Result<String, Problem> {
    let mut written = Vec::with_capacity(graph.vertices.len() + graph.edges.len());
    for vertex in &graph.vertices {
        let more = json!({"distance": vertex.distance});
        written.push((&vertex.row, vertex.row.json(), more));
    }
    for edge in &graph.edges {
        let more = json!({"certainty": edge.certainty});
        written.push((&edge.row, edge.row.json(), more));
    }
    let items = written.iter().map(|(row, json, more)| Item {
        row,
        json,
        more: Some(more),
        area: None,
        slugs: None,
        names: None,
    });
    let context = Context {
        place: Place {
            lang,
            ..Place::default()
        },
        ..Context::default()
    };
    formats::page(&GraphMl, &context, items, &Value::Null)
}

#[derive(Debug)]
struct Asked {
    from: String,
    depth: u8,
    types: AllOf<RelationshipType>,
    kinds: AllOf<Kind>,
    on: Option<RelationshipsOn>,
    limit: usize,
    lang: Option<Lang>,
}

const FROM: Parameter = param::text("from", "The record in the middle: `kind/slug` or an id.")
    .max(300)
    .example("project/klinikcluster-ruhr")
    .required();
const DEPTH: Parameter = param::integer(
    "depth",
    "How many steps away the farthest records are.",
    &(1..=3),
)
.default(1)
.example("2");
const TYPE: Parameter = param::codes(
    "type",
    "The types of relationships that count; comma is OR.",
    Known::Of(param::of::<RelationshipType>),
)
.example("member_of,part_of")
.repeatable();
const KIND: Parameter = param::codes(
    "kind",
    "Kinds of records to include, other than the centre; comma is OR.",
    Known::Of(param::of::<Kind>),
)
.example("actor,network")
.repeatable();
const LIMIT: Parameter = param::integer(
    "limit",
    "How many vertices at most, nearest first.",
    &(1..=1000),
)
.default(200)
.example("200");

impl Parameters for Asked {
    fn table(_: Option<Kind>) -> &'static [Parameter] {
        &[
            FROM,
            DEPTH,
            TYPE,
            KIND,
            RELATIONSHIPS_ON,
            ACTIVE_ON,
            CERTAINTY,
            LIMIT,
            LANG,
        ]
    }

    fn read(pairs: &Pairs) -> Result<Self, Problem> {
        let depth = pairs.integer(&DEPTH);
        let limit = pairs.integer(&LIMIT);
        Ok(Self {
            from: pairs.one("from").unwrap_or_default().to_owned(),
            depth: u8::try_from(depth).unwrap_or(u8::MAX),
            types: pairs.codes(TYPE.name),
            kinds: pairs.codes(KIND.name),
            on: on(pairs)?,
            limit: usize::try_from(limit).unwrap_or(usize::MAX),
            lang: lang(pairs),
        })
    }
}

/// The language of the labels, unless `lang` is given.
#[derive(Debug)]
struct Labels(Lang);

from_head!(Labels);

impl Labels {
    #[expect(clippy::unnecessary_wraps, reason = "extractors may fail")]
    fn of(request: &HttpRequest) -> Result<Self, Problem> {
        Ok(Self(language(request)))
    }
}

impl Extract for Labels {
    fn describe(_: &mut Draft) {}
}

/// Graph around a record.
#[derive(Debug, Serialize, ToSchema)]
struct Graph {
    /// Records, by distance and id.
    vertices: Vec<GraphVertex>,
    /// Relationships between them, and those to an open end one step further; nearest first, then
    /// by type, position and id.
    edges: Vec<GraphEdge>,
    /// Whether something was left out because of `limit`, or because there are more than 5000
    /// edges.
    truncated: bool,
}

/// Vertex: a record.
#[derive(Debug, Serialize, ToSchema)]
struct GraphVertex {
    /// Kind of the record.
    kind: String,
    /// Id of the record.
    id: Uuid,
    #[serde(skip_serializing_if = "Option::is_none")]
    slug: Option<String>,
    /// Name of the record.
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<String>,
    /// Language of the name, if `lang` was given.
    #[serde(skip_serializing_if = "Option::is_none")]
    language: Option<String>,
    /// Number of steps from the record in the middle.
    #[schema(minimum = 0, maximum = 3)]
    distance: u8,
    /// Publication state; only editors see unpublished records.
    #[schema(value_type = Publication)]
    publication: String,
    /// Point of a region, or the first point among the places.
    #[serde(skip_serializing_if = "Option::is_none")]
    point: Option<Point>,
}

/// Edge: a relationship.
#[derive(Debug, Serialize, ToSchema)]
struct GraphEdge {
    /// Id of the relationship.
    id: Uuid,
    /// Type of the relationship.
    #[schema(value_type = RelationshipType)]
    r#type: String,
    /// Label, read from `from` to `to`.
    label: String,
    /// Whether it reads the same both ways.
    symmetric: bool,
    /// Vertex, or an open end as stated.
    #[schema(value_type = End)]
    from: Value,
    /// Vertex, or an open end as stated.
    #[schema(value_type = End)]
    to: Value,
    /// Roles of the `from` end.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Vec<RelationshipRole>>)]
    roles: Option<Value>,
    /// Period of validity, as stated.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Period>)]
    valid: Option<Value>,
    /// Subject of the relationship.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    subject: Option<Value>,
    /// Certainty; only with `active_on`.
    #[serde(skip_serializing_if = "Option::is_none")]
    certainty: Option<Certainty>,
}

impl Graph {
    fn of(graph: graph::Graph, lang: Lang, asked: Option<Lang>) -> Self {
        let (vertices, edges) = (graph.vertices.into_iter(), graph.edges.into_iter());
        Self {
            vertices: vertices.map(|one| GraphVertex::of(one, asked)).collect(),
            edges: edges.map(|edge| GraphEdge::of(&edge, lang)).collect(),
            truncated: graph.truncated,
        }
    }
}

#[derive(Debug, Default, Deserialize)]
struct Located {
    point: Option<Point>,
    #[serde(default)]
    places: Vec<Located>,
}

impl GraphVertex {
    fn of(vertex: graph::Vertex, asked: Option<Lang>) -> Self {
        let row = vertex.row;
        let (name, language) = named(&row, asked);
        // A copy may come from a later release; then it is shown without a point.
        let located = serde_json::from_value::<Located>(row.current_value()).unwrap_or_default();
        let mut points = located.places.into_iter().filter_map(|place| place.point);
        Self {
            kind: row.kind.to_string(),
            id: row.id,
            slug: row.slug,
            name,
            language,
            distance: vertex.distance,
            publication: row.publication.code().to_owned(),
            point: located.point.or_else(|| points.next()),
        }
    }
}

impl GraphEdge {
    fn of(edge: &graph::Edge, lang: Lang) -> Self {
        let mut body = edge.row.current_value();
        let mut take = |member: &str| body.get_mut(member).map(Value::take);
        let code = take("type").unwrap_or_default();
        let code = code.as_str().unwrap_or_default();
        let rule = RelationshipType::parse(code).map(RelationshipType::rule);
        let label = rule.map_or(code, |rule| rule.label(Side::From).get(lang));
        Self {
            id: edge.row.id,
            r#type: code.to_owned(),
            label: label.to_owned(),
            symmetric: rule.is_some_and(|rule| rule.symmetric),
            from: take("from").unwrap_or_default(),
            to: take("to").unwrap_or_default(),
            roles: take("roles"),
            valid: take("valid"),
            subject: take("subject"),
            certainty: edge.certainty,
        }
    }
}

#[derive(Debug)]
struct GraphReply {
    /// Absent if the caller has it already.
    body: Option<(&'static dyn Format, String)>,
    etag: String,
}

impl Responder for GraphReply {
    type Body = BoxBody;

    fn respond_to(self, _: &HttpRequest) -> HttpResponse {
        let etag = (header::ETAG, self.etag);
        match self.body {
            Some((format, text)) => HttpResponse::Ok()
                .content_type(format.content_type())
                .insert_header(etag)
                .body(text),
            None => HttpResponse::NotModified().insert_header(etag).finish(),
        }
    }
}

impl Reply for GraphReply {
    fn formats(_: Option<Kind>) -> Formats {
        const FORMATS: Formats = Formats::with_paths(&[&Json, &GraphMl]);
        FORMATS
    }

    fn describe(draft: &mut Draft) {
        let graph = RecordSchema {
            name: "Graph".to_owned(),
            schema: draft.schema::<Graph>(),
            more: Value::Null,
            example: example(),
        };
        let mut response = draft.success("The graph.", |format| format.document_record(&graph));
        insert(
            &mut response,
            &["headers", "ETag"],
            json!({"description": "See RFC 9110.", "schema": {"type": "string"}}),
        );
        draft.response(200, response);
    }
}

fn example() -> Value {
    let id = |kind: &str, slug: &str| domain::base::id::reference(kind, slug);
    let kcr = id("projects", "klinikcluster-ruhr");
    let eu = id("actors", "eu");
    json!({
        "vertices": [
            {"kind": "project", "id": kcr, "slug": "klinikcluster-ruhr", "name": "Klinikcluster Ruhr", "distance": 0, "publication": "published"},
            {"kind": "actor", "id": eu, "slug": "eu", "name": "EU", "distance": 1, "publication": "published"},
        ],
        "edges": [{
            "id": id("relationships", "kcr-funded-by-eu"),
            "type": "funds",
            "label": "fördert",
            "symmetric": false,
            "from": {"kind": "actor", "id": eu},
            "to": {"kind": "project", "id": kcr},
        }],
        "truncated": false,
    })
}
