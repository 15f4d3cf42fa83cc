//! A body on its way in: everything that is wrong with it at once; and what the database needs of it.

use crate::base::fault::{Fault, FieldError};
use crate::base::json::without_absent;
use crate::base::kind::{Kind, Resource};
use crate::base::pointer::{Pruned, prune};
use crate::base::record::ENVELOPE;
use crate::kinds::common;
use crate::kinds::common::Publication;
use crate::kinds::relationship::Relationship;
use crate::kinds::{actor, event, network, project, region, relationship, topic};
use crate::validation::shape::Shape;
use crate::value::edtf::EdtfDate;
use crate::value::external::ExternalId;
use crate::value::identifier::Identifier;
use crate::value::reference::{ReferenceField, Slot};
use chrono::{DateTime, Utc};
use serde_json::Value;
use std::sync::LazyLock;
use uuid::Uuid;
use validator::ValidationErrors;

mod rules;
mod translation;

/// A body after checking.
#[derive(Debug, Clone)]
pub struct Checked {
    /// The body without envelope, `null` and `[]`; complete only if there are no errors.
    pub body: Value,
    /// Everything that must be corrected.
    pub errors: Vec<FieldError>,
    /// What is likely wrong but accepted (check digits of schemes that tolerate it).
    pub warnings: Vec<FieldError>,
}

/// What the database and the rules of access need of a stored body.
#[derive(Debug, Clone, Default)]
pub struct Facts {
    /// The name; absent for relationships.
    pub name: Option<String>,
    /// The slug.
    pub slug: Option<String>,
    /// Whose editors may write it.
    pub home_region: Option<Uuid>,
    /// The key in the supplying system.
    pub external_id: Option<ExternalId>,
    /// How far it is on its way to the public.
    pub publication: Option<Publication>,
    /// When a job publishes it.
    pub publish_at: Option<DateTime<Utc>>,
    /// Identifiers that are unique per origin; none for relationships (a grant number may recur).
    pub identifiers: Vec<Identifier>,
    /// The relationship itself, if it is one.
    pub relationship: Option<Relationship>,
    /// The day whose state the source describes.
    pub as_of: Option<EdtfDate>,
}

/// A kind's facts, made once from its struct.
pub struct Definition {
    /// The kind.
    pub kind: Kind,
    /// Places that hold references.
    pub references: Vec<ReferenceField>,
    /// Members that may be translated.
    pub texts: Vec<&'static str>,
    /// Members that a record of the kind can have.
    pub members: Vec<String>,
    /// Members that every record of the kind has.
    pub required: Vec<String>,
    shape: Shape,
    read: fn(&Value) -> Result<Reading, serde_json::Error>,
}

/// What a body's shape and rules tell of it.
struct Inspected {
    errors: Vec<FieldError>,
    warnings: Vec<FieldError>,
}

/// A body parsed into its struct.
struct Reading {
    invalid: Option<ValidationErrors>,
    facts: Facts,
}

static DEFINITIONS: LazyLock<[Definition; 7]> = LazyLock::new(|| {
    [
        Definition::new::<region::Region>(),
        Definition::new::<topic::Topic>(),
        Definition::new::<actor::Actor>(),
        Definition::new::<network::Network>(),
        Definition::new::<project::Project>(),
        Definition::new::<event::Event>(),
        Definition::new::<relationship::Relationship>(),
    ]
});

impl Definition {
    /// The definition of a kind.
    #[must_use]
    pub fn of(kind: Kind) -> &'static Self {
        let [region, topic, actor, network, project, event, relationship] = &*DEFINITIONS;
        match kind {
            Kind::Region => region,
            Kind::Topic => topic,
            Kind::Actor => actor,
            Kind::Network => network,
            Kind::Project => project,
            Kind::Event => event,
            Kind::Relationship => relationship,
        }
    }

    fn new<T: Resource>() -> Self {
        let common = match T::KIND {
            Kind::Relationship => (&[][..], &[][..]),
            Kind::Region
            | Kind::Topic
            | Kind::Actor
            | Kind::Network
            | Kind::Project
            | Kind::Event => (common::REFERENCES, common::TEXTS),
        };
        let input = format!("{}Input", T::name());
        let schemas = crate::base::schema::of::<T>();
        let record = schemas.get(&format!("{}Record", T::name()));
        let (members, required) = record.map(member_names).unwrap_or_default();
        Self {
            kind: T::KIND,
            references: [common.0, T::REFERENCES].concat(),
            texts: [common.1, T::TEXTS].concat(),
            members,
            required,
            shape: Shape::new(&input, schemas),
            read: read::<T>,
        }
    }

    /// Whether the schema of the kind is sound.
    #[must_use]
    pub fn is_sound(&self) -> bool {
        self.shape.is_sound()
    }

    /// Checks a body that was sent: shape, rules, translations; everything at once.
    #[must_use]
    pub fn check(&self, sent: Value) -> Checked {
        let mut body = sent;
        without_absent(&mut body);
        let Inspected {
            mut errors,
            warnings,
        } = self.inspect(&body);
        let translated = self.translations(&body, &errors);
        errors.extend(translated);
        if let Some(members) = body.as_object_mut() {
            members.retain(|member, _| !ENVELOPE.contains(&member.as_str()));
        }
        Checked {
            body,
            errors,
            warnings,
        }
    }

    /// What the database needs of a body; unknown members and codes are passed over, since copies
    /// come from releases that may be newer.
    #[must_use]
    pub fn facts(&self, body: &Value) -> Facts {
        if let Ok(reading) = (self.read)(body) {
            return reading.facts;
        }
        let pruned = self.readable(body, &self.shape.misfits(body));
        (self.read)(&pruned.value).map_or_else(|_| Facts::default(), |reading| reading.facts)
    }

    /// Everything that is wrong with a body but for its translations, and its facts if it can be
    /// read: shape first, then the rules on what the shape leaves readable.
    fn inspect(&self, body: &Value) -> Inspected {
        let mut errors = self.shape.misfits(body);
        if !body.is_object() {
            return Inspected {
                errors,
                warnings: Vec::new(),
            };
        }
        let pruned = self.readable(body, &errors);
        let mut warnings = Vec::new();
        match (self.read)(&pruned.value) {
            Ok(reading) => {
                if let Some(invalid) = &reading.invalid {
                    let broken = rules::broken(invalid, &pruned, &errors);
                    errors.extend(broken);
                }
                warnings = rules::warnings(&reading.facts, &pruned);
            }
            Err(why) if errors.is_empty() => {
                errors.push(FieldError::new(
                    "",
                    Fault::new("invalid-value").with("why", why),
                ));
            }
            // The shape's errors say it better.
            Err(_) => {}
        }
        Inspected { errors, warnings }
    }

    /// The body without what keeps it from being parsed; where a required member had to go, the
    /// object that needs it goes too.
    fn readable(&self, body: &Value, errors: &[FieldError]) -> Pruned {
        let mut cuts = blocking(errors);
        loop {
            let pruned = prune(body, &cuts);
            let more: Vec<_> = blocking(&self.shape.misfits(&pruned.value))
                .iter()
                .map(|pointer| pruned.original(pointer))
                .filter(|pointer| !cuts.contains(pointer))
                .collect();
            if cuts.is_empty() || more.is_empty() {
                return pruned;
            }
            cuts.extend(more);
        }
    }
}

/// The names of the members that an object schema lists, and of those that it requires.
fn member_names(schema: &Value) -> (Vec<String>, Vec<String>) {
    let listed = schema.get("properties").and_then(Value::as_object);
    let required = schema.get("required").and_then(Value::as_array);
    let required = required.into_iter().flatten().filter_map(Value::as_str);
    (
        listed.map_or_else(Vec::new, |listed| listed.keys().cloned().collect()),
        required.map(str::to_owned).collect(),
    )
}

/// The pointers of errors that keep a body from being parsed (unknown members and repeated entries
/// do not).
fn blocking(errors: &[FieldError]) -> Vec<String> {
    errors
        .iter()
        .filter(|error| !["unknown-member", "repeated"].contains(&error.fault.code))
        .map(|error| match error.fault.code {
            "required" => parent(&error.pointer).to_owned(),
            _ => error.pointer.clone(),
        })
        .filter(|pointer| !pointer.is_empty())
        .collect()
}

fn parent(pointer: &str) -> &str {
    pointer.rsplit_once('/').map_or("", |(parent, _)| parent)
}

fn read<T: Resource>(body: &Value) -> Result<Reading, serde_json::Error> {
    let parsed: T = serde::Deserialize::deserialize(body)?;
    let invalid = parsed.validate().err();
    let facts = match (parsed.described(), parsed.relationship()) {
        (Some(body), _) => Facts {
            name: Some(body.name.clone()),
            slug: body.slug.clone(),
            home_region: body.home_region.as_ref().and_then(Slot::id),
            external_id: body.external_id.clone(),
            publication: body.publication,
            publish_at: body.publish_at,
            identifiers: body.identifiers.clone(),
            relationship: None,
            as_of: body.source.as_ref().and_then(|source| source.as_of),
        },
        (None, Some(body)) => Facts {
            home_region: body.home_region.as_ref().and_then(Slot::id),
            external_id: body.external_id.clone(),
            publication: body.publication,
            relationship: Some(body.clone()),
            as_of: body.source.as_ref().and_then(|source| source.as_of),
            ..Facts::default()
        },
        (None, None) => Facts::default(),
    };
    Ok(Reading { invalid, facts })
}

#[cfg(test)]
mod tests;
