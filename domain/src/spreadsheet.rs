//! Tables as people write them: headings in German or English, values by label, numbers and dates as
//! a spreadsheet shows them. What is read here is in the notation of [`crate::exchange::table`].

mod cell;
mod headings;
mod labels;
mod numbers;
mod words;

pub use cell::{Notation, Taken, take};
pub use headings::{Meaning, meaning, nearest_heading};
pub use labels::{label, member_label};
pub use numbers::estimate;
