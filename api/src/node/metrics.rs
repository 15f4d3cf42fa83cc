//! Metrics for Prometheus. Requests are counted as they are served; everything else is looked up on
//! request.

mod exposition;

use crate::http::problem::Problem;
use crate::operation::extract::{App, MetricsAccess, Query};
use crate::operation::reply::content;
use crate::operation::routes::{Draft, Reply, Routes};
use actix_web::body::BoxBody;
use actix_web::http::header;
use actix_web::{HttpRequest, HttpResponse, Responder};
use domain::base::json::insert;
use exposition::{MEDIA_TYPE, exposition};
use serde_json::json;

#[must_use]
pub fn routes() -> Routes {
    let names = ("get_metrics", "Read the metrics");
    Routes::new("Node").get("/metrics", names, &[], get)
}

async fn get(_: MetricsAccess, app: App, _: Query<()>) -> Result<Exposition, Problem> {
    Ok(Exposition(exposition(&app).await?))
}

#[derive(Debug)]
struct Exposition(String);

impl Responder for Exposition {
    type Body = BoxBody;

    fn respond_to(self, _: &HttpRequest) -> HttpResponse {
        HttpResponse::Ok()
            .content_type(format!("{MEDIA_TYPE}; version=1.0.0; charset=utf-8"))
            .insert_header((header::CACHE_CONTROL, "no-store"))
            .body(self.0)
    }
}

impl Reply for Exposition {
    fn describe(draft: &mut Draft) {
        let schema = json!({"type": "string"});
        let text = "Metrics (OpenMetrics 1.0).";
        let mut response = content(text, MEDIA_TYPE, &schema);
        let example = "# TYPE verbund_log_head gauge\nverbund_log_head 48213\n# EOF\n";
        insert(&mut response, &["content", MEDIA_TYPE, "example"], example);
        draft.response(200, response);
    }
}
