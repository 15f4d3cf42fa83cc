//! Documents to be written to the index.

use super::document::document;
use super::edges;
use super::fields::Fields;
use super::trees::Trees;
use crate::error::{Result, StoreError};
use crate::merge_targets::{MergedBody, losers_of};
use crate::record::Record;
use domain::base::kind::Kind;
use sea_orm::ConnectionTrait;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use tantivy::{IndexWriter, TantivyDocument, Term};
use uuid::Uuid;

#[derive(Default)]
pub(super) struct Work {
    documents: Vec<(Uuid, TantivyDocument)>,
    pub(super) gone: BTreeSet<Uuid>,
}

impl Work {
    pub(super) async fn load(
        db: &impl ConnectionTrait,
        rows: Vec<Record>,
        trees: &Arc<Trees>,
        fields: &Fields,
    ) -> Result<Self> {
        let ids: BTreeSet<Uuid> = rows.iter().map(|row| row.id).collect();
        let mut around = edges::around(db, &ids, trees).await?;
        let mut merged: BTreeMap<Uuid, Vec<MergedBody>> = BTreeMap::new();
        for loser in losers_of(db, &ids).await? {
            merged.entry(loser.merge_target).or_default().push(loser);
        }
        let fields = fields.clone();
        let make = move || {
            let rows = rows.into_iter().filter_map(|row| {
                let kind = Some(row.kind).filter(|kind| *kind != Kind::Relationship)?;
                let edges = around.remove(&row.id).unwrap_or_default();
                let merged = merged.remove(&row.id).unwrap_or_default();
                Some((row.id, document(&fields, &row, kind, &edges, &merged)))
            });
            rows.collect()
        };
        let documents = tokio::task::spawn_blocking(make).await;
        let documents = documents.map_err(|why| StoreError::Search(why.to_string()))?;
        Ok(Self {
            documents,
            ..Self::default()
        })
    }

    pub(super) fn write(self, writer: &IndexWriter, fields: &Fields) -> Result<()> {
        let delete =
            |id: Uuid| writer.delete_term(Term::from_field_text(fields.id, &id.to_string()));
        for id in self.gone {
            delete(id);
        }
        for (id, document) in self.documents {
            delete(id);
            writer.add_document(document)?;
        }
        Ok(())
    }
}
