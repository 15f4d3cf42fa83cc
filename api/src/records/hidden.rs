//! Hiding copies on this node.

use crate::http::problem::Problem;
use crate::operation::extract::{App, HideAccess, HowToWrite, RecordId};
use crate::operation::reply::Done;
use crate::operation::routes::Routes;
use actix_web::http::Method;
use domain::access::rules::Caller;
use domain::validation::body::KindSchema;
use persistence::transaction::WriteOptions;

#[must_use]
pub fn routes(schema: &KindSchema) -> Routes {
    let path = format!("/v1/{}/{{id}}/hidden", schema.kind.plural());
    let hide = format!("hide_{}", schema.kind);
    let hide = (hide.as_str(), "Hide a copy on this node");
    let show = format!("unhide_{}", schema.kind);
    let show = (show.as_str(), "Show a hidden copy again");
    Routes::of(schema)
        .route(Method::PUT, &path, hide, &[], put)
        .route(Method::DELETE, &path, show, &[], delete)
}

async fn put(
    app: App,
    HideAccess(caller): HideAccess,
    id: RecordId,
    HowToWrite(options): HowToWrite,
) -> Result<Done, Problem> {
    change(&app, &caller, &id, true, &options).await
}

async fn delete(
    app: App,
    HideAccess(caller): HideAccess,
    id: RecordId,
    HowToWrite(options): HowToWrite,
) -> Result<Done, Problem> {
    change(&app, &caller, &id, false, &options).await
}

async fn change(
    app: &App,
    caller: &Caller,
    id: &RecordId,
    hide: bool,
    options: &WriteOptions,
) -> Result<Done, Problem> {
    let row = app
        .store
        .records()
        .find_hideable(caller, id.kind, &id.key)
        .await?;
    let key = (id.kind, row.id);
    app.store.records().hide(caller, key, hide, options).await?;
    Ok(Done)
}
