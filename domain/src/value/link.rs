use crate::base::fault::{Fault, FaultCode};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use validator::{Validate, ValidationError};

crate::vocabulary! {
    /// Type of a medium.
    MediaType "media_type" {
        Logo "logo" "Logo" "Logo";
        Image "image" "Bild" "Image";
        Map "map" "Karte" "Map";
        Video "video" "Video" "Video";
        Document "document" "Dokument" "Document";
    }
}

/// A link; if the source does not give the target, it has a title only.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema, Validate)]
#[validate(schema(function = "check_link", skip_on_field_errors = false))]
pub struct Link {
    /// Relation of the target to the record (RFC 8288 relation types where one fits).
    #[schema(
        max_length = 63,
        pattern = "^[a-z][a-z0-9_.-]*$",
        example = "describedby"
    )]
    pub rel: String,
    /// Target (http or https).
    #[schema(format = "http-url", max_length = 2000)]
    pub url: Option<String>,
    /// Text of the link.
    #[schema(min_length = 1, max_length = 500, example = "mehr lesen")]
    pub title: Option<String>,
    /// BCP 47 language of the target.
    #[schema(format = "language")]
    pub language: Option<String>,
    /// True if the source truncates the text.
    pub truncated: Option<bool>,
}

/// A picture, map, video or document.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema, Validate)]
#[validate(schema(function = "check_media", skip_on_field_errors = false))]
pub struct Media {
    /// Type of the medium.
    pub r#type: MediaType,
    /// Address of the medium (http or https).
    #[schema(format = "http-url", max_length = 2000)]
    pub url: Option<String>,
    /// Caption of the medium.
    #[schema(min_length = 1, max_length = 1000)]
    pub caption: Option<String>,
    /// Credit line.
    #[schema(min_length = 1, max_length = 500)]
    pub credit: Option<String>,
    /// Alternative text for those who cannot see the medium.
    #[schema(min_length = 1, max_length = 1000)]
    pub alt: Option<String>,
    /// Licence of the medium.
    #[schema(min_length = 1, max_length = 200)]
    pub licence: Option<String>,
}

fn check_link(link: &Link) -> Result<(), ValidationError> {
    at_least_one(link.url.is_some() || link.title.is_some(), "url, title")
}

fn check_media(media: &Media) -> Result<(), ValidationError> {
    at_least_one(
        media.url.is_some() || media.caption.is_some() || media.alt.is_some(),
        "url, caption, alt",
    )
}

fn at_least_one(present: bool, members: &str) -> Result<(), ValidationError> {
    if present {
        return Ok(());
    }
    Err(Fault::new(FaultCode::EmptyEntry)
        .with("members", members)
        .into())
}
