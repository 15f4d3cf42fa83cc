//! Basic building blocks: kinds, vocabularies, violations, JSON, time.

pub mod clock;
pub mod fault;
pub mod filter;
pub mod id;
pub mod json;
pub mod kind;
pub mod nearest;
pub mod pointer;
pub mod reading;
pub mod record;
pub mod rename;
pub mod schema;
pub mod vocabulary;
