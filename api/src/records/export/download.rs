//! A running export: a chunk of rows is read after the previous one has been sent, so a caller that
//! stops reading stops the export.

use crate::formats::geojson;
use crate::formats::geojson::Geometries;
use crate::formats::view::Representation;
use crate::http::problem::{Code, Problem};
use crate::operation::media_type::Media;
use domain::access::rules::Caller;
use domain::base::json::insert;
use domain::base::kind::Kind;
use domain::exchange::table;
use domain::exchange::table::Column;
use persistence::read::export::CHUNK;
use persistence::read::relationships::RelationshipFilter;
use persistence::records::Record;
use persistence::search::asked_for;
use persistence::search::filter::Filter;
use persistence::{Store, StoreError};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use uuid::Uuid;

const GEOMETRY_CHUNK: usize = 8 * 1024 * 1024;

#[derive(Debug)]
pub(crate) struct Export {
    pub(crate) store: Store,
    pub(crate) caller: Caller,
    pub(crate) media: Media,
    pub(crate) representation: Representation,
    pub(crate) geometry: bool,
    /// The filter that described records must still match when they are read.
    pub(crate) records: Filter,
    pub(crate) relationships: RelationshipFilter,
    pub(crate) parts: VecDeque<(Kind, Vec<Uuid>)>,
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
    columns: Vec<Column>,
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
        let columns = match (export.media, kind) {
            (Media::Csv, Some(kind)) => table::columns(kind)
                .iter()
                .filter(|column| {
                    let member = column.name.split('.').next().unwrap_or_default();
                    export.representation.shows(kind, member)
                })
                .cloned()
                .collect(),
            _ => Vec::new(),
        };
        Self {
            export,
            columns,
            waiting: VecDeque::new(),
            read: 0,
            state: State::Head,
            any: false,
        }
    }

    pub(crate) async fn next(&mut self) -> Result<Option<String>, Problem> {
        loop {
            let text = match self.state {
                State::Head => {
                    self.state = State::Rows;
                    self.head()?
                }
                State::Rows => {
                    if self.waiting.is_empty() && !self.load().await? {
                        self.state = State::Tail;
                        continue;
                    }
                    self.rows().await?
                }
                State::Tail => {
                    self.state = State::Ended;
                    self.tail()
                }
                State::Ended => return Ok(None),
            };
            if !text.is_empty() {
                return Ok(Some(text));
            }
        }
    }

    fn head(&self) -> Result<String, Problem> {
        match self.export.media {
            Media::GeoJson => Ok(geojson::HEAD.to_owned()),
            Media::Csv => csv_lines([self.columns.iter().map(|one| one.name.clone()).collect()]),
            Media::NdJson | Media::Json => Ok(String::new()),
        }
    }

    fn tail(&self) -> String {
        match self.export.media {
            Media::GeoJson => geojson::TAIL.to_owned(),
            Media::Csv | Media::NdJson | Media::Json => String::new(),
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
    async fn rows(&mut self) -> Result<String, Problem> {
        let stored = self.stored().await?;
        let batch: Vec<Waiting> = match &stored {
            Some((count, _)) => self.waiting.drain(..*count).collect(),
            None => self.waiting.drain(..).collect(),
        };
        let geometries = stored.map(|(_, geometries)| geometries).unwrap_or_default();
        let export = &self.export;
        let rows: Vec<&Record> = batch.iter().map(|one| &one.row).collect();
        let shown = export
            .representation
            .show_all(&export.store, &export.caller, &rows)
            .await?;
        let items = batch.iter().zip(shown.items);
        match export.media {
            Media::GeoJson => {
                let features =
                    items.map(|(one, item)| geojson::feature(&one.row, &item, &geometries, None));
                let text = features.collect::<Vec<_>>().join(",");
                let comma = self.any && !text.is_empty();
                self.any |= !text.is_empty();
                Ok(if comma { format!(",{text}") } else { text })
            }
            Media::Csv => {
                let mut lines = Vec::with_capacity(batch.len());
                for (one, item) in items {
                    lines.push(table::row(&one.record(&item)?, &self.columns));
                }
                csv_lines(lines)
            }
            Media::NdJson | Media::Json => Ok(items.map(|(_, item)| item + "\n").collect()),
        }
    }

    /// The number of pending rows that can be written with their geometries, and these.
    async fn stored(&self) -> Result<Option<(usize, Geometries)>, Problem> {
        let regions = geojson::regions(self.waiting.iter().map(|one| &one.row));
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
        let geometries = self
            .export
            .store
            .geometries()
            .list(&geojson::regions(batch))
            .await?;
        Ok(Some((count, geometries)))
    }
}

impl Export {
    /// Rows by id, in the order of the ids; checked again, so that nothing is exported that the
    /// caller may not see now.
    async fn described(&self, ids: &[Uuid]) -> Result<VecDeque<Waiting>, Problem> {
        let rows = self.store.records().list_visible(&self.caller, ids).await?;
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
        if self.media == Media::Csv {
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

impl Waiting {
    fn record(&self, shown: &str) -> Result<Value, Problem> {
        let mut record: Value =
            serde_json::from_str(shown).map_err(|why| StoreError::Corrupt(why.to_string()))?;
        for end in ["from", "to"] {
            let id = record.get(end).and_then(|end| end.get("id"));
            let id = id.and_then(|id| Uuid::try_parse(id.as_str()?).ok());
            if let Some(slug) = id.and_then(|id| self.slugs.get(&id)) {
                insert(&mut record, &[end, "id"], slug.as_str());
            }
        }
        Ok(record)
    }
}

/// Lines of CSV (RFC 4180), every cell in quotes, as OWASP advises.
fn csv_lines(lines: impl IntoIterator<Item = Vec<String>>) -> Result<String, Problem> {
    let mut writer = csv::WriterBuilder::new()
        .quote_style(csv::QuoteStyle::Always)
        .terminator(csv::Terminator::CRLF)
        .from_writer(Vec::new());
    let broken = |error: String| {
        tracing::error!(error, "cannot write CSV");
        Problem::new(Code::Internal)
    };
    for line in lines {
        writer
            .write_record(&line)
            .map_err(|why| broken(why.to_string()))?;
    }
    let bytes = writer.into_inner().map_err(|why| broken(why.to_string()))?;
    String::from_utf8(bytes).map_err(|why| broken(why.to_string()))
}
