//! The values in records.

pub mod contact;
pub mod edtf;
pub mod external;
pub mod figure;
pub mod format;
pub mod geometry;
pub mod identifier;
pub mod link;
pub mod place;
pub mod reference;
pub mod text;
