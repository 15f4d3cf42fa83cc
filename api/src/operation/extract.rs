//! Strict extractors that document their input and their failures.

/// Implements an extractor for a type whose `of` reads only the head of the request.
macro_rules! from_head {
    ($name:ident $(<$parameter:ident>)? $(, $generic:ident $(: $bound:ident)?)?) => {
        impl$(<$generic $(: $bound)?>)? actix_web::FromRequest for $name $(<$parameter>)? {
            type Error = $crate::http::problem::Problem;
            type Future = std::future::Ready<Result<Self, Self::Error>>;

            fn from_request(
                request: &actix_web::HttpRequest,
                _: &mut actix_web::dev::Payload,
            ) -> Self::Future {
                std::future::ready(Self::of(request))
            }
        }
    };
}
pub(crate) use from_head;

/// Implements an extractor for an id in the path: a UUID. An invalid one is the id of nothing.
macro_rules! path_id {
    ($(#[$doc:meta])* $name:ident, $variable:literal, $description:literal) => {
        $(#[$doc])*
        #[derive(Debug)]
        struct $name(uuid::Uuid);

        $crate::operation::extract::from_head!($name);

        impl $name {
            fn of(request: &actix_web::HttpRequest) -> Result<Self, $crate::http::problem::Problem> {
                let id = uuid::Uuid::try_parse(request.match_info().query($variable));
                id.map(Self)
                    .map_err(|_| $crate::http::problem::Problem::new($crate::http::problem::Code::NotFound))
            }
        }

        impl $crate::operation::routes::Extract for $name {
            fn describe(draft: &mut $crate::operation::routes::Draft) {
                $crate::operation::extract::describe_path_id(draft, $variable, $description);
            }
        }
    };
}
pub(crate) use path_id;

mod address;
mod body;
mod caller;
mod client;
mod json;
mod position;
mod precondition;
mod query;

pub use crate::operation::media_type::Accepted;
pub use crate::operation::param::{Parameter, unknown, wrong};
pub use address::Address;
pub use body::{
    GeoJsonBody, MAX_GEOMETRY, PatchBody, RecordBody, describe_refusals, read_body, read_json,
};
pub use caller::{
    Admin, Approver, Authenticated, Feeder, HideAccess, Identity, Importer, MetricsAccess, Public,
    Reader, Writer,
};
pub(crate) use caller::{Proved, bearer};
pub use client::ClientAddress;
pub use json::{Body, JsonBody};
pub use position::{AfterPosition, POSITION};
pub(crate) use precondition::is_unmatched;
pub use precondition::{GeometryCondition, IfMatch, IfNoneMatch, MayMatch};
pub(crate) use query::parse;
pub use query::{Pairs, Parameters, Query};

use crate::http::problem::{Code, Problem};
use crate::http::request::language;
use crate::operation::param;
use crate::operation::routes::{Draft, Extract};
use crate::state::State;
use actix_web::{HttpMessage, HttpRequest, web};
use domain::base::fault::Lang;
use domain::base::kind::Kind;
use persistence::transaction::WriteOptions;
use serde_json::json;

#[derive(Debug, Clone)]
pub struct App(web::Data<State>);

impl std::ops::Deref for App {
    type Target = State;

    fn deref(&self) -> &State {
        &self.0
    }
}

impl App {
    pub fn of(request: &HttpRequest) -> Result<Self, Problem> {
        request
            .app_data::<web::Data<State>>()
            .cloned()
            .map(Self)
            .ok_or_else(|| Problem::new(Code::Internal))
    }
}

from_head!(App);

impl Extract for App {
    fn describe(draft: &mut Draft) {
        draft.problem(Code::Busy);
        draft.problem(Code::StorageFailing);
    }
}

#[derive(Debug, Clone, Copy)]
pub struct OfKind(pub Kind);

from_head!(OfKind);

impl OfKind {
    pub fn of(request: &HttpRequest) -> Result<Self, Problem> {
        let kind = request.app_data::<Kind>().copied();
        kind.map(Self).ok_or_else(|| Problem::new(Code::Internal))
    }
}

impl Extract for OfKind {
    fn describe(draft: &mut Draft) {
        // A route without a kind is found when it is described, not when it is called.
        let _ = draft.kind_schema();
    }
}

/// The `{id}` of a URL: a UUID or a slug, of the kind of the route.
#[derive(Debug)]
pub struct RecordId {
    pub kind: Kind,
    pub key: String,
}

from_head!(RecordId);

impl RecordId {
    fn of(request: &HttpRequest) -> Result<Self, Problem> {
        let OfKind(kind) = OfKind::of(request)?;
        Self::new(kind, request.match_info().query("id"))
    }

    /// The id or slug of a record.
    ///
    /// # Errors
    /// `not-found` if it cannot be one.
    pub(crate) fn new(kind: Kind, key: &str) -> Result<Self, Problem> {
        let key = key.to_owned();
        // PostgreSQL rejects NUL, and no slug has a control character.
        let fine = !key.is_empty() && key.len() <= 200 && !key.chars().any(char::is_control);
        fine.then_some(Self { kind, key })
            .ok_or_else(|| Problem::new(Code::NotFound))
    }
}

impl Extract for RecordId {
    fn describe(draft: &mut Draft) {
        draft.parameter(json!({
            "name": "id",
            "in": "path",
            "required": true,
            "description": "The id (UUID) or the slug of the record.",
            "schema": {"type": "string", "minLength": 1, "maxLength": 200},
        }));
        draft.problem(Code::NotFound);
        draft.problem(Code::AmbiguousSlug);
    }
}

#[derive(Debug)]
pub struct NameInPath(pub String);

from_head!(NameInPath);

impl NameInPath {
    #[expect(clippy::unnecessary_wraps, reason = "extractors may fail")]
    fn of(request: &HttpRequest) -> Result<Self, Problem> {
        Ok(Self(request.match_info().query("name").to_owned()))
    }
}

impl Extract for NameInPath {
    fn describe(draft: &mut Draft) {
        draft.parameter(json!({
            "name": "name",
            "in": "path",
            "required": true,
            "description": "Name of the vocabulary, problem or sitemap.",
            "schema": {"type": "string", "minLength": 1, "maxLength": 100},
        }));
        draft.problem(Code::NotFound);
    }
}

/// How a write is to be done: `?dry_run=true` and `Change-Reason`.
#[derive(Debug)]
pub struct HowToWrite(pub WriteOptions);

/// `dry_run`: validate a write without storing it.
pub(crate) const DRY_RUN: Parameter = param::boolean(
    "dry_run",
    "Check everything and answer as if, but write nothing.",
);

/// `?dry_run=true`: check everything, but write nothing.
#[derive(Debug)]
pub struct DryRun(pub bool);

impl Parameters for DryRun {
    fn table(_: Option<Kind>) -> &'static [Parameter] {
        &[DRY_RUN]
    }

    fn read(pairs: &Pairs) -> Result<Self, Problem> {
        Ok(Self(pairs.flag(&DRY_RUN)))
    }
}

from_head!(HowToWrite);

impl HowToWrite {
    fn of(request: &HttpRequest) -> Result<Self, Problem> {
        let DryRun(dry_run) = query::read(request)?;
        let ChangeReason(reason) = ChangeReason::of(request)?;
        Ok(Self(WriteOptions {
            dry_run,
            reason,
            bulk: false,
        }))
    }
}

impl Extract for HowToWrite {
    fn describe(draft: &mut Draft) {
        Query::<DryRun>::describe(draft);
        ChangeReason::describe(draft);
    }
}

/// The language of messages, from `Accept-Language`.
#[derive(Debug)]
pub struct Told(pub Lang);

from_head!(Told);

impl Told {
    #[expect(clippy::unnecessary_wraps, reason = "extractors may fail")]
    fn of(request: &HttpRequest) -> Result<Self, Problem> {
        Ok(Self(language(request)))
    }
}

impl Extract for Told {
    fn describe(_: &mut Draft) {}
}

from_head!(Accepted);

impl Accepted {
    fn of(request: &HttpRequest) -> Result<Self, Problem> {
        let accepted = request.extensions().get::<Self>().copied();
        accepted.ok_or_else(|| Problem::new(Code::Internal))
    }
}

impl Extract for Accepted {
    fn describe(_: &mut Draft) {}
}

/// The reason of a change: `Change-Reason`.
#[derive(Debug)]
pub struct ChangeReason(pub Option<String>);

from_head!(ChangeReason);

impl ChangeReason {
    fn of(request: &HttpRequest) -> Result<Self, Problem> {
        let reason = request.headers().get("change-reason").map(|value| {
            let text = std::str::from_utf8(value.as_bytes()).ok();
            text.filter(|text| text.chars().count() <= 500)
                .map(str::to_owned)
                .ok_or_else(|| {
                    Problem::new(Code::InvalidHeader).detail(
                        "`Change-Reason` has at most 500 characters of UTF-8.",
                        "`Change-Reason` fasst höchstens 500 Zeichen in UTF-8.",
                    )
                })
        });
        let reason = reason.transpose()?;
        Ok(Self(reason.filter(|text| !text.trim().is_empty())))
    }
}

impl Extract for ChangeReason {
    fn describe(draft: &mut Draft) {
        draft.problem(Code::InvalidHeader);
        draft.parameter(json!({
            "name": "Change-Reason",
            "in": "header",
            "description": "Reason of the change, for the history; UTF-8, at most 500 characters.",
            "schema": {"type": "string", "maxLength": 500},
            "example": "Neue Anschrift seit Mai",
        }));
    }
}

pub(crate) fn describe_path_id(draft: &mut Draft, variable: &str, description: &str) {
    draft.parameter(json!({
        "name": variable,
        "in": "path",
        "required": true,
        "description": description,
        "schema": {"type": "string", "format": "uuid"},
    }));
    draft.problem(Code::NotFound);
}
