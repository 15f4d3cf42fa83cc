//! Search: lists, search, facets, suggestions and geo use one tantivy index, so a filter is written
//! once and means the same everywhere.
//!
//! The index is local to an instance and disposable: it consumes the log, and is rebuilt when it is
//! missing, or has another schema or another log. Reads by id, relationships, history and sync use
//! SQL.

pub mod area;
pub mod filter;
pub mod text;

mod by_doc;
mod collect;
mod directory;
mod doc_set;
mod document;
mod edge_terms;
mod edges;
mod facets;
mod fields;
mod files;
mod index;
mod list;
mod points;
mod query;
mod segments;
mod sharing;
mod touched;
mod trees;
mod version;
mod work;

pub use index::{IndexPlace, Search};
pub use list::{Facet, FacetValue, Hit, ListPage, ListQuery, Order, Sort, asked_for};
