//! Finding records that are likely one thing.

mod candidate;
mod legal;
mod name;
mod relation;
pub mod score;
mod seat;
mod words;
