//! Likely duplicates: pairs of records with a score and reasons.

use crate::http::problem::Problem;
use crate::operation::extract::{
    App, IfNoneMatch, Pairs, Parameter, Parameters, Query, Reader, wrong,
};
use crate::operation::reply::content;
use crate::operation::routes::{Draft, Reply, Routes};
use actix_web::body::BoxBody;
use actix_web::http::header;
use actix_web::{HttpRequest, HttpResponse, Responder};
use domain::base::json::insert;
use domain::base::kind::Kind;
use domain::base::vocabulary::{Coded, Labels};
use domain::matching::score::{ReasonCode, THRESHOLD};
use persistence::merge::duplicates::{DuplicateFilter, DuplicatePage, DuplicatePair, LEAST, Side};
use persistence::read::relationships::AllOf;
use serde::Serialize;
use serde_json::json;
use utoipa::ToSchema;
use uuid::Uuid;

const PATH: &str = "/v1/duplicates";

#[must_use]
pub fn routes() -> Routes {
    let names = ("list_duplicates", "List likely duplicates");
    let problems = &["invalid-cursor", "unknown-reference"];
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
    let etag = crate::formats::view::weak_tag(&json);
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

impl Parameters for Asked {
    fn table(_: Option<Kind>) -> &'static [Parameter] {
        &[
            Parameter {
                name: "kind",
                description: "Kind of both records; comma is OR.",
                schema: r#"{"type": "string"}"#,
                example: "actor",
                repeatable: true,
            },
            Parameter {
                name: "home_region",
                description: "Home region of one of the two: an id or a slug; comma is OR.",
                schema: r#"{"type": "string"}"#,
                example: "nordhessen",
                repeatable: true,
            },
            Parameter {
                name: "min_score",
                description: "Minimum score.",
                schema: r#"{"type": "number", "minimum": 0.5, "maximum": 1, "default": 0.7}"#,
                example: "0.9",
                repeatable: false,
            },
            Parameter {
                name: "limit",
                description: "Number of items per page.",
                schema: r#"{"type": "integer", "minimum": 1, "maximum": 200, "default": 20}"#,
                example: "20",
                repeatable: false,
            },
            Parameter {
                name: "cursor",
                description: "Position of the page, from `next`.",
                schema: r#"{"type": "string", "maxLength": 500}"#,
                example: "",
                repeatable: false,
            },
        ]
    }

    fn read(pairs: &Pairs) -> Result<Self, Problem> {
        let text = |value: &str| (!value.is_empty()).then(|| value.to_owned());
        let min_score = pairs.one("min_score").map(|text| {
            let score = text.parse::<f64>().ok();
            score
                .filter(|score| (LEAST..=1.0).contains(score))
                .ok_or_else(|| wrong("min_score", text, &format!("a number from {LEAST} to 1")))
        });
        let limit = pairs.number("limit", 1, 200)?.unwrap_or(20);
        Ok(Self {
            kinds: pairs.codes::<Kind>("kind")?,
            home_regions: pairs.lists("home_region", "an id or a slug", text)?,
            min_score: min_score.transpose()?.unwrap_or(THRESHOLD),
            limit: usize::try_from(limit).unwrap_or(20),
            cursor: pairs.one("cursor").map(str::to_owned),
            text: pairs.without_cursor(),
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
    /// One record of the pair.
    a: DuplicateRecord,
    /// Other record of the pair.
    b: DuplicateRecord,
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
            a: DuplicateRecord::of(&pair.a),
            b: DuplicateRecord::of(&pair.b),
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
            "a": record("klinikum-kassel", "Klinikum Kassel"),
            "b": record("klinikum-kassel-gmbh", "Klinikum Kassel GmbH"),
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
