//! The tables, as sea-orm entities; [`crate::migrations`] creates them.

pub mod account;
pub mod account_grant;
pub mod application;
pub mod change;
pub mod confirmation;
pub mod contact_person;
pub mod edge;
pub mod edge_role;
pub mod geometry;
pub mod hidden;
pub mod identifier;
pub mod kept_answer;
pub mod log_consumer;
pub mod merged;
pub mod node;
pub mod partner;
pub mod partner_seen;
pub mod quarantine;
pub mod record;
pub mod redirect;
pub mod reference;
pub mod signing_key;
pub mod supply;
pub mod tombstone;
pub mod webhook;
pub mod webhook_delivery;
