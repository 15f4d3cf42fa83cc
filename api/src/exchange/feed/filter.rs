//! Filters and page sizes of the feed.

use crate::http::problem::Problem;
use crate::operation::extract::{Pairs, Parameter};
use crate::operation::param;
use crate::operation::param::Known;
use domain::base::kind::Kind;
use persistence::feed::FeedFilter;
use uuid::Uuid;

pub(crate) const MOST: u64 = 1000;

pub(crate) const KIND: Parameter = param::codes(
    "kind",
    "Records of this kind; comma is OR.",
    Known::Of(param::of::<Kind>),
)
.example("network");

pub(crate) const HOME_REGION: Parameter = param::text(
    "home_region",
    "Records with exactly this home region, by id; comma is OR. Regions below it are not meant.",
)
.example("0193e5a0-0000-7000-8000-000000000000");

pub(crate) const LIMIT: Parameter =
    param::integer("limit", "How many items a page holds.", &(1..=MOST))
        .default(500)
        .example("500");

pub(crate) fn read(pairs: &Pairs) -> Result<FeedFilter, Problem> {
    let id = |text: &str| Uuid::try_parse(text).ok();
    let region = ("the id of a region", "die ID einer Region");
    Ok(FeedFilter::new(
        pairs.codes::<Kind>(KIND.name).concat(),
        pairs.lists(HOME_REGION.name, region, id)?.concat(),
    ))
}
