//! Accounts, grants and the rules of access.

pub mod account;
pub mod rules;
