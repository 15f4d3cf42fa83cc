//! Storage layer: SQLite or PostgreSQL, through sea-orm, and the log of every change.

pub mod accounts;
pub mod db;
pub mod entity;
pub mod erase;
pub mod error;
pub mod feed;
pub mod follow;
pub mod load;
pub mod merge;
pub mod migrations;
pub mod partner;
pub mod persons;
pub mod publication;
pub mod push;
pub mod read;
pub mod search;
pub mod store;
pub mod unit;
pub mod webhook;
pub mod write;

mod cursor;
mod lease;

pub use error::{Result, StoreError};
pub use store::Store;
