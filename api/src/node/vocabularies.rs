//! The closed vocabularies with their labels, and the relationship table.

use crate::http::problem::{Code, Problem};
use crate::operation::extract::{NameInPath, Public, Query};
use crate::operation::reply::Json;
use crate::operation::routes::Routes;
use domain::base::nearest::nearest;
use domain::base::vocabulary::Vocabulary;
use domain::kinds::relationship::table::{RULES, Rule, RuleDescription};
use domain::vocabularies;
use serde::Serialize;
use utoipa::ToSchema;

#[must_use]
pub fn routes() -> Routes {
    let all = ("list_vocabularies", "List the closed vocabularies");
    let one = ("get_vocabulary", "Read a closed vocabulary");
    Routes::new("Vocabularies")
        .get("/v1/vocabularies", all, &[], list)
        .get("/v1/vocabularies/{name}", one, &[], get)
}

/// All closed vocabularies.
#[derive(Debug, Serialize, ToSchema)]
#[schema(example = json!({"items": [{"name": "event_mode", "items": [{"code": "online", "labels": {"de": "Online", "en": "Online"}}]}], "total": 1}))]
struct Vocabularies {
    /// List of vocabularies.
    items: Vec<Vocabulary>,
    /// Number of vocabularies.
    total: usize,
}

/// Closed vocabulary; `relationship_type` includes the relationship table.
#[derive(Debug, Serialize, ToSchema)]
#[schema(example = json!({"name": "event_mode", "items": [{"code": "in_person", "labels": {"de": "Vor Ort", "en": "In person"}}, {"code": "online", "labels": {"de": "Online", "en": "Online"}}]}))]
struct VocabularyWithRules {
    #[serde(flatten)]
    vocabulary: Vocabulary,
    /// What each type joins, its roles and its inverse; for `relationship_type` only.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    rules: Vec<RuleDescription>,
}

async fn list(_: Public, _: Query<()>) -> Result<Json<Vocabularies>, Problem> {
    let items = vocabularies::all();
    let total = items.len();
    Ok(Json(Vocabularies { items, total }))
}

async fn get(
    _: Public,
    _: Query<()>,
    NameInPath(name): NameInPath,
) -> Result<Json<VocabularyWithRules>, Problem> {
    let all = vocabularies::all();
    let names: Vec<&str> = all.iter().map(|one| one.name).collect();
    let close = nearest(&name, names.iter().copied()).unwrap_or_default();
    let known = names.join(", ");
    let found = all.into_iter().find(|one| one.name == name);
    let vocabulary = found.ok_or_else(|| {
        let en = if close.is_empty() {
            String::new()
        } else {
            format!(" Did you mean {close}?")
        };
        let de = if close.is_empty() {
            String::new()
        } else {
            format!(" Gemeint ist vielleicht {close}.")
        };
        Problem::new(Code::NotFound).detail(
            format!("There is no vocabulary of that name.{en} Known: {known}"),
            format!("Ein Vokabular dieses Namens gibt es nicht.{de} Bekannt: {known}"),
        )
    })?;
    let rules = if vocabulary.name == "relationship_type" {
        RULES.iter().copied().map(Rule::described).collect()
    } else {
        Vec::new()
    };
    Ok(Json(VocabularyWithRules { vocabulary, rules }))
}
