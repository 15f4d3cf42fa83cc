//! The points of the documents of one segment, by document and by latitude.

use super::area::{Area, Spot};
use super::by_doc::ByDoc;
use super::doc_set::DocSet;
use super::fields::{LAT, LON};
use tantivy::{DocId, SegmentReader};

#[derive(Debug)]
pub(super) struct Points {
    by_doc: ByDoc<Spot>,
    by_latitude: Vec<(Spot, DocId)>,
}

impl Points {
    pub(super) fn read(reader: &SegmentReader) -> tantivy::Result<Self> {
        let columns = reader.fast_fields();
        let (lats, lons) = (columns.f64(LAT)?, columns.f64(LON)?);
        let mut by_doc = ByDoc::with_capacity(reader.max_doc());
        let mut by_latitude = Vec::new();
        for doc in 0..reader.max_doc() {
            let pairs = lats.values_for_doc(doc).zip(lons.values_for_doc(doc));
            by_doc.push(pairs.map(|(lat, lon)| Spot { lat, lon }));
            by_latitude.extend(by_doc.of(doc).iter().map(|spot| (*spot, doc)));
        }
        by_latitude.sort_by(|(a, _), (b, _)| a.lat.total_cmp(&b.lat));
        Ok(Self {
            by_doc,
            by_latitude,
        })
    }

    /// The distance of the nearest point of a document.
    pub(super) fn nearest(&self, doc: DocId, from: Spot) -> Option<f64> {
        let spots = self.by_doc.of(doc).iter();
        spots.map(|spot| from.distance(*spot)).reduce(f64::min)
    }

    /// The documents with a point in an area.
    pub(super) fn within(&self, area: &Area, docs: u32) -> DocSet {
        let (south, north) = area.latitudes();
        let first = self
            .by_latitude
            .partition_point(|(spot, _)| spot.lat < south);
        let band = self.by_latitude.iter().skip(first);
        let band = band.take_while(|(spot, _)| spot.lat <= north);
        let inside = band.filter(|(spot, _)| area.holds(*spot));
        DocSet::of(docs, inside.map(|(_, doc)| *doc))
    }
}
