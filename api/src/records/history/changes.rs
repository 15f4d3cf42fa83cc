//! What a version changed, and going back to one.

use crate::http::problem::{Code, Problem};
use crate::operation::extract::{
    App, HowToWrite, IfMatch, Pairs, Parameter, Parameters, Query, Reader, RecordId, Writer,
};
use crate::operation::idempotency::{IdempotencyKey, Idempotent};
use crate::operation::param;
use crate::operation::reply::Private;
use crate::operation::routes::Routes;
use crate::records::crud::find;
use crate::records::history::VersionInPath;
use crate::records::reply::{Changed, Written};
use actix_web::http::Method;
use domain::access::rules::Caller;
use domain::base::kind::Kind;
use domain::validation::body::KindSchema;
use persistence::StoreError;
use persistence::write::Edit;
use serde::Serialize;
use serde_json::{Value, json};
use utoipa::ToSchema;

pub(super) fn routes(schema: &KindSchema) -> Routes {
    let kind = schema.kind;
    let one = format!("/v1/{}/{{id}}/history/{{version}}", kind.plural());
    let (diff_id, restore_id) = (
        format!("diff_{kind}_version"),
        format!("restore_{kind}_version"),
    );
    let compared = format!("Compare a version of {} with another one", schema.a);
    let restored = format!("Go back to a version of {}", schema.a);
    let problems = [Code::VersionGone, Code::Moved, Code::Gone];
    Routes::of(schema)
        .get(
            &format!("{one}/diff"),
            (&diff_id, &compared),
            &problems,
            compare,
        )
        .route(
            Method::POST,
            &format!("{one}/restore"),
            (&restore_id, &restored),
            &problems,
            restore,
        )
}

/// Difference between two versions of a record.
#[derive(Debug, Serialize, ToSchema)]
#[schema(example = json!({"from": 1, "to": 2, "patch": [{"op": "replace", "path": "/contact/phone", "value": "+49 561 1234"}]}))]
struct VersionDiff {
    /// Version that the patch applies to; 0 means an empty record.
    from: i64,
    /// Version that it leads to.
    to: i64,
    /// JSON patch (RFC 6902) between their bodies, without envelopes.
    #[schema(value_type = Vec<Object>)]
    patch: Value,
}

struct Against(Option<i64>);

const AGAINST: Parameter = param::integer(
    "against",
    "The version to compare with; the one before if absent.",
    &(1..=i64::MAX.unsigned_abs()),
)
.example("1");

impl Parameters for Against {
    fn table(_: Option<Kind>) -> &'static [Parameter] {
        &[AGAINST]
    }

    fn read(pairs: &Pairs) -> Result<Self, Problem> {
        let against = pairs.given(&AGAINST);
        Ok(Self(
            against.and_then(|version| i64::try_from(version).ok()),
        ))
    }
}

async fn compare(
    app: App,
    Reader(caller): Reader,
    id: RecordId,
    VersionInPath(version): VersionInPath,
    Query(Against(against)): Query<Against>,
) -> Result<Private<VersionDiff>, Problem> {
    let from = against.unwrap_or(version - 1);
    let right = body(&app, &caller, &id, version).await?;
    let left = if from == 0 {
        json!({})
    } else {
        body(&app, &caller, &id, from).await?
    };
    Ok(Private::new(VersionDiff {
        from,
        to: version,
        patch: json!(json_patch::diff(&left, &right)),
    }))
}

async fn body(app: &App, caller: &Caller, id: &RecordId, version: i64) -> Result<Value, Problem> {
    let key = (id.kind, id.key.as_str());
    let found = app.store.history().get(caller, key, version).await?;
    let parsed = serde_json::from_str(&found.body);
    Ok(parsed.map_err(|why| StoreError::Corrupt(why.to_string()))?)
}

/// Members that stay as they are when a version is restored.
const KEPT: &[&str] = &["publication", "publish_at", "slug", "external_id"];

async fn restore(
    app: App,
    Writer(caller): Writer,
    id: RecordId,
    VersionInPath(version): VersionInPath,
    IfMatch(expected): IfMatch,
    HowToWrite(options): HowToWrite,
    mut idempotency: IdempotencyKey,
) -> Result<Idempotent<Changed>, Problem> {
    let row = find(&app, &caller, id.kind, &id.key).await?;
    let mut body = body(&app, &caller, &id, version).await?;
    if let Some(members) = body.as_object_mut() {
        members.retain(|name, _| !KEPT.contains(&name.as_str()));
    }
    let key = (row.kind, row.id);
    idempotency
        .write(&app, &caller, &options, async |tx| {
            let edit = Edit::Replace(body.clone());
            let saved = tx.records().update_alone(key, &expected, edit).await?;
            let mut written = Written::new(&saved.row, saved.warnings);
            if options.dry_run {
                written.version = None;
            }
            Ok(Changed(written))
        })
        .await
}
