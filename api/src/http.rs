//! What speaks HTTP without knowing the directory.

pub mod metrics;
pub mod outbound;
pub mod problem;
pub mod rate_limit;
pub mod server;
pub mod telemetry;
