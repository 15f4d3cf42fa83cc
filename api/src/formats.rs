//! Formats of records, one file each. An operation offers some of them through its reply.

mod csv;
mod format;
mod geojson;
mod json;
mod ndjson;

pub use csv::Csv;
pub use format::{Context, Documented, Format, Item, ListSchema, RecordSchema, page};
pub use geojson::GeoJson;
pub use json::Json;
pub use ndjson::NdJson;
