//! Whether outsiders see a record: kept with its row, in one place.

pub(crate) mod shown;
pub(crate) mod withheld;
