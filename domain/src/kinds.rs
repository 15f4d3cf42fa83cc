//! The kinds of records, one file each.

pub mod actor;
pub mod common;
pub mod event;
pub mod network;
pub mod project;
pub mod record_type;
pub mod region;
pub mod relationship;
pub mod topic;
