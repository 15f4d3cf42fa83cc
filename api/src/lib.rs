//! The interfaces of the directory: HTTP, the command line, tokens, representations.

pub mod access;
pub mod app;
pub mod auth;
pub mod cli;
pub mod config;
pub mod exchange;
pub mod formats;
pub mod http;
pub mod node;
pub mod operation;
pub mod pages;
pub mod records;
pub mod routes;
pub mod state;
