//! Who may do what: accounts, grants and the rules of access.

pub mod account;
pub mod rules;
