//! What the directory of health networks is: kinds of records, their fields and rules, who may do what.
//!
//! Nothing here knows of the web or of a database.

#[macro_use]
mod catalog;

pub mod access;
pub mod base;
pub mod data;
pub mod exchange;
pub mod kinds;
pub mod matching;
pub mod statements;
pub mod validation;
pub mod value;
pub mod vocabularies;
