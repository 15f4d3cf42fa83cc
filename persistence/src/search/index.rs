//! The index itself: opening, updating from the log, and rebuilding.

use super::edges;
use super::fields::{Fields, schema};
use super::files::{
    Opened, forget_deleted, is_damaged, leave, open, open_in, remove, remove_unused_files, sync,
};
use super::segments::Segments;
use super::touched::Touched;
use super::trees::Trees;
use super::version::version;
use super::work::Work;
use crate::consumers::{Entry, LogConsumer};
use crate::db::SqlTransaction;
use crate::entity::{change, node, record};
use crate::error::{Result, StoreError};
use crate::meter::Meter;
use crate::permits::Urgency;
use crate::record::{Record, readable};
use crate::store::Store;
use domain::base::kind::Kind;
use domain::base::vocabulary::Coded;
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect};
use serde::{Deserialize, Serialize};
use std::ops::RangeInclusive;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::time::{Duration, Instant};
use tantivy::{Index, IndexReader, IndexWriter, Searcher};
use tokio::sync::watch;
use uuid::Uuid;

#[derive(Debug, Clone)]
pub enum IndexPlace {
    /// In a folder of its own; one process at a time.
    Folder(PathBuf),
    Memory,
}

/// How long a read waits for writes that were acknowledged before it.
const PATIENCE: Duration = Duration::from_secs(2);

/// Pauses of the index after a commit, unless a read waits for later writes: with many writers the
/// cost is in commits, not documents. A pause is [`SHARE`] times as long as the commit took, within
/// these bounds.
const REST: RangeInclusive<Duration> = Duration::from_millis(50)..=Duration::from_secs(1);
const SHARE: u32 = 4;

/// Buffer of the writer before it writes a segment, in bytes.
const BUFFER: usize = 50_000_000;

pub(super) const CHUNK: usize = 500;

/// Entries of the log applied at once, if it is that far behind: a record that many of them concern
/// is then read once.
const MAX_ENTRIES: usize = 50_000;

/// Relationships of the records that are in memory at once, unless one record has more.
const MAX_EDGES: usize = 20_000;

/// Records whose relationships are not counted first.
const FEW: usize = 20;

/// Number of attempts to remove files that may still be in use, and their interval.
const OLD_FILES_ATTEMPTS: u32 = 40;
const OLD_FILES_PAUSE: Duration = Duration::from_millis(50);

#[derive(Debug, Clone)]
pub struct Search(Arc<Inner>);

struct Inner {
    store: Store,
    place: IndexPlace,
    fields: Fields,
    segments: Arc<Segments>,
    open: RwLock<Option<Snapshot>>,
    writer: Mutex<Option<IndexWriter>>,
    reader: Mutex<Option<IndexReader>>,
    applied: watch::Sender<i64>,
    /// The last entry that a read has waited for.
    wanted: watch::Sender<i64>,
    /// Whether part of it could not be read, so that it has to be rebuilt.
    damaged: AtomicBool,
}

impl Drop for Inner {
    fn drop(&mut self) {
        let opened = self.writer.get_mut().is_ok_and(|writer| writer.is_some());
        if let IndexPlace::Folder(folder) = &self.place
            && opened
        {
            leave(folder);
        }
    }
}

impl std::fmt::Debug for Inner {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Search")
            .field("place", &self.place)
            .finish_non_exhaustive()
    }
}

#[derive(Clone)]
pub(super) struct Snapshot {
    pub(super) searcher: Searcher,
    pub(super) trees: Arc<Trees>,
    pub(super) fields: Fields,
    pub(super) segments: Arc<Segments>,
}

impl std::fmt::Debug for Snapshot {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Snapshot({} documents)", self.searcher.num_docs())
    }
}

#[derive(Debug, Serialize, Deserialize, PartialEq, Eq)]
struct Payload {
    /// The version of the release that built it.
    version: String,
    log_id: Uuid,
    seq: i64,
    /// The nonce of the entry `seq`: after a crash or a restored backup numbers repeat, nonces do
    /// not.
    nonce: Option<i64>,
}

impl Search {
    /// The index of a store; it answers once its consumer has opened it.
    #[must_use]
    pub fn new(store: Store, place: IndexPlace) -> Self {
        let (_, fields) = schema();
        Self(Arc::new(Inner {
            store,
            place,
            fields,
            segments: Arc::default(),
            open: RwLock::new(None),
            writer: Mutex::new(None),
            reader: Mutex::new(None),
            applied: watch::Sender::new(-1),
            wanted: watch::Sender::new(-1),
            damaged: AtomicBool::new(false),
        }))
    }

    #[must_use]
    pub fn consumer(&self) -> impl LogConsumer {
        IndexConsumer {
            search: self.clone(),
            took: Duration::ZERO,
        }
    }

    /// Rebuilds the index, whatever is in its folder; returns the entry of the log up to which it
    /// is complete.
    pub async fn reindex(&self) -> Result<i64> {
        self.close();
        if let IndexPlace::Folder(folder) = &self.0.place {
            remove(folder)?;
        }
        // A missing index is built.
        self.open().await
    }

    /// The last entry of the log that is searchable; -1 before the index is open.
    #[must_use]
    pub fn applied(&self) -> i64 {
        *self.0.applied.borrow()
    }

    #[must_use]
    pub fn documents(&self) -> Option<u64> {
        let open = self.0.open.read().unwrap_or_else(PoisonError::into_inner);
        open.as_ref().map(|snapshot| snapshot.searcher.num_docs())
    }

    pub(super) fn store(&self) -> &Store {
        &self.0.store
    }

    pub(super) fn secret(&self) -> &[u8] {
        &self.0.store.node().secret
    }

    /// Waits until an entry of the log is searchable; returns whether it is.
    pub async fn reaches(&self, seq: i64, patience: Duration) -> bool {
        let mut applied = self.0.applied.subscribe();
        if *applied.borrow() < seq {
            self.0.wanted.send_modify(|most| *most = seq.max(*most));
        }
        let reached = tokio::time::timeout(patience, applied.wait_for(|at| *at >= seq)).await;
        matches!(reached, Ok(Ok(_)))
    }

    /// The last entry of the log in a state with every write that this instance has acknowledged.
    ///
    /// # Errors
    /// [`StoreError::Behind`] if the index is not up to date in time.
    pub async fn position(&self) -> Result<i64> {
        let applied = self.applied();
        self.fresh().await?;
        Ok(applied.max(self.0.store.log().acknowledged()))
    }

    /// A state with every write that this instance has acknowledged.
    ///
    /// # Errors
    /// [`StoreError::Behind`] if the index is not up to date in time.
    pub(super) async fn fresh(&self) -> Result<Snapshot> {
        let wanted = self.0.store.log().acknowledged();
        if !self.reaches(wanted, PATIENCE).await {
            return Err(StoreError::Behind);
        }
        let open = self.0.open.read().unwrap_or_else(PoisonError::into_inner);
        open.clone().ok_or(StoreError::Behind)
    }

    /// Waits until the index contains the entry `seq`, however long that takes.
    pub(crate) async fn contains(&self, seq: i64) {
        let mut applied = self.0.applied.subscribe();
        // Its sender lives as long as this.
        let _ = applied.wait_for(|at| *at >= seq).await;
    }

    /// Opens the index, or builds it; returns the last entry that it contains.
    async fn open(&self) -> Result<i64> {
        self.close();
        let damaged = self.0.damaged.swap(false, Ordering::SeqCst);
        if damaged {
            // Readers wait until it is rebuilt.
            self.0.applied.send_replace(-1);
            *self.0.open.write().unwrap_or_else(PoisonError::into_inner) = None;
        }
        let Opened {
            index,
            writer,
            reader,
            payload,
        } = self.files(damaged).await?;
        let payload = payload.and_then(|text| serde_json::from_str::<Payload>(&text).ok());
        let good = match &payload {
            Some(payload) => self.is_of_this_log(payload).await?,
            None => false,
        };
        *lock(&self.0.writer) = Some(writer);
        *lock(&self.0.reader) = Some(reader);
        self.verify(index);
        let (seq, trees) = match payload {
            Some(payload) if good => {
                let trees = Trees::read(self.0.store.db().reader(), self.origin()).await?;
                (payload.seq, Arc::new(trees))
            }
            Some(_) | None => self.rebuild().await?,
        };
        self.publish(seq, trees).await?;
        Ok(seq)
    }

    /// Opens the files. Blocks a separate thread, not a worker.
    async fn files(&self, damaged: bool) -> Result<Opened> {
        let place = self.0.place.clone();
        let task = move || {
            let (schema, _) = schema();
            let folder = match &place {
                IndexPlace::Memory => return Ok(open(Index::create_in_ram(schema), BUFFER)?),
                IndexPlace::Folder(folder) => folder,
            };
            if damaged {
                remove(folder)?;
            }
            open_in(folder, schema, BUFFER)
        };
        let opened = tokio::task::spawn_blocking(task).await;
        opened.map_err(|why| StoreError::Search(why.to_string()))?
    }

    /// Compares the files with their checksums while they are in use.
    fn verify(&self, index: Index) {
        let inner = Arc::downgrade(&self.0);
        tokio::task::spawn_blocking(move || {
            if is_damaged(&index)
                && let Some(inner) = inner.upgrade()
            {
                Self(inner).note_damage("a checksum differs");
            }
        });
    }

    /// Records a read failure: the index is rebuilt as soon as its consumer checks.
    fn note_damage(&self, why: &str) {
        if !self.0.damaged.swap(true, Ordering::SeqCst) {
            tracing::error!(error = why, "search index damaged; rebuilding it");
        }
    }

    /// Reads from a state of the index on a separate thread, when it is this request's turn. Read
    /// failures cause a rebuild.
    pub(super) async fn read<T: Send + 'static>(
        &self,
        urgency: Urgency,
        work: impl FnOnce(&Meter) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        let permit = self.0.store.permits().take(urgency).await?;
        let meter = Meter::current();
        let counting = meter.clone();
        let pass = move || {
            let _permit = permit;
            counting.check()?;
            work(&counting)
        };
        let why = match tokio::task::spawn_blocking(pass).await {
            // A pass that was stopped midway read nothing wrong.
            Ok(Err(StoreError::Search(_))) if meter.is_stopped() => {
                return Err(StoreError::Abandoned);
            }
            Ok(Err(StoreError::Search(why))) => why,
            Ok(outcome) => return outcome,
            Err(why) => why.to_string(),
        };
        self.note_damage(&why);
        Err(StoreError::Behind)
    }

    /// Closes the folder; snapshots of readers remain valid.
    fn close(&self) {
        *lock(&self.0.writer) = None;
        *lock(&self.0.reader) = None;
    }

    async fn is_of_this_log(&self, payload: &Payload) -> Result<bool> {
        if payload.version != version() || payload.log_id != self.0.store.node().log_id {
            return Ok(false);
        }
        let log = self.0.store.feed().state().await?;
        let kept = (log.floor..=log.head).contains(&payload.seq);
        Ok(kept && self.nonce(payload.seq).await? == payload.nonce)
    }

    async fn nonce(&self, seq: i64) -> Result<Option<i64>> {
        let entry = change::Entity::find_by_id(seq)
            .one(self.0.store.db().reader())
            .await?;
        Ok(entry.map(|entry| entry.nonce))
    }

    /// Builds the index from the newest rows, all of one state of the database.
    async fn rebuild(&self) -> Result<(i64, Arc<Trees>)> {
        tracing::info!("rebuilding the search index");
        let tx = self.0.store.db().begin_read().await?;
        let head = node::Entity::find_by_id(1)
            .one(&tx)
            .await?
            .map_or(0, |node| node.head);
        let trees = Arc::new(Trees::read(&tx, self.origin()).await?);
        if let Some(writer) = &*lock(&self.0.writer) {
            writer.delete_all_documents()?;
        }
        let mut last = None;
        loop {
            let mut rows = record::Entity::find()
                .filter(record::Column::Kind.ne(Kind::Relationship.code()))
                .filter(record::Column::Suppressed.eq(false))
                .order_by_asc(record::Column::Id)
                .limit(CHUNK as u64);
            if let Some(last) = last {
                rows = rows.filter(record::Column::Id.gt(last));
            }
            let rows = rows.all(&tx).await?;
            let Some(end) = rows.last() else { break };
            last = Some(end.id);
            self.add(&tx, readable(rows), &trees).await?;
        }
        tx.commit().await?;
        self.write(Work::default(), Some(self.payload(head).await?))
            .await?;
        tracing::info!(head, "search index complete");
        Ok((head, trees))
    }

    /// Replaces the documents of these rows, without a commit, so that no more than a part of them
    /// is in memory at once.
    async fn add(&self, tx: &SqlTransaction, rows: Vec<Record>, trees: &Arc<Trees>) -> Result<()> {
        if rows.len() <= FEW {
            let work = Work::load(tx, rows, trees, &self.0.fields).await?;
            return self.write(work, None).await;
        }
        let ids = rows.iter().map(|row| row.id).collect();
        let degrees = edges::degrees(tx, &ids, trees).await?;
        let degree = |row: &Record| degrees.get(&row.id).copied().unwrap_or_default();
        let (mut part, mut edges) = (Vec::new(), 0);
        for row in rows {
            edges += degree(&row);
            part.push(row);
            if edges >= MAX_EDGES {
                edges = 0;
                let work = Work::load(tx, std::mem::take(&mut part), trees, &self.0.fields);
                self.write(work.await?, None).await?;
            }
        }
        let work = Work::load(tx, part, trees, &self.0.fields).await?;
        self.write(work, None).await
    }

    async fn payload(&self, seq: i64) -> Result<String> {
        let payload = Payload {
            version: version().to_owned(),
            log_id: self.0.store.node().log_id,
            seq,
            nonce: self.nonce(seq).await?,
        };
        serde_json::to_string(&payload).map_err(|why| StoreError::Search(why.to_string()))
    }

    /// Replaces documents, and commits if there is a payload.
    async fn write(&self, work: Work, payload: Option<String>) -> Result<()> {
        let fields = self.0.fields.clone();
        self.with_writer(move |writer| {
            work.write(writer, &fields)?;
            if let Some(payload) = payload {
                let mut commit = writer.prepare_commit()?;
                commit.set_payload(&payload);
                commit.commit()?;
            }
            Ok(())
        })
        .await
    }

    /// Uses the writer. Blocks a separate thread, not a worker.
    async fn with_writer<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut IndexWriter) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        let inner = self.0.clone();
        let task = move || {
            let mut writer = lock(&inner.writer);
            let writer = writer
                .as_mut()
                .ok_or_else(|| StoreError::Search("the index is closed".to_owned()))?;
            work(writer)
        };
        let done = tokio::task::spawn_blocking(task).await;
        done.map_err(|why| StoreError::Search(why.to_string()))?
    }

    async fn publish(&self, seq: i64, trees: Arc<Trees>) -> Result<()> {
        let searcher = {
            let reader = lock(&self.0.reader);
            let reader = reader
                .as_ref()
                .ok_or_else(|| StoreError::Search("the index is closed".to_owned()))?;
            reader.reload()?;
            reader.searcher()
        };
        let (segments, shown) = (self.0.segments.clone(), searcher.clone());
        let prepared = tokio::task::spawn_blocking(move || segments.show(&shown)).await;
        prepared.map_err(|why| StoreError::Search(why.to_string()))??;
        let snapshot = Snapshot {
            searcher,
            trees,
            fields: self.0.fields.clone(),
            segments: self.0.segments.clone(),
        };
        *self.0.open.write().unwrap_or_else(PoisonError::into_inner) = Some(snapshot);
        self.0.applied.send_replace(seq);
        Ok(())
    }

    /// Pauses, unless a read waits.
    async fn rest(&self, after: Duration) {
        let rest = (after * SHARE).clamp(*REST.start(), *REST.end());
        let applied = self.applied();
        let mut wanted = self.0.wanted.subscribe();
        let asked = wanted.wait_for(|most| *most > applied);
        // Either is a reason to continue.
        let _ = tokio::time::timeout(rest, asked).await;
    }

    pub(super) fn snapshot(&self) -> Option<Snapshot> {
        self.0
            .open
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    fn origin(&self) -> &str {
        &self.0.store.node().origin
    }

    async fn apply(&self, entries: &[Entry]) -> Result<()> {
        let Some(last) = entries.last() else {
            return Ok(());
        };
        let snapshot = self
            .snapshot()
            .ok_or_else(|| StoreError::Search("the index is closed".to_owned()))?;
        let tx = self.0.store.db().begin_read().await?;
        let touched = Touched::find(&tx, entries, &snapshot).await?;
        let trees = if touched.trees {
            Arc::new(Trees::read(&tx, self.origin()).await?)
        } else {
            snapshot.trees
        };
        let ids: Vec<Uuid> = touched.records.iter().copied().collect();
        let mut gone = touched.records;
        for chunk in ids.chunks(CHUNK) {
            let rows = record::Entity::find()
                .filter(record::Column::Id.is_in(chunk.iter().copied()))
                .filter(record::Column::Suppressed.eq(false))
                .all(&tx)
                .await?;
            let rows = readable(rows);
            for row in &rows {
                gone.remove(&row.id);
            }
            self.add(&tx, rows, &trees).await?;
        }
        tx.commit().await?;
        let mut work = Work::default();
        work.gone = gone;
        let payload = self.payload(last.seq).await?;
        let erased = entries.iter().any(|entry| entry.erased);
        if erased {
            // The cursor is saved with the following commit, so that a crash before it loses
            // nothing.
            let before = self.payload(self.applied()).await?;
            self.write(std::mem::take(&mut work), Some(before)).await?;
            self.with_writer(forget_deleted).await?;
        }
        self.write(work, Some(payload)).await?;
        self.publish(last.seq, trees).await?;
        if erased {
            self.remove_old_files().await?;
        }
        Ok(())
    }

    /// Removes the files of deleted documents, once they are no longer in use.
    async fn remove_old_files(&self) -> Result<()> {
        for _ in 0..OLD_FILES_ATTEMPTS {
            if self.with_writer(remove_unused_files).await? {
                return self.sync().await;
            }
            tokio::time::sleep(OLD_FILES_PAUSE).await;
        }
        tracing::warn!("files of erased documents are still in use; the next write removes them");
        Ok(())
    }

    /// Blocks a separate thread, not a worker.
    async fn sync(&self) -> Result<()> {
        let IndexPlace::Folder(folder) = &self.0.place else {
            return Ok(());
        };
        let folder = folder.clone();
        let synced = tokio::task::spawn_blocking(move || sync(&folder)).await;
        synced.map_err(|why| StoreError::Search(why.to_string()))?
    }
}

/// A poisoned lock only means that another thread panicked; the guarded value is replaced as a
/// whole.
fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

struct IndexConsumer {
    search: Search,
    /// How long the last entries took.
    took: Duration,
}

impl LogConsumer for IndexConsumer {
    fn name(&self) -> &'static str {
        "search index"
    }

    async fn cursor(&mut self) -> Result<i64> {
        self.search.open().await
    }

    async fn apply(&mut self, entries: &[Entry]) -> Result<()> {
        let begun = Instant::now();
        let outcome = self.search.apply(entries).await;
        self.took = begun.elapsed();
        outcome
    }

    fn page(&self) -> usize {
        MAX_ENTRIES
    }

    async fn rest(&mut self) {
        self.search.rest(self.took).await;
    }

    fn check(&self) -> Result<()> {
        if self.search.0.damaged.load(Ordering::SeqCst) {
            return Err(StoreError::Search("it is damaged".to_owned()));
        }
        Ok(())
    }
}
