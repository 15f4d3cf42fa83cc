//! What the columns of a system's tables mean.

use crate::http::problem::Problem;
use crate::operation::extract::{App, Body, Feeder, JsonBody, Pairs, Parameter, Parameters, Query};
use crate::operation::param;
use crate::operation::param::Known;
use crate::operation::reply::Private;
use crate::operation::upload::{Mapping, stored_mapping};
use domain::base::fault::FieldError;
use domain::base::kind::Kind;
use domain::base::vocabulary::Coded;
use domain::validation::shape::Shape;
use persistence::StoreError;
use persistence::transaction::WriteOptions;
use serde_json::{Value, json};
use std::sync::LazyLock;

const KIND: Parameter = param::code(
    "kind",
    "Kind of the records in the tables.",
    Known::Of(param::of::<Kind>),
)
.required()
.example("actor");

pub(crate) struct Of {
    kind: Kind,
}

impl Parameters for Of {
    fn table(_: Option<Kind>) -> &'static [Parameter] {
        &[KIND]
    }

    fn read(pairs: &Pairs) -> Result<Self, Problem> {
        let kind = pairs.one(KIND.name).and_then(Kind::parse);
        Ok(Self {
            kind: kind.unwrap_or(Kind::Actor),
        })
    }
}

impl Body for Mapping {
    const EXAMPLE: &'static str = r#"{"columns": {"Krankenhaus": "name", "IK": "identifiers.0.value", "Fax": null}, "values": {"identifiers.0.scheme": "ik", "categories": "hospital", "home_region": "nordhessen"}}"#;

    fn shape() -> &'static Shape {
        static SHAPE: LazyLock<Shape> = LazyLock::new(Mapping::compile);
        &SHAPE
    }

    // `null` leaves a column out.
    fn tidy(_: &mut Value) -> Vec<FieldError> {
        Vec::new()
    }
}

pub(crate) async fn get(
    app: App,
    feeder: Feeder,
    Query(of): Query<Of>,
) -> Result<Private<Mapping>, Problem> {
    let mapping = stored_mapping(&app.store, &feeder.system, &[of.kind]).await?;
    Ok(Private::new(mapping))
}

pub(crate) async fn set(
    app: App,
    feeder: Feeder,
    Query(of): Query<Of>,
    JsonBody(mapping): JsonBody<Mapping>,
) -> Result<Private<Mapping>, Problem> {
    let violations = mapping.violations(of.kind);
    if !violations.is_empty() {
        return Err(StoreError::Invalid(violations).into());
    }
    let place = (feeder.system.as_str(), of.kind);
    let push = app.store.push();
    push.set_columns(
        &feeder.caller,
        place,
        &json!(mapping),
        &WriteOptions::default(),
    )
    .await?;
    Ok(Private::new(mapping))
}
