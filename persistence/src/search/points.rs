//! The points of the documents of one segment, by document and by latitude.

use super::area::{Area, Spot};
use super::doc_set::{DocSet, index_of};
use super::fields::{LAT, LON};
use tantivy::{DocId, SegmentReader};

#[derive(Debug)]
pub(super) struct Points {
    /// In the order of the documents; those of one are from its entry in `starts` to the next.
    spots: Vec<Spot>,
    starts: Vec<u32>,
    /// The same by latitude.
    by_latitude: Vec<(f64, u32, DocId)>,
}

impl Points {
    pub(super) fn read(reader: &SegmentReader) -> tantivy::Result<Self> {
        let columns = reader.fast_fields();
        let (lats, lons) = (columns.f64(LAT)?, columns.f64(LON)?);
        let mut spots = Vec::new();
        let mut starts = Vec::with_capacity(index_of(reader.max_doc()) + 1);
        let mut by_latitude = Vec::new();
        for doc in 0..reader.max_doc() {
            let start = u32::try_from(spots.len()).unwrap_or(u32::MAX);
            starts.push(start);
            let pairs = lats.values_for_doc(doc).zip(lons.values_for_doc(doc));
            for (at, (lat, lon)) in (start..).zip(pairs) {
                spots.push(Spot { lat, lon });
                by_latitude.push((lat, at, doc));
            }
        }
        starts.push(u32::try_from(spots.len()).unwrap_or(u32::MAX));
        by_latitude.sort_by(|a, b| a.0.total_cmp(&b.0));
        Ok(Self {
            spots,
            starts,
            by_latitude,
        })
    }

    pub(super) fn of(&self, doc: DocId) -> &[Spot] {
        let start = self.starts.get(index_of(doc));
        let end = self.starts.get(index_of(doc) + 1);
        let range = start
            .zip(end)
            .map(|(start, end)| index_of(*start)..index_of(*end));
        range
            .and_then(|range| self.spots.get(range))
            .unwrap_or_default()
    }

    /// The distance of the nearest point of a document.
    pub(super) fn nearest(&self, doc: DocId, from: Spot) -> Option<f64> {
        let distances = self.of(doc).iter().map(|spot| from.distance(*spot));
        distances.reduce(f64::min)
    }

    /// The documents with a point in an area.
    pub(super) fn within(&self, area: &Area, docs: u32) -> DocSet {
        let (south, north) = area.latitudes();
        let first = self.by_latitude.partition_point(|point| point.0 < south);
        let band = self.by_latitude.iter().skip(first);
        let band = band.take_while(|point| point.0 <= north);
        let inside = band.filter(|point| {
            let spot = self.spots.get(index_of(point.1));
            spot.is_some_and(|spot| area.holds(*spot))
        });
        DocSet::of(docs, inside.map(|point| point.2))
    }
}
