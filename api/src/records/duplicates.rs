//! Likely duplicates: pairs of records with a score and reasons.

use crate::http::problem::{Code, Problem};
use crate::operation::extract::{App, IfNoneMatch, Pairs, Parameter, Parameters, Query, Reader};
use crate::operation::paging::{CURSOR, LIMIT, Paging};
use crate::operation::param;
use crate::operation::param::Known;
use crate::operation::reply::content;
use crate::operation::reply::weak_tag;
use crate::operation::routes::{Draft, Reply, Routes};
use actix_web::body::BoxBody;
use actix_web::http::header;
use actix_web::{HttpRequest, HttpResponse, Responder};
use domain::base::json::insert;
use domain::base::kind::Kind;
use domain::base::vocabulary::{Coded, Labels};
use domain::matching::score::{ReasonCode, THRESHOLD};
use persistence::duplicates::{DuplicateFilter, DuplicatePage, DuplicatePair, LEAST, Side};
use persistence::read::relationships::AllOf;
use serde::Serialize;
use serde_json::json;
use utoipa::ToSchema;
use uuid::Uuid;

const PATH: &str = "/v1/duplicates";

#[must_use]
pub fn routes() -> Routes {
    let names = ("list_duplicates", "List likely duplicates");
    let problems = &[
        Code::InvalidCursor,
        Code::UnknownReference,
        Code::Overloaded,
    ];
    Routes::new("Duplicates").get(PATH, names, problems, list)
}

async fn list(
    app: App,
    Reader(caller): Reader,
    Query(asked): Query<Asked>,
    known: IfNoneMatch,
) -> Result<DuplicateList, Problem> {
    let mut filter = DuplicateFilter {
        kinds: asked.kinds,
        home_regions: Vec::with_capacity(asked.home_regions.len()),
        min_score: asked.min_score,
    };
    for list in &asked.home_regions {
        let mut ids: Vec<Uuid> = Vec::with_capacity(list.len());
        for value in list {
            let regions = [Kind::Region];
            let named = app
                .store
                .records()
                .find_named(&caller, "home_region", &regions, value);
            ids.push(named.await?.1);
        }
        filter.home_regions.push(ids);
    }
    let bound = format!("{PATH}?{}", asked.text);
    let page = app
        .duplicates
        .list(
            &caller,
            &filter,
            (asked.limit, asked.cursor.as_deref()),
            &bound,
        )
        .await?;
    let next = page.next.as_ref().map(|cursor| {
        let separator = if asked.text.is_empty() { "" } else { "&" };
        format!("{PATH}?{}{separator}cursor={cursor}", asked.text)
    });
    let json = json!(Duplicates::of(&page, next.clone())).to_string();
    let etag = weak_tag(&json);
    Ok(DuplicateList {
        json: (!known.has(&etag)).then_some(json),
        etag,
        next,
    })
}

#[derive(Debug)]
struct Asked {
    kinds: AllOf<Kind>,
    home_regions: AllOf<String>,
    min_score: f64,
    limit: usize,
    cursor: Option<String>,
    text: String,
}

const KIND: Parameter = param::codes(
    "kind",
    "The kind of both; comma is OR.",
    Known::Of(param::of::<Kind>),
)
.example("actor")
.repeatable();
const HOME_REGION: Parameter = param::text(
    "home_region",
    "The region whose editors may write one of the two: an id or a slug; comma is OR.",
)
.example("nordhessen")
.repeatable();
const MIN_SCORE: Parameter =
    param::number("min_score", "The least score.", &(LEAST..=1.0), THRESHOLD).example("0.9");

impl Parameters for Asked {
    fn table(_: Option<Kind>) -> &'static [Parameter] {
        &[KIND, HOME_REGION, MIN_SCORE, LIMIT, CURSOR]
    }

    fn read(pairs: &Pairs) -> Result<Self, Problem> {
        let text = |value: &str| (!value.is_empty()).then(|| value.to_owned());
        let region = ("an id or a slug", "eine ID oder ein Slug");
        let min_score = pairs.one(MIN_SCORE.name).and_then(|text| text.parse().ok());
        let Paging {
            limit,
            cursor,
            text: bound,
        } = Paging::read(pairs)?;
        Ok(Self {
            kinds: pairs.codes(KIND.name),
            home_regions: pairs.lists(HOME_REGION.name, region, text)?,
            min_score: min_score.unwrap_or(THRESHOLD),
            limit: usize::try_from(limit).unwrap_or(usize::MAX),
            cursor,
            text: bound,
        })
    }
}

/// Page of likely duplicates.
#[derive(Debug, Serialize, ToSchema)]
struct Duplicates {
    /// Pairs, most likely first.
    items: Vec<Duplicate>,
    /// Number of pairs on all pages.
    #[schema(minimum = 0)]
    total: u64,
    /// Address of the next page, relative to this server; absent on the last page. Also as `Link`.
    #[serde(skip_serializing_if = "Option::is_none")]
    next: Option<String>,
}

/// Pair of records that are probably the same.
#[derive(Debug, Serialize, ToSchema)]
struct Duplicate {
    /// Score, from 0 to 1.
    #[schema(minimum = 0, maximum = 1, example = 0.97)]
    score: f64,
    /// Reasons for and against.
    reasons: Vec<DuplicateReason>,
    /// The two records.
    #[schema(value_type = Vec<DuplicateRecord>, min_items = 2, max_items = 2)]
    records: [DuplicateRecord; 2],
    /// Suggested action if they are the same.
    suggestion: Suggestion,
}

/// Reason for or against two records being the same.
#[derive(Debug, Serialize, ToSchema)]
struct DuplicateReason {
    /// Code of the reason.
    code: ReasonCode,
    /// Labels for people.
    labels: Labels,
    /// Shared value, or the scheme in which they differ.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "klinikum-kassel.de")]
    value: Option<String>,
}

/// Summary of a record.
#[derive(Debug, Serialize, ToSchema)]
struct DuplicateRecord {
    /// Kind of the record.
    kind: Kind,
    /// Id of the record.
    id: Uuid,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "klinikum-kassel")]
    slug: Option<String>,
    /// Name of the record.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "Klinikum Kassel")]
    name: Option<String>,
    /// Origin of the record.
    #[schema(example = "nordhessen")]
    origin: String,
}

/// Suggested action for a pair: merging if both are this node's own, otherwise a relationship
/// `same_as`.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = DuplicateSuggestion)]
enum Suggestion {
    /// Merge them.
    Merge,
    /// Join them by `same_as`.
    SameAs,
}

impl Duplicates {
    fn of(page: &DuplicatePage, next: Option<String>) -> Self {
        Self {
            items: page.items.iter().map(Duplicate::of).collect(),
            total: page.total,
            next,
        }
    }
}

impl Duplicate {
    fn of(pair: &DuplicatePair) -> Self {
        let reasons = pair.reasons.iter().map(|reason| DuplicateReason {
            code: reason.code,
            labels: reason.code.labels(),
            value: reason.value.clone(),
        });
        Self {
            score: pair.score,
            reasons: reasons.collect(),
            records: pair.records.each_ref().map(DuplicateRecord::of),
            suggestion: if pair.can_be_merged() {
                Suggestion::Merge
            } else {
                Suggestion::SameAs
            },
        }
    }
}

impl DuplicateRecord {
    fn of(side: &Side) -> Self {
        Self {
            kind: side.kind,
            id: side.id,
            slug: side.slug.clone(),
            name: side.name.clone(),
            origin: side.origin.clone(),
        }
    }
}

#[derive(Debug)]
struct DuplicateList {
    json: Option<String>,
    etag: String,
    next: Option<String>,
}

impl Responder for DuplicateList {
    type Body = BoxBody;

    fn respond_to(self, _: &HttpRequest) -> HttpResponse {
        let etag = (header::ETAG, self.etag);
        let Some(json) = self.json else {
            return HttpResponse::NotModified().insert_header(etag).finish();
        };
        let mut response = HttpResponse::Ok();
        response
            .content_type("application/json")
            .insert_header(etag);
        if let Some(next) = self.next {
            response.insert_header((header::LINK, format!("<{next}>; rel=\"next\"")));
        }
        response.body(json)
    }
}

impl Reply for DuplicateList {
    fn describe(draft: &mut Draft) {
        let schema = draft.schema::<Duplicates>();
        let mut response = content("A page.", "application/json", &schema);
        let record = |slug: &str, name: &str| {
            json!({
                "kind": "actor",
                "id": domain::base::id::reference("actors", slug),
                "slug": slug,
                "name": name,
                "origin": "nordhessen",
            })
        };
        let reason = ReasonCode::SameName;
        let pair = json!({
            "score": 0.92,
            "reasons": [{"code": reason, "labels": reason.labels()}],
            "records": [
                record("klinikum-kassel", "Klinikum Kassel"),
                record("klinikum-kassel-gmbh", "Klinikum Kassel GmbH"),
            ],
            "suggestion": "merge",
        });
        let example = json!({"items": [pair], "total": 1});
        insert(
            &mut response,
            &["content", "application/json", "example"],
            example,
        );
        for header in ["ETag", "Link"] {
            let object =
                json!({"description": "See RFC 9110 and RFC 8288.", "schema": {"type": "string"}});
            insert(&mut response, &["headers", header], object);
        }
        draft.response(200, response);
    }
}
