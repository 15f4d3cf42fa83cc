//! CSV (RFC 4180): a table of one kind, as for imports.

use crate::formats::{Context, Documented, Format, Item, ListSchema, RecordSchema};
use crate::http::problem::Problem;
use domain::base::json::insert;
use domain::base::kind::Kind;
use domain::exchange::table;
use persistence::StoreError;
use serde_json::{Map, Value, json};
use uuid::Uuid;

#[derive(Debug)]
pub struct Csv;

impl Csv {
    pub const MEDIA_TYPE: &str = "text/csv";
}

impl Format for Csv {
    fn media_type(&self) -> &'static str {
        Self::MEDIA_TYPE
    }

    fn extension(&self) -> &'static str {
        "csv"
    }

    fn name(&self) -> &'static str {
        "CSV"
    }

    fn about(&self) -> &'static str {
        "CSV (RFC 4180)"
    }

    fn content_type(&self) -> &'static str {
        "text/csv; charset=utf-8; header=present"
    }

    fn is_table(&self) -> bool {
        true
    }

    fn context(&self, kind: Option<Kind>, shows: &dyn Fn(&str) -> bool) -> Context {
        let columns = kind.map(table::columns).unwrap_or_default().iter();
        let columns = columns.filter(|column| {
            let member = column.name.split('.').next().unwrap_or_default();
            shows(member)
        });
        Context {
            columns: columns.cloned().collect(),
            ..Context::default()
        }
    }

    fn head(&self, context: &Context, to: &mut String) {
        write_line(context.columns.iter().map(|one| one.name.as_str()), to);
    }

    fn item(&self, item: &Item<'_>, context: &Context, to: &mut String) -> Result<(), Problem> {
        let cells = table::row(&record_with_slugs(item)?, &context.columns);
        write_line(cells.iter().map(String::as_str), to);
        Ok(())
    }

    fn document_record(&self, _: &RecordSchema) -> Documented {
        documented()
    }

    fn document_list(&self, _: &ListSchema) -> Documented {
        documented()
    }
}

/// The record, with slugs in place of the ids of its ends where they are known.
fn record_with_slugs(item: &Item<'_>) -> Result<Value, Problem> {
    let mut record: Value =
        serde_json::from_str(item.json).map_err(|why| StoreError::Corrupt(why.to_string()))?;
    for end in ["from", "to"] {
        let id = record.get(end).and_then(|end| end.get("id"));
        let id = id.and_then(|id| Uuid::try_parse(id.as_str()?).ok());
        if let Some(slug) = id.and_then(|id| item.slugs?.get(&id)) {
            insert(&mut record, &[end, "id"], slug.as_str());
        }
    }
    Ok(record)
}

/// Writes a line with every cell in quotes, as OWASP advises.
fn write_line<'a>(cells: impl Iterator<Item = &'a str>, to: &mut String) {
    for (at, cell) in cells.enumerate() {
        to.push_str(if at > 0 { ",\"" } else { "\"" });
        for (at, part) in cell.split('"').enumerate() {
            to.push_str(if at > 0 { "\"\"" } else { "" });
            to.push_str(part);
        }
        to.push('"');
    }
    to.push_str("\r\n");
}

fn documented() -> Documented {
    Documented {
        schema: json!({"type": "string", "description": "RFC 4180 in UTF-8. Columns are dotted paths; `;` separates the elements of a list, `\\;` and `\\\\` are these characters inside one. Text that a spreadsheet would treat as a formula is prefixed with an apostrophe. `other_members` has as JSON what this release does not know."}),
        example: json!(
            "\"id\",\"kind\",\"name\"\r\n\"0193e5a0-0000-7000-8000-000000000000\",\"actor\",\"Klinikum Kassel\"\r\n"
        ),
        components: Map::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_cell_is_in_quotes() {
        let mut text = String::new();
        write_line(["a", "", "b \"c\", d\ne", "\""].into_iter(), &mut text);
        assert_eq!(text, "\"a\",\"\",\"b \"\"c\"\", d\ne\",\"\"\"\"\r\n");
    }
}
