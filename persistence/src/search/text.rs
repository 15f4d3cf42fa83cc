//! The German text search: what of a record is searched, how words are made comparable, how a
//! query is read and ranked.
//!
//! Both sides take the same way: [`words`] folds every word so that `Köln`, `Koeln` and `koln` are
//! one; stems, compound parts and joined forms are made of the folded word only, so that spellings
//! that fold alike find alike. A score is a sum of constants, never of statistics, because those
//! would count records that the caller may not see.

mod compound;
mod fields;
mod highlight;
mod joint;
mod lists;
mod query;
mod texts;
mod typed;
mod word_query;
mod words;

#[cfg(test)]
mod tests;

pub use fields::{TextFields, add};
pub use query::Named;
pub use texts::Texts;
pub use typed::Typed;
pub use words::{key, stems};
