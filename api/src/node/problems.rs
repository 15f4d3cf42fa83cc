use crate::http::problem::{Code, Problem};
use crate::operation::extract::{NameInPath, Public, Query};
use crate::operation::reply::Json;
use crate::operation::routes::Routes;
use domain::base::fault::{FaultCode, Lang};
use serde::Serialize;
use std::collections::BTreeMap;
use utoipa::ToSchema;

#[must_use]
pub fn routes() -> Routes {
    let names = ("get_problem", "Read the explanation of a problem");
    Routes::new("Node").get("/problems/{name}", names, &[], get)
}

/// Explanation of a problem.
#[derive(Debug, Serialize, ToSchema)]
#[schema(example = json!({"code": "precondition-required", "status": 428, "title": {"en": "If-Match is required", "de": "If-Match ist nötig"}, "fix": {"en": "Send the ETag of the version that you read in If-Match.", "de": "Senden Sie das ETag der gelesenen Version in If-Match."}}))]
struct ProblemDescription {
    /// Stable code, the last segment of `type`.
    code: &'static str,
    /// HTTP status of the problem.
    status: u16,
    /// Title, by language.
    title: BTreeMap<&'static str, &'static str>,
    /// How to fix it, by language.
    fix: BTreeMap<&'static str, &'static str>,
    /// For `validation-failed`: the codes of `errors` with their message templates by language.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    errors: BTreeMap<&'static str, BTreeMap<&'static str, &'static str>>,
}

async fn get(
    _: Public,
    _: Query<()>,
    NameInPath(name): NameInPath,
) -> Result<Json<ProblemDescription>, Problem> {
    let code = Code::parse(&name).ok_or_else(|| Problem::new(Code::NotFound))?;
    let kind = code.kind();
    let errors = if code == Code::ValidationFailed {
        let codes = FaultCode::ALL.iter();
        let templates = codes.map(|code| {
            let (en, de) = (code.template(Lang::En), code.template(Lang::De));
            (code.as_str(), BTreeMap::from([("en", en), ("de", de)]))
        });
        templates.collect()
    } else {
        BTreeMap::new()
    };
    Ok(Json(ProblemDescription {
        code: code.as_str(),
        status: kind.status.as_u16(),
        title: BTreeMap::from([("en", kind.title.en), ("de", kind.title.de)]),
        fix: BTreeMap::from([("en", kind.fix.en), ("de", kind.fix.de)]),
        errors,
    }))
}
