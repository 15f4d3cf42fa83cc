//! The node itself: what it is, whether it is well.

pub mod docs;
pub mod health;
pub mod metrics;
pub mod problems;
pub mod service;
pub mod vocabularies;
