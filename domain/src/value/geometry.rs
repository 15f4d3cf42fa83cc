//! The geometry of a region: a GeoJSON polygon or multi-polygon (RFC 7946).

use crate::fault::Fault;
use geojson::{GeometryValue, Position};
use serde_json::{Map, Value, json};

/// Checks that a value is a GeoJSON `Polygon` or `MultiPolygon` of closed rings on the earth.
///
/// # Errors
/// `geojson`, saying what is wrong.
pub fn check(value: &Value) -> Result<(), Fault> {
    let geometry = serde_json::from_value::<geojson::Geometry>(value.clone()).map_err(refuse)?;
    match geometry.value {
        GeometryValue::Polygon { coordinates } => polygon(&coordinates),
        GeometryValue::MultiPolygon { coordinates } if coordinates.is_empty() => {
            Err(refuse("it has no polygons"))
        }
        GeometryValue::MultiPolygon { coordinates } => {
            coordinates.iter().try_for_each(|one| polygon(one))
        }
        other => Err(refuse(format!(
            "a {} has no area; send a Polygon or a MultiPolygon",
            other.type_name()
        ))),
    }
}

fn refuse(why: impl ToString) -> Fault {
    Fault::new("geojson").with("why", why)
}

fn polygon(rings: &[Vec<Position>]) -> Result<(), Fault> {
    if rings.is_empty() {
        return Err(refuse("a polygon has at least one ring"));
    }
    rings.iter().try_for_each(|ring| closed(ring))
}

/// RFC 7946, 3.1.6: four or more positions, the first and the last equal.
fn closed(ring: &[Position]) -> Result<(), Fault> {
    let ends = ring.first().zip(ring.last());
    if ring.len() < 4 || ends.is_none_or(|(a, b)| a.as_slice() != b.as_slice()) {
        return Err(refuse(
            "a ring has four or more positions and ends where it began",
        ));
    }
    ring.iter().try_for_each(on_earth)
}

fn on_earth(position: &Position) -> Result<(), Fault> {
    match position.as_slice() {
        [lon, lat] | [lon, lat, _]
            if (-180.0..=180.0).contains(lon) && (-90.0..=90.0).contains(lat) =>
        {
            Ok(())
        }
        other => Err(refuse(format!(
            "{other:?} is no position; positions are [longitude, latitude] in degrees"
        ))),
    }
}

/// The JSON Schema of what [`check`] accepts, as components.
#[must_use]
pub fn components() -> Map<String, Value> {
    let position = json!({
        "type": "array",
        "description": "Longitude, latitude, optionally altitude (RFC 7946, 3.1.1).",
        "items": {"type": "number"},
        "minItems": 2,
        "maxItems": 3,
    });
    let ring = json!({"type": "array", "items": position, "minItems": 4});
    let polygon = json!({"type": "array", "items": ring, "minItems": 1});
    let geometry = json!({
        "description": "A GeoJSON geometry (RFC 7946) that has an area.",
        "oneOf": [
            {
                "title": "Polygon",
                "type": "object",
                "required": ["type", "coordinates"],
                "properties": {
                    "type": {"type": "string", "enum": ["Polygon"]},
                    "coordinates": polygon,
                },
            },
            {
                "title": "MultiPolygon",
                "type": "object",
                "required": ["type", "coordinates"],
                "properties": {
                    "type": {"type": "string", "enum": ["MultiPolygon"]},
                    "coordinates": {"type": "array", "items": polygon, "minItems": 1},
                },
            },
        ],
        "example": example(),
    });
    Map::from_iter([("Geometry".to_owned(), geometry)])
}

/// A small square around Bochum-Wattenscheid.
#[must_use]
pub fn example() -> Value {
    json!({
        "type": "Polygon",
        "coordinates": [[[7.1, 51.45], [7.18, 51.45], [7.18, 51.51], [7.1, 51.51], [7.1, 51.45]]],
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn closed_rings_on_the_earth_pass_and_nothing_else() {
        assert_eq!(check(&example()), Ok(()));
        let open =
            json!({"type": "Polygon", "coordinates": [[[7, 51], [8, 51], [8, 52], [7, 52]]]});
        let swapped = json!({"type": "Polygon", "coordinates": [[[51, 107], [51, 108], [52, 108], [51, 107]]]});
        let point = json!({"type": "Point", "coordinates": [7, 51]});
        for bad in [
            open,
            swapped,
            point,
            json!({"type": "Polygon"}),
            json!(1),
            json!({"type": "MultiPolygon", "coordinates": []}),
        ] {
            assert_eq!(check(&bad).unwrap_err().code, "geojson", "{bad}");
        }
    }
}
