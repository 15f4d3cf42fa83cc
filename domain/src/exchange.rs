//! Exchange with other systems: the log, the feed, webhooks, tables.

pub mod change;
pub mod line;
pub mod removal;
pub mod sync;
pub mod table;
pub mod webhook;
