//! The stories: the behaviour of the directory over HTTP, on SQLite and on PostgreSQL.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::too_many_lines,
    clippy::needless_pass_by_value,
    reason = "a test fails by panicking, and its name is its documentation"
)]

mod abuse;
mod access;
mod accounts;
mod browser;
mod cli;
mod concurrency;
mod consumers;
mod crud;
mod duplicates;
mod durability;
mod erasure;
mod errors;
mod exchange;
mod explorer;
mod export;
mod flow;
mod geojson;
mod graph;
mod idempotency;
mod issuers;
mod lists;
mod matrix;
mod merging;
mod metrics;
mod openapi;
mod pages;
mod partners;
mod persons;
mod processes;
mod properties;
mod push;
mod questions;
mod reading;
mod relationships;
mod restoring;
mod rules;
mod search;
mod simulation;
mod storage;
mod sync;
mod tables;
mod tokens;
mod upgrade;
mod webhooks;
mod writing;
