//! The node itself: service document, health, metrics, documentation.

pub mod discovery;
pub mod docs;
pub mod health;
pub mod metrics;
pub mod problems;
pub mod service;
pub mod vocabularies;
