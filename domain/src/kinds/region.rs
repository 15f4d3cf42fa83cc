//! Regions: countries and states (reference data), health regions, districts, towns, quarters.

use crate::base::filter::Filter;
use crate::base::kind::Kind;
use crate::base::vocabulary::Coded;
use crate::kinds::common::Described;
use crate::kinds::record_type::RecordType;
use crate::value::edtf;
use crate::value::place::Point;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use validator::Validate;

crate::vocabulary! {
    /// The level of a region.
    RegionLevel "region_level" {
        Country "country" "Staat" "Country";
        State "state" "Land" "State";
        HealthRegion "health_region" "Gesundheitsregion" "Health region";
        Region "region" "Region" "Region";
        MetropolitanArea "metropolitan_area" "Ballungsraum" "Metropolitan area";
        District "district" "Kreis oder kreisfreie Stadt" "District";
        Municipality "municipality" "Gemeinde" "Municipality";
        Quarter "quarter" "Stadtteil" "Quarter";
    }
}

/// Official recognition of a region („anerkannt").
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(default)]
pub struct Recognition {
    /// Recognising body, as the source writes it.
    #[schema(min_length = 1, max_length = 300)]
    pub by: Option<String>,
    /// Date of recognition.
    pub since: Option<edtf::EdtfDate>,
    #[schema(min_length = 1, max_length = 1000)]
    pub as_stated: Option<String>,
}

/// A region. Its geometry is a sub-resource.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, ToSchema, Validate)]
#[serde(default)]
pub struct Region {
    /// Members of every described kind.
    #[serde(flatten)]
    #[validate(nested)]
    pub described: Described,
    /// Level of the region.
    pub level: Option<RegionLevel>,
    /// Official recognition of the region.
    pub recognition: Option<Recognition>,
    /// Point that represents the region on a map.
    pub point: Option<Point>,
}

impl RecordType for Region {
    const KIND: Kind = Kind::Region;
    const A: &'static str = "a region";
    const TAG: &'static str = "Regions";
    const TAG_DE: &'static str = "Regionen";
    const ABOUT: &'static str = "Countries, states, health regions, districts, towns, quarters.";
    const TEXTS: &'static [&'static str] = &["recognition"];
    const FILTERS: &'static [Filter] = &[Filter::code(
        "level",
        "/level",
        RegionLevel::vocabulary,
        "The level of the region.",
        "health_region",
    )];
    const STANDS_FOR_ITS_MEMBERS: bool = true;
    const CLASSIFIES: bool = true;
    const SUGGESTION_RANK: u8 = 3;
    const EXAMPLE: &'static str = r#"{"name":"Gesundheitsregion Münsterland","level":"health_region","home_region":"nordrhein-westfalen","source":{"document":"003"}}"#;

    fn described(&self) -> Option<&Described> {
        Some(&self.described)
    }
}
