//! Finding: the full-text index beside the database.

pub mod text;
