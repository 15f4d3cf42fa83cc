//! Validation of bodies against schema and rules.

pub mod body;
pub mod schema;
pub mod shape;
pub mod upgrade;
pub mod withhold;
