//! The forms in which records are written.

pub mod geojson;
pub mod view;
