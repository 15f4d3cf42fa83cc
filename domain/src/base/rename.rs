//! Members with another name in earlier releases.

use crate::base::pointer::{child, visit_mut};
use serde_json::Value;

/// A renamed member. Renames are only ever added, and a former name is not used again in its place:
/// copies and earlier versions contain it for as long as there are any.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rename {
    /// The objects that have the member: a JSON pointer in which `*` is every element or member.
    pub at: &'static str,
    pub from: &'static str,
    pub to: &'static str,
}

/// A former name in a sent body.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FormerName {
    pub pointer: String,
    pub name: &'static str,
    /// The pointer of the member under its current name.
    pub current: String,
    /// The current name.
    pub now: &'static str,
}

impl Rename {
    /// A member of the record itself.
    pub(crate) const fn member(from: &'static str, to: &'static str) -> Self {
        Self { at: "", from, to }
    }

    /// A member of objects in the record.
    pub(crate) const fn below(at: &'static str, from: &'static str, to: &'static str) -> Self {
        Self { at, from, to }
    }
}

/// Gives members their current names; returns whether the body has changed. An object with both
/// names keeps them.
pub fn apply(renames: &[Rename], body: &mut Value) -> bool {
    let mut changed = false;
    for rename in renames {
        visit_mut(body, rename.at, &mut |_, object| {
            let Some(members) = object.as_object_mut() else {
                return;
            };
            if members.contains_key(rename.to) {
                return;
            }
            if let Some(value) = members.shift_remove(rename.from) {
                members.insert(rename.to.to_owned(), value);
                changed = true;
            }
        });
    }
    changed
}

/// Removes former names from a sent body and returns their places; the values stay, under the
/// current names, so that they are validated too.
pub fn take(renames: &[Rename], body: &mut Value) -> Vec<FormerName> {
    let mut found: Vec<FormerName> = Vec::new();
    for rename in renames {
        visit_mut(body, rename.at, &mut |pointer, object| {
            let Some(members) = object.as_object_mut() else {
                return;
            };
            let Some(value) = members.shift_remove(rename.from) else {
                return;
            };
            members.entry(rename.to).or_insert(value);
            let here = child(pointer, rename.from);
            let current = child(pointer, rename.to);
            match found.iter_mut().find(|one| one.current == here) {
                // It was renamed twice.
                Some(one) => (one.current, one.now) = (current, rename.to),
                None => found.push(FormerName {
                    pointer: here,
                    name: rename.from,
                    current,
                    now: rename.to,
                }),
            }
        });
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    const RENAMES: &[Rename] = &[
        Rename::member("form", "network_type"),
        Rename::below("/ends/*/class", "form", "network_type"),
        Rename::member("network_type", "sort"),
    ];

    #[test]
    fn renames_apply_in_their_order_and_once() {
        let mut body = json!({"form": 1, "ends": [{"class": {"form": 2}}, {"form": 3}, 4]});
        assert!(apply(RENAMES, &mut body));
        let now = json!({"sort": 1, "ends": [{"class": {"network_type": 2}}, {"form": 3}, 4]});
        assert_eq!(body, now);
        assert!(!apply(RENAMES, &mut body));
        assert_eq!(body, now);
        for other in [json!([]), json!({"ends": 1}), json!("form"), Value::Null] {
            let mut same = other.clone();
            assert!(!apply(RENAMES, &mut same), "{other}");
            assert_eq!(same, other);
        }
    }

    #[test]
    fn what_has_both_names_keeps_them() {
        let both = json!({"form": 1, "network_type": 2});
        let mut body = both.clone();
        assert!(!apply(&RENAMES[..1], &mut body));
        assert_eq!(body, both);
        let found = take(&RENAMES[..1], &mut body);
        assert_eq!(body, json!({"network_type": 2}));
        let [one] = found.as_slice() else {
            panic!("{found:?}");
        };
        let places = (one.pointer.as_str(), one.current.as_str(), one.now);
        assert_eq!(places, ("/form", "/network_type", "network_type"));
        let twice = take(RENAMES, &mut json!({"form": 1}));
        let [one] = twice.as_slice() else {
            panic!("{twice:?}");
        };
        let places = (one.pointer.as_str(), one.current.as_str(), one.now);
        assert_eq!(places, ("/form", "/sort", "sort"));
    }
}
