//! The geometry of a region: a GeoJSON polygon or multi-polygon (RFC 7946).

use crate::base::fault::{Fault, FaultCode};
use crate::value::place::Point;
use geojson::{GeometryValue, Position};
use serde_json::{Map, Value, json};

/// Checks that a value is a GeoJSON `Polygon` or `MultiPolygon` of closed rings on the earth.
///
/// # Errors
/// `geojson`, with the reason.
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
    Fault::new(FaultCode::Geojson).with("why", why)
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
            "a ring has four or more positions, the last equal to the first",
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
            "{other:?} is not a position; positions are [longitude, latitude] in degrees"
        ))),
    }
}

/// The location of a record: its own point, otherwise those of its places; parsed leniently, since
/// copies may have members that this release does not know.
#[must_use]
pub fn points(body: &Value) -> Vec<Point> {
    let read = |path| {
        let values = crate::base::pointer::values(body, path).into_iter();
        let points = values.filter_map(|value| serde_json::from_value::<Point>(value.clone()).ok());
        points.filter(|point| point.lat.abs() <= 90.0 && point.lon.abs() <= 180.0)
    };
    read("/point").chain(read("/places/*/point")).collect()
}

/// The GeoJSON geometry of a record as far as it has points: a `Point`, a `MultiPoint`, or `null`.
/// A region with a point of its own is there and not at its seats.
#[must_use]
pub fn of_record(body: &Value) -> Value {
    let mut points = points(body);
    if body.get("point").is_some() {
        points.truncate(1);
    }
    let mut positions: Vec<Value> = Vec::new();
    for point in points {
        let position = json!([point.lon, point.lat]);
        if !positions.contains(&position) {
            positions.push(position);
        }
    }
    match positions.as_slice() {
        [] => Value::Null,
        [one] => json!({"type": "Point", "coordinates": one}),
        many => json!({"type": "MultiPoint", "coordinates": many}),
    }
}

/// The JSON Schema of the values that [`check`] accepts, as components.
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
                "title": "GeoJsonPolygon",
                "type": "object",
                "required": ["type", "coordinates"],
                "properties": {
                    "type": {"type": "string", "enum": ["Polygon"]},
                    "coordinates": polygon,
                },
            },
            {
                "title": "GeoJsonMultiPolygon",
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

/// The JSON Schema of the results of [`of_record`] and of stored geometries, as a component; needs
/// [`components`] too.
#[must_use]
pub fn record_components() -> Map<String, Value> {
    let position = json!({
        "type": "array",
        "description": "Longitude, latitude (RFC 7946, 3.1.1).",
        "items": {"type": "number"},
        "minItems": 2,
        "maxItems": 2,
    });
    let form = |name: &str, coordinates: &Value| {
        json!({
            "title": format!("GeoJson{name}"),
            "type": "object",
            "required": ["type", "coordinates"],
            "properties": {
                "type": {"type": "string", "enum": [name]},
                "coordinates": coordinates,
            },
        })
    };
    let geometry = json!({
        "description": "Where the record is: a `Point`, a `MultiPoint` if it has several places, the area of a region if it was asked for, `null` if nothing is known.",
        "oneOf": [
            form("Point", &position),
            form("MultiPoint", &json!({"type": "array", "items": position, "minItems": 2})),
            {"$ref": format!("{}Geometry", crate::base::schema::COMPONENTS)},
            {"type": "null"},
        ],
    });
    Map::from_iter([("RecordGeometry".to_owned(), geometry)])
}

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
    fn a_record_is_where_its_points_are() {
        let place = |lat: f64, lon: f64| json!({"point": {"lat": lat, "lon": lon}});
        assert_eq!(
            of_record(&json!({"places": [{"city": "Kassel"}]})),
            Value::Null
        );
        assert_eq!(
            of_record(&json!({"places": [place(-90.0, 180.0), {"city": "Kassel"}]})),
            json!({"type": "Point", "coordinates": [180.0, -90.0]})
        );
        assert_eq!(
            of_record(&json!({"places": [place(0.0, -180.0), place(1.0, 2.0), place(1.0, 2.0)]})),
            json!({"type": "MultiPoint", "coordinates": [[-180.0, 0.0], [2.0, 1.0]]})
        );
        assert_eq!(
            of_record(&json!({"point": {"lat": 51.0, "lon": 7.0}, "places": [place(1.0, 2.0)]})),
            json!({"type": "Point", "coordinates": [7.0, 51.0]})
        );
        let odd = json!({"places": [place(91.0, 2.0), {"point": "here"}]});
        assert_eq!(of_record(&odd), Value::Null);
    }

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
            assert_eq!(check(&bad).unwrap_err().code.as_str(), "geojson", "{bad}");
        }
    }
}
