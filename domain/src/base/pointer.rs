//! JSON pointers (RFC 6901): wildcards, and pruning values while keeping track of the original
//! positions.

use serde_json::Value;

#[derive(Debug, Clone)]
pub struct Pruned {
    pub value: Value,
    gone: Vec<(String, usize)>,
}

#[must_use]
pub fn child(pointer: &str, member: &str) -> String {
    format!("{pointer}/{}", member.replace('~', "~0").replace('/', "~1"))
}

/// Cuts the values at `pointers` out of `value`.
#[must_use]
pub fn prune(value: &Value, pointers: &[String]) -> Pruned {
    let mut paths: Vec<Vec<String>> = pointers
        .iter()
        .map(|pointer| pointer.split('/').skip(1).map(str::to_owned).collect())
        .collect();
    // Deepest and last first, so that the others keep their positions.
    paths.sort_by(|a, b| compare(b, a));
    paths.dedup();
    let mut rest = value.clone();
    let mut gone = Vec::new();
    for path in &paths {
        let Some((last, parents)) = path.split_last() else {
            continue;
        };
        let parent = pointer_of(parents);
        match rest.pointer_mut(&parent) {
            Some(Value::Object(members)) => {
                members.shift_remove(&last.replace("~1", "/").replace("~0", "~"));
            }
            Some(Value::Array(items)) => {
                if let Ok(index) = last.parse::<usize>()
                    && index < items.len()
                {
                    items.remove(index);
                    gone.push((parent, index));
                }
            }
            _ => {}
        }
    }
    gone.reverse();
    gone.sort_by_key(|(array, index)| (array.matches('/').count(), *index));
    Pruned { value: rest, gone }
}

impl Pruned {
    /// The pointer in the original of a location in the pruned value.
    #[must_use]
    pub fn original(&self, pointer: &str) -> String {
        let mut pointer = pointer.to_owned();
        for (array, index) in &self.gone {
            let Some(rest) = pointer
                .strip_prefix(array.as_str())
                .and_then(|rest| rest.strip_prefix('/'))
            else {
                continue;
            };
            let (number, tail) = match rest.split_once('/') {
                Some((number, tail)) => (number, format!("/{tail}")),
                None => (rest, String::new()),
            };
            if let Ok(number) = number.parse::<usize>()
                && number >= *index
            {
                pointer = format!("{array}/{}{tail}", number + 1);
            }
        }
        pointer
    }
}

fn pointer_of(segments: &[String]) -> String {
    segments
        .iter()
        .flat_map(|segment| ["/", segment.as_str()])
        .collect()
}

/// Document order of paths: array indices are compared as numbers.
fn compare(a: &[String], b: &[String]) -> std::cmp::Ordering {
    for (x, y) in a.iter().zip(b) {
        let order = match (x.parse::<usize>(), y.parse::<usize>()) {
            (Ok(x), Ok(y)) => x.cmp(&y),
            // Numbers before names: by text alone 2 < 10 < 1a < 2, and a sort may panic.
            (Ok(_), Err(_)) => std::cmp::Ordering::Less,
            (Err(_), Ok(_)) => std::cmp::Ordering::Greater,
            (Err(_), Err(_)) => x.cmp(y),
        };
        if order.is_ne() {
            return order;
        }
    }
    a.len().cmp(&b.len())
}

/// The values that a pointer with wildcards (`*` is every element, `-` the last one) matches.
#[must_use]
pub fn values<'a>(value: &'a Value, path: &str) -> Vec<&'a Value> {
    let mut found = vec![value];
    for segment in path.split('/').skip(1) {
        found = found
            .into_iter()
            .flat_map(|value| match (value, segment) {
                (Value::Array(items), "*") => items.iter().collect(),
                (Value::Array(items), "-") => items.last().into_iter().collect(),
                (Value::Object(members), "*") => members.values().collect::<Vec<_>>(),
                (Value::Object(members), name) => members.get(name).into_iter().collect(),
                _ => Vec::new(),
            })
            .collect();
    }
    found
}

/// Visits every value that a pointer with wildcards (`/places/*/region`; `*` is every index or
/// member) matches, with its pointer.
pub fn visit_mut(value: &mut Value, path: &str, visit: &mut impl FnMut(&str, &mut Value)) {
    let segments: Vec<&str> = path.split('/').skip(1).collect();
    descend(value, &segments, "", visit);
}

fn descend(value: &mut Value, path: &[&str], at: &str, visit: &mut impl FnMut(&str, &mut Value)) {
    let Some((first, rest)) = path.split_first() else {
        visit(at, value);
        return;
    };
    match (value, *first) {
        (Value::Array(items), "*") => {
            for (index, item) in items.iter_mut().enumerate() {
                descend(item, rest, &format!("{at}/{index}"), visit);
            }
        }
        (Value::Object(members), "*") => {
            for (name, member) in members {
                let at = child(at, name);
                descend(member, rest, &at, visit);
            }
        }
        (Value::Object(members), name) => {
            if let Some(member) = members.get_mut(name) {
                descend(member, rest, &format!("{at}/{name}"), visit);
            }
        }
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn paths_have_one_order() {
        let path = |segment: &str| vec![segment.to_owned()];
        let mut paths = ["1a", "10", "2", "a"].map(path);
        paths.sort_by(|a, b| compare(a, b));
        assert_eq!(paths, ["2", "10", "1a", "a"].map(path));
    }

    #[test]
    fn places_after_a_cut_are_told_as_they_were_sent() {
        let value = json!({"a": [0, 1, 2, {"b": [0, 1, 2]}], "c": 1});
        let cut = ["/a/0", "/a/2", "/a/3/b/1", "/c"].map(str::to_owned);
        let pruned = prune(&value, &cut);
        assert_eq!(pruned.value, json!({"a": [1, {"b": [0, 2]}]}));
        assert_eq!(pruned.original("/a/0"), "/a/1");
        assert_eq!(pruned.original("/a/1/b/1"), "/a/3/b/2");
        assert_eq!(pruned.original("/a/1/b/0"), "/a/3/b/0");
    }
}
