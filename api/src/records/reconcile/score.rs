//! How well a record fits what someone typed for it, from 0 to 100.

use domain::base::kind::Kind;
use domain::matching::score::{Candidate, score};
use domain::value::text::slugify;
use serde_json::{Value, json};

/// A name of the record, letter for letter or but for case, umlauts and signs.
const SAME_NAME: f64 = 100.0;

/// A former, short or translated name, or an acronym.
const FURTHER_NAME: f64 = 97.0;

/// The most that a name that only resembles gets: a person decides.
const MOST_SIMILAR: f64 = 80.0;

/// The score of a record for a query text and further members of a body, such as `places`.
pub(super) fn query_score(query: &str, more: &Value, (kind, body): (Kind, &Value)) -> f64 {
    let wanted = slugify(query);
    let name = body.get("name").and_then(Value::as_str).unwrap_or_default();
    let values = |list: &str| {
        let list = body
            .get(list)
            .and_then(Value::as_array)
            .into_iter()
            .flatten();
        let values = list.filter_map(|one| one.get("value")?.as_str());
        values.map(str::to_owned).collect::<Vec<_>>()
    };
    let translations = body.get("translations").and_then(Value::as_object);
    let translated = translations.into_iter().flatten();
    let translated =
        translated.filter_map(|(_, texts)| Some(texts.get("name")?.as_str()?.to_owned()));
    let further: Vec<String> = values("names").into_iter().chain(translated).collect();
    let plain = |text: &str| {
        text.chars()
            .filter(|char| char.is_alphanumeric())
            .collect::<String>()
    };
    let typed_key = plain(query).to_lowercase();
    // Of an identifier that is an address people type the end.
    let is_identifier = |value: &String| {
        let end = value.rsplit('/').next().unwrap_or_default();
        let mut keys = [value.as_str(), end]
            .into_iter()
            .map(|key| plain(key).to_lowercase());
        !typed_key.is_empty() && keys.any(|key| key == typed_key)
    };
    let mut typed = json!({"name": query});
    if let (Some(typed), Some(more)) = (typed.as_object_mut(), more.as_object()) {
        typed.extend(more.clone());
    }
    let candidates = Candidate::of(kind, &typed).zip(Candidate::of(kind, body));
    let likeness = candidates.and_then(|(typed, candidate)| score(&typed, &candidate));
    let likeness = likeness.map_or(0.0, |likeness| (likeness.score * 100.0).round());
    if values("identifiers").iter().any(is_identifier) {
        return SAME_NAME;
    }
    if !wanted.is_empty() && slugify(name) == wanted {
        // The same name in another town may be another one.
        return if likeness < 50.0 { likeness } else { SAME_NAME };
    }
    if !wanted.is_empty() && further.iter().any(|name| slugify(name) == wanted) {
        return FURTHER_NAME;
    }
    likeness.min(MOST_SIMILAR)
}
