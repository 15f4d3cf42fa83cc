//! Bodies with former names of members, as this release would have written them.

use crate::base::fault::{Fault, FaultCode, FieldError};
use crate::base::json::canonical;
use crate::base::kind::Kind;
use crate::base::rename::{FormerName, apply, take};
use crate::base::vocabulary::Coded;
use crate::validation::body::KindSchema;
use serde_json::Value;

/// Number of members renamed so far. Bodies with this number are up to date; a larger number comes
/// from a newer release.
#[must_use]
pub fn body_format() -> i32 {
    let renamed = Kind::ALL
        .iter()
        .map(|kind| KindSchema::of(*kind).renames.len());
    i32::try_from(renamed.sum::<usize>()).unwrap_or(i32::MAX)
}

/// The kinds with renamed members.
#[must_use]
pub fn kinds_with_renames() -> Vec<Kind> {
    let kinds = Kind::ALL.iter().copied();
    kinds
        .filter(|kind| !KindSchema::of(*kind).renames.is_empty())
        .collect()
}

/// Gives the members of a body their current names; returns whether the body has changed.
pub fn upgrade(kind: Kind, body: &mut Value) -> bool {
    apply(KindSchema::of(kind).renames, body)
}

/// The canonical body with current names; `None` if it has no former names.
#[must_use]
pub fn upgraded(kind: Kind, body: &str) -> Option<String> {
    let renames = KindSchema::of(kind).renames;
    // Most bodies have none, and searching for a word costs less than parsing.
    let names = |name: &str| body.contains(&format!("\"{name}\":"));
    if !renames.iter().any(|rename| names(rename.from)) {
        return None;
    }
    let mut value: Value = serde_json::from_str(body).ok()?;
    apply(renames, &mut value).then(|| canonical(&value))
}

/// The current name of a member of a kind, if `name` is a former name.
#[must_use]
pub fn renamed(kind: Kind, name: &str) -> Option<&'static str> {
    let renames = KindSchema::of(kind).renames.iter();
    renames
        .filter(|rename| rename.at.is_empty())
        .fold(None, |now, rename| {
            (now.unwrap_or(name) == rename.from)
                .then_some(rename.to)
                .or(now)
        })
}

impl KindSchema {
    /// Removes former names from a sent body.
    pub(super) fn reject_former_names(&self, body: &mut Value) -> FormerNames {
        FormerNames(take(self.renames, body))
    }
}

/// The former names in a sent body.
pub(super) struct FormerNames(Vec<FormerName>);

impl FormerNames {
    pub(super) fn errors(&self) -> impl Iterator<Item = FieldError> {
        self.0.iter().map(|found| {
            let fault = Fault::new(FaultCode::RenamedMember)
                .with("given", found.name)
                .with("now", found.now);
            FieldError::new(&found.pointer, fault)
        })
    }

    /// The pointer of a place in the body as sent.
    pub(super) fn original(&self, pointer: String) -> String {
        for found in &self.0 {
            let rest = pointer.strip_prefix(&found.current);
            if let Some(rest) = rest.filter(|rest| rest.is_empty() || rest.starts_with('/')) {
                return format!("{}{rest}", found.pointer);
            }
        }
        pointer
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::fault::Lang;
    use serde_json::json;

    #[test]
    fn bodies_are_read_with_current_names() {
        let old = r#"{"form":"cluster","name":"A"}"#;
        let new = r#"{"name":"A","network_type":"cluster"}"#;
        assert_eq!(upgraded(Kind::Network, old).as_deref(), Some(new));
        assert_eq!(upgraded(Kind::Network, new), None);
        // The word alone is not a member.
        assert_eq!(upgraded(Kind::Network, r#"{"name":"form"}"#), None);
        assert_eq!(upgraded(Kind::Actor, old), None);
        let old = r#"{"format":"workshop"}"#;
        let new = r#"{"event_type":"workshop"}"#;
        assert_eq!(upgraded(Kind::Event, old).as_deref(), Some(new));
        let class = |name: &str| json!({"class": {"kind": "network", name: "cluster"}});
        let mut project = json!({
            "outcomes": [{"available_at": class("form")}],
            "translations": {"en": {"outcomes": [{"available_at": class("form")}]}},
        });
        assert!(upgrade(Kind::Project, &mut project));
        let now = json!({
            "outcomes": [{"available_at": class("network_type")}],
            "translations": {"en": {"outcomes": [{"available_at": class("network_type")}]}},
        });
        assert_eq!(project, now);
        let mut relationship = json!({"from": class("form"), "to": class("form")});
        assert!(upgrade(Kind::Relationship, &mut relationship));
        let now = json!({"from": class("network_type"), "to": class("network_type")});
        assert_eq!(relationship, now);
    }

    #[test]
    fn a_former_name_is_rejected_with_the_current_one() {
        let schema = KindSchema::of(Kind::Network);
        let sent = json!({"name": "A", "form": "clubs", "home_region": "hessen"});
        let checked = schema.check(sent);
        let places: Vec<_> = checked
            .errors
            .iter()
            .map(|one| (one.pointer.as_str(), one.fault.code.as_str()))
            .collect();
        assert_eq!(
            places,
            [("/form", "renamed-member"), ("/form", "unknown-code")]
        );
        let message = |lang| checked.errors.first().map(|one| one.fault.message(lang));
        let en = "\"form\" is called \"network_type\" now";
        assert_eq!(message(Lang::En).as_deref(), Some(en));
        let de = "„form“ heißt jetzt „network_type“";
        assert_eq!(message(Lang::De).as_deref(), Some(de));
        let both = json!({"name": "A", "form": "cluster", "network_type": "cluster"});
        let errors = schema.check(both).errors;
        assert_eq!(errors.len(), 1, "{errors:?}");
        let class = json!({
            "type": "participates_in",
            "from": {"class": {"kind": "network", "form": "cluster"}, "as_stated": "a"},
            "to": {"kind": "project", "slug": "b"},
        });
        let errors = KindSchema::of(Kind::Relationship).check(class).errors;
        let places: Vec<_> = errors.iter().map(|one| one.pointer.as_str()).collect();
        assert_eq!(places, ["/from/class/form"]);
    }

    #[test]
    fn former_names_are_not_used_again_and_new_ones_exist() {
        for kind in Kind::ALL {
            let schema = KindSchema::of(*kind);
            for rename in schema.renames.iter().filter(|rename| rename.at.is_empty()) {
                let is_member = |name: &str| schema.members.iter().any(|one| one == name);
                assert!(!is_member(rename.from), "{kind}: {rename:?}");
                assert!(is_member(rename.to), "{kind}: {rename:?}");
            }
        }
    }
}
