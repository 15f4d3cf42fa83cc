//! Maps: SVG in Web Mercator over an own base map, without requests to anyone else. An operator may
//! set a service of tiles instead.

use crate::pages::assets::ASSETS;
use crate::pages::layout::Visit;
use crate::pages::words::list;
use domain::value::place::Point;
use maud::{Markup, html};
use serde_json::Value;
use std::fmt::Write;
use uuid::Uuid;

/// Width of the world in units of the base map (`data/map/make.py`).
const WORLD: f64 = 65536.0;

/// A German state: its shape in the base map and its record.
#[derive(Debug)]
pub(super) struct State {
    /// ISO 3166-2.
    code: &'static str,
    pub(super) slug: &'static str,
}

impl State {
    /// The id of its record, which every node has.
    pub(super) fn id(&self) -> Uuid {
        domain::base::id::reference("urn:iso:std:iso:3166", self.code)
    }

    fn shape(&self) -> String {
        format!("{}#{}", ASSETS.map.path, self.code.to_ascii_lowercase())
    }
}

const fn state(code: &'static str, slug: &'static str) -> State {
    State { code, slug }
}

pub(super) const STATES: &[State] = &[
    state("DE-BW", "baden-wuerttemberg"),
    state("DE-BY", "bayern"),
    state("DE-BE", "berlin"),
    state("DE-BB", "brandenburg"),
    state("DE-HB", "bremen"),
    state("DE-HH", "hamburg"),
    state("DE-HE", "hessen"),
    state("DE-MV", "mecklenburg-vorpommern"),
    state("DE-NI", "niedersachsen"),
    state("DE-NW", "nordrhein-westfalen"),
    state("DE-RP", "rheinland-pfalz"),
    state("DE-SL", "saarland"),
    state("DE-SN", "sachsen"),
    state("DE-ST", "sachsen-anhalt"),
    state("DE-SH", "schleswig-holstein"),
    state("DE-TH", "thueringen"),
];

/// A record at a point; numbered in the order of the list.
#[derive(Debug)]
pub(super) struct Marker {
    pub(super) point: Point,
    pub(super) kind: &'static str,
    pub(super) title: String,
    /// The page of the record, unless the map is on it.
    pub(super) href: Option<String>,
}

/// How many records there are in a state.
#[derive(Debug)]
pub(super) struct Shade {
    pub(super) state: &'static State,
    pub(super) title: String,
    pub(super) count: u64,
    pub(super) href: String,
    pub(super) is_chosen: bool,
}

/// The first point of a record.
pub(super) fn point(record: &Value) -> Option<Point> {
    let places = list(record, "/places")
        .iter()
        .map(|place| place.pointer("/point"));
    let mut points = std::iter::once(record.pointer("/point"))
        .chain(places)
        .flatten();
    points.find_map(|point| serde_json::from_value(point.clone()).ok())
}

fn project(lon: f64, lat: f64) -> (f64, f64) {
    let lat = lat.clamp(-85.0, 85.0).to_radians();
    let y = (1.0 - lat.tan().asinh() / std::f64::consts::PI) / 2.0;
    ((lon + 180.0) / 360.0 * WORLD, y * WORLD)
}

/// A box in units of the base map.
#[derive(Debug, Clone, Copy)]
struct View {
    x: f64,
    y: f64,
    width: f64,
    height: f64,
}

/// Germany, the usual view.
const GERMANY: View = View {
    x: 33_760.0,
    y: 20_560.0,
    width: 1_860.0,
    height: 2_480.0,
};

impl View {
    /// The smallest view of points that still shows where in the world it is.
    fn around(points: &[(f64, f64)]) -> Option<Self> {
        let (first, rest) = points.split_first()?;
        let (mut west, mut north, mut east, mut south) = (first.0, first.1, first.0, first.1);
        for (x, y) in rest {
            (west, east) = (west.min(*x), east.max(*x));
            (north, south) = (north.min(*y), south.max(*y));
        }
        let height = ((south - north) * 1.4)
            .max((east - west) * 1.4 * 4.0 / 3.0)
            .max(700.0);
        let width = height * 3.0 / 4.0;
        Some(Self {
            x: f64::midpoint(west, east) - width / 2.0,
            y: f64::midpoint(north, south) - height / 2.0,
            width,
            height,
        })
    }

    fn has(&self, (x, y): (f64, f64)) -> bool {
        (self.x..self.x + self.width).contains(&x) && (self.y..self.y + self.height).contains(&y)
    }

    fn text(&self) -> String {
        format!(
            "{:.0} {:.0} {:.0} {:.0}",
            self.x, self.y, self.width, self.height
        )
    }

    /// The tiles of the view: address, place and size.
    fn tiles(&self, visit: &Visit) -> Vec<(String, f64, f64, f64)> {
        let Some(service) = &visit.site.tiles else {
            return Vec::new();
        };
        // About two tiles across.
        let mut zoom = 0;
        while zoom < 12 && WORLD / f64::from(1_u32 << zoom) > self.width / 1.6 {
            zoom += 1;
        }
        let count = 1_u32 << zoom;
        let size = WORLD / f64::from(count);
        let mut tiles = Vec::new();
        for x in 0..count {
            let left = f64::from(x) * size;
            if left + size < self.x || left > self.x + self.width {
                continue;
            }
            for y in 0..count {
                let top = f64::from(y) * size;
                if top + size >= self.y && top <= self.y + self.height {
                    tiles.push((service.url(zoom, x, y), left, top, size));
                }
            }
        }
        tiles
    }
}

/// Draws a map. It is a picture of what the page says in words, so it is hidden from screen readers
/// and the keyboard.
pub(super) fn draw(
    visit: &Visit,
    markers: &[Marker],
    shades: &[Shade],
    area: Option<&Value>,
) -> Markup {
    let mut points: Vec<(f64, f64)> = markers
        .iter()
        .map(|marker| project(marker.point.lon, marker.point.lat))
        .collect();
    let located = points.clone();
    if let Some(area) = area {
        corners(area, &mut points);
    }
    // A whole list is shown on the whole map, as long as it fits.
    let view = if area.is_none()
        && points.iter().all(|point| GERMANY.has(*point))
        && (!shades.is_empty() || points.is_empty())
    {
        GERMANY
    } else {
        View::around(&points).unwrap_or(GERMANY)
    };
    let most = shades
        .iter()
        .map(|shade| shade.count)
        .max()
        .unwrap_or(1)
        .max(1);
    let radius = view.height / 55.0;
    let tiles = view.tiles(visit);
    let map = &ASSETS.map.path;
    html! {
        svg.map viewBox=(view.text()) aria-hidden="true" preserveAspectRatio="xMidYMid meet" {
            @if tiles.is_empty() {
                use.land href=(format!("{map}#land")) {}
                @for state in STATES { use.state href=(state.shape()) {} }
            }
            @for (url, x, y, size) in &tiles {
                image href=(url) x=(format!("{x:.2}")) y=(format!("{y:.2}")) width=(format!("{size:.2}")) height=(format!("{size:.2}")) {}
            }
            @for shade in shades {
                a href=(shade.href) tabindex="-1" {
                    use.shade.chosen[shade.is_chosen] data-share=(share(shade.count, most)) href=(shade.state.shape()) {}
                    title { (shade.title) }
                }
            }
            @if let Some(path) = area.map(outline) { path.area d=(path) {} }
            @for ((at, marker), (x, y)) in markers.iter().enumerate().zip(&located) {
                @let pin = html! {
                    circle cx=(format!("{x:.1}")) cy=(format!("{y:.1}")) r=(format!("{radius:.1}")) {}
                    @if marker.href.is_some() {
                        text x=(format!("{x:.1}")) y=(format!("{:.1}", y + radius * 0.38)) font-size=(format!("{:.1}", radius * 1.1)) text-anchor="middle" { (at + 1) }
                    }
                    title { (marker.title) }
                };
                @match &marker.href {
                    Some(href) => a.pin href=(href) tabindex="-1" data-kind=(marker.kind) { (pin) },
                    None => g.pin data-kind=(marker.kind) { (pin) },
                }
            }
        }
        p.credit {
            @match &visit.site.tiles {
                Some(tiles) => (tiles.attribution),
                None => { (visit.t("Karte: ", "Map: ")) "Natural Earth" },
            }
        }
    }
}

/// The darkness of a state, 1 to 5.
fn share(count: u64, most: u64) -> u64 {
    (count * 5).div_ceil(most).clamp(1, 5)
}

/// The projected positions of a geometry.
fn corners(geometry: &Value, to: &mut Vec<(f64, f64)>) {
    match geometry {
        Value::Object(members) => {
            for name in ["geometry", "geometries", "features", "coordinates"] {
                if let Some(inner) = members.get(name) {
                    corners(inner, to);
                }
            }
        }
        Value::Array(items) => match items.as_slice() {
            [Value::Number(lon), Value::Number(lat), ..] => {
                if let (Some(lon), Some(lat)) = (lon.as_f64(), lat.as_f64()) {
                    to.push(project(lon, lat));
                }
            }
            items => items.iter().for_each(|item| corners(item, to)),
        },
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

/// Most positions of an outline; of finer ones some are left out.
const MOST_POSITIONS: usize = 4000;

/// The rings of a geometry as a path.
fn outline(geometry: &Value) -> String {
    let mut all = Vec::new();
    corners(geometry, &mut all);
    let step = all.len().div_ceil(MOST_POSITIONS).max(1);
    let mut path = String::new();
    rings(geometry, &mut |ring| {
        let mut points = Vec::new();
        corners(ring, &mut points);
        for (at, (x, y)) in points.iter().step_by(step).enumerate() {
            let command = if at == 0 { 'M' } else { 'L' };
            // Writing to a string cannot fail.
            let _ = write!(path, "{command}{x:.1} {y:.1}");
        }
        path.push('Z');
    });
    path
}

/// Calls `found` with every list of positions.
fn rings(geometry: &Value, found: &mut impl FnMut(&Value)) {
    match geometry {
        Value::Object(members) => {
            for name in ["geometry", "geometries", "features", "coordinates"] {
                if let Some(inner) = members.get(name) {
                    rings(inner, found);
                }
            }
        }
        Value::Array(items) => {
            let is_ring = items
                .first()
                .and_then(|first| first.get(0))
                .is_some_and(Value::is_number);
            if is_ring {
                found(geometry);
            } else {
                for item in items {
                    rings(item, found);
                }
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn places_are_where_the_base_map_has_them() {
        let map = include_str!("../../../data/map/europe.svg");
        for state in STATES {
            let id = format!("id=\"{}\"", state.code.to_ascii_lowercase());
            assert!(map.contains(&id), "{id}");
        }
        // Kassel is in Germany, and not at its edge.
        let (x, y) = project(9.48, 51.31);
        assert!(GERMANY.has((x, y)));
        let view = View::around(&[(x, y)]).unwrap();
        assert!(view.has((x, y)) && view.width < GERMANY.width);
    }

    #[test]
    fn outlines_are_bounded() {
        let ring: Vec<_> = (0..50_000)
            .map(|at| json!([9.0 + f64::from(at) / 1e6, 51.0]))
            .collect();
        let area =
            json!({"type": "Feature", "geometry": {"type": "Polygon", "coordinates": [ring]}});
        let path = outline(&area);
        assert!(
            path.matches('L').count() <= MOST_POSITIONS,
            "{}",
            path.len()
        );
        assert!(path.starts_with('M') && path.ends_with('Z'));
    }
}
