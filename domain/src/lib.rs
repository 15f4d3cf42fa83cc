//! What the directory of health networks is: kinds of records, their fields and rules, who may do what.
//!
//! Nothing here knows of the web or of a database.

pub mod access;
pub mod account;
pub mod actor;
pub mod application;
pub mod body;
pub mod change;
pub mod clock;
pub mod confirmation;
pub mod contact_person;
pub mod data;
pub mod described;
pub mod duplicate;
pub mod event;
pub mod fault;
pub mod filter;
pub mod id;
pub mod json;
pub mod nearest;
pub mod network;
pub mod personal_data;
pub mod pointer;
pub mod project;
pub mod record;
pub mod region;
pub mod relationship;
pub mod resource;
pub mod schema;
pub mod shape;
pub mod sync;
pub mod table;
pub mod topic;
pub mod value;
pub mod vocabulary;
pub mod webhook;
