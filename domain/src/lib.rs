//! The directory of health networks: kinds of records, their fields, rules, and permissions.
//!
//! Nothing here depends on the web or on a database.

#[macro_use]
mod catalog;

pub mod access;
pub mod base;
pub mod data;
pub mod exchange;
pub mod kinds;
pub mod matching;
pub mod spreadsheet;
pub mod statements;
pub mod validation;
pub mod value;
pub mod vocabularies;
