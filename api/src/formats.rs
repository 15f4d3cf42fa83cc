pub mod geojson;
pub mod view;
