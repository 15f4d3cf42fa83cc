//! Where the directory rests: SQLite or PostgreSQL, through sea-orm, and the log of every change.

pub mod accounts;
pub mod applications;
pub mod confirmation;
pub mod db;
pub mod digest;
pub mod duplicates;
pub mod entity;
pub mod error;
pub mod export;
pub mod feed;
pub mod follow;
pub mod geometry;
pub mod graph;
pub mod hidden;
pub mod history;
pub mod keys;
pub mod load;
pub mod merged;
pub mod migrations;
pub mod partner;
pub mod publish;
pub mod read;
pub mod relationships;
pub mod search;
pub mod store;
pub mod touch;
pub mod trim;
pub mod unit;
pub mod write;

mod conflict;
mod copy;
mod cursor;
mod delete;
mod edges;
mod merge;
mod prepare;
mod resolve;
mod revive;
mod satellites;
mod withheld;

pub use error::{Result, StoreError};
pub use store::Store;
