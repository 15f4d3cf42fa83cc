//! Building blocks of operations: extractors, replies, the document.

pub mod admission;
mod bill;
mod description;
pub(crate) mod disappearing;
pub mod extract;
pub mod idempotency;
pub mod media_type;
pub mod middleware;
pub mod openapi;
pub mod paging;
pub mod param;
pub mod reply;
pub mod routes;
mod shared;
pub mod upload;
