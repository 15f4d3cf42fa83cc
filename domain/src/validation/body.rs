//! Validation of a body with all violations at once, and the fields that the database needs.

use crate::base::fault::{Fault, FaultCode, FieldError};
use crate::base::filter::Filter;
use crate::base::kind::Kind;
use crate::base::pointer::{Pruned, prune};
use crate::base::record::ENVELOPE;
use crate::base::rename::Rename;
use crate::base::schema::Components;
use crate::kinds::common::Publication;
use crate::kinds::dates::Dates;
use crate::kinds::record_type::{Hierarchy, RecordType};
use crate::kinds::relationship::Relationship;
use crate::validation::shape::{Shape, patched};
use crate::value::edtf::EdtfDate;
use crate::value::external::ExternalId;
use crate::value::identifier::Identifier;
use crate::value::reference::{ReferenceField, Slot};
use chrono::{DateTime, Utc};
use serde_json::Value;
use std::any::Any;
use uuid::Uuid;
use validator::ValidationErrors;

mod normalize;
mod rules;
mod translation;

#[derive(Debug, Clone)]
pub struct Checked {
    /// The body without envelope, `null` and `[]`; complete only if there are no errors.
    pub body: Value,
    pub errors: Vec<FieldError>,
    /// Values that are probably wrong but accepted (check digits of schemes that tolerate it).
    pub warnings: Vec<FieldError>,
}

/// The fields of a stored body that the database and the rules of access need.
#[derive(Debug, Clone, Default)]
pub struct Facts {
    pub name: Option<String>,
    pub slug: Option<String>,
    pub home_region: Option<Uuid>,
    pub external_id: Option<ExternalId>,
    pub publication: Option<Publication>,
    pub publish_at: Option<DateTime<Utc>>,
    /// Identifiers that are unique per origin; none for relationships (a grant number may recur).
    pub identifiers: Vec<Identifier>,
    pub relationship: Option<Relationship>,
    pub as_of: Option<EdtfDate>,
}

/// The properties of a kind, computed once from its struct.
pub struct KindSchema {
    pub kind: Kind,
    pub name: &'static str,
    pub a: &'static str,
    pub tag: &'static str,
    pub tag_de: &'static str,
    pub about: &'static str,
    pub references: Vec<ReferenceField>,
    pub texts: Vec<&'static str>,
    pub renames: &'static [Rename],
    pub filters: Vec<Filter>,
    pub members: Vec<String>,
    pub required: Vec<String>,
    pub needs_home_region: bool,
    pub hierarchy: Hierarchy,
    /// Whether a search for the name of a record also finds its members.
    pub stands_for_its_members: bool,
    /// Whether equally good hits of other kinds are listed first, because records of this kind only
    /// classify.
    pub classifies: bool,
    pub suggestion_rank: u8,
    pub dates: Dates,
    pub example: &'static str,
    components: Components,
    documented: Components,
    shape: Shape,
    read: fn(&Value) -> Result<Reading, serde_json::Error>,
}

/// Results of checking the shape and the rules of a body.
pub(crate) struct Inspected {
    pub(crate) errors: Vec<FieldError>,
    warnings: Vec<FieldError>,
}

struct Reading {
    invalid: Option<ValidationErrors>,
    facts: Facts,
}

impl KindSchema {
    pub(crate) fn new<T: RecordType>() -> Self {
        let (references, texts, filters) = T::COMMON;
        let components = crate::validation::schema::of::<T>();
        let record = components.get(&format!("{}Record", T::name()));
        let (members, required) = record.map(member_names).unwrap_or_default();
        Self {
            kind: T::KIND,
            name: T::name().into_owned().leak(),
            a: T::A,
            tag: T::TAG,
            tag_de: T::TAG_DE,
            about: T::ABOUT,
            references: [references, T::REFERENCES].concat(),
            texts: [texts, T::TEXTS].concat(),
            renames: T::RENAMES,
            filters: [filters, T::FILTERS].concat(),
            members,
            required,
            needs_home_region: T::NEEDS_HOME_REGION,
            hierarchy: T::HIERARCHY,
            stands_for_its_members: T::STANDS_FOR_ITS_MEMBERS,
            classifies: T::CLASSIFIES,
            suggestion_rank: T::SUGGESTION_RANK,
            dates: T::DATES,
            example: T::EXAMPLE,
            shape: Shape::new(&format!("{}Input", T::name()), components.clone()),
            documented: crate::validation::schema::documented(&T::name(), &components),
            components,
            read: read::<T>,
        }
    }

    /// The JSON schemas of the record, of its input, and of everything they refer to.
    #[must_use]
    pub const fn components(&self) -> &Components {
        &self.components
    }

    /// The components as documented, with previews and merge patches.
    #[must_use]
    pub const fn documented(&self) -> &Components {
        &self.documented
    }

    /// Whether the schema of the kind compiles.
    #[must_use]
    pub fn is_sound(&self) -> bool {
        self.shape.is_sound()
    }

    /// Validates an input body: shape, rules, translations; everything at once.
    #[must_use]
    pub fn check(&self, sent: Value) -> Checked {
        let mut body = sent;
        let mut normalized = normalize::normalize(&mut body);
        let former = self.reject_former_names(&mut body);
        let mut hidden = self.untranslatable_absent(&body);
        hidden.extend(self.shape.tidy(&mut body));
        let Inspected {
            mut errors,
            warnings,
        } = self.inspect(&body);
        let translated = self.translations(&body, &errors);
        errors.extend(translated);
        errors.splice(0..0, hidden);
        for error in &mut errors {
            error.pointer = former.original(std::mem::take(&mut error.pointer));
        }
        errors.splice(0..0, former.errors());
        if let Some(members) = body.as_object_mut() {
            members.retain(|member, _| !ENVELOPE.contains(&member.as_str()));
        }
        normalized.extend(warnings);
        Checked {
            body,
            errors,
            warnings: normalized,
        }
    }

    /// The body that a merge patch makes of a stored one. Unknown members that the patch removes are
    /// in it as `null`, so that [`Self::check`] reports them.
    #[must_use]
    pub fn patched(&self, stored: Value, patch: &Value) -> Value {
        let mut hidden = self.shape.unknown_absent(patch);
        hidden.extend(self.untranslatable_absent(patch));
        patched(stored, patch, hidden)
    }

    /// The fields that the database needs; unknown members and codes are ignored, since copies may
    /// come from newer releases.
    #[must_use]
    pub fn facts(&self, body: &Value) -> Facts {
        if let Ok(reading) = (self.read)(body) {
            return reading.facts;
        }
        let pruned = self.readable(body, &self.shape.misfits(body));
        (self.read)(&pruned.value).map_or_else(|_| Facts::default(), |reading| reading.facts)
    }

    /// All violations of a body except in its translations, and its fields if it can be parsed:
    /// shape first, then the rules on the parts with a valid shape.
    pub(crate) fn inspect(&self, body: &Value) -> Inspected {
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
                    Fault::new(FaultCode::InvalidValue).with("why", why),
                ));
            }
            // The errors of the shape are more precise.
            Err(_) => {}
        }
        Inspected { errors, warnings }
    }

    /// The body without the parts that prevent parsing; if a required member had to be removed, the
    /// object that needs it is removed too.
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

/// The pointers of errors that prevent parsing (unknown members and repeated entries do not).
fn blocking(errors: &[FieldError]) -> Vec<String> {
    errors
        .iter()
        .filter(|error| {
            ![FaultCode::UnknownMember, FaultCode::Repeated].contains(&error.fault.code)
        })
        .map(|error| match error.fault.code {
            FaultCode::Required => parent(&error.pointer).to_owned(),
            _ => error.pointer.clone(),
        })
        .filter(|pointer| !pointer.is_empty())
        .collect()
}

fn parent(pointer: &str) -> &str {
    pointer.rsplit_once('/').map_or("", |(parent, _)| parent)
}

fn read<T: RecordType>(body: &Value) -> Result<Reading, serde_json::Error> {
    let parsed: T = serde::Deserialize::deserialize(body)?;
    let invalid = parsed.validate().err();
    let relationship = (&parsed as &dyn Any).downcast_ref::<Relationship>();
    let facts = match (parsed.described(), relationship) {
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
