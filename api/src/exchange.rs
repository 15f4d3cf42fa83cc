//! Exchange of records with partners and other systems, and webhooks.

pub mod backoff;
pub mod feed;
pub mod partners;
pub mod push;
mod subscription;
pub mod webhooks;
pub mod workers;
