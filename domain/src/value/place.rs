//! Places: seats with the known parts of an address.

use crate::base::fault::{Fault, FaultCode};
use crate::value::edtf::Period;
use crate::value::reference::Slot;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use validator::{Validate, ValidationError};

/// A point in WGS 84.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Point {
    /// Latitude in degrees north.
    #[schema(minimum = -90, maximum = 90, example = 51.31)]
    pub lat: f64,
    /// Longitude in degrees east.
    #[schema(minimum = -180, maximum = 180, example = 9.48)]
    pub lon: f64,
}

/// A seat.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, ToSchema, Validate)]
#[serde(default)]
#[validate(schema(function = "check", skip_on_field_errors = false))]
pub struct Place {
    /// Role of the place for the record, or the wording of the source.
    #[schema(min_length = 1, max_length = 300)]
    pub label: Option<String>,
    /// Street and number.
    #[schema(min_length = 1, max_length = 300, example = "Mainzer Str. 118")]
    pub street: Option<String>,
    /// Postal code.
    #[schema(min_length = 1, max_length = 20, example = "65189")]
    pub postal_code: Option<String>,
    /// Town.
    #[schema(min_length = 1, max_length = 200, example = "Wiesbaden")]
    pub city: Option<String>,
    /// Part of the town.
    #[schema(min_length = 1, max_length = 200)]
    pub quarter: Option<String>,
    /// ISO 3166-1 alpha-2 code.
    #[schema(pattern = "^[A-Z]{2}$", format = "country", example = "DE")]
    pub country: Option<String>,
    /// Coordinates of the place.
    pub point: Option<Point>,
    /// Narrowest region of the directory that contains the place.
    pub region: Option<Slot>,
    /// Period in which it was the seat.
    #[validate(nested)]
    pub valid: Option<Period>,
}

fn check(place: &Place) -> Result<(), ValidationError> {
    let stated = Place {
        valid: None,
        ..place.clone()
    };
    if stated == Place::default() {
        return Err(Fault::new(FaultCode::EmptyEntry)
            .with(
                "members",
                "label, street, postal_code, city, quarter, country, point, region",
            )
            .into());
    }
    Ok(())
}
