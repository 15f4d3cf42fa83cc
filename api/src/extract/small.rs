//! Small JSON bodies that are no records, checked by their schema as records are.

use super::body::{describe_refusals, read_json};
use crate::operation::{Draft, Extract};
use crate::problem::Problem;
use actix_web::dev::Payload;
use actix_web::{FromRequest, HttpRequest};
use domain::application::{ApplicationInput, MAX_APPLICATION};
use domain::confirmation::ConfirmationInput;
use domain::fault::{Fault, FieldError};
use domain::json::without_absent;
use domain::shape::Shape;
use futures::future::LocalBoxFuture;
use persistence::StoreError;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use std::sync::LazyLock;
use utoipa::ToSchema;

/// What can be sent as a small body.
pub trait Small: DeserializeOwned + ToSchema + 'static {
    /// How many bytes it may have.
    const LIMIT: usize;
    /// One for the documentation.
    const EXAMPLE: &'static str;

    /// The compiled schema.
    fn shape() -> &'static Shape;
}

/// A small body that fits its schema.
#[derive(Debug)]
pub struct SmallBody<T>(pub T);

fn compiled<T: Small>() -> Shape {
    let mut schemas = vec![(T::name().into_owned(), T::schema())];
    T::schemas(&mut schemas);
    Shape::new(&T::name(), domain::schema::tidy(schemas))
}

impl<T: Small> FromRequest for SmallBody<T> {
    type Error = Problem;
    type Future = LocalBoxFuture<'static, Result<Self, Problem>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let (request, payload) = (request.clone(), payload.take());
        Box::pin(async move {
            let mut body = read_json(request, payload, T::LIMIT, &["application/json"]).await?;
            without_absent(&mut body);
            let misfits = T::shape().misfits(&body);
            if !misfits.is_empty() {
                return Err(StoreError::Invalid(misfits).into());
            }
            let read = serde_json::from_value(body).map_err(|why| {
                let fault = Fault::new("invalid-value").with("why", why);
                StoreError::Invalid(vec![FieldError::new("", fault)])
            });
            Ok(Self(read?))
        })
    }
}

impl<T: Small> Extract for SmallBody<T> {
    fn describe(draft: &mut Draft) {
        let schema = draft.schema::<T>();
        let example: Value = serde_json::from_str(T::EXAMPLE).unwrap_or_default();
        draft.request_body(json!({
            "required": true,
            "content": {"application/json": {"schema": schema, "example": example}},
        }));
        describe_refusals(draft);
    }
}

impl Small for ConfirmationInput {
    const LIMIT: usize = 16 * 1024;
    const EXAMPLE: &'static str = r#"{"end": "to", "state": "confirmed"}"#;

    fn shape() -> &'static Shape {
        static SHAPE: LazyLock<Shape> = LazyLock::new(compiled::<ConfirmationInput>);
        &SHAPE
    }
}

impl Small for ApplicationInput {
    const LIMIT: usize = MAX_APPLICATION;
    const EXAMPLE: &'static str = r#"{"applicant": {"organisation": "Praxis am Markt", "email": "praxis@example.org"}, "message": "Wir möchten Mitglied werden."}"#;

    fn shape() -> &'static Shape {
        static SHAPE: LazyLock<Shape> = LazyLock::new(compiled::<ApplicationInput>);
        &SHAPE
    }
}
