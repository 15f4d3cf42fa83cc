//! Where the directory rests: SQLite or PostgreSQL, through sea-orm, and the log of every change.

pub mod accounts;
pub mod db;
pub mod entity;
pub mod error;
pub mod geometry;
pub mod keys;
pub mod load;
pub mod migrations;
pub mod read;
pub mod relationships;
pub mod store;
pub mod unit;
pub mod write;

mod conflict;
mod cursor;
mod delete;
mod edges;
mod prepare;
mod resolve;
mod revive;
mod satellites;

pub use error::{Result, StoreError};
pub use store::Store;
