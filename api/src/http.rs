//! HTTP without knowledge of the directory.

pub mod body_timeout;
mod connections;
pub mod crypto;
pub mod metrics;
pub mod outbound;
pub mod per_address;
pub mod problem;
pub mod rate_limit;
pub mod request;
mod request_line;
pub mod server;
pub mod shared_answers;
pub mod telemetry;
