//! Undoing the deletion of a record.

use crate::http::problem::{Code, Problem};
use crate::operation::extract::{App, HowToWrite, MayMatch, RecordId, Told, Writer};
use crate::operation::reply::Private;
use crate::operation::routes::Routes;
use actix_web::http::Method;
use domain::base::fault::Lang;
use domain::base::kind::Kind;
use domain::base::vocabulary::Coded;
use domain::exchange::change::LeftOut;
use domain::validation::body::KindSchema;
use persistence::restore::Restoration;
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

#[must_use]
pub fn routes(schema: &KindSchema) -> Routes {
    let kind = schema.kind;
    let path = format!("/v1/{}/{{id}}/restore", kind.plural());
    let id = format!("restore_{kind}");
    let summary = format!("Restore this deleted {kind}");
    let problems = [Code::Gone, Code::Conflict, Code::ValidationFailed];
    Routes::of(schema).route(Method::POST, &path, (&id, &summary), &problems, post)
}

/// What came back with a restored record.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Restoration, example = json!({"record": {"kind": "network", "id": "0193e5a0-0000-7000-8000-000000000001", "slug": "mo-win-net", "version": 9}, "relationships": 12, "left_out": 1, "examples": [{"id": "0193e5a0-0000-7000-8000-000000000002", "reason": "end-missing", "message": "an end is gone"}]}))]
struct RestorationView {
    /// Record that was restored.
    record: RestoredRecord,
    /// Number of relationships that came back with it.
    relationships: u64,
    /// Number of relationships that stay deleted.
    left_out: u64,
    /// First hundred of those.
    examples: Vec<LeftOutView>,
}

/// Restored record in short.
#[derive(Debug, Serialize, ToSchema)]
struct RestoredRecord {
    /// Kind of the record.
    kind: Kind,
    /// Id of the record, as before.
    id: Uuid,
    /// Slug; another one if the former has been taken.
    #[serde(skip_serializing_if = "Option::is_none")]
    slug: Option<String>,
    /// Version, one more than that of the deletion.
    #[schema(minimum = 1)]
    version: i64,
}

/// Relationship that stays deleted.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = LeftOutRelationship)]
struct LeftOutView {
    /// Id of the relationship.
    id: Uuid,
    /// Code of the reason.
    #[schema(example = "end-missing")]
    reason: &'static str,
    /// Reason in words.
    message: String,
}

impl LeftOutView {
    fn new((id, why): (Uuid, LeftOut), lang: Lang) -> Self {
        Self {
            id,
            reason: why.code(),
            message: why.labels().get(lang).to_owned(),
        }
    }
}

impl RestorationView {
    fn new(restoration: Restoration, lang: Lang) -> Self {
        let Restoration {
            record,
            relationships,
            left_out,
            examples,
        } = restoration;
        let examples = examples.into_iter();
        Self {
            record: RestoredRecord {
                kind: record.kind,
                id: record.id,
                slug: record.slug,
                version: record.version,
            },
            relationships,
            left_out,
            examples: examples.map(|one| LeftOutView::new(one, lang)).collect(),
        }
    }
}

async fn post(
    app: App,
    Writer(caller): Writer,
    id: RecordId,
    MayMatch(expected): MayMatch,
    HowToWrite(options): HowToWrite,
    Told(lang): Told,
) -> Result<Private<RestorationView>, Problem> {
    let key = (id.kind, id.key.as_str());
    let records = app.store.records();
    let restoration = records.restore(&caller, key, &expected, &options).await?;
    let version = restoration.record.version;
    let view = Private::new(RestorationView::new(restoration, lang));
    Ok(if options.dry_run {
        view
    } else {
        view.version(version)
    })
}
