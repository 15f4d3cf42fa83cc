//! Probes for load balancers and containers.

use crate::http::problem::{Code, Problem};
use crate::operation::extract::{App, Public, Query};
use crate::operation::reply::Json;
use crate::operation::routes::Routes;
use actix_web::http::header::RETRY_AFTER;
use persistence::StoreError;
use serde::Serialize;
use utoipa::ToSchema;

#[must_use]
pub fn routes() -> Routes {
    let live = ("get_health_live", "Check whether the process runs");
    let ready = ("get_health_ready", "Check whether requests can be served");
    let writable = ("get_health_writable", "Check whether writes succeed");
    Routes::new("Node")
        .get("/health/live", live, &[], get_live)
        .get("/health/ready", ready, &[], get_ready)
        .get("/health/writable", writable, &[], get_writable)
}

/// Response of a probe.
#[derive(Debug, Serialize, ToSchema)]
#[schema(example = json!({"status": "ok"}))]
struct Health {
    /// `ok`; failures are problem documents.
    status: &'static str,
}

async fn get_live(_: Public, _: Query<()>) -> Result<Json<Health>, Problem> {
    Ok(Json(Health { status: "ok" }))
}

async fn get_ready(_: Public, app: App, _: Query<()>) -> Result<Json<Health>, Problem> {
    app.store.ping().await.map_err(|cause| {
        tracing::error!(error = %cause, "not ready: the database does not respond");
        Problem::new(Code::Busy).header(RETRY_AFTER, "1")
    })?;
    Ok(Json(Health { status: "ok" }))
}

async fn get_writable(_: Public, app: App, _: Query<()>) -> Result<Json<Health>, Problem> {
    match app.store.check_writable().await {
        Ok(()) => Ok(Json(Health { status: "ok" })),
        Err(StoreError::StorageFull(cause)) => {
            tracing::error!(error = %cause, "not writable: no space left for the database");
            let full = Problem::new(Code::StorageFull);
            let [en, de] = [full.kind.title.en, full.kind.title.de];
            let problem =
                Problem::new(Code::StorageFailing).detail(format!("{en}."), format!("{de}."));
            Err(problem.header(RETRY_AFTER, "10"))
        }
        Err(other) => Err(other.into()),
    }
}
