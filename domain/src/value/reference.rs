//! References from one record to another.
//!
//! Stored and served as ids; input also takes a slug, `{kind, slug}` or `{kind, external_id}`, which
//! are resolved when the record is written. A relationship end may also stay open.

use crate::base::fault::Fault;
use crate::base::kind::Kind;
use crate::kinds::actor::{Category, Size};
use crate::kinds::network::NetworkForm;
use crate::kinds::region::RegionLevel;
use crate::value::external::ExternalId;
use serde::{Deserialize, Serialize};
use utoipa::openapi::schema::{AnyOfBuilder, KnownFormat, ObjectBuilder, SchemaFormat, Type};
use utoipa::openapi::{RefOr, Schema};
use utoipa::{PartialSchema, ToSchema};
use uuid::Uuid;
use validator::{Validate, ValidationErrors};

/// The names by which input may call a record.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Name {
    /// By its id.
    Id(Uuid),
    /// By its slug.
    Slug(String),
    /// By the key in the system that supplies it.
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

/// A reference whose kind is given by its place (`home_region`, `topics`, `broader`, `region`):
/// stored and served as a UUID string.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Slot {
    /// The id, or on input a slug.
    Text(String),
    /// On input also an object.
    Keyed(Keyed),
}

impl Slot {
    /// The id, once resolved.
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
    /// Its kind; may be left out where the place fixes it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub kind: Option<Kind>,
    /// Its id …
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id: Option<Uuid>,
    /// … or its slug …
    #[serde(skip_serializing_if = "Option::is_none")]
    pub slug: Option<String>,
    /// … or its key in the supplying system.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub external_id: Option<ExternalId>,
}

impl Keyed {
    /// The one key that is given.
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

/// An end of a relationship: a record, a wording of the source („Sozialverbände"), or a class
/// („regionale Krankenkassen").
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum End {
    /// A class of records.
    Class {
        /// What the class has in common.
        class: Class,
        /// The wording of the source.
        as_stated: String,
    },
    /// Something that the source names without saying which record it is.
    AsStated {
        /// Its kind, if stated.
        #[serde(skip_serializing_if = "Option::is_none")]
        kind: Option<Kind>,
        /// The wording of the source.
        as_stated: String,
    },
    /// A record; stored and served as `{kind, id}`.
    Record(Keyed),
}

impl End {
    /// The record, once resolved.
    #[must_use]
    pub fn record(&self) -> Option<(Kind, Uuid)> {
        match self {
            Self::Record(keyed) => keyed.kind.zip(keyed.id),
            Self::Class { .. } | Self::AsStated { .. } => None,
        }
    }

    /// The kind, if it is known.
    #[must_use]
    pub fn kind(&self) -> Option<Kind> {
        match self {
            Self::Record(keyed) => keyed.kind,
            Self::Class { class, .. } => Some(class.kind),
            Self::AsStated { kind, .. } => *kind,
        }
    }

    /// Whether both ends name one record, as far as their wording tells: by the same id, slug or key.
    #[must_use]
    pub fn is_same_record(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Record(one), Self::Record(other)) => {
                one.name().is_some() && one.kind == other.kind && one.name() == other.name()
            }
            (Self::Class { .. } | Self::AsStated { .. }, _)
            | (_, Self::Class { .. } | Self::AsStated { .. }) => false,
        }
    }

    /// Whether the end names no record.
    #[must_use]
    pub fn is_open(&self) -> bool {
        !matches!(self, Self::Record(_))
    }
}

/// What a class of records has in common.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Class {
    /// The kind of its members.
    pub kind: Kind,
    /// The category of actors.
    pub category: Option<Category>,
    /// The size of actors.
    pub size: Option<Size>,
    /// The form of networks.
    pub form: Option<NetworkForm>,
    /// The level of regions.
    pub level: Option<RegionLevel>,
}

impl Class {
    /// The members that are given although they do not fit the kind.
    fn misfits(&self) -> impl Iterator<Item = &'static str> {
        [
            ("category", self.category.is_some(), Kind::Actor),
            ("size", self.size.is_some(), Kind::Actor),
            ("form", self.form.is_some(), Kind::Network),
            ("level", self.level.is_some(), Kind::Region),
        ]
        .into_iter()
        .filter(|(_, given, kind)| *given && *kind != self.kind)
        .map(|(member, ..)| member)
    }
}

impl Validate for Class {
    fn validate(&self) -> Result<(), ValidationErrors> {
        let mut errors = ValidationErrors::new();
        for member in self.misfits() {
            let fault = Fault::new("class-member")
                .with("given", member)
                .with("kind", self.kind);
            errors.add(member, fault.into());
        }
        if errors.is_empty() {
            Ok(())
        } else {
            Err(errors)
        }
    }
}

impl Validate for End {
    fn validate(&self) -> Result<(), ValidationErrors> {
        let Self::Class { class, .. } = self else {
            return Ok(());
        };
        let mut errors = ValidationErrors::new();
        errors.merge_self("class", class.validate());
        if errors.is_empty() {
            Ok(())
        } else {
            Err(errors)
        }
    }
}

/// What stands at a place that holds references.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ReferenceForm {
    /// A UUID string; the place fixes the kind.
    Slot(Kind),
    /// An object `{kind, id}` or an open end.
    End,
}

/// A place in a body that holds references: a pointer whose `*` stands for every array index.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ReferenceField {
    /// The pointer with wildcards.
    pub path: &'static str,
    /// What stands there.
    pub form: ReferenceForm,
}

impl ReferenceField {
    /// A place that holds the ids of one kind.
    #[must_use]
    pub const fn slot(path: &'static str, kind: Kind) -> Self {
        Self {
            path,
            form: ReferenceForm::Slot(kind),
        }
    }

    /// A place that holds ends.
    #[must_use]
    pub const fn end(path: &'static str) -> Self {
        Self {
            path,
            form: ReferenceForm::End,
        }
    }
}

/// A record as a place that fixes no audience shows it: `{kind, id}`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
pub struct RecordRef {
    /// Its kind.
    pub kind: Kind,
    /// Its id.
    pub id: Uuid,
}

fn text() -> ObjectBuilder {
    ObjectBuilder::new().schema_type(Type::String)
}

fn as_stated() -> ObjectBuilder {
    text()
        .min_length(Some(1))
        .max_length(Some(1000))
        .description(Some("The wording of the source."))
}

impl PartialSchema for Slot {
    fn schema() -> RefOr<Schema> {
        text()
            .format(Some(SchemaFormat::KnownFormat(KnownFormat::Uuid)))
            .description(Some("The id of a record; the member says of which kind."))
            .into()
    }
}

impl ToSchema for Slot {
    fn name() -> std::borrow::Cow<'static, str> {
        "Reference".into()
    }
}

impl PartialSchema for End {
    fn schema() -> RefOr<Schema> {
        let closed = || ObjectBuilder::new().schema_type(Type::Object);
        let record = closed()
            .title(Some("Record"))
            .property("kind", Kind::reference_schema())
            .property(
                "id",
                text().format(Some(SchemaFormat::KnownFormat(KnownFormat::Uuid))),
            )
            .required("kind")
            .required("id");
        let class = closed()
            .title(Some("Class"))
            .property(
                "class",
                RefOr::<Schema>::Ref(utoipa::openapi::Ref::from_schema_name("Class")),
            )
            .property("as_stated", as_stated())
            .required("class")
            .required("as_stated");
        let stated = closed()
            .title(Some("AsStated"))
            .property("kind", Kind::reference_schema())
            .property("as_stated", as_stated())
            .required("as_stated");
        AnyOfBuilder::new()
            .item(record)
            .item(class)
            .item(stated)
            .description(Some(
                "A record `{kind, id}`, a class `{class, as_stated}`, or a wording of the source `{kind?, as_stated}`.",
            ))
            .into()
    }
}

impl ToSchema for End {
    fn name() -> std::borrow::Cow<'static, str> {
        "End".into()
    }

    fn schemas(schemas: &mut Vec<(String, RefOr<Schema>)>) {
        schemas.push(("Kind".to_owned(), Kind::schema()));
        schemas.push(("Class".to_owned(), Class::schema()));
        Class::schemas(schemas);
    }
}

impl Kind {
    fn reference_schema() -> RefOr<Schema> {
        RefOr::Ref(utoipa::openapi::Ref::from_schema_name("Kind"))
    }
}
