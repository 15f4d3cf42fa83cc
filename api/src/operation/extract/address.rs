//! The address of a request.

use crate::http::problem::Problem;
use crate::http::request::language;
use crate::operation::routes::{Draft, Extract};
use actix_web::HttpRequest;
use domain::base::fault::Lang;

#[derive(Debug)]
pub struct Address {
    pub path: String,
    /// The language of the labels, if the query has none.
    pub lang: Lang,
}

from_head!(Address);

impl Address {
    #[expect(clippy::unnecessary_wraps, reason = "extractors may fail")]
    fn of(request: &HttpRequest) -> Result<Self, Problem> {
        Ok(Self {
            path: request.path().to_owned(),
            lang: language(request),
        })
    }
}

impl Extract for Address {
    fn describe(_: &mut Draft) {}
}
