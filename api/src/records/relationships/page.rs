//! A page of relationships: as JSON, and its documentation.

use crate::formats::{self, Context, Format, Item, ListSchema, Place};
use crate::http::problem::Problem;
use crate::operation::media_type::Formats;
use crate::operation::reply::document_page_headers;
use crate::operation::routes::{Draft, Reply, reference};
use crate::records::example::example;
use crate::records::reply::{list_formats, list_item};
use crate::records::view::named;
use actix_web::body::BoxBody;
use actix_web::http::header;
use actix_web::{HttpRequest, HttpResponse, Responder};
use domain::base::fault::Lang;
use domain::base::json::insert;
use domain::base::kind::Kind;
use domain::kinds::relationship::table::Side;
use domain::statements::confirmation::ConfirmationState;
use domain::validation::body::KindSchema;
use domain::validation::upgrade::upgrade;
use domain::value::edtf::Certainty;
use persistence::read::relationships::{RelationshipItem, RelationshipPage};
use serde_json::{Value, json};
use std::marker::PhantomData;
use uuid::Uuid;

#[derive(Debug)]
pub(crate) struct AroundItems;

#[derive(Debug)]
pub(crate) struct Records;

/// A page of relationships; `S` is the shape of its items.
#[derive(Debug)]
pub(crate) struct RelationshipList<S> {
    /// Absent if the caller has it already.
    pub(crate) body: Option<(&'static dyn Format, String)>,
    pub(crate) etag: String,
    pub(crate) next: Option<String>,
    pub(crate) shape: PhantomData<S>,
}

impl<S> Responder for RelationshipList<S> {
    type Body = BoxBody;

    fn respond_to(self, _: &HttpRequest) -> HttpResponse {
        let etag = self.etag;
        let Some((format, body)) = self.body else {
            return HttpResponse::NotModified()
                .insert_header((header::ETAG, etag))
                .finish();
        };
        let mut response = HttpResponse::Ok();
        response
            .content_type(format.content_type())
            .insert_header((header::ETAG, etag));
        if let Some(next) = self.next {
            response.insert_header((header::LINK, format!("<{next}>; rel=\"next\"")));
        }
        response.body(body)
    }
}

impl Reply for RelationshipList<Records> {
    fn formats(_: Option<Kind>) -> Formats {
        list_formats(Some(Kind::Relationship))
    }

    fn describe(draft: &mut Draft) {
        let schema = KindSchema::of(Kind::Relationship);
        let extras = json!({"hit": hit_schema(draft), "confirmation": states_schema(draft)});
        list_item(draft, schema, "RelationshipListItem", &extras, &[]);
        let list = ListSchema {
            name: "Relationship".to_owned(),
            page: page_schema(&reference("RelationshipListItem")),
            example: example(schema),
        };
        describe_page(draft, &list);
    }
}

impl Reply for RelationshipList<AroundItems> {
    fn describe(draft: &mut Draft) {
        let schema = KindSchema::of(Kind::Relationship);
        let extras = json!({
            "direction": {
                "type": "string",
                "enum": ["from", "to", "both"],
                "description": "`from`: the record is its from end; `to`: its to end; `both`: symmetric.",
            },
            "label": {"type": "string", "description": "How it reads from the record.", "example": "wird betrieben von"},
            "other": other_schema(draft),
            "hit": hit_schema(draft),
            "confirmation": states_schema(draft),
        });
        list_item(
            draft,
            schema,
            "RelationshipAround",
            &extras,
            &["direction", "label", "other"],
        );
        let mut example = example(schema);
        let other = json!({
            "kind": "actor",
            "id": domain::base::id::reference("actors", "regionalmanagement-nordhessen"),
            "slug": "regionalmanagement-nordhessen",
            "name": "Regionalmanagement Nordhessen",
        });
        insert(&mut example, &["direction"], "to");
        insert(&mut example, &["label"], "wird betrieben von");
        insert(&mut example, &["other"], other);
        let list = ListSchema {
            name: "RelationshipsAround".to_owned(),
            page: page_schema(&reference("RelationshipAround")),
            example,
        };
        describe_page(draft, &list);
    }
}

fn hit_schema(draft: &mut Draft) -> Value {
    let certainty = draft.schema::<Certainty>();
    let hit = json!({
        "type": "object",
        "required": ["active"],
        "description": "How a relationship was found.",
        "properties": {
            "active": {
                "type": "string",
                "enum": ["certain", "possible", "no"],
                "description": "Whether it holds today, or on the day of `active_on`.",
                "example": "possible",
            },
            "certainty": certainty,
        },
    });
    component(draft, "RelationshipHit", hit)
}

fn states_schema(draft: &mut Draft) -> Value {
    let state = draft.schema::<ConfirmationState>();
    let states = json!({
        "type": "object",
        "description": "States of the statements of its ends, if there are any.",
        "properties": {"from": state, "to": state},
    });
    component(draft, "ConfirmationStates", states)
}

fn other_schema(draft: &mut Draft) -> Value {
    let other = json!({
        "description": "The other end: a record in short, or an open end as stated.",
        "type": "object",
        "properties": {
            "kind": reference("Kind"),
            "id": {"type": "string", "format": "uuid"},
            "slug": {"type": "string"},
            "name": {"type": "string"},
            "language": {"type": "string", "description": "Language of the name, if `lang` was given."},
            "as_stated": {"type": "string"},
            "class": reference("Class"),
        },
    });
    component(draft, "OtherEnd", other)
}

fn component(draft: &mut Draft, name: &str, schema: Value) -> Value {
    draft.components(serde_json::Map::from_iter([(name.to_owned(), schema)]));
    reference(name)
}

fn page_schema(item: &Value) -> Value {
    json!({
        "type": "object",
        "required": ["items", "total"],
        "properties": {
            "items": {"type": "array", "items": item, "description": "In order of type, position, id."},
            "total": {"type": "integer", "minimum": 0, "description": "Number of items on all pages."},
            "next": {"type": "string", "description": "Address of the next page, relative to this server; absent on the last page. Also as `Link`."},
        },
    })
}

fn describe_page(draft: &mut Draft, list: &ListSchema) {
    let mut response = draft.success("A page.", |format| format.document_list(list));
    document_page_headers(&mut response);
    draft.response(200, response);
}

/// The page, with records as stored; `asked` is the language of the names of other ends, if one was
/// given.
pub(crate) fn body(
    page: &RelationshipPage,
    around: Option<Uuid>,
    (lang, asked): (Lang, Option<Lang>),
    (place, format): (Place, &dyn Format),
) -> Result<String, Problem> {
    let mut records = Vec::with_capacity(page.items.len());
    for item in &page.items {
        records.push((item.row.json(), extras(item, around, (lang, asked))));
    }
    let mut rest = json!({"total": page.total});
    if let Some(next) = &place.next {
        insert(&mut rest, &["next"], next.as_str());
    }
    let items = page.items.iter().zip(&records);
    let items = items.map(|(item, (json, more))| Item {
        row: &item.row,
        json,
        more: Some(more),
        area: None,
        slugs: None,
        names: None,
    });
    let context = Context {
        place,
        ..format.context(Some(Kind::Relationship), &|_| true)
    };
    formats::page(format, &context, items, &rest)
}

/// The other members of an item.
fn extras(
    item: &RelationshipItem,
    around: Option<Uuid>,
    (lang, asked): (Lang, Option<Lang>),
) -> Value {
    let mut extras = json!({});
    if let Some(id) = around {
        let rule = item.edge.r#type.rule();
        let at_from = item.edge.from_id == Some(id);
        let side = if at_from { Side::From } else { Side::To };
        let direction = if rule.symmetric { "both" } else { side.code() };
        let label = rule.label(side).get(lang);
        extras = json!({"direction": direction, "label": label, "other": other(item, id, asked)});
    }
    let active = item
        .active
        .map_or_else(|| json!("no"), |active| json!(active));
    insert(&mut extras, &["hit", "active"], active);
    if let Some(certainty) = item.certainty {
        insert(&mut extras, &["hit", "certainty"], json!(certainty));
    }
    for (end, state) in [("from", item.states.from), ("to", item.states.to)] {
        if let Some(state) = state {
            insert(&mut extras, &["confirmation", end], json!(state));
        }
    }
    extras
}

/// The other end: a summary of the record, or the open end as stated.
fn other(item: &RelationshipItem, id: Uuid, asked: Option<Lang>) -> Value {
    // Both ends are the record itself if one was merged into the other.
    let ends = || item.ends.iter();
    let end = ends().find(|end| end.id != id);
    let end = end.or_else(|| ends().next().filter(|_| item.ends.len() > 1));
    match (end, &item.edge.open_end) {
        (Some(end), _) => {
            let (name, language) = named(end, asked);
            let mut other = json!({
                "kind": end.kind,
                "id": end.id,
                "slug": end.slug,
                "name": name,
            });
            if let Some(language) = language {
                insert(&mut other, &["language"], language);
            }
            other
        }
        (None, Some(open)) => open_end(open),
        (None, None) => Value::Null,
    }
}

/// A stored open end with current names of members.
fn open_end(stored: &str) -> Value {
    let end: Value = serde_json::from_str(stored).unwrap_or_default();
    let mut relationship = json!({"from": end});
    upgrade(Kind::Relationship, &mut relationship);
    let end = relationship.get_mut("from").map(Value::take);
    end.unwrap_or_default()
}
