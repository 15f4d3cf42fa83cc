//! Visibility of records to outsiders, stored in their rows.

pub mod consumer;
pub(crate) mod public;
pub(crate) mod seen;
pub(crate) mod suppressed;
