//! `GET /v1/changes.atom`: what changed, for people and their feed readers.
//!
//! There are no archives: they would keep texts that were erased.

use crate::exchange::feed::filter;
use crate::exchange::feed::filter::{HOME_REGION, KIND};
use crate::formats::atom::{deleted_entry, documented, entry, head};
use crate::formats::{Atom, FEED_ITEMS, Item, Place};
use crate::http::problem::Problem;
use crate::operation::extract::{
    Address, App, IfNoneMatch, Pairs, Parameter, Parameters, Public, Query,
};
use crate::operation::media_type::Formats;
use crate::operation::paging::CURSOR;
use crate::operation::reply::{document_page_headers, weak_tag};
use crate::operation::routes::{Draft, Reply};
use actix_web::body::BoxBody;
use actix_web::http::header;
use actix_web::{HttpRequest, HttpResponse, Responder};
use domain::base::kind::Kind;
use persistence::feed::FeedFilter;

pub(super) const CHANGES: &str = "/v1/changes.atom";

pub(super) struct Sent {
    filter: FeedFilter,
    cursor: Option<String>,
    text: String,
}

impl Parameters for Sent {
    fn table(_: Option<Kind>) -> &'static [Parameter] {
        &[CURSOR, KIND, HOME_REGION]
    }

    fn read(pairs: &Pairs) -> Result<Self, Problem> {
        Ok(Self {
            filter: filter::read(pairs)?,
            cursor: pairs.one(CURSOR.name).map(str::to_owned),
            text: pairs.without_cursor(),
        })
    }
}

pub(super) async fn get(
    _: Public,
    app: App,
    Query(sent): Query<Sent>,
    known: IfNoneMatch,
    address: Address,
) -> Result<AtomFeed, Problem> {
    let bound = format!("{CHANGES}?{}", sent.filter.text());
    let limit = usize::try_from(FEED_ITEMS).unwrap_or(usize::MAX);
    let cursor = (sent.cursor.as_deref(), bound.as_str());
    let page = app.store.feed().newest(&sent.filter, limit, cursor).await?;
    let next = page.next.as_ref();
    let next = next.map(|cursor| Pairs::next(CHANGES, &sent.text, cursor));
    let place = Place {
        next: next.clone(),
        updated: page.changes.first().map(|change| change.at),
        ..address.place(&app.site, None, None)
    };
    let mut text = String::new();
    head(&place, &mut text);
    for change in &page.changes {
        let Some(row) = &change.row else {
            deleted_entry(change.id, change.at, &mut text);
            continue;
        };
        let item = Item {
            row,
            json: &row.json(),
            more: None,
            area: None,
            slugs: None,
            names: None,
        };
        entry(&item, &place, change.at, &mut text)?;
    }
    text.push_str("</feed>");
    let etag = weak_tag(&text);
    Ok(AtomFeed {
        body: (!known.has(&etag)).then_some(text),
        etag,
        next,
    })
}

/// A page of the feed.
#[derive(Debug)]
pub(super) struct AtomFeed {
    /// Absent if the caller has it already.
    body: Option<String>,
    etag: String,
    next: Option<String>,
}

impl Responder for AtomFeed {
    type Body = BoxBody;

    fn respond_to(self, _: &HttpRequest) -> HttpResponse {
        let etag = (header::ETAG, self.etag);
        let Some(body) = self.body else {
            return HttpResponse::NotModified().insert_header(etag).finish();
        };
        let mut response = HttpResponse::Ok();
        response
            .content_type("application/atom+xml; charset=utf-8")
            .insert_header(etag);
        if let Some(next) = self.next {
            response.insert_header((header::LINK, format!("<{next}>; rel=\"next\"")));
        }
        response.body(body)
    }
}

impl Reply for AtomFeed {
    fn formats(_: Option<Kind>) -> Formats {
        const FORMATS: Formats = Formats::fixed(&[&Atom]);
        FORMATS
    }

    fn describe(draft: &mut Draft) {
        let mut response = draft.success("A page of the feed.", |_| documented());
        document_page_headers(&mut response);
        draft.response(200, response);
    }
}
