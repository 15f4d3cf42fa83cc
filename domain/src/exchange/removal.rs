//! Members that a change removes.

use serde_json::Value;

/// The members of `old` that `new` lacks, as dotted paths; `topics[]` is a list that became
/// shorter. References and ends of relationships are single values.
#[must_use]
pub fn removed(old: &Value, new: &Value) -> Vec<String> {
    let mut found = Vec::new();
    compare(old, new, "", &mut found);
    found
}

fn compare(old: &Value, new: &Value, path: &str, found: &mut Vec<String>) {
    match (old, new) {
        (Value::Object(old), Value::Object(new)) => {
            if !path.is_empty() && (old.contains_key("kind") || new.contains_key("kind")) {
                return;
            }
            for (member, value) in old {
                let path = match path {
                    "" => member.clone(),
                    _ => format!("{path}.{member}"),
                };
                match new.get(member) {
                    Some(new) => compare(value, new, &path, found),
                    None => add(found, path),
                }
            }
        }
        (Value::Array(old), Value::Array(new)) if new.len() < old.len() => {
            add(found, format!("{path}[]"));
        }
        (Value::Array(old), Value::Array(new)) if new.len() == old.len() => {
            for (old, new) in old.iter().zip(new) {
                compare(old, new, path, found);
            }
        }
        _ => {}
    }
}

fn add(found: &mut Vec<String>, path: String) {
    if !found.contains(&path) {
        found.push(path);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn what_a_change_removes_is_named_once() {
        let old = json!({
            "name": "A", "summary": "s", "topics": ["a", "b"], "contact": {"phone": "1", "email": "a@b.de"},
            "places": [{"city": "K", "street": "1"}, {"city": "F", "street": "2"}],
            "from": {"kind": "actor", "id": "1"},
        });
        assert_eq!(removed(&old, &old), [""; 0]);
        let new = json!({
            "name": "B", "topics": ["c"], "contact": {"phone": "2"},
            "places": [{"city": "K"}, {"city": "F"}],
            "from": {"kind": "actor", "slug": "a"}, "more": 1,
        });
        let expected = ["summary", "topics[]", "contact.email", "places.street"];
        assert_eq!(removed(&old, &new), expected);
    }
}
