//! Exchange with other systems: the log, the feed, webhooks, tables.

pub mod change;
pub mod sync;
pub mod table;
pub mod webhook;
