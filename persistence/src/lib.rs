//! Storage layer: SQLite or PostgreSQL, through sea-orm, and the log of every change.

pub mod accounts;
pub mod consumers;
pub mod db;
pub mod duplicates;
pub mod erase;
pub mod error;
pub mod feed;
pub mod geometry;
pub mod jobs;
pub mod lease;
pub mod load;
pub mod merge;
pub mod meter;
pub mod migrations;
pub mod partner;
pub mod permits;
pub mod persons;
pub mod publication;
pub mod push;
pub mod read;
pub mod records;
pub mod restore;
pub mod search;
pub mod store;
pub mod transaction;
pub mod visibility;
pub mod webhook;
pub mod write;

#[cfg(test)]
mod cost;
mod cursor;
mod entity;
mod merge_targets;
mod open;
mod record;
mod upgrade;

pub use error::{Result, StoreError};
pub use store::Store;
