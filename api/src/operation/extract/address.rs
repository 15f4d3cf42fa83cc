//! The address of a request.

use crate::config::Site;
use crate::formats::{Format, Place};
use crate::http::problem::Problem;
use crate::http::request::language;
use crate::operation::media_type::FORMAT;
use crate::operation::routes::{Draft, Extract};
use actix_web::HttpRequest;
use domain::base::fault::Lang;
use domain::base::kind::Kind;
use domain::validation::body::KindSchema;

#[derive(Debug)]
pub struct Address {
    pub path: String,
    query: String,
    /// The language of the labels, if the query has none.
    pub lang: Lang,
}

from_head!(Address);

impl Address {
    /// The address of what the program reads for itself.
    #[must_use]
    pub fn new(path: String, query: &str, lang: Lang) -> Self {
        Self {
            path,
            query: query.to_owned(),
            lang,
        }
    }

    #[expect(clippy::unnecessary_wraps, reason = "extractors may fail")]
    fn of(request: &HttpRequest) -> Result<Self, Problem> {
        Ok(Self {
            path: request.path().to_owned(),
            query: request.query_string().to_owned(),
            lang: language(request),
        })
    }

    /// This address as the place of a response with records of `kind`, or of several; `lang` is
    /// the requested language of its texts.
    #[must_use]
    pub fn place(&self, site: &Site, kind: Option<Kind>, lang: Option<&str>) -> Place {
        let lang = match lang.map(|lang| lang.split('-').next().unwrap_or_default()) {
            Some(tag) if tag.eq_ignore_ascii_case("de") => Lang::De,
            Some(_) => Lang::En,
            None => self.lang,
        };
        let what = kind.map(KindSchema::of).map(|schema| match lang {
            Lang::En => schema.tag,
            Lang::De => schema.tag_de,
        });
        let provider = site.provider();
        Place {
            site: site.clone(),
            title: match what {
                Some(what) => format!("{what} – {provider}"),
                None => provider.to_owned(),
            },
            path: match self.query.as_str() {
                "" => self.path.clone(),
                query => format!("{}?{query}", self.path),
            },
            lang,
            ..Place::default()
        }
    }

    /// A query of this address that leads to the same format without the header `Accept`.
    #[must_use]
    pub fn query_in(&self, format: &dyn Format, query: String) -> String {
        let named = self.path.ends_with(&format!(".{}", format.extension()))
            || self.query.contains(&format!("{FORMAT}="));
        if named || !format.has_addresses() {
            return query;
        }
        let separator = if query.is_empty() { "" } else { "&" };
        format!("{query}{separator}{FORMAT}={}", format.extension())
    }
}

impl Extract for Address {
    fn describe(_: &mut Draft) {}
}
