//! Building blocks of operations: extractors, replies, the document.

pub mod admission;
pub mod extract;
pub mod idempotency;
pub mod media_type;
pub mod middleware;
pub mod openapi;
pub mod paging;
pub mod reply;
pub mod routes;
pub mod upload;
