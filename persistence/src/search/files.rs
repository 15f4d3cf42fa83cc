//! The files of the index: its folder, and what was erased taken out of them.

use crate::error::{Result, StoreError};
use std::path::Path;
use std::{fs, io};
use tantivy::directory::MmapDirectory;
use tantivy::schema::Schema;
use tantivy::{Index, IndexWriter, SegmentMeta};

/// How often segments are merged until nothing that was erased is left in them.
const MERGE_ATTEMPTS: u32 = 20;

/// Writes the segments anew that hold deleted documents, whose words are in their files until then.
pub(super) fn forget_deleted(writer: &mut IndexWriter) -> Result<()> {
    for _ in 0..MERGE_ATTEMPTS {
        let segments = writer.index().searchable_segment_metas()?;
        let dirty = segments.iter().filter(|segment| segment.has_deletes());
        let dirty: Vec<_> = dirty.map(SegmentMeta::id).collect();
        if dirty.is_empty() {
            return Ok(());
        }
        // A merge of the writer's own accord may have been faster with one of them.
        if let Err(why) = writer.merge(&dirty).wait() {
            tracing::debug!(%why, "segments are looked for once more");
        }
    }
    Err(StoreError::Search(
        "what was erased could not be removed from the files of the index".to_owned(),
    ))
}

/// Removes files that belong to no segment; whether none is left.
pub(super) fn remove_unused_files(writer: &mut IndexWriter) -> Result<bool> {
    writer.garbage_collect_files().wait()?;
    let index = writer.index();
    let segments = index.searchable_segment_metas()?;
    let used: Vec<String> = segments.iter().map(|one| one.id().uuid_string()).collect();
    let kept = index.directory().list_managed_files();
    // Files are named after their segments, but for those that describe them all.
    let stale = kept.iter().any(|file| {
        let name = file.to_string_lossy();
        !name.ends_with(".json") && !used.iter().any(|id| name.starts_with(id))
    });
    Ok(!stale)
}

/// Opens the index in a folder; what cannot be opened is thrown away and made anew, since all of
/// it can be made from the records.
pub(super) fn open_in(folder: &Path, schema: Schema) -> Result<Index> {
    fs::create_dir_all(folder).map_err(|why| in_folder(folder, &why))?;
    let directory =
        MmapDirectory::open(folder).map_err(|why| StoreError::Search(why.to_string()))?;
    match Index::open_or_create(directory, schema.clone()) {
        Ok(index) => Ok(index),
        Err(why) => {
            tracing::warn!(%why, folder = %folder.display(), "the search index cannot be used and is built anew");
            fs::remove_dir_all(folder).map_err(|why| in_folder(folder, &why))?;
            fs::create_dir_all(folder).map_err(|why| in_folder(folder, &why))?;
            Ok(Index::create_in_dir(folder, schema)?)
        }
    }
}

fn in_folder(folder: &Path, why: &io::Error) -> StoreError {
    StoreError::Search(format!(
        "the folder {} of the index: {why}",
        folder.display()
    ))
}
