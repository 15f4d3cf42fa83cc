//! Exchanging records with partners and other systems, and telling webhooks.

pub mod backoff;
pub mod feed;
pub mod partners;
pub mod push;
pub mod webhooks;
