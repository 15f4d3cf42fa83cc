//! Formats of records, one file each. An operation offers some of them through its reply.

pub mod atom;
mod csv;
mod format;
mod geojson;
mod graphml;
mod icalendar;
mod json;
pub mod jsonld;
mod ndjson;
pub mod place;
pub mod rdf;
pub mod sitemap;
mod xlsx;
mod xml;

pub use atom::Atom;
pub(crate) use csv::collect_ids;
pub use csv::{Csv, Dialect};
pub use format::{Context, Documented, FEED_ITEMS, Format, Item, ListSchema, RecordSchema, page};
pub use geojson::GeoJson;
pub use graphml::GraphMl;
pub use icalendar::{FORMER, ICalendar, entry_dates, has_entry};
pub use json::Json;
pub use jsonld::JsonLd;
pub use ndjson::NdJson;
pub use place::Place;
pub use xlsx::{POSITION, Workbook, Xlsx};
