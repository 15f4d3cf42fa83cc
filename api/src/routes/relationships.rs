//! Relationships: the list, and what is around one record.

use crate::extract::{App, Id, Pairs, Parameter, Parameters, Query, Reader, language, wrong};
use crate::mount::find;
use crate::operation::{Draft, Reply, Routes, reference};
use crate::problem::Problem;
use crate::reply::content;
use actix_web::body::BoxBody;
use actix_web::http::header;
use actix_web::{HttpRequest, HttpResponse, Responder};
use domain::access::Caller;
use domain::described::Publication;
use domain::fault::Lang;
use domain::json::insert;
use domain::relationship::{Relationship, RelationshipRole, RelationshipType, table::Side};
use domain::resource::{Kind, Resource};
use domain::value::edtf::{Certainty, EdtfDate};
use domain::value::external::ExternalId;
use domain::vocabulary::Coded;
use persistence::relationships::{AllOf, RelationshipFilter, RelationshipItem, RelationshipPage};
use serde_json::{Value, json};
use std::marker::PhantomData;
use uuid::Uuid;

/// What both lists can be narrowed to, as sent.
#[derive(Debug)]
struct Sent {
    filter: RelationshipFilter,
    limit: u64,
    cursor: Option<String>,
    text: String,
    lang: Option<Lang>,
}

const TYPE: Parameter = Parameter {
    name: "type",
    description: "Types of relationships; comma is OR, repeating is AND.",
    schema: r#"{"type": "string"}"#,
    example: "funds",
    repeatable: true,
};
const ROLE: Parameter = Parameter {
    name: "role",
    description: "Roles; comma is OR, repeating is AND.",
    schema: r#"{"type": "string"}"#,
    example: "executing_agency",
    repeatable: true,
};
const KIND: Parameter = Parameter {
    name: "kind",
    description: "The kind of the other end (in the list of all: of either end); comma is OR.",
    schema: r#"{"type": "string"}"#,
    example: "network",
    repeatable: true,
};
const ACTIVE_ON: Parameter = Parameter {
    name: "active_on",
    description: "When they hold: an EDTF date. `hit.certainty` says whether it is certain or only possible.",
    schema: r#"{"type": "string", "maxLength": 11}"#,
    example: "2010",
    repeatable: false,
};
const CERTAINTY: Parameter = Parameter {
    name: "certainty",
    description: "`certain` narrows `active_on` to what held for certain.",
    schema: r#"{"type": "string", "enum": ["certain", "possible"]}"#,
    example: "certain",
    repeatable: false,
};
const PUBLICATION: Parameter = Parameter {
    name: "publication",
    description: "For editors: how far they are on their way to the public; published when absent.",
    schema: r#"{"type": "string"}"#,
    example: "draft",
    repeatable: true,
};
const LIMIT: Parameter = Parameter {
    name: "limit",
    description: "How many items a page holds.",
    schema: r#"{"type": "integer", "minimum": 1, "maximum": 200, "default": 20}"#,
    example: "20",
    repeatable: false,
};
const CURSOR: Parameter = Parameter {
    name: "cursor",
    description: "Where the page begins; taken from `next`, which carries it.",
    schema: r#"{"type": "string", "maxLength": 500}"#,
    example: "",
    repeatable: false,
};
const LANG: Parameter = Parameter {
    name: "lang",
    description: "The language of the labels: de or en.",
    schema: r#"{"type": "string", "enum": ["de", "en"]}"#,
    example: "de",
    repeatable: false,
};

fn read_common(pairs: &Pairs) -> Result<Sent, Problem> {
    let date = pairs.one("active_on").map(|text| {
        text.parse::<EdtfDate>()
            .map_err(|_| wrong("active_on", text, "an EDTF date such as 2010 or 2010-05"))
    });
    let certain = match pairs.one("certainty") {
        None | Some("possible") => false,
        Some("certain") => true,
        Some(other) => return Err(wrong("certainty", other, "certain or possible")),
    };
    let lang = match pairs.one("lang") {
        None => None,
        Some("de") => Some(Lang::De),
        Some("en") => Some(Lang::En),
        Some(other) => return Err(wrong("lang", other, "de or en")),
    };
    Ok(Sent {
        filter: RelationshipFilter {
            types: pairs.codes::<RelationshipType>("type")?,
            roles: pairs.codes::<RelationshipRole>("role")?,
            kinds: pairs.codes::<Kind>("kind")?,
            publications: pairs.codes::<Publication>("publication")?,
            active_on: date.transpose()?,
            certain,
            ..RelationshipFilter::default()
        },
        limit: pairs.number("limit", 1, 200)?.unwrap_or(20),
        cursor: pairs.one("cursor").map(str::to_owned),
        text: pairs.without_cursor(),
        lang,
    })
}

/// The query of `GET /v1/{kinds}/{id}/relationships`.
#[derive(Debug)]
struct Around(Sent);

impl Parameters for Around {
    const TABLE: &'static [Parameter] = &[
        TYPE,
        ROLE,
        KIND,
        ACTIVE_ON,
        CERTAINTY,
        PUBLICATION,
        LIMIT,
        CURSOR,
        LANG,
    ];

    fn read(pairs: &Pairs) -> Result<Self, Problem> {
        read_common(pairs).map(Self)
    }
}

/// The query of `GET /v1/relationships`.
#[derive(Debug)]
struct Everywhere {
    sent: Sent,
    from: AllOf<String>,
    to: AllOf<String>,
    home_region: AllOf<String>,
}

impl Parameters for Everywhere {
    const TABLE: &'static [Parameter] = &[
        TYPE,
        Parameter {
            name: "from",
            description: "The record at the `from` end: an id or `kind/slug`; comma is OR.",
            schema: r#"{"type": "string"}"#,
            example: "actor/regionalmanagement-nordhessen",
            repeatable: true,
        },
        Parameter {
            name: "to",
            description: "The record at the `to` end: an id or `kind/slug`; comma is OR.",
            schema: r#"{"type": "string"}"#,
            example: "project/klinikcluster-ruhr",
            repeatable: true,
        },
        ROLE,
        KIND,
        ACTIVE_ON,
        CERTAINTY,
        Parameter {
            name: "id",
            description: "These relationships, by id; comma is OR.",
            schema: r#"{"type": "string"}"#,
            example: "0193e5a0-0000-7000-8000-000000000000",
            repeatable: true,
        },
        Parameter {
            name: "home_region",
            description: "The region whose editors may write them: an id or a slug; comma is OR.",
            schema: r#"{"type": "string"}"#,
            example: "nordhessen",
            repeatable: true,
        },
        Parameter {
            name: "origin",
            description: "The node that alone writes them; comma is OR.",
            schema: r#"{"type": "string"}"#,
            example: "nordhessen",
            repeatable: true,
        },
        Parameter {
            name: "external_id",
            description: "The key in the supplying system: `system|id`.",
            schema: r#"{"type": "string"}"#,
            example: "seed-pages|002/kcr-funded-by-eu",
            repeatable: true,
        },
        Parameter {
            name: "updated_since",
            description: "Changed at or after this moment (RFC 3339); for display, not for sync.",
            schema: r#"{"type": "string", "format": "date-time"}"#,
            example: "2026-01-31T08:00:00Z",
            repeatable: false,
        },
        PUBLICATION,
        LIMIT,
        CURSOR,
        LANG,
    ];

    fn read(pairs: &Pairs) -> Result<Self, Problem> {
        let mut sent = read_common(pairs)?;
        let text = |value: &str| (!value.is_empty()).then(|| value.to_owned());
        let named = |name| pairs.lists(name, "an id or kind/slug", text);
        let since = pairs.one("updated_since").map(|value| {
            chrono::DateTime::parse_from_rfc3339(value)
                .map_err(|_| wrong("updated_since", value, "an RFC 3339 date-time"))
        });
        let filter = &mut sent.filter;
        filter.updated_since = since.transpose()?.map(|at| at.to_utc());
        filter.ids = pairs.lists("id", "a UUID", |value| Uuid::try_parse(value).ok())?;
        filter.origins = pairs.lists("origin", "the name of a node", text)?;
        // Keys may hold commas, so they are never split.
        for value in pairs.all("external_id") {
            let (system, id) = value
                .split_once('|')
                .ok_or_else(|| wrong("external_id", value, "system|id"))?;
            let (system, id) = (system.to_owned(), id.to_owned());
            filter.external_ids.push(vec![ExternalId { system, id }]);
        }
        Ok(Self {
            from: named("from")?,
            to: named("to")?,
            home_region: named("home_region")?,
            sent,
        })
    }
}

/// The list of a record's relationships, both ways.
#[must_use]
pub fn around<T: Resource>(tag: &'static str) -> Routes {
    let path = format!("/v1/{}/{{id}}/relationships", T::KIND.plural());
    let id = format!("list_{}_relationships", T::KIND);
    let summary = format!("List the relationships of a {}, both ways", T::KIND);
    let problems = &["invalid-cursor", "moved", "gone"];
    Routes::new(tag).get(&path, (&id, &summary), problems, list_around::<T>)
}

/// The list of all relationships.
#[must_use]
pub fn list() -> Routes {
    let names = ("list_relationships", "List relationships");
    let problems = &["invalid-cursor", "unknown-reference"];
    Routes::new("Relationships").get("/v1/relationships", names, problems, list_all)
}

async fn list_around<T: Resource>(
    app: App,
    Reader(caller): Reader,
    id: Id<T>,
    Query(Around(mut sent)): Query<Around>,
    request: Address,
) -> Result<RelationshipList<AroundItems>, Problem> {
    let row = find(&app, &caller, T::KIND, &id.0).await?;
    sent.filter.around = Some(row.id);
    answer(&app, &caller, sent, &request).await
}

async fn list_all(
    app: App,
    Reader(caller): Reader,
    Query(mut query): Query<Everywhere>,
    request: Address,
) -> Result<RelationshipList<Records>, Problem> {
    let described: Vec<Kind> = Kind::ALL
        .iter()
        .copied()
        .filter(|kind| *kind != Kind::Relationship)
        .collect();
    let filter = &mut query.sent.filter;
    filter.from = named(&app, &caller, ("from", &described), &query.from).await?;
    filter.to = named(&app, &caller, ("to", &described), &query.to).await?;
    let regions = [Kind::Region];
    filter.home_regions =
        named(&app, &caller, ("home_region", &regions), &query.home_region).await?;
    answer(&app, &caller, query.sent, &request).await
}

async fn named(
    app: &App,
    caller: &Caller,
    (parameter, kinds): (&'static str, &[Kind]),
    lists: &AllOf<String>,
) -> Result<AllOf<Uuid>, Problem> {
    let mut found = Vec::with_capacity(lists.len());
    for list in lists {
        let mut ids = Vec::with_capacity(list.len());
        for value in list {
            let (_, id) = app.store.named(caller, parameter, kinds, value).await?;
            ids.push(id);
        }
        found.push(ids);
    }
    Ok(found)
}

async fn answer<S>(
    app: &App,
    caller: &Caller,
    sent: Sent,
    request: &Address,
) -> Result<RelationshipList<S>, Problem> {
    let around = sent.filter.around;
    let bound = format!("{}?{}", request.path, sent.text);
    let page = app
        .store
        .relationships(
            caller,
            &sent.filter,
            (sent.limit, sent.cursor.as_deref()),
            &bound,
        )
        .await?;
    let next = page.next.as_ref().map(|cursor| {
        let separator = if sent.text.is_empty() { "" } else { "&" };
        format!("{}?{}{separator}cursor={cursor}", request.path, sent.text)
    });
    let lang = sent.lang.unwrap_or(request.lang);
    Ok(RelationshipList {
        json: body(&page, around, lang, next.as_deref())?,
        next,
        shape: PhantomData,
    })
}

/// The page as JSON: records are spliced in as they rest.
fn body(
    page: &RelationshipPage,
    around: Option<Uuid>,
    lang: Lang,
    next: Option<&str>,
) -> Result<String, Problem> {
    let mut items = Vec::with_capacity(page.items.len());
    for item in &page.items {
        let record = item.row.json()?;
        items.push(match extras(item, around, lang) {
            Some(extras) => {
                let head = record.strip_suffix('}').unwrap_or(&record);
                let tail = extras.to_string();
                format!("{head},{}", tail.strip_prefix('{').unwrap_or(&tail))
            }
            None => record,
        });
    }
    let mut rest = json!({"total": page.total});
    if let Some(next) = next {
        insert(&mut rest, &["next"], next);
    }
    let rest = rest.to_string();
    let rest = rest.strip_prefix('{').unwrap_or(&rest);
    Ok(format!("{{\"items\":[{}],{rest}", items.join(",")))
}

/// What an item has beside the record; `None` if nothing.
fn extras(item: &RelationshipItem, around: Option<Uuid>, lang: Lang) -> Option<Value> {
    let mut extras = json!({});
    if let Some(id) = around {
        let rule = RelationshipType::parse(&item.edge.r#type).map(RelationshipType::rule);
        let at_from = item.edge.from_id == Some(id);
        let symmetric = rule.is_some_and(|rule| rule.symmetric);
        let side = if at_from { Side::From } else { Side::To };
        let direction = if symmetric { "both" } else { side.code() };
        let label = rule.map_or(item.edge.r#type.as_str(), |rule| rule.label(side).get(lang));
        extras = json!({"direction": direction, "label": label, "other": other(item, id)});
    }
    if let Some(certainty) = item.certainty {
        insert(&mut extras, &["hit"], json!({"certainty": certainty}));
    }
    extras.as_object().filter(|e| !e.is_empty())?;
    Some(extras)
}

/// The other end: a record in short, or the open end as it is.
fn other(item: &RelationshipItem, id: Uuid) -> Value {
    let end = item.ends.iter().find(|end| end.id != id);
    match (end, &item.edge.open_end) {
        (Some(end), _) => json!({
            "kind": end.kind,
            "id": end.id,
            "slug": end.slug,
            "name": end.name,
        }),
        (None, Some(open)) => serde_json::from_str(open).unwrap_or_default(),
        (None, None) => Value::Null,
    }
}

/// The path of the request and the language of its labels.
#[derive(Debug)]
struct Address {
    path: String,
    lang: Lang,
}

impl actix_web::FromRequest for Address {
    type Error = Problem;
    type Future = std::future::Ready<Result<Self, Problem>>;

    fn from_request(request: &HttpRequest, _: &mut actix_web::dev::Payload) -> Self::Future {
        std::future::ready(Ok(Self {
            path: request.path().to_owned(),
            lang: language(request),
        }))
    }
}

impl crate::operation::Extract for Address {
    fn describe(_: &mut Draft) {}
}

/// Items seen from one record.
#[derive(Debug)]
struct AroundItems;

/// Plain records.
#[derive(Debug)]
struct Records;

/// A page of relationships; `S` says of which shape the items are.
#[derive(Debug)]
struct RelationshipList<S> {
    json: String,
    next: Option<String>,
    shape: PhantomData<S>,
}

impl<S> Responder for RelationshipList<S> {
    type Body = BoxBody;

    fn respond_to(self, request: &HttpRequest) -> HttpResponse {
        let etag = crate::represent::weak_tag(&self.json);
        let known = request.headers().get(header::IF_NONE_MATCH);
        if known.and_then(|tag| tag.to_str().ok()) == Some(etag.as_str()) {
            return HttpResponse::NotModified()
                .insert_header((header::ETAG, etag))
                .finish();
        }
        let mut response = HttpResponse::Ok();
        response
            .content_type("application/json")
            .insert_header((header::ETAG, etag));
        if let Some(next) = self.next {
            response.insert_header((header::LINK, format!("<{next}>; rel=\"next\"")));
        }
        response.body(self.json)
    }
}

impl Reply for RelationshipList<Records> {
    fn describe(draft: &mut Draft) {
        describe_page(
            draft,
            "RelationshipPage",
            &reference("RelationshipListItem"),
        );
        let hit = hit_schema(draft);
        item_schema(draft, "RelationshipListItem", &json!({"hit": hit}), &[]);
    }
}

impl Reply for RelationshipList<AroundItems> {
    fn describe(draft: &mut Draft) {
        describe_page(
            draft,
            "RelationshipsAroundPage",
            &reference("RelationshipAround"),
        );
        let extras = json!({
            "direction": {
                "type": "string",
                "enum": ["from", "to", "both"],
                "description": "`from`: the record is its from end; `to`: its to end; `both`: symmetric.",
            },
            "label": {"type": "string", "description": "How it reads from the record.", "example": "wird betrieben von"},
            "other": other_schema(),
            "hit": hit_schema(draft),
        });
        item_schema(
            draft,
            "RelationshipAround",
            &extras,
            &["direction", "label", "other"],
        );
    }
}

fn hit_schema(draft: &mut Draft) -> Value {
    let certainty = draft.schema::<Certainty>();
    json!({
        "type": "object",
        "description": "Only with `active_on`.",
        "properties": {"certainty": certainty},
    })
}

fn other_schema() -> Value {
    json!({
        "description": "The other end: a record in short, or an open end as stated.",
        "type": "object",
        "properties": {
            "kind": reference("Kind"),
            "id": {"type": "string", "format": "uuid"},
            "slug": {"type": "string"},
            "name": {"type": "string"},
            "as_stated": {"type": "string"},
            "class": reference("Class"),
        },
    })
}

/// The record's schema with further members.
fn item_schema(draft: &mut Draft, name: &str, extras: &Value, required: &[&str]) {
    let mut components = domain::schema::of::<Relationship>();
    let mut item = components
        .get("RelationshipRecord")
        .cloned()
        .unwrap_or_default();
    if let (Some(members), Some(extras)) = (
        item.pointer_mut("/properties")
            .and_then(Value::as_object_mut),
        extras.as_object(),
    ) {
        members.extend(extras.clone());
    }
    if let Some(list) = item.pointer_mut("/required").and_then(Value::as_array_mut) {
        list.extend(required.iter().map(|name| json!(name)));
    }
    // Only what it refers to is needed beside it.
    components.retain(|name, _| !name.ends_with("Input") && name != "RelationshipRecord");
    components.insert(name.to_owned(), item);
    draft.components(components);
}

fn describe_page(draft: &mut Draft, name: &str, item: &Value) {
    let schema = json!({
        "type": "object",
        "required": ["items", "total"],
        "properties": {
            "items": {"type": "array", "items": item, "description": "In order of type, position, id."},
            "total": {"type": "integer", "minimum": 0, "description": "How many there are in all pages."},
            "next": {"type": "string", "description": "Where the next page is, relative to this server; absent on the last page. Also as `Link`."},
        },
    });
    draft.components(serde_json::Map::from_iter([(name.to_owned(), schema)]));
    let mut item = crate::represent::example::<Relationship>();
    if name == "RelationshipsAroundPage" {
        let other = json!({
            "kind": "actor",
            "id": domain::id::reference("actors", "regionalmanagement-nordhessen"),
            "slug": "regionalmanagement-nordhessen",
            "name": "Regionalmanagement Nordhessen",
        });
        insert(&mut item, &["direction"], "to");
        insert(&mut item, &["label"], "wird betrieben von");
        insert(&mut item, &["other"], other);
    }
    let mut response = content("A page.", "application/json", &reference(name));
    let example = json!({"items": [item], "total": 1});
    insert(
        &mut response,
        &["content", "application/json", "example"],
        example,
    );
    for header in ["ETag", "Link"] {
        let object =
            json!({"description": "See RFC 9110 and RFC 8288.", "schema": {"type": "string"}});
        insert(&mut response, &["headers", header], object);
    }
    draft.response(200, response);
    draft.response(
        304,
        json!({"description": "What the caller has is current."}),
    );
}
