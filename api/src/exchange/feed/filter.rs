//! Filters and page sizes of the feed.

use crate::http::problem::Problem;
use crate::operation::extract::{Pairs, Parameter};
use domain::base::kind::Kind;
use persistence::feed::FeedFilter;
use uuid::Uuid;

pub(crate) const MOST: u64 = 1000;

pub(crate) const KIND: Parameter = Parameter {
    name: "kind",
    description: "Records of this kind; comma is OR.",
    schema: r#"{"type": "string"}"#,
    example: "network",
    repeatable: false,
};

pub(crate) const HOME_REGION: Parameter = Parameter {
    name: "home_region",
    description: "Records with exactly this home region, by id; comma is OR. Regions below it do not count.",
    schema: r#"{"type": "string"}"#,
    example: "0193e5a0-0000-7000-8000-000000000000",
    repeatable: false,
};

pub(crate) const LIMIT: Parameter = Parameter {
    name: "limit",
    description: "Number of items per page.",
    schema: r#"{"type": "integer", "minimum": 1, "maximum": 1000, "default": 500}"#,
    example: "500",
    repeatable: false,
};

pub(crate) const CURSOR: Parameter = Parameter {
    name: "cursor",
    description: "Position of the page, from `next`.",
    schema: r#"{"type": "string", "maxLength": 1000}"#,
    example: "",
    repeatable: false,
};

pub(crate) fn read(pairs: &Pairs) -> Result<FeedFilter, Problem> {
    let id = |text: &str| Uuid::try_parse(text).ok();
    Ok(FeedFilter::new(
        pairs.codes::<Kind>("kind")?.concat(),
        pairs
            .lists("home_region", "the id of a region", id)?
            .concat(),
    ))
}

pub(crate) fn limit(pairs: &Pairs) -> Result<u64, Problem> {
    Ok(pairs.number("limit", 1, MOST)?.unwrap_or(500))
}
