//! A running export: a chunk of rows is read after the previous one has been sent, so a caller that
//! stops reading stops the export.

use crate::formats::{Context, Dialect, Format, Item, Place, collect_ids};
use crate::http::problem::Problem;
use crate::records::areas;
use crate::records::areas::Areas;
use crate::records::former;
use crate::records::view::Representation;
use actix_web::web::Bytes;
use domain::access::rules::Caller;
use domain::base::kind::Kind;
use domain::exchange::table::{Content, columns};
use futures::stream::{self, Stream, TryStreamExt};
use persistence::Store;
use persistence::permits::Urgency;
use persistence::read::export::CHUNK;
use persistence::read::relationships::RelationshipFilter;
use persistence::records::Record;
use persistence::search::asked_for;
use persistence::search::filter::Filter;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use uuid::Uuid;

const GEOMETRY_CHUNK: usize = 8 * 1024 * 1024;

#[derive(Debug)]
pub(crate) struct Export {
    pub(crate) store: Store,
    pub(crate) caller: Caller,
    pub(crate) format: &'static dyn Format,
    pub(crate) representation: Representation,
    pub(crate) geometry: bool,
    /// The filter that described records must still match when they are read.
    pub(crate) records: Filter,
    pub(crate) relationships: RelationshipFilter,
    pub(crate) parts: VecDeque<(Kind, Vec<Uuid>)>,
    pub(crate) place: Place,
    pub(crate) dialect: Dialect,
    /// Whether tables have the names of referenced records.
    pub(crate) labels: bool,
}

#[derive(Debug)]
struct Waiting {
    row: Record,
    /// The slugs of the ends of a relationship, by their ids.
    slugs: BTreeMap<Uuid, String>,
}

#[derive(Debug)]
pub(crate) struct Running {
    export: Export,
    context: Context,
    waiting: VecDeque<Waiting>,
    /// Number of records of the first part that have been read.
    read: usize,
    state: State,
    any: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Head,
    Rows,
    Tail,
    Ended,
}

impl Running {
    pub(crate) fn new(export: Export) -> Self {
        let kind = export.parts.front().map(|(kind, _)| *kind);
        let shows =
            |member: &str| kind.is_some_and(|kind| export.representation.shows(kind, member));
        let mut context = Context {
            place: export.place.clone(),
            ..export.format.context(kind, &shows)
        };
        (context.dialect, context.labels) = (export.dialect, export.labels);
        if export.parts.len() > 1 && export.format.is_workbook() {
            // Each kind has its own columns.
            context.kind = None;
        }
        Self {
            export,
            context,
            waiting: VecDeque::new(),
            read: 0,
            state: State::Head,
            any: false,
        }
    }

    pub(crate) fn context(&self) -> &Context {
        &self.context
    }

    pub(crate) async fn next(&mut self) -> Result<Option<String>, Problem> {
        if self.state == State::Ended {
            return Ok(None);
        }
        // Given back before the chunk is sent: readers may be slow.
        let permits = self.export.store.permits().clone();
        let _permit = permits.again(Urgency::Bulk).await?;
        let format = self.export.format;
        loop {
            let mut text = String::new();
            match self.state {
                State::Head => {
                    self.state = State::Rows;
                    format.head(&self.context, &mut text);
                }
                State::Rows => {
                    if self.waiting.is_empty() && !self.load().await? {
                        self.state = State::Tail;
                        continue;
                    }
                    self.rows(&mut text).await?;
                }
                State::Tail => {
                    self.state = State::Ended;
                    format.tail(&Value::Null, &mut text);
                }
                State::Ended => return Ok(None),
            }
            if !text.is_empty() {
                return Ok(Some(text));
            }
        }
    }

    /// Reads the next chunk; false if there is none.
    async fn load(&mut self) -> Result<bool, Problem> {
        let Some((kind, ids)) = self.export.parts.front() else {
            return Ok(false);
        };
        let chunk: Vec<Uuid> = ids.iter().skip(self.read).take(CHUNK).copied().collect();
        if chunk.is_empty() {
            self.export.parts.pop_front();
            self.read = 0;
            return Ok(!self.export.parts.is_empty());
        }
        self.read += chunk.len();
        self.waiting = match kind {
            Kind::Relationship => self.export.relationships(chunk).await?,
            _ => self.export.described(&chunk).await?,
        };
        Ok(true)
    }

    /// Writes the pending rows, or as many of them as their geometries allow.
    async fn rows(&mut self, text: &mut String) -> Result<(), Problem> {
        let (count, areas) = match self.stored().await? {
            Some((count, areas)) => (count, areas),
            None => (self.waiting.len(), Areas::new()),
        };
        let batch: Vec<Waiting> = self.waiting.drain(..count).collect();
        let export = &self.export;
        let rows: Vec<&Record> = batch.iter().map(|one| &one.row).collect();
        let shown = export
            .representation
            .show_all(&export.store, &export.caller, &rows)
            .await?;
        let former = former::dates(&export.store, export.format, rows.iter().copied()).await?;
        let names = export.names(&batch, &shown.items).await?;
        for (one, json) in batch.iter().zip(&shown.items) {
            if std::mem::replace(&mut self.any, true) {
                text.push_str(export.format.separator());
            }
            let item = Item {
                row: &one.row,
                json,
                more: former.get(&one.row.id),
                area: areas.get(&one.row.id).map(String::as_str),
                slugs: Some(&one.slugs),
                names: Some(&names),
            };
            export.format.item(&item, &self.context, text)?;
        }
        Ok(())
    }

    /// The number of pending rows that can be written with their geometries, and these.
    async fn stored(&self) -> Result<Option<(usize, Areas)>, Problem> {
        let regions = areas::regions(self.waiting.iter().map(|one| &one.row));
        if !self.export.geometry || regions.is_empty() {
            return Ok(None);
        }
        let sizes = self.export.store.geometries().sizes(&regions).await?;
        let mut bytes = 0;
        let mut count = 0;
        for one in &self.waiting {
            bytes += sizes.get(&one.row.id).copied().unwrap_or_default();
            if count > 0 && bytes > GEOMETRY_CHUNK {
                break;
            }
            count += 1;
        }
        let batch = self.waiting.iter().take(count).map(|one| &one.row);
        let areas = self
            .export
            .store
            .geometries()
            .list(&areas::regions(batch))
            .await?;
        Ok(Some((count, areas)))
    }
}

impl Export {
    /// Rows by id, in the order of the ids; checked again, so that nothing is exported that the
    /// caller may not see now.
    async fn described(&self, ids: &[Uuid]) -> Result<VecDeque<Waiting>, Problem> {
        let rows = self.store.records().list(&self.caller, ids).await?;
        let mut rows: BTreeMap<Uuid, Record> = rows.into_iter().map(|row| (row.id, row)).collect();
        let rows = ids.iter().filter_map(|id| rows.remove(id));
        let rows = rows.filter(|row| asked_for(row, &self.records));
        Ok(rows
            .map(|row| Waiting {
                row,
                slugs: BTreeMap::new(),
            })
            .collect())
    }

    /// The names of the records that a batch references, as far as the caller may see them.
    async fn names(
        &self,
        batch: &[Waiting],
        shown: &[String],
    ) -> Result<BTreeMap<Uuid, String>, Problem> {
        let mut names = BTreeMap::new();
        if !self.labels {
            return Ok(names);
        }
        let mut ids = BTreeSet::new();
        for (one, json) in batch.iter().zip(shown) {
            let record: Value = serde_json::from_str(json).unwrap_or_default();
            let columns = columns(one.row.kind).iter();
            let named = columns.filter(|column| {
                matches!(column.content(), Content::Reference(_) | Content::Record)
            });
            for column in named {
                let members: Vec<&str> = column.path_members().collect();
                let mut found = Vec::new();
                collect_ids(&record, &members, &mut found);
                ids.extend(found);
            }
        }
        let ids: Vec<Uuid> = ids.into_iter().collect();
        for chunk in ids.chunks(CHUNK) {
            let rows = self.store.records().list(&self.caller, chunk).await?;
            names.extend(rows.into_iter().filter_map(|row| Some((row.id, row.name?))));
        }
        Ok(names)
    }

    async fn relationships(&self, ids: Vec<Uuid>) -> Result<VecDeque<Waiting>, Problem> {
        let filter = RelationshipFilter {
            ids: vec![ids],
            publications: self.relationships.publications.clone(),
            ..RelationshipFilter::default()
        };
        let page = (CHUNK as u64, None);
        let page = self
            .store
            .relationships()
            .list(&self.caller, &filter, page, "")
            .await?;
        let mut shared = BTreeSet::new();
        if self.format.is_table() || self.format.is_workbook() {
            let ends = page.items.iter().flat_map(|item| &item.ends);
            let slugs = ends.filter_map(|end| end.slug.clone()).collect();
            shared = self
                .store
                .records()
                .shared_slugs(&self.caller, &slugs)
                .await?;
        }
        let waiting = page.items.into_iter().map(|item| {
            let ends = item.ends.into_iter().filter_map(|end| {
                let key = (end.kind, end.slug?);
                // An ambiguous slug would mean another record when it is imported.
                (!shared.contains(&key)).then_some((end.id, key.1))
            });
            Waiting {
                row: item.row,
                slugs: ends.collect(),
            }
        });
        Ok(waiting.collect())
    }
}

/// Ends the connection, so that a partial export is not mistaken for a complete one.
#[derive(Debug, thiserror::Error)]
#[error("the export ended early")]
pub(crate) struct EndedEarly;

impl Running {
    /// The body of a response, chunk by chunk.
    pub(crate) fn into_stream(self) -> impl Stream<Item = Result<Bytes, EndedEarly>> {
        let texts = stream::try_unfold(self, |mut running| async move {
            let text = running.next().await?;
            Ok::<_, Problem>(text.map(|text| (Bytes::from(text), running)))
        });
        texts.map_err(|problem| {
            tracing::error!(code = %problem.kind.code, "export ended early");
            EndedEarly
        })
    }
}
