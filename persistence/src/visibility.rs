//! Visibility of records to outsiders, stored in their rows.

pub mod consumer;
pub(crate) mod shown;
pub(crate) mod withheld;
