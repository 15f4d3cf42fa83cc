//! How the directory is spoken to: HTTP, the command line, tokens, representations.

pub mod app;
pub mod auth;
mod bulk;
pub mod cli;
pub mod config;
mod connection;
pub mod docs;
pub mod export;
pub mod extract;
pub mod guard;
pub mod limits;
pub mod list;
pub mod metrics;
pub mod middleware;
pub mod mount;
pub mod negotiate;
pub mod once;
pub mod openapi;
pub mod operation;
pub mod outgoing;
pub mod partner;
pub mod problem;
pub mod reply;
pub mod represent;
pub mod routes;
pub mod telemetry;
pub mod webhook;
