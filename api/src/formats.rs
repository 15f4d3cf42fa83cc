//! The formats of records.

pub mod geojson;
pub mod view;
