//! Operations on records.

pub mod applications;
pub mod confirmation;
pub mod contact_persons;
pub mod crud;
pub mod duplicates;
pub mod erase;
pub mod export;
pub mod geometry;
pub mod graph;
pub mod hidden;
pub mod history;
pub mod import;
pub mod list;
pub mod merge;
pub mod relationships;
pub mod suggest;
