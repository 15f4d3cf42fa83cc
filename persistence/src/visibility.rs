//! Visibility of records to outsiders, stored in their rows.

pub(crate) mod shown;
pub(crate) mod withheld;
