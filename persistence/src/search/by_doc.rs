//! Values of the documents of a segment, in their order, each with none or several.

use super::doc_set::index_of;
use tantivy::DocId;

#[derive(Debug)]
pub(super) struct ByDoc<T> {
    values: Vec<T>,
    /// Where the values of a document begin; those of the last one end with the values.
    starts: Vec<u32>,
}

impl<T> ByDoc<T> {
    pub(super) fn with_capacity(docs: u32) -> Self {
        Self {
            values: Vec::new(),
            starts: Vec::with_capacity(index_of(docs)),
        }
    }

    /// Adds the values of the next document.
    pub(super) fn push(&mut self, values: impl IntoIterator<Item = T>) {
        let start = u32::try_from(self.values.len()).unwrap_or(u32::MAX);
        self.starts.push(start);
        self.values.extend(values);
    }

    pub(super) fn of(&self, doc: DocId) -> &[T] {
        let start = self.starts.get(index_of(doc)).map(|start| index_of(*start));
        let next = self.starts.get(index_of(doc) + 1).map(|end| index_of(*end));
        let range = start.map(|start| start..next.unwrap_or(self.values.len()));
        range
            .and_then(|range| self.values.get(range))
            .unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn each_document_has_its_values(docs: Vec<Vec<u8>>) {
            let mut all = ByDoc::with_capacity(0);
            for values in &docs {
                all.push(values.iter().copied());
            }
            for (doc, values) in (0..).zip(&docs) {
                prop_assert_eq!(all.of(doc), values);
            }
            prop_assert!(all.of(u32::try_from(docs.len()).unwrap()).is_empty());
        }
    }
}
