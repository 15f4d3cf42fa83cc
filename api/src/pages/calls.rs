//! The calls behind a page: what the JSON routes answer to an anonymous caller, in process.
//!
//! A page has no other source. So it shows what anyone can request, with the same filters, the same
//! visibility and the same problems, and can name the requests.

use crate::http::problem::{Code, Problem};
use crate::operation::extract::{App, RecordId};
use crate::pages::locale::Locale;
use crate::records::list::parameters::Listed;
use crate::records::{contact_persons, crud, geometry, graph, history, list, relationships};
use domain::access::rules::Caller;
use persistence::StoreError;
use serde_json::Value;
use std::cell::RefCell;

#[derive(Debug)]
pub(super) struct Calls {
    app: App,
    locale: Locale,
    caller: Caller,
    /// Paths and queries of the requests so far, for "show request".
    made: RefCell<Vec<String>>,
}

/// A version of a record, as far as anyone can request it.
#[derive(Debug)]
pub(super) enum Version {
    Shown(Value),
    /// It is not public.
    Hidden,
    /// It is no longer kept: it was pruned, erased, or never came along with a copy.
    Gone,
    /// The record was deleted then.
    Deleted,
}

impl Version {
    pub(super) fn body(&self) -> Option<&Value> {
        match self {
            Self::Shown(body) => Some(body),
            Self::Hidden | Self::Gone | Self::Deleted => None,
        }
    }
}

fn parse(text: &str) -> Result<Value, Problem> {
    let parsed = serde_json::from_str(text);
    Ok(parsed.map_err(|why| StoreError::Corrupt(why.to_string()))?)
}

/// Pairs of a query as a text.
pub(super) fn query<'a>(pairs: impl IntoIterator<Item = (&'a str, &'a str)>) -> String {
    let mut query = url::form_urlencoded::Serializer::new(String::new());
    query.extend_pairs(pairs);
    query.finish()
}

impl Calls {
    pub(super) fn new(app: App, locale: Locale) -> Self {
        Self {
            app,
            locale,
            caller: Caller::anonymous(),
            made: RefCell::default(),
        }
    }

    pub(super) fn made(&self) -> Vec<String> {
        self.made.borrow().clone()
    }

    /// The node's own name, as in `origin`.
    pub(super) fn node(&self) -> &str {
        &self.app.store.node().origin
    }

    pub(super) fn today(&self) -> chrono::NaiveDate {
        self.app.store.clock().today()
    }

    fn make(&self, path: &str, query: &str) -> String {
        let lang = self.locale.code();
        let separator = if query.is_empty() { "" } else { "&" };
        let query = format!("{query}{separator}lang={lang}");
        self.made.borrow_mut().push(format!("{path}?{query}"));
        query
    }

    /// `/v1/search`, or the list of a kind.
    pub(super) async fn list(&self, listed: Listed, query: &str) -> Result<Value, Problem> {
        let path = match listed {
            Some(kind) => format!("/v1/{}", kind.plural()),
            None => "/v1/search".to_owned(),
        };
        let query = self.make(&path, query);
        parse(&list::json(&self.app, &self.caller, listed, &query).await?)
    }

    pub(super) async fn record(&self, id: &RecordId, query: &str) -> Result<Value, Problem> {
        let path = format!("/v1/{}/{}", id.kind.plural(), id.key);
        let query = self.make(&path, query);
        parse(&crud::json(&self.app, &self.caller, id, &query).await?)
    }

    pub(super) async fn relationships(&self, id: &RecordId, query: &str) -> Result<Value, Problem> {
        let path = format!("/v1/{}/{}/relationships", id.kind.plural(), id.key);
        let query = self.make(&path, query);
        parse(&relationships::json(&self.app, &self.caller, id, &query).await?)
    }

    pub(super) async fn events(&self, id: &RecordId, query: &str) -> Result<Value, Problem> {
        let path = format!("/v1/{}/{}/events", id.kind.plural(), id.key);
        let query = self.make(&path, query);
        parse(&list::events_json(&self.app, &self.caller, id, &query).await?)
    }

    pub(super) async fn graph(&self, query: &str) -> Result<Value, Problem> {
        let query = self.make("/v1/graph", query);
        parse(&graph::json(&self.app, &self.caller, &query).await?)
    }

    pub(super) async fn history(&self, id: &RecordId, query: &str) -> Result<Value, Problem> {
        let path = format!("/v1/{}/{}/history", id.kind.plural(), id.key);
        self.made.borrow_mut().push(format!("{path}?{query}"));
        history::json(&self.app, &self.caller, id, query).await
    }

    /// A version of a record, or why it is not shown.
    pub(super) async fn version(&self, id: &RecordId, version: i64) -> Result<Version, Problem> {
        match history::version_json(&self.app, &self.caller, id, version).await {
            Ok(text) => parse(&text).map(Version::Shown),
            Err(problem) => match problem.kind.code {
                Code::VersionGone => Ok(Version::Gone),
                Code::NotFound => Ok(Version::Hidden),
                _ => Err(problem),
            },
        }
    }

    /// The geometry of a region; `None` if it has none.
    pub(super) async fn geometry(&self, id: &RecordId) -> Result<Option<Value>, Problem> {
        match geometry::json(&self.app, &self.caller, id).await {
            Ok(text) => {
                let path = format!("/v1/{}/{}/geometry", id.kind.plural(), id.key);
                self.made.borrow_mut().push(path);
                parse(&text).map(Some)
            }
            Err(problem) if problem.kind.code == Code::NotFound => Ok(None),
            Err(problem) => Err(problem),
        }
    }

    pub(super) async fn contact_persons(&self, id: &RecordId) -> Result<Value, Problem> {
        contact_persons::json(&self.app, &self.caller, id, "limit=20").await
    }
}
