//! Access over HTTP: tokens, accounts, clients.

pub mod accounts;
pub mod me;
pub mod oauth;
