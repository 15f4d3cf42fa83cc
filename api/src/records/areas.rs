//! Areas of regions on maps.

use crate::formats::Format;
use crate::http::problem::Problem;
use crate::operation::extract::{Parameter, wrong};
use crate::operation::param;
use domain::base::kind::Kind;
use persistence::Store;
use persistence::records::Record;
use std::collections::BTreeMap;
use uuid::Uuid;

/// GeoJSON geometries by the ids of their regions.
pub type Areas = BTreeMap<Uuid, String>;

/// Bytes of stored geometry in a response that is not streamed.
const MAX_GEOMETRY: usize = 32 * 1024 * 1024;

/// The parameter that lists accept with GeoJSON.
pub const GEOMETRY: Parameter = param::boolean(
    "geometry",
    "With GeoJSON: regions with their area instead of a point, as far as it is known; at most 32 MiB in all.",
);

/// Rejects `geometry=true` where it has no meaning.
pub fn check(geometry: bool, format: &dyn Format) -> Result<bool, Problem> {
    if geometry && !format.has_areas() {
        let expected = (
            "asked of GeoJSON (`format=geojson`)",
            "nur mit GeoJSON (`format=geojson`)",
        );
        return Err(wrong("geometry", "true", expected));
    }
    Ok(geometry)
}

pub fn regions<'a>(rows: impl IntoIterator<Item = &'a Record>) -> Vec<Uuid> {
    let regions = rows.into_iter().filter(|row| row.kind == Kind::Region);
    regions.map(|row| row.id).collect()
}

/// The stored geometries of rows, for a response that is not streamed.
pub async fn stored(store: &Store, rows: &[&Record]) -> Result<Areas, Problem> {
    let regions = regions(rows.iter().copied());
    if regions.is_empty() {
        return Ok(Areas::new());
    }
    let bytes: usize = store.geometries().sizes(&regions).await?.values().sum();
    if bytes > MAX_GEOMETRY {
        let most = bytes / 1024 / 1024;
        let expected = (
            format!(
                "asked of fewer regions: these have {most} MiB of geometry, and an answer holds 32 MiB; lower limit or export them"
            ),
            format!(
                "weniger Regionen: diese haben {most} MiB Geometrie, und eine Antwort fasst 32 MiB; verkleinern Sie limit oder nutzen Sie den Export"
            ),
        );
        return Err(wrong("geometry", "true", expected));
    }
    Ok(store.geometries().list(&regions).await?)
}
