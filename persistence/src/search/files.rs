//! The files of the index: its folder, and the removal of erased content.

use super::directory::{self, UnsyncedDirectory};
use crate::error::{Result, StoreError};
use std::fs::{self, File};
use std::io;
use std::path::Path;
use tantivy::directory::{Directory as _, INDEX_WRITER_LOCK, MmapDirectory};
use tantivy::error::DataCorruption;
use tantivy::merge_policy::LogMergePolicy;
use tantivy::schema::Schema;
use tantivy::{Index, IndexReader, IndexWriter, ReloadPolicy, SegmentMeta, TantivyError};

/// Maximum number of merges until no erased content is left.
const MERGE_ATTEMPTS: u32 = 20;

/// Maximum number of verifications during writes, before the index counts as damaged.
const VERIFY_ATTEMPTS: u32 = 5;

/// Rewrites the segments with deleted documents, whose words remain in their files until then.
pub(super) fn forget_deleted(writer: &mut IndexWriter) -> Result<()> {
    for _ in 0..MERGE_ATTEMPTS {
        let segments = writer.index().searchable_segment_metas()?;
        let dirty = segments.iter().filter(|segment| segment.has_deletes());
        let dirty: Vec<_> = dirty.map(SegmentMeta::id).collect();
        if dirty.is_empty() {
            return Ok(());
        }
        // An automatic merge of the writer may have been faster with one of them.
        if let Err(why) = writer.merge(&dirty).wait() {
            tracing::debug!(error = %why, "listing index segments again");
        }
    }
    Err(StoreError::Search(
        "cannot remove erased content from the files of the index".to_owned(),
    ))
}

/// Removes files that belong to no segment; returns whether none is left.
pub(super) fn remove_unused_files(writer: &mut IndexWriter) -> Result<bool> {
    writer.garbage_collect_files().wait()?;
    let index = writer.index();
    let segments = index.searchable_segment_metas()?;
    let used: Vec<String> = segments.iter().map(|one| one.id().uuid_string()).collect();
    let kept = index.directory().list_managed_files();
    // Files are named after their segments, except for the index-wide ones.
    let stale = kept.iter().any(|file| {
        let name = file.to_string_lossy();
        !name.ends_with(".json") && !used.iter().any(|id| name.starts_with(id))
    });
    Ok(!stale)
}

/// A file in the folder of an index while a process uses it: if it exists at startup, the previous
/// process was killed.
const IN_USE: &str = "in-use";

pub(super) struct Opened {
    pub(super) index: Index,
    pub(super) writer: IndexWriter,
    pub(super) reader: IndexReader,
    pub(super) payload: Option<String>,
}

/// Opens the index in a folder, or creates one. After a killed process all content is first
/// compared with its checksums.
pub(super) fn open_in(folder: &Path, schema: Schema, buffer: usize) -> Result<Opened> {
    if folder.is_file() {
        tracing::warn!(folder = %folder.display(), "a file is in the place of the search index; replacing it");
        fs::remove_file(folder).map_err(|why| in_folder(folder, &why))?;
    }
    fs::create_dir_all(folder).map_err(|why| in_folder(folder, &why))?;
    match try_open(folder, schema.clone(), buffer) {
        Ok(opened) => Ok(opened),
        Err(why @ TantivyError::LockFailure(..)) => Err(why.into()),
        Err(why) => {
            tracing::warn!(error = %why, folder = %folder.display(), "search index unusable; rebuilding it");
            remove(folder)?;
            fs::create_dir_all(folder).map_err(|why| in_folder(folder, &why))?;
            Ok(try_open(folder, schema, buffer)?)
        }
    }
}

fn try_open(folder: &Path, schema: Schema, buffer: usize) -> tantivy::Result<Opened> {
    let in_use = folder.join(IN_USE);
    if in_use.exists() {
        read_once(folder)?;
    }
    let index = Index::open_or_create(UnsyncedDirectory::open(folder)?, schema)?;
    if in_use.exists()
        && let Some(file) = index.validate_checksum()?.into_iter().next()
    {
        return Err(TantivyError::DataCorruption(DataCorruption::new(
            file,
            "its checksum differs".to_owned(),
        )));
    }
    let opened = open(index, buffer)?;
    mark_in_use(folder)?;
    Ok(opened)
}

/// Leaves a mark that a crash of the machine does not take: without it the files, which are not
/// synced, would be trusted afterwards.
fn mark_in_use(folder: &Path) -> io::Result<()> {
    File::create(folder.join(IN_USE))?.sync_all()?;
    File::open(folder)?.sync_all()
}

/// Reads all files: what the disk cannot give is an error here, but would end the process where the
/// file is mapped into memory.
fn read_once(folder: &Path) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_file() {
            io::copy(&mut File::open(path)?, &mut io::sink())?;
        }
    }
    Ok(())
}

pub(super) fn open(index: Index, buffer: usize) -> tantivy::Result<Opened> {
    let writer = index.writer_with_num_threads(1, buffer)?;
    writer.set_merge_policy(Box::new(merges()));
    let reader = index.reader_builder();
    Ok(Opened {
        writer,
        reader: reader.reload_policy(ReloadPolicy::Manual).try_into()?,
        payload: index.load_metas()?.payload,
        index,
    })
}

/// Merges segments of similar size only: by default all below 10 000 documents count as similar, and
/// every eighth commit rewrites all of them.
fn merges() -> LogMergePolicy {
    let mut policy = LogMergePolicy::default();
    policy.set_min_layer_size(200);
    // Six times as many documents.
    policy.set_level_log_size(2.6);
    policy.set_min_num_segments(6);
    policy.set_del_docs_ratio_before_merge(0.5);
    policy
}

/// Whether a file of an open index is damaged. Files that are merged away meanwhile are not.
pub(super) fn is_damaged(index: &Index) -> bool {
    for _ in 0..VERIFY_ATTEMPTS {
        match index.validate_checksum() {
            Ok(damaged) => return !damaged.is_empty(),
            Err(why) => tracing::debug!(error = %why, "verifying index files again"),
        }
    }
    true
}

pub(super) fn leave(folder: &Path) {
    // If it remains, the next process verifies the checksums.
    let _ = fs::remove_file(folder.join(IN_USE));
}

/// Removes an index, unless another process uses it.
pub(super) fn remove(folder: &Path) -> Result<()> {
    if !folder.exists() {
        return Ok(());
    }
    let directory = MmapDirectory::open(folder).map_err(TantivyError::from)?;
    let lock = directory.acquire_lock(&INDEX_WRITER_LOCK);
    let lock = lock.map_err(|why| TantivyError::LockFailure(why, None))?;
    fs::remove_dir_all(folder).map_err(|why| in_folder(folder, &why))?;
    drop(lock);
    Ok(())
}

/// Waits until the disk has the folder as it is, so that removed files do not come back.
pub(super) fn sync(folder: &Path) -> Result<()> {
    directory::sync(folder).map_err(|why| in_folder(folder, &why))
}

fn in_folder(folder: &Path, why: &io::Error) -> StoreError {
    StoreError::Search(format!(
        "the folder {} of the index: {why}",
        folder.display()
    ))
}
