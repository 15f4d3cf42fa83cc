//! CSV (RFC 4180): a table of one kind, as for imports.

use crate::formats::xlsx::has_name_beside;
use crate::formats::{Context, Documented, Format, Item, ListSchema, RecordSchema};
use crate::http::problem::Problem;
use domain::base::fault::Lang;
use domain::base::json::insert;
use domain::base::kind::Kind;
use domain::exchange::table::{self, Column, Content};
use domain::spreadsheet::label;
use persistence::StoreError;
use serde_json::{Map, Value, json};
use uuid::Uuid;

#[derive(Debug)]
pub struct Csv;

/// How a table is written.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Dialect {
    /// RFC 4180: commas, and points in numbers.
    #[default]
    Rfc4180,
    /// As a German Excel opens it: semicolons, a byte order mark, commas in numbers, and German
    /// headings.
    GermanExcel,
}

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
            kind,
            ..Context::default()
        }
    }

    fn head(&self, context: &Context, to: &mut String) {
        let german = context.dialect == Dialect::GermanExcel;
        if german {
            to.push('\u{feff}');
        }
        let mut headings = Vec::new();
        for column in &context.columns {
            let name = match context.kind {
                Some(kind) if german => label(kind, column, Lang::De),
                _ => column.name.as_str(),
            };
            headings.push(name.to_owned());
            if context.labels && has_name_beside(column) {
                headings.push(format!(
                    "{name}{}",
                    if german { " (Name)" } else { " (name)" }
                ));
            }
        }
        write_line(headings.iter().map(String::as_str), context.dialect, to);
    }

    fn item(&self, item: &Item<'_>, context: &Context, to: &mut String) -> Result<(), Problem> {
        let record = record_with_slugs(item)?;
        let mut cells = table::row(&record, &context.columns);
        if context.dialect == Dialect::GermanExcel {
            let numbers = context.columns.iter().zip(&mut cells);
            for (_, cell) in numbers.filter(|(column, _)| *column.content() == Content::Number) {
                *cell = cell.replace('.', ",");
            }
        }
        let names = names_beside(&record, &context.columns, context, item);
        let mut written = Vec::with_capacity(cells.len() + names.len());
        for (at, (cell, column)) in cells.iter().zip(&context.columns).enumerate() {
            written.push(cell.as_str());
            if context.labels && has_name_beside(column) {
                let name = names.iter().find(|(of, _)| *of == at);
                written.push(name.map_or("", |(_, name)| name.as_str()));
            }
        }
        write_line(written.into_iter(), context.dialect, to);
        Ok(())
    }

    fn document_record(&self, _: &RecordSchema) -> Documented {
        documented()
    }

    fn document_list(&self, _: &ListSchema) -> Documented {
        documented()
    }
}

/// For columns of references, the names of their records.
pub(super) fn names_beside(
    record: &Value,
    columns: &[Column],
    context: &Context,
    item: &Item<'_>,
) -> Vec<(usize, String)> {
    let Some(names) = item.names.filter(|_| context.labels) else {
        return Vec::new();
    };
    let original: Value = serde_json::from_str(item.json).unwrap_or_default();
    let mut found = Vec::new();
    for (at, column) in columns
        .iter()
        .enumerate()
        .filter(|(_, column)| has_name_beside(column))
    {
        let mut ids = Vec::new();
        let members: Vec<&str> = column.path_members().collect();
        // Slugs have replaced the ids of ends.
        let from = if *column.content() == Content::Record {
            &original
        } else {
            record
        };
        collect_ids(from, &members, &mut ids);
        let names = ids
            .iter()
            .map(|id| names.get(id).map_or("", String::as_str));
        let names: Vec<&str> = names.collect();
        if names.iter().any(|name| !name.is_empty()) {
            found.push((at, names.join("; ")));
        }
    }
    found
}

/// The ids at a path of a record.
pub(crate) fn collect_ids(value: &Value, members: &[&str], ids: &mut Vec<Uuid>) {
    match (value, members.split_first()) {
        (Value::Array(items), _) => items
            .iter()
            .for_each(|item| collect_ids(item, members, ids)),
        (value, Some((member, rest))) => {
            if let Some(inner) = value.get(member) {
                collect_ids(inner, rest, ids);
            }
        }
        (Value::String(id), None) => ids.extend(Uuid::try_parse(id).ok()),
        (value, None) => {
            let id = value.get("id").and_then(Value::as_str);
            ids.extend(id.and_then(|id| Uuid::try_parse(id).ok()));
        }
    }
}

/// The record, with slugs in place of the ids of its ends where they are known.
pub(super) fn record_with_slugs(item: &Item<'_>) -> Result<Value, Problem> {
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
fn write_line<'a>(cells: impl Iterator<Item = &'a str>, dialect: Dialect, to: &mut String) {
    let between = match dialect {
        Dialect::Rfc4180 => ",\"",
        Dialect::GermanExcel => ";\"",
    };
    for (at, cell) in cells.enumerate() {
        to.push_str(if at > 0 { between } else { "\"" });
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
        write_line(
            ["a", "", "b \"c\", d\ne", "\""].into_iter(),
            Dialect::Rfc4180,
            &mut text,
        );
        assert_eq!(text, "\"a\",\"\",\"b \"\"c\"\", d\ne\",\"\"\"\"\r\n");
    }
}
