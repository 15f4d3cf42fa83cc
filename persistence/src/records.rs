//! The rooms of records: reading and writing.

pub use crate::record::Record;

use crate::store::Store;
use crate::transaction::Transaction;
use domain::value::reference::Name;
use uuid::Uuid;

/// Room of records.
#[derive(Debug, Clone, Copy)]
pub struct Records<'a> {
    pub(crate) store: &'a Store,
}

/// Room for writing records.
#[derive(Debug)]
pub struct RecordsMut<'t, 's> {
    pub(crate) tx: &'t mut Transaction<'s>,
}

impl Store {
    #[must_use]
    pub fn records(&self) -> Records<'_> {
        Records { store: self }
    }
}

impl<'s> Transaction<'s> {
    #[must_use]
    pub fn records(&mut self) -> RecordsMut<'_, 's> {
        RecordsMut { tx: self }
    }
}

/// A text is an id if it looks like one; a slug never does.
pub(crate) fn by_text(text: String) -> Name {
    match Uuid::try_parse(&text) {
        Ok(id) => Name::Id(id),
        Err(_) => Name::Slug(text),
    }
}
