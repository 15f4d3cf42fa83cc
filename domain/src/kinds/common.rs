//! The members of every described kind (all but relationships).

use crate::base::fault::{Fault, FaultCode};
use crate::base::filter::{Filter, Form};
use crate::value::contact::Contact;
use crate::value::edtf::{EdtfDate, Period};
use crate::value::external::{ExternalId, Source};
use crate::value::figure::Figure;
use crate::value::identifier::Identifier;
use crate::value::link::{Link, Media};
use crate::value::place::Place;
use crate::value::reference::{ReferenceField, Slot};
use crate::value::text;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use utoipa::ToSchema;
use validator::{Validate, ValidationError};

crate::vocabulary! {
    /// Publication state of a record. Only `published` is public, on every path.
    Publication "publication" {
        Draft "draft" "Entwurf" "Draft";
        Review "review" "In Prüfung" "In review";
        Published "published" "Veröffentlicht" "Published";
        Archived "archived" "Archiviert" "Archived";
    }
}

crate::vocabulary! {
    /// Type of a further name.
    NameType "name_type" {
        Official "official" "Amtlicher Name" "Official name";
        Short "short" "Kurzname" "Short name";
        Acronym "acronym" "Abkürzung" "Acronym";
        Former "former" "Früherer Name" "Former name";
        Brand "brand" "Marke" "Brand";
        AsStated "as_stated" "Wie in der Quelle" "As stated by the source";
    }
}

/// A further name.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema, Validate)]
pub struct Name {
    /// Name as written.
    #[schema(min_length = 1, max_length = 300, example = "KCR")]
    #[validate(custom(function = "text::name"))]
    pub value: String,
    /// Type of the name.
    pub r#type: NameType,
    /// BCP 47 language of the name.
    #[schema(format = "language", example = "de")]
    pub language: Option<String>,
    /// When the name was in use.
    #[validate(nested)]
    pub valid: Option<Period>,
}

/// The members of every described kind.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, ToSchema, Validate)]
#[serde(default)]
pub struct Described {
    /// Name as the source writes it.
    #[schema(required, min_length = 1, max_length = 300)]
    #[validate(custom(function = "text::name"))]
    pub name: String,
    /// True if the source gives only a phrase, no proper name.
    pub name_is_description: Option<bool>,
    /// Unique among this node's records of the kind; derived from the name if absent.
    #[schema(max_length = 200, format = "slug", example = "mo-win-net")]
    pub slug: Option<String>,
    /// BCP 47 language of the texts.
    #[schema(format = "language", example = "de")]
    pub language: Option<String>,
    /// Further names.
    #[schema(max_items = 100)]
    #[validate(nested)]
    pub names: Vec<Name>,
    /// Plain text of one or two sentences.
    #[schema(min_length = 1, max_length = 500)]
    pub summary: Option<String>,
    /// `CommonMark` without raw HTML; verbatim text of the source, including typos.
    #[schema(min_length = 1, max_length = 50_000)]
    #[validate(custom(function = "text::commonmark"))]
    pub description: Option<String>,
    /// Translations: per language (BCP 47) a merge patch (RFC 7396) of the text members, with whole
    /// arrays.
    #[schema(value_type = Option<BTreeMap<String, Object>>, example = json!({"en": {"name": "North Hesse Health Cluster"}}))]
    pub translations: Option<BTreeMap<String, serde_json::Map<String, serde_json::Value>>>,
    /// Topics of the record.
    #[schema(max_items = 100, value_type = BTreeSet<Slot>)]
    pub topics: Vec<Slot>,
    /// Challenges that the record addresses, in order.
    #[schema(max_items = 100)]
    pub challenges: Vec<text::Line>,
    /// Audiences of the record, in order.
    #[schema(max_items = 100)]
    pub audiences: Vec<text::Line>,
    /// Goals of the record, in order.
    #[schema(max_items = 100)]
    pub goals: Vec<text::Line>,
    /// Identifiers in known schemes.
    #[schema(max_items = 50)]
    #[validate(nested)]
    pub identifiers: Vec<Identifier>,
    /// Seats of the organisation.
    #[schema(max_items = 200)]
    #[validate(nested)]
    pub places: Vec<Place>,
    /// How to reach the organisation, never a person.
    pub contact: Option<Contact>,
    /// Links.
    #[schema(max_items = 100)]
    #[validate(nested)]
    pub links: Vec<Link>,
    /// Logos, images, maps, videos, documents.
    #[schema(max_items = 100)]
    #[validate(nested)]
    pub media: Vec<Media>,
    /// Counts and statistics.
    #[schema(max_items = 100)]
    #[validate(nested)]
    pub figures: Vec<Figure>,
    /// Region whose editors may write the record; says nothing about location. Required except for
    /// topics; a region may name itself.
    pub home_region: Option<Slot>,
    /// Key in the system that supplies the record; never changes once set.
    pub external_id: Option<ExternalId>,
    /// Where the statements were read.
    pub source: Option<Source>,
    /// Address of the licence of the record, if it is not that of the node.
    #[schema(
        format = "http-url",
        max_length = 2000,
        example = "https://creativecommons.org/licenses/by/4.0/"
    )]
    pub licence: Option<String>,
    /// Only `published` is public; `draft` if absent at creation.
    pub publication: Option<Publication>,
    /// When a job publishes the record (RFC 3339); set by an approver.
    #[schema(value_type = Option<String>, format = "timestamp")]
    pub publish_at: Option<chrono::DateTime<chrono::Utc>>,
}

pub const REFERENCES: &[ReferenceField] = &[
    ReferenceField::slot("/home_region", crate::base::kind::Kind::Region),
    ReferenceField::slot("/topics/*", crate::base::kind::Kind::Topic),
    ReferenceField::slot("/places/*/region", crate::base::kind::Kind::Region),
    ReferenceField::slot(
        "/translations/*/places/*/region",
        crate::base::kind::Kind::Region,
    ),
];

pub const TEXTS: &[&str] = &[
    "name",
    "names",
    "summary",
    "description",
    "challenges",
    "audiences",
    "goals",
    "links",
    "media",
    "figures",
    "places",
];

pub const FILTERS: &[Filter] = &[
    Filter {
        name: "topic",
        path: "/topics/*",
        form: Form::Tree(crate::base::kind::Kind::Topic),
        about: "Topic of the record, or one above it.",
        example: "fachkraeftemangel",
    },
    Filter {
        name: "seat",
        path: "/places/*/region",
        form: Form::Tree(crate::base::kind::Kind::Region),
        about: "Seat in this region or below.",
        example: "nordhessen",
    },
    Filter {
        name: "home_region",
        path: "/home_region",
        form: Form::Record(crate::base::kind::Kind::Region),
        about: "Home region of the record.",
        example: "nordhessen",
    },
    Filter {
        name: "document",
        path: "/source/document",
        form: Form::Text,
        about: "Source document of the record.",
        example: "002",
    },
];

/// Checks that the record was not dissolved before it was founded.
///
/// # Errors
/// `order`, at `dissolved`.
pub fn lifetime(
    founded: Option<&EdtfDate>,
    dissolved: Option<&EdtfDate>,
) -> Result<(), ValidationError> {
    match (founded, dissolved) {
        (Some(founded), Some(dissolved)) if dissolved.is_before(founded) => {
            Err(Fault::new(FaultCode::Order)
                .with("field", "dissolved")
                .with("later", format!("`dissolved` ({dissolved})"))
                .with("earlier", format!("`founded` ({founded})"))
                .into())
        }
        _ => Ok(()),
    }
}
