//! What a format has to state.

use crate::formats::{Dialect, Place};
use crate::http::problem::Problem;
use domain::base::kind::Kind;
use domain::exchange::table::Column;
use persistence::records::Record;
use serde_json::{Map, Value};
use std::collections::BTreeMap;
use std::fmt::Debug;
use uuid::Uuid;

/// A format of records: its names, and how they are written in it.
///
/// Several records are the head, the items with the separator between them, and the tail. They may
/// be written in parts, so a format keeps no state.
pub trait Format: Debug + Sync {
    /// Media type, as in `Accept`.
    fn media_type(&self) -> &'static str;

    /// Name in `format=`, and the extension of paths and files.
    fn extension(&self) -> &'static str;

    /// Name in texts.
    fn name(&self) -> &'static str;

    /// What the records look like, for the documentation: the end of a sentence.
    fn about(&self) -> &'static str;

    /// Media type with its parameters.
    fn content_type(&self) -> &'static str {
        self.media_type()
    }

    /// Whether the canonical record keeps its strong `ETag`.
    fn is_canonical(&self) -> bool {
        false
    }

    /// Whether the areas of regions can be drawn.
    fn has_areas(&self) -> bool {
        false
    }

    /// Whether it is a table, with the columns of a single kind.
    fn is_table(&self) -> bool {
        false
    }

    /// Whether the file is made of all records together.
    fn is_workbook(&self) -> bool {
        false
    }

    /// Whether records are always whole and in their own language.
    fn is_whole(&self) -> bool {
        false
    }

    /// Whether it contains absolute addresses.
    fn has_addresses(&self) -> bool {
        false
    }

    /// Whether a list is a feed: the newest changes first, [`FEED_ITEMS`] on a page.
    fn is_feed(&self) -> bool {
        false
    }

    /// Whether it is a calendar: a list is everything that matches, without pages, and a postponed
    /// event is written with the dates that it had.
    fn is_calendar(&self) -> bool {
        false
    }

    /// Whether a single record is written with its relationships.
    fn has_relationships(&self) -> bool {
        false
    }

    /// What is the same for all records; `shows` tells which members they have.
    fn context(&self, _kind: Option<Kind>, _shows: &dyn Fn(&str) -> bool) -> Context {
        Context::default()
    }

    /// Writes what comes before the first record.
    fn head(&self, _context: &Context, _to: &mut String) {}

    /// Writes one of several records.
    ///
    /// # Errors
    /// If the record cannot be read.
    fn item(&self, item: &Item<'_>, context: &Context, to: &mut String) -> Result<(), Problem>;

    fn separator(&self) -> &'static str {
        ""
    }

    /// Writes what comes after the last record; `rest` are further members of a page.
    fn tail(&self, _rest: &Value, _to: &mut String) {}

    /// A single record; `more` are further members.
    ///
    /// # Errors
    /// If the record cannot be read.
    fn record(&self, item: &Item<'_>, context: &Context, more: &Value) -> Result<String, Problem> {
        page(self, context, std::iter::once(*item), more)
    }

    /// Documents a single record.
    fn document_record(&self, of: &RecordSchema) -> Documented;

    /// Documents several records.
    fn document_list(&self, of: &ListSchema) -> Documented;
}

/// A record to be written.
#[derive(Debug, Clone, Copy)]
pub struct Item<'a> {
    pub row: &'a Record,
    /// The record as JSON, as the caller wants it.
    pub json: &'a str,
    /// Members next to those of the record, such as `hit`.
    pub more: Option<&'a Value>,
    /// The area of a region, as GeoJSON.
    pub area: Option<&'a str>,
    /// The slugs of the ends of a relationship, by their ids; only for tables.
    pub slugs: Option<&'a BTreeMap<Uuid, String>>,
    /// The names of referenced records, by their ids; only for tables that show them.
    pub names: Option<&'a BTreeMap<Uuid, String>>,
}

/// What is the same for all records of a response.
#[derive(Debug, Default)]
pub struct Context {
    pub columns: Vec<Column>,
    pub place: Place,
    /// The kind of the columns.
    pub kind: Option<Kind>,
    pub dialect: Dialect,
    /// Whether a column next to each reference has the name of its record.
    pub labels: bool,
}

/// Items on a page of a feed.
pub const FEED_ITEMS: u64 = 50;

/// The schema of a record, for its documentation.
#[derive(Debug)]
pub struct RecordSchema {
    /// Name of the type, such as `Actor`.
    pub name: String,
    pub schema: Value,
    /// The schemas of further members.
    pub more: Value,
    pub example: Value,
}

/// The schema of a list, for its documentation.
#[derive(Debug)]
pub struct ListSchema {
    /// Name of the list, such as `Actor` or `Search`.
    pub name: String,
    /// The page; the records are its `items`.
    pub page: Value,
    /// Example of a record.
    pub example: Value,
}

impl ListSchema {
    /// The schema of one of the records.
    #[must_use]
    pub fn item(&self) -> Value {
        let item = self.page.pointer("/properties/items/items");
        item.cloned().unwrap_or_default()
    }
}

/// The documentation of a response in a format.
#[derive(Debug)]
pub struct Documented {
    pub schema: Value,
    pub example: Value,
    /// Schemas that it refers to.
    pub components: Map<String, Value>,
}

/// Writes a page of records.
///
/// # Errors
/// If a record cannot be read.
pub fn page<'a, F: Format + ?Sized>(
    format: &F,
    context: &Context,
    items: impl Iterator<Item = Item<'a>>,
    rest: &Value,
) -> Result<String, Problem> {
    let mut text = String::new();
    format.head(context, &mut text);
    for (at, item) in items.enumerate() {
        if at > 0 {
            text.push_str(format.separator());
        }
        format.item(&item, context, &mut text)?;
    }
    format.tail(rest, &mut text);
    Ok(text)
}
