//! JSON bodies other than records, validated by their schema in the same way.

use crate::http::problem::Problem;
use crate::operation::extract::body::{describe_refusals, read_json};
use crate::operation::routes::{Draft, Extract};
use actix_web::dev::Payload;
use actix_web::{FromRequest, HttpRequest};
use domain::base::fault::{Fault, FaultCode, FieldError};
use domain::validation::shape::Shape;
use futures::future::LocalBoxFuture;
use persistence::StoreError;
use persistence::store::MAX_BODY;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value, json};
use utoipa::ToSchema;

pub trait Body: DeserializeOwned + ToSchema + 'static {
    const EXAMPLE: &'static str;

    const LIMIT: usize = MAX_BODY;

    const TYPES: &'static [&'static str] = &["application/json"];

    fn shape() -> &'static Shape;

    #[must_use]
    fn compile() -> Shape {
        Shape::of::<Self>()
    }

    /// Removes absent members, and returns the violations that this would hide.
    fn tidy(body: &mut Value) -> Vec<FieldError> {
        Self::shape().tidy(body)
    }

    #[must_use]
    fn faults(&self) -> Vec<FieldError> {
        Vec::new()
    }
}

/// A JSON body that matches the schema of `T`.
#[derive(Debug)]
pub struct JsonBody<T>(pub T);

impl<T: Body> FromRequest for JsonBody<T> {
    type Error = Problem;
    type Future = LocalBoxFuture<'static, Result<Self, Problem>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let (request, payload) = (request.clone(), payload.take());
        Box::pin(async move {
            let mut body = read_json(request, payload, T::LIMIT, T::TYPES).await?;
            let mut misfits = T::tidy(&mut body);
            misfits.extend(T::shape().misfits(&body));
            if !misfits.is_empty() {
                return Err(StoreError::Invalid(misfits).into());
            }
            let body: T = serde_json::from_value(body).map_err(|why| {
                let fault = Fault::new(FaultCode::InvalidValue).with("why", why);
                Problem::from(StoreError::Invalid(vec![FieldError::new("", fault)]))
            })?;
            let faults = body.faults();
            if faults.is_empty() {
                return Ok(Self(body));
            }
            Err(StoreError::Invalid(faults).into())
        })
    }
}

impl<T: Body> Extract for JsonBody<T> {
    fn describe(draft: &mut Draft) {
        let example: Value = serde_json::from_str(T::EXAMPLE).unwrap_or_default();
        let content = json!({"schema": draft.schema::<T>(), "example": example});
        // Further types are aliases; generated clients need a single one.
        let content: Map<String, Value> = T::TYPES
            .iter()
            .take(1)
            .map(|one| ((*one).to_owned(), content.clone()))
            .collect();
        draft.request_body(json!({"required": true, "content": content}));
        describe_refusals(draft);
    }
}
