//! Erasing records, or single versions of them, permanently.

use crate::http::problem::Problem;
use crate::operation::extract::{
    Admin, App, ChangeReason, MayMatch, Pairs, Parameter, Parameters, Query, RecordId, wrong,
};
use crate::operation::idempotency::{Kept, Once};
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
    let problems = &["still-referenced", "has-relationships"];
    Routes::of(schema).route(Method::POST, &path, (&id, &summary), problems, post)
}

/// The target of an erasure, and whether it is a dry run.
#[derive(Debug)]
struct Wanted {
    version: Option<i64>,
    dry_run: bool,
}

impl Parameters for Wanted {
    fn table(_: Option<Kind>) -> &'static [Parameter] {
        &[
            Parameter {
                name: "version",
                description: "Erase only the content of this earlier version; the record stays.",
                schema: r#"{"type": "integer", "minimum": 1}"#,
                example: "1",
                repeatable: false,
            },
            Parameter {
                name: "dry_run",
                description: "Dry run: check everything and report the outcome, but write nothing.",
                schema: r#"{"type": "boolean", "default": false}"#,
                example: "true",
                repeatable: false,
            },
        ]
    }

    fn read(pairs: &Pairs) -> Result<Self, Problem> {
        let version = pairs.one("version").map(|text| {
            let version = text.parse::<i64>().ok().filter(|version| *version > 0);
            version.ok_or_else(|| wrong("version", text, "the number of a version"))
        });
        Ok(Self {
            version: version.transpose()?,
            dry_run: pairs.flag("dry_run")?.unwrap_or(false),
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
    mut once: Once,
) -> Result<Kept<Done>, Problem> {
    let options = options(wanted.version, reason, wanted.dry_run);
    // After the erasure the record is no longer found.
    if let Some(known) = once.known(&app, &caller, &options).await? {
        return Ok(known);
    }
    let record = app
        .store
        .records()
        .find_erasable(&caller, id.kind, &id.key)
        .await?;
    once.write(&app, &caller, &options, async |tx| {
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
