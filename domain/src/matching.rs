//! Detection of likely duplicates.

mod candidate;
mod legal;
mod name;
mod relation;
pub mod score;
mod seat;
mod words;
