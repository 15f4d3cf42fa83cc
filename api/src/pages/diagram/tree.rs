//! The layout of a diagram.

use crate::pages::layout::Visit;
use crate::pages::parts::page_of_id;
use crate::pages::words::{class, kind, text};
use domain::base::kind::Kind;
use domain::base::vocabulary::Coded;
use domain::kinds::relationship::RelationshipType;
use serde_json::Value;
use std::collections::BTreeMap;

/// The end of an edge: a record by its id, or an open end in the words of the source.
fn end_key(edge: &Value, end: &str) -> Option<String> {
    text(edge, &format!("/{end}/id")).map(str::to_owned)
}

pub(super) fn open_end(end: &Value, visit: &Visit) -> String {
    let stated = text(end, "/as_stated").map(|stated| {
        visit
            .t(&format!("„{stated}“"), &format!("“{stated}”"))
            .to_owned()
    });
    let class = end.pointer("/class").map(|one| class(one, visit.locale));
    stated.or(class).unwrap_or_default()
}

/// How an edge reads from one of its ends.
fn label<'v>(edge: &'v Value, at_from: bool, visit: &Visit) -> &'v str {
    let code = text(edge, "/type").unwrap_or_default();
    let inverse =
        RelationshipType::parse(code).map(|one| visit.locale.label(one.rule().inverse_labels));
    let own = text(edge, "/label").unwrap_or(code);
    if at_from { own } else { inverse.unwrap_or(own) }
}

/// A point of the drawing.
pub(super) struct Spot {
    pub(super) name: String,
    /// How the relationship reads from the point it hangs on.
    pub(super) label: String,
    pub(super) kind: Option<Kind>,
    pub(super) href: Option<String>,
    pub(super) parent: Option<usize>,
    pub(super) depth: u32,
    pub(super) x: f64,
    pub(super) y: f64,
}

/// A tree on both sides of the record in the middle: every name has a row of its own, so that none
/// covers another, however many there are.
pub(super) struct Layout {
    pub(super) spots: Vec<Spot>,
    /// Edges that are not part of the tree: their ends and labels.
    pub(super) others: Vec<(usize, usize, String)>,
    pub(super) depth: u32,
    pub(super) width: f64,
    pub(super) top: f64,
    pub(super) height: f64,
}

/// Distances of columns and rows.
const COLUMN: f64 = 290.0;

const ROW: f64 = 42.0;

impl Layout {
    pub(super) fn of(visit: &Visit, vertices: &[Value], edges: &[Value]) -> Self {
        let mut spots: Vec<Spot> = Vec::new();
        let mut places: BTreeMap<&str, usize> = BTreeMap::new();
        for vertex in vertices {
            let id = text(vertex, "/id").unwrap_or_default();
            let depth = vertex
                .pointer("/distance")
                .and_then(Value::as_u64)
                .unwrap_or_default();
            places.insert(id, spots.len());
            spots.push(Spot {
                name: text(vertex, "/name").unwrap_or_default().to_owned(),
                label: String::new(),
                kind: kind(vertex),
                href: page_of_id(vertex, visit.locale),
                parent: None,
                depth: u32::try_from(depth).unwrap_or(u32::MAX),
                x: 0.0,
                y: 0.0,
            });
        }
        let mut others = Vec::new();
        for edge in edges {
            let at = |end: &str| end_key(edge, end).and_then(|id| places.get(id.as_str()).copied());
            match (at("from"), at("to")) {
                (Some(from), Some(to)) => {
                    let depth = |at: usize| spots.get(at).map_or(0, |spot| spot.depth);
                    let (near, far) = if depth(from) <= depth(to) {
                        (from, to)
                    } else {
                        (to, from)
                    };
                    let label = label(edge, near == from, visit).to_owned();
                    let is_next = depth(far) == depth(near) + 1;
                    match spots
                        .get_mut(far)
                        .filter(|spot| is_next && spot.parent.is_none())
                    {
                        Some(spot) => {
                            spot.parent = Some(near);
                            spot.label = label;
                        }
                        None => others.push((near, far, label)),
                    }
                }
                (Some(at), None) | (None, Some(at)) => {
                    let at_from = end_key(edge, "from").is_some();
                    let end = edge
                        .pointer(if at_from { "/to" } else { "/from" })
                        .unwrap_or(&Value::Null);
                    let depth = spots.get(at).map_or(0, |spot| spot.depth);
                    spots.push(Spot {
                        name: open_end(end, visit),
                        label: label(edge, at_from, visit).to_owned(),
                        kind: None,
                        href: None,
                        parent: Some(at),
                        depth: depth + 1,
                        x: 0.0,
                        y: 0.0,
                    });
                }
                (None, None) => {}
            }
        }
        let mut layout = Self {
            spots,
            others,
            depth: 0,
            width: 0.0,
            top: 0.0,
            height: 0.0,
        };
        layout.place();
        layout
    }

    fn place(&mut self) {
        let mut children: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
        for (at, spot) in self.spots.iter().enumerate() {
            if let Some(parent) = spot.parent {
                children.entry(parent).or_default().push(at);
            }
        }
        // What reads the same stands together.
        for list in children.values_mut() {
            list.sort_by_key(|at| {
                self.spots
                    .get(*at)
                    .map(|spot| (spot.label.clone(), spot.name.clone()))
            });
        }
        let mut rows = BTreeMap::new();
        count(0, &children, &mut rows);
        let first = children.get(&0).cloned().unwrap_or_default();
        let all: usize = first
            .iter()
            .map(|at| rows.get(at).copied().unwrap_or(1))
            .sum();
        let (mut right, mut left, mut so_far) = (Vec::new(), Vec::new(), 0);
        for at in first {
            // Few names are easier to read on one side.
            if all <= 6 || so_far * 2 < all {
                right.push(at);
            } else {
                left.push(at);
            }
            so_far += rows.get(&at).copied().unwrap_or(1);
        }
        let mut most: f64 = 0.0;
        for (side, list) in [(1.0, &right), (-1.0, &left)] {
            let count: usize = list
                .iter()
                .map(|at| rows.get(at).copied().unwrap_or(1))
                .sum();
            let height = as_float(count) * ROW;
            most = most.max(height);
            let mut y = -height / 2.0;
            for at in list {
                self.branch(*at, side, &mut y, &children);
            }
        }
        self.depth = self.spots.iter().map(|spot| spot.depth).max().unwrap_or(0);
        // The names of the last column need a column too.
        self.width = 2.0 * (f64::from(self.depth) + 1.0) * COLUMN;
        self.top = -most / 2.0 - 50.0;
        self.height = most + 100.0;
    }

    /// Places a branch; no branch is deeper than the graph, which has three steps.
    fn branch(
        &mut self,
        at: usize,
        side: f64,
        y: &mut f64,
        children: &BTreeMap<usize, Vec<usize>>,
    ) {
        let below = children.get(&at).cloned().unwrap_or_default();
        let from = *y;
        if below.is_empty() {
            *y += ROW;
        }
        for child in below {
            self.branch(child, side, y, children);
        }
        if let Some(spot) = self.spots.get_mut(at) {
            spot.x = side * f64::from(spot.depth) * COLUMN;
            spot.y = f64::midpoint(from, *y);
        }
    }
}

fn as_float(count: usize) -> f64 {
    f64::from(u32::try_from(count).unwrap_or(u32::MAX))
}

/// Counts the rows of every branch.
fn count(
    at: usize,
    children: &BTreeMap<usize, Vec<usize>>,
    rows: &mut BTreeMap<usize, usize>,
) -> usize {
    let below = children.get(&at);
    let sum = below.map_or(1, |below| {
        below
            .iter()
            .map(|child| count(*child, children, rows))
            .sum()
    });
    rows.insert(at, sum);
    sum
}

#[cfg(test)]
mod tests {
    use super::*;

    fn spot(name: &str, parent: Option<usize>, depth: u32) -> Spot {
        Spot {
            name: name.to_owned(),
            label: String::new(),
            kind: None,
            href: None,
            parent,
            depth,
            x: 0.0,
            y: 0.0,
        }
    }

    #[test]
    fn no_name_covers_another() {
        let mut spots = vec![spot("centre", None, 0)];
        for at in 0..40 {
            spots.push(spot(&format!("near {at}"), Some(0), 1));
        }
        for at in 0..60 {
            spots.push(spot(&format!("far {at}"), Some(1 + at % 7), 2));
        }
        let mut layout = Layout {
            spots,
            others: Vec::new(),
            depth: 0,
            width: 0.0,
            top: 0.0,
            height: 0.0,
        };
        layout.place();
        for (at, one) in layout.spots.iter().enumerate() {
            for other in layout.spots.iter().skip(at + 1) {
                let apart =
                    (one.x - other.x).abs() >= COLUMN - 1.0 || (one.y - other.y).abs() >= ROW - 1.0;
                assert!(apart, "{} {}", one.name, other.name);
            }
            assert!(one.y > layout.top && one.y < layout.top + layout.height);
            assert!(one.x.abs() < layout.width / 2.0);
        }
    }
}
