//! Erasing records, or single versions of them, permanently.

use crate::http::problem::{Code, Problem};
use crate::operation::extract::{
    Admin, App, ChangeReason, DRY_RUN, MayMatch, Pairs, Parameter, Parameters, Query, RecordId,
};
use crate::operation::idempotency::{IdempotencyKey, Idempotent};
use crate::operation::param;
use crate::operation::reply::Done;
use crate::operation::routes::Routes;
use actix_web::http::Method;
use domain::base::kind::Kind;
use domain::validation::body::KindSchema;
use persistence::erase::options;

#[must_use]
pub fn routes(schema: &KindSchema) -> Routes {
    let path = format!("/v1/{}/{{id}}/erase", schema.kind.plural());
    let id = format!("erase_{}", schema.kind);
    let summary = format!("Erase {} with all its versions, permanently", schema.a);
    let problems = &[Code::StillReferenced];
    Routes::of(schema).route(Method::POST, &path, (&id, &summary), problems, post)
}

/// The target of an erasure, and whether it is a dry run.
#[derive(Debug)]
struct Wanted {
    version: Option<i64>,
    dry_run: bool,
}

const VERSION: Parameter = param::integer(
    "version",
    "Erase only what this earlier version said; the record stays.",
    &(1..=i64::MAX as u64),
)
.example("1");

impl Parameters for Wanted {
    fn table(_: Option<Kind>) -> &'static [Parameter] {
        &[VERSION, DRY_RUN]
    }

    fn read(pairs: &Pairs) -> Result<Self, Problem> {
        let version = pairs.given(&VERSION);
        Ok(Self {
            version: version.and_then(|version| i64::try_from(version).ok()),
            dry_run: pairs.flag(&DRY_RUN),
        })
    }
}

async fn post(
    app: App,
    Admin(caller): Admin,
    id: RecordId,
    MayMatch(expected): MayMatch,
    Query(wanted): Query<Wanted>,
    ChangeReason(reason): ChangeReason,
    mut idempotency: IdempotencyKey,
) -> Result<Idempotent<Done>, Problem> {
    let options = options(wanted.version, reason, wanted.dry_run);
    // After the erasure the record is no longer found.
    if let Some(known) = idempotency.known(&app, &caller, &options).await? {
        return Ok(known);
    }
    let record = app
        .store
        .records()
        .find_erasable(&caller, id.kind, &id.key)
        .await?;
    idempotency
        .write(&app, &caller, &options, async |tx| {
            match wanted.version {
                Some(version) => {
                    let key = (id.kind, record);
                    tx.records().erase_version(key, version, &expected).await?;
                }
                None => tx.records().erase(id.kind, record, &expected).await?,
            }
            Ok(Done)
        })
        .await
}
