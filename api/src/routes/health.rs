//! Probes for load balancers and containers.

use crate::extract::{Anyone, App, Query};
use crate::operation::Routes;
use crate::problem::Problem;
use crate::reply::Json;
use serde::Serialize;
use utoipa::ToSchema;

/// The routes.
#[must_use]
pub fn routes() -> Routes {
    let live = ("get_health_live", "Tell whether the process runs");
    let ready = ("get_health_ready", "Tell whether requests can be served");
    Routes::new("Node")
        .get("/health/live", live, &[], get_live)
        .get("/health/ready", ready, &["busy"], get_ready)
}

/// A probe's answer.
#[derive(Debug, Serialize, ToSchema)]
#[schema(example = json!({"status": "ok"}))]
struct Health {
    /// `ok`; anything else is a problem document.
    status: &'static str,
}

async fn get_live(_: Anyone, _: Query<()>) -> Result<Json<Health>, Problem> {
    Ok(Json(Health { status: "ok" }))
}

async fn get_ready(_: Anyone, app: App, _: Query<()>) -> Result<Json<Health>, Problem> {
    app.store.ping().await.map_err(|cause| {
        tracing::error!(%cause, "not ready: the database does not answer");
        Problem::new("busy").header(actix_web::http::header::RETRY_AFTER, "1")
    })?;
    Ok(Json(Health { status: "ok" }))
}
