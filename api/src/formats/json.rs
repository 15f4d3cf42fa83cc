//! JSON: records as stored.

use crate::formats::{Context, Documented, Format, Item, ListSchema, RecordSchema};
use crate::http::problem::Problem;
use domain::base::json::ObjectWriter;
use domain::base::schema::reference;
use serde_json::{Map, Value, json};

#[derive(Debug)]
pub struct Json;

impl Json {
    pub const MEDIA_TYPE: &str = "application/json";
}

impl Format for Json {
    fn media_type(&self) -> &'static str {
        Self::MEDIA_TYPE
    }

    fn extension(&self) -> &'static str {
        "json"
    }

    fn name(&self) -> &'static str {
        "JSON"
    }

    fn about(&self) -> &'static str {
        "JSON"
    }

    fn is_canonical(&self) -> bool {
        true
    }

    fn head(&self, _: &Context, to: &mut String) {
        to.push_str("{\"items\":[");
    }

    fn item(&self, item: &Item<'_>, _: &Context, to: &mut String) -> Result<(), Problem> {
        write_record(item, item.more, to);
        Ok(())
    }

    fn separator(&self) -> &'static str {
        ","
    }

    fn tail(&self, rest: &Value, to: &mut String) {
        to.push(']');
        let mut page = ObjectWriter::resume(to);
        page.members(rest);
        page.end();
    }

    fn record(&self, item: &Item<'_>, _: &Context, more: &Value) -> Result<String, Problem> {
        let mut text = String::with_capacity(item.json.len());
        write_record(item, Some(more), &mut text);
        Ok(text)
    }

    fn document_record(&self, of: &RecordSchema) -> Documented {
        Documented {
            schema: of.schema.clone(),
            example: of.example.clone(),
            components: Map::new(),
        }
    }

    fn document_list(&self, of: &ListSchema) -> Documented {
        let name = format!("{}Page", of.name);
        let mut example = json!({"items": [of.example]});
        if of.page.pointer("/properties/total").is_some() {
            domain::base::json::insert(&mut example, &["total"], 1);
        }
        Documented {
            schema: reference(&name),
            example,
            components: Map::from_iter([(name, of.page.clone())]),
        }
    }
}

/// Writes a record with further members.
pub(super) fn write_record(item: &Item<'_>, more: Option<&Value>, to: &mut String) {
    let mut record = ObjectWriter::new(to);
    record.members_of(item.json);
    if let Some(more) = more {
        record.members(more);
    }
    record.end();
}
