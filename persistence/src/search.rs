//! Finding things: lists, search, facets, suggestions and geo go through one index built with
//! tantivy, so a filter is written once and means the same everywhere.
//!
//! The index is local to an instance and disposable: it follows the log, and is built anew when it
//! is missing, of another schema, or of another log. Reads by id, relationships, history and sync
//! are SQL and never come here.

pub mod area;
pub mod filter;
pub mod text;

mod collect;
mod document;
mod edges;
mod facets;
mod fields;
mod files;
mod index;
mod list;
mod query;
mod touched;
mod trees;
mod work;

pub use index::{IndexPlace, Search};
pub use list::{Facet, FacetValue, Hit, ListPage, ListQuery, Order, Sort, asked_for};
