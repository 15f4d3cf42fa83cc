//! Visibility of records: dated publication, statements of the ends of relationships, hidden and
//! disputed records, applications for membership.

pub mod applications;
pub mod confirmation;
pub mod due;
pub mod hidden;
