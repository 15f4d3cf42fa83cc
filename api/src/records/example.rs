//! Example records for the documentation.

use domain::base::json::insert;
use domain::base::kind::Kind;
use domain::base::record::Envelope;
use domain::validation::body::KindSchema;
use serde_json::{Value, json};
use std::sync::LazyLock;

/// A record of the kind from the seed pages.
#[must_use]
pub fn example(schema: &KindSchema) -> Value {
    static AT: LazyLock<chrono::DateTime<chrono::Utc>> = LazyLock::new(|| {
        chrono::DateTime::from_timestamp_micros(1_767_225_600_000_000).unwrap_or_default()
    });
    let sent: Value = serde_json::from_str(schema.example).unwrap_or_default();
    let mut body = schema.check(sent).body;
    let id = |kind: Kind, slug: &str| json!(domain::base::id::reference(kind.plural(), slug));
    // References are served as ids.
    for field in &schema.references {
        domain::base::pointer::visit_mut(&mut body, field.path, &mut |_, value| {
            *value = match &*value {
                Value::String(slug) => id(Kind::Region, slug),
                Value::Object(end) => {
                    let slug = end.get("slug").and_then(Value::as_str).unwrap_or_default();
                    json!({"kind": end.get("kind"), "id": id(Kind::Actor, slug)})
                }
                other => other.clone(),
            };
        });
    }
    insert(&mut body, &["publication"], "published");
    let name = body.get("name").and_then(Value::as_str).map(str::to_owned);
    if let Some(name) = &name {
        insert(&mut body, &["slug"], domain::value::text::slugify(name));
    }
    let envelope = Envelope {
        withheld_members: Vec::new(),
        id: domain::base::id::reference(schema.kind.plural(), "example"),
        kind: schema.kind,
        origin: "nordhessen".to_owned(),
        version: 1,
        created_at: *AT,
        updated_at: *AT,
        synced_at: None,
    };
    serde_json::from_str(&envelope.around(&body.to_string())).unwrap_or_default()
}
