//! Records that share a key with others, for the comparison of likely duplicates.

use super::doc_set::index_of;
use super::index::{Search, Snapshot};
use crate::error::{Result, StoreError};
use crate::permits::Urgency;
use std::collections::BTreeSet;
use tantivy::schema::IndexRecordOption;
use tantivy::{DocSet, Term};
use uuid::Uuid;

impl Search {
    /// For each set of keys the records that have one of them. Keys that more than `most` records
    /// have are ignored.
    pub(crate) async fn sharing(
        &self,
        keys: Vec<BTreeSet<u64>>,
        most: usize,
    ) -> Result<Vec<BTreeSet<Uuid>>> {
        let snapshot = self.snapshot().ok_or(StoreError::Behind)?;
        self.read(Urgency::Bulk, move |_| {
            let sharing = keys.iter().map(|keys| snapshot.sharing(keys, most));
            sharing.collect()
        })
        .await
    }
}

impl Snapshot {
    fn sharing(&self, keys: &BTreeSet<u64>, most: usize) -> Result<BTreeSet<Uuid>> {
        let mut all = BTreeSet::new();
        for key in keys {
            let found = self.having(*key, most).map_err(StoreError::from)?;
            all.extend(found.into_iter().flatten());
        }
        Ok(all)
    }

    /// The records that have a key; `None` if more than `most` have it.
    fn having(&self, key: u64, most: usize) -> tantivy::Result<Option<Vec<Uuid>>> {
        let term = Term::from_field_u64(self.fields.match_key, key);
        let mut found = Vec::new();
        for reader in self.searcher.segment_readers() {
            let index = reader.inverted_index(self.fields.match_key)?;
            let Some(mut docs) = index.read_postings(&term, IndexRecordOption::Basic)? else {
                continue;
            };
            let ids = self.segments.of(reader).ids(reader)?;
            while docs.doc() != tantivy::TERMINATED {
                if !reader.is_deleted(docs.doc()) {
                    found.extend(ids.get(index_of(docs.doc())));
                }
                if found.len() > most {
                    return Ok(None);
                }
                docs.advance();
            }
        }
        Ok(Some(found))
    }
}
