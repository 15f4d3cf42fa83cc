//! German text search: the searched texts of a record, the normalisation of words, and the parsing
//! and ranking of queries.
//!
//! Records and queries are treated alike: [`words`] folds every word so that `Köln`, `Koeln` and
//! `koln` are equal; stems, compound parts and joined forms are derived from the folded word only,
//! so that spellings with the same folding have the same hits. A score is a sum of constants, never
//! of statistics, because those would count records that the caller may not see.

mod cache;
mod compound;
mod fields;
mod forms;
mod highlight;
mod joint;
mod lists;
mod query;
mod scored;
mod texts;
mod ties;
mod typed;
mod words;

#[cfg(test)]
mod tests;

pub use cache::TextCache;
pub use fields::{TextFields, add};
pub use query::{NAMED, Named, TextIndex, TextQuery};
pub use scored::Scored;
pub use texts::Texts;
pub use typed::Typed;
pub use words::{key, stems};
