//! What other systems are given and give: the log, the feed, webhooks, tables.

pub mod change;
pub mod sync;
pub mod table;
pub mod webhook;
