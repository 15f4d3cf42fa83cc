//! The ends of relationships: records, wordings of the source, classes.

use crate::base::fault::{Fault, FaultCode};
use crate::base::kind::Kind;
use crate::kinds::actor::{Category, Size};
use crate::kinds::network::NetworkType;
use crate::kinds::region::RegionLevel;
use crate::value::reference::Keyed;
use serde::{Deserialize, Serialize};
use utoipa::openapi::schema::{AnyOfBuilder, KnownFormat, ObjectBuilder, SchemaFormat, Type};
use utoipa::openapi::{RefOr, Schema};
use utoipa::{PartialSchema, ToSchema};
use uuid::Uuid;
use validator::{Validate, ValidationErrors};

/// An end of a relationship: a record, a wording of the source („Sozialverbände"), or a class
/// („regionale Krankenkassen").
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum End {
    Class {
        class: Class,
        as_stated: String,
    },
    /// Something that the source names without identifying the record.
    AsStated {
        /// Kind, if stated.
        #[serde(skip_serializing_if = "Option::is_none")]
        kind: Option<Kind>,
        as_stated: String,
    },
    /// A record; stored and served as `{kind, id}`.
    Record(Keyed),
}

impl End {
    #[must_use]
    pub fn record(&self) -> Option<(Kind, Uuid)> {
        match self {
            Self::Record(keyed) => keyed.kind.zip(keyed.id),
            Self::Class { .. } | Self::AsStated { .. } => None,
        }
    }

    #[must_use]
    pub fn kind(&self) -> Option<Kind> {
        match self {
            Self::Record(keyed) => keyed.kind,
            Self::Class { class, .. } => Some(class.kind),
            Self::AsStated { kind, .. } => *kind,
        }
    }

    /// Whether both ends refer to the same record, as far as their wording shows: same id, slug or
    /// key.
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

    #[must_use]
    pub fn is_open(&self) -> bool {
        !matches!(self, Self::Record(_))
    }
}

/// Common properties of a class of records.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Class {
    /// Kind of its members.
    pub kind: Kind,
    /// Category of actors.
    pub category: Option<Category>,
    /// Size of actors.
    pub size: Option<Size>,
    /// Type of networks.
    pub network_type: Option<NetworkType>,
    /// Level of regions.
    pub level: Option<RegionLevel>,
}

impl Class {
    /// Members that are given although they do not apply to the kind.
    fn misfits(&self) -> impl Iterator<Item = &'static str> {
        [
            ("category", self.category.is_some(), Kind::Actor),
            ("size", self.size.is_some(), Kind::Actor),
            ("network_type", self.network_type.is_some(), Kind::Network),
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
            let fault = Fault::new(FaultCode::ClassMember)
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

fn text() -> ObjectBuilder {
    ObjectBuilder::new().schema_type(Type::String)
}

fn as_stated() -> ObjectBuilder {
    text()
        .min_length(Some(1))
        .max_length(Some(1000))
        .description(Some("The wording of the source."))
}

fn component(name: &str) -> RefOr<Schema> {
    RefOr::Ref(utoipa::openapi::Ref::from_schema_name(name))
}

/// The forms of an end as served; separate components, so that clients have names for them.
fn forms() -> [(&'static str, ObjectBuilder); 3] {
    let object = |about| {
        ObjectBuilder::new()
            .schema_type(Type::Object)
            .description(Some(about))
    };
    let record = object("A record.")
        .property("kind", component("Kind"))
        .property(
            "id",
            text().format(Some(SchemaFormat::KnownFormat(KnownFormat::Uuid))),
        )
        .required("kind")
        .required("id");
    let class = object("A class of records.")
        .property("class", component("Class"))
        .property("as_stated", as_stated())
        .required("class")
        .required("as_stated");
    let stated = object("A wording of the source.")
        .property("kind", component("Kind"))
        .property("as_stated", as_stated())
        .required("as_stated");
    [
        ("RecordEnd", record),
        ("ClassEnd", class),
        ("StatedEnd", stated),
    ]
}

impl PartialSchema for End {
    fn schema() -> RefOr<Schema> {
        let any = forms()
            .into_iter()
            .fold(AnyOfBuilder::new(), |any, (name, _)| {
                any.item(component(name))
            });
        any.description(Some(
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
        for (name, form) in forms() {
            schemas.push((name.to_owned(), form.into()));
        }
        schemas.push(("Kind".to_owned(), Kind::schema()));
        schemas.push(("Class".to_owned(), Class::schema()));
        Class::schemas(schemas);
    }
}
