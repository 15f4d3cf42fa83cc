//! References from one record to another.
//!
//! Stored and served as ids; input also accepts a slug, `{kind, slug}` or `{kind, external_id}`,
//! which are resolved when the record is written. A relationship end may also stay open.

use crate::base::kind::Kind;
use crate::value::external::ExternalId;
use serde::{Deserialize, Serialize};
use utoipa::openapi::schema::{KnownFormat, ObjectBuilder, SchemaFormat, Type};
use utoipa::openapi::{RefOr, Schema};
use utoipa::{PartialSchema, ToSchema};
use uuid::Uuid;

/// The ways in which input may refer to a record.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Name {
    Id(Uuid),
    Slug(String),
    External(ExternalId),
}

impl std::fmt::Display for Name {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Id(id) => id.fmt(f),
            Self::Slug(slug) => slug.fmt(f),
            Self::External(key) => write!(f, "{}|{}", key.system, key.id),
        }
    }
}

/// A reference whose kind is implied by its place (`home_region`, `topics`, `broader`, `region`):
/// stored and served as a UUID string.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Slot {
    /// Id, or on input a slug.
    Text(String),
    /// On input also an object.
    Keyed(Keyed),
}

impl Slot {
    #[must_use]
    pub fn id(&self) -> Option<Uuid> {
        match self {
            Self::Text(text) => Uuid::try_parse(text).ok(),
            Self::Keyed(keyed) => keyed.id,
        }
    }
}

/// A record named on input by kind and one key.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Keyed {
    /// Kind of the record; optional where the place implies it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub kind: Option<Kind>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id: Option<Uuid>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub slug: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub external_id: Option<ExternalId>,
}

impl Keyed {
    #[must_use]
    pub fn name(&self) -> Option<Name> {
        match (self.id, &self.slug, &self.external_id) {
            (Some(id), None, None) => Some(Name::Id(id)),
            (None, Some(slug), None) => Some(Name::Slug(slug.clone())),
            (None, None, Some(key)) => Some(Name::External(key.clone())),
            _ => None,
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ReferenceForm {
    /// A UUID string; the place implies the kind.
    Slot(Kind),
    /// An object `{kind, id}` or an open end.
    End,
}

/// A place for references in a body: a pointer whose `*` is every array index.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ReferenceField {
    pub path: &'static str,
    pub form: ReferenceForm,
}

impl ReferenceField {
    #[must_use]
    pub const fn slot(path: &'static str, kind: Kind) -> Self {
        Self {
            path,
            form: ReferenceForm::Slot(kind),
        }
    }

    #[must_use]
    pub const fn end(path: &'static str) -> Self {
        Self {
            path,
            form: ReferenceForm::End,
        }
    }
}

/// A reference to a record of any kind: `{kind, id}`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
pub struct RecordRef {
    /// Kind of the record.
    pub kind: Kind,
    /// Id of the record.
    pub id: Uuid,
}

fn text() -> ObjectBuilder {
    ObjectBuilder::new().schema_type(Type::String)
}

impl PartialSchema for Slot {
    fn schema() -> RefOr<Schema> {
        text()
            .format(Some(SchemaFormat::KnownFormat(KnownFormat::Uuid)))
            .description(Some("Id of a record; the member implies its kind."))
            .into()
    }
}

impl ToSchema for Slot {
    fn name() -> std::borrow::Cow<'static, str> {
        "Reference".into()
    }
}
