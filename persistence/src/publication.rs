//! What is shown of the records, to whom and from when: dated publication, what the ends of
//! relationships state, what is hidden or disputed, applications for membership.

pub mod applications;
pub mod confirmation;
pub mod due;
pub mod hidden;
pub mod touch;

pub(crate) mod withheld;
