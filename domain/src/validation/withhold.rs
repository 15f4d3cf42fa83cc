//! What is withheld of copies: content that could do harm where it is shown.
//!
//! Copies are read leniently, since their origin may run a newer release. But what the schema
//! promises for the safety of readers holds for them too: schemes of links, no raw HTML, slugs,
//! visible characters in names, and the types of members.

use crate::base::fault::{FaultCode, FieldError};
use crate::base::json;
use crate::base::pointer::prune;
use crate::validation::body::KindSchema;
use crate::value::text::is_deceptive;
use serde_json::Value;
use std::collections::BTreeSet;

impl KindSchema {
    /// Removes from a body with current names what is unsafe, and returns where it was; characters
    /// that deceive are removed from names alone.
    pub fn withhold(&self, body: &mut Value) -> Vec<String> {
        let mut errors = self.inspect(body).errors;
        let translated = self.translations(body, &errors);
        errors.extend(translated);
        let mut withheld = BTreeSet::new();
        let mut cuts = Vec::new();
        for error in errors.into_iter().filter(is_unsafe) {
            let name = body.pointer_mut(&error.pointer);
            match name.filter(|_| error.fault.code == FaultCode::DeceptiveCharacter) {
                Some(Value::String(name)) => name.retain(|letter| !is_deceptive(letter)),
                Some(_) | None => cuts.push(error.pointer.clone()),
            }
            withheld.insert(error.pointer);
        }
        if !cuts.is_empty() {
            *body = self.without(body, cuts);
        }
        withheld.into_iter().collect()
    }

    /// The body without the members at `cuts`, and without what cannot be without them: a link
    /// without its URL is none.
    fn without(&self, body: &Value, mut cuts: Vec<String>) -> Value {
        let incomplete = |body: &Value| -> BTreeSet<String> {
            let errors = self.inspect(body).errors;
            errors.iter().filter_map(incomplete).collect()
        };
        let before = incomplete(body);
        loop {
            let pruned = prune(body, &cuts);
            let more = incomplete(&pruned.value).into_iter();
            let more = more.map(|pointer| pruned.original(&pointer));
            let more: Vec<String> = more
                .filter(|pointer| !before.contains(pointer) && !cuts.contains(pointer))
                .collect();
            if more.is_empty() {
                return pruned.value;
            }
            cuts.extend(more);
        }
    }
}

/// A copy's body as it is served: canonical, with what was withheld of it; `None` if nothing was.
#[must_use]
pub fn withheld(schema: &KindSchema, body: &str) -> Option<(String, Vec<String>)> {
    let mut value: Value = serde_json::from_str(body).ok()?;
    let places = schema.withhold(&mut value);
    (!places.is_empty()).then(|| (json::canonical(&value), places))
}

/// The part of a body that lacks what it needs, except for the body itself.
fn incomplete(error: &FieldError) -> Option<String> {
    let part = match error.fault.code {
        FaultCode::Required => error.pointer.rsplit_once('/')?.0,
        FaultCode::EmptyEntry => &error.pointer,
        _ => return None,
    };
    (!part.is_empty()).then(|| part.to_owned())
}

fn is_unsafe(error: &FieldError) -> bool {
    if error.fault.code == FaultCode::IdentifierScheme {
        // A newer release may know more names; a URI is another matter.
        let given = error.fault.param("given");
        return given.is_some_and(|given| given.contains(':'));
    }
    [
        FaultCode::Url,
        FaultCode::RawHtml,
        FaultCode::LinkScheme,
        FaultCode::Slug,
        FaultCode::DeceptiveCharacter,
        FaultCode::Type,
    ]
    .contains(&error.fault.code)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::kind::Kind;
    use crate::base::vocabulary::Coded;
    use serde_json::json;

    fn withheld_of(kind: Kind, mut body: Value) -> (Value, Vec<String>) {
        let places = KindSchema::of(kind).withhold(&mut body);
        (body, places)
    }

    #[test]
    fn what_could_do_harm_is_withheld_and_nothing_else() {
        let sent = json!({
            "name": "Kli\u{202e}nik", "slug": "../admin", "tomorrow": {"url": "x"}, "category": "orbital",
            "identifiers": [
                {"scheme": "javascript:alert(1)", "value": "1"}, {"scheme": "star", "value": "7"},
            ],
            "contact": {"website": "javascript:alert(1)", "phone": "1"},
            "links": [
                {"url": "https://example.org", "rel": "related"},
                {"url": "data:text/html,x", "rel": "related"},
                {"url": "ftp://x", "rel": "related", "title": "Seite"},
            ],
            "description": "[x](javascript:x)",
            "summary": ["<script>"],
            "names": [{"value": "K\u{200b}K", "type": "short"}],
            "translations": {"en": {"description": "<img src=x onerror=y>", "name": "Clinic"}},
        });
        let (served, places) = withheld_of(Kind::Actor, sent);
        assert_eq!(
            served,
            json!({
                "name": "Klinik", "tomorrow": {"url": "x"}, "category": "orbital",
                "identifiers": [{"scheme": "star", "value": "7"}],
                "contact": {"phone": "1"},
                "links": [
                    {"url": "https://example.org", "rel": "related"},
                    {"rel": "related", "title": "Seite"},
                ],
                "names": [{"value": "KK", "type": "short"}],
                "translations": {"en": {"name": "Clinic"}},
            })
        );
        assert_eq!(
            places,
            [
                "/contact/website",
                "/description",
                "/identifiers/0/scheme",
                "/links/1/url",
                "/links/2/url",
                "/name",
                "/names/0/value",
                "/slug",
                "/summary",
                "/translations/en/description",
            ]
        );
    }

    #[test]
    fn what_is_sound_stays_as_it_is() {
        for kind in Kind::ALL {
            let example: Value = serde_json::from_str(KindSchema::of(*kind).example).unwrap();
            let (served, places) = withheld_of(*kind, example.clone());
            assert_eq!((served, places), (example, Vec::new()), "{kind}");
        }
        let unsound = json!({"nmae": "x", "founded": "someday", "category": 1});
        let (served, places) = withheld_of(Kind::Network, unsound.clone());
        assert_eq!((served, places), (unsound, Vec::new()));
    }
}
