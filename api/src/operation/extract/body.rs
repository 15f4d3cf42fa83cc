//! Request bodies: JSON parsed strictly, within limits.

use crate::formats::{GeoJson, Json};
use crate::http::problem::{Code, Problem};
use crate::operation::extract::OfKind;
use crate::operation::idempotency::note_body;
use crate::operation::routes::{Draft, Extract, reference};
use actix_web::dev::Payload;
use actix_web::http::header;
use actix_web::web::{Bytes, BytesMut};
use actix_web::{FromRequest, HttpMessage, HttpRequest};
use domain::base::fault::{Fault, FaultCode, FieldError};
use domain::base::kind::Kind;
use futures::StreamExt;
use futures::future::LocalBoxFuture;
use persistence::StoreError;
use persistence::store::MAX_BODY;
use serde_json::{Map, Value, json};

pub const MAX_GEOMETRY: usize = 4 * 1024 * 1024;

/// The body of a record of the kind of the route, in any form of input.
#[derive(Debug)]
pub struct RecordBody(pub Value);

/// A JSON merge patch (RFC 7396) of a record of the kind of the route.
#[derive(Debug)]
pub struct PatchBody(pub Value);

#[derive(Debug)]
pub struct GeoJsonBody(pub Value);

/// Reads a body of at most `limit` bytes whose content type is one of `types`.
pub async fn read_body(
    request: &HttpRequest,
    mut payload: Payload,
    limit: usize,
    types: &[&str],
) -> Result<Bytes, Problem> {
    let content_type = request.content_type();
    if !types
        .iter()
        .any(|one| content_type.eq_ignore_ascii_case(one))
    {
        return Err(Problem::new(Code::UnsupportedMediaType).detail(
            format!(
                "Content-Type is \"{content_type}\"; send {}.",
                types.join(" or ")
            ),
            format!(
                "Content-Type ist „{content_type}“; richtig ist {}.",
                types.join(" oder ")
            ),
        ));
    }
    let coding = request.headers().get(header::CONTENT_ENCODING);
    if coding.is_some_and(|coding| coding != "identity") {
        return Err(Problem::new(Code::UnsupportedMediaType).detail(
            "Compressed bodies are accepted for bulk data only; send this one uncompressed.",
            "Komprimierte Bodys sind nur beim Massenimport möglich; senden Sie diesen unkomprimiert.",
        ));
    }
    let too_large = || {
        Problem::new(Code::PayloadTooLarge).detail(
            format!("The body may have {limit} bytes."),
            format!("Der Body darf {limit} Bytes haben."),
        )
    };
    let announced = request.headers().get(header::CONTENT_LENGTH);
    let announced = announced.and_then(|value| value.to_str().ok()?.parse::<usize>().ok());
    if announced.is_some_and(|length| length > limit) {
        return Err(too_large());
    }
    let mut body = BytesMut::new();
    while let Some(chunk) = payload.next().await {
        let chunk = chunk.map_err(|why| {
            Problem::new(Code::MalformedJson).detail(
                format!("The body was incomplete: {why}."),
                format!("Der Body kam nicht vollständig an: {why}."),
            )
        })?;
        if body.len() + chunk.len() > limit {
            return Err(too_large());
        }
        body.extend_from_slice(&chunk);
    }
    let body = body.freeze();
    note_body(request, &body);
    Ok(body)
}

/// Reads a JSON body of at most `limit` bytes whose content type is one of `types`.
pub async fn read_json(
    request: HttpRequest,
    payload: Payload,
    limit: usize,
    types: &'static [&'static str],
) -> Result<Value, Problem> {
    let bytes = read_body(&request, payload, limit, types).await?;
    domain::base::json::parse(&bytes).map_err(|why| {
        Problem::new(Code::MalformedJson).detail(
            format!("The body is not acceptable JSON: {why}."),
            format!("Der Body ist kein zulässiges JSON: {why}."),
        )
    })
}

/// Violations of the identity in a body: `kind` must match the URL, and a new record has no `id`
/// yet. (`id` is compared with the URL when the record is known.)
fn identity(kind: Kind, request: &HttpRequest, body: &Value) -> Vec<FieldError> {
    let claimed = |member| body.get(member).filter(|value: &&Value| !value.is_null());
    let mut errors = Vec::new();
    if let Some(claimed) = claimed("kind").filter(|claimed| **claimed != json!(kind)) {
        let fault = Fault::new(FaultCode::IdMismatch)
            .with("given", claimed)
            .with("expected", kind);
        errors.push(FieldError::new("/kind", fault));
    }
    if claimed("id").is_some() && request.match_info().get("id").is_none() {
        let why = "the server assigns ids; leave it out";
        let fault = Fault::new(FaultCode::NotAllowed).with("why", why);
        errors.push(FieldError::new("/id", fault));
    }
    errors
}

impl FromRequest for RecordBody {
    type Error = Problem;
    type Future = LocalBoxFuture<'static, Result<Self, Problem>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let (request, payload) = (request.clone(), payload.take());
        Box::pin(async move {
            let OfKind(kind) = OfKind::of(&request)?;
            let json = &["application/json"];
            let body = read_json(request.clone(), payload, MAX_BODY, json).await?;
            let mut errors = identity(kind, &request, &body);
            if errors.is_empty() {
                return Ok(Self(body));
            }
            // All at once: other violations of the body are reported too.
            errors.extend(
                domain::validation::body::KindSchema::of(kind)
                    .check(body)
                    .errors,
            );
            Err(StoreError::Invalid(errors).into())
        })
    }
}

pub fn describe_refusals(draft: &mut Draft) {
    for code in [
        Code::MalformedJson,
        Code::RequestTimeout,
        Code::PayloadTooLarge,
        Code::UnsupportedMediaType,
        Code::ValidationFailed,
    ] {
        draft.problem(code);
    }
}

fn describe_body(draft: &mut Draft, content: &Map<String, Value>) {
    draft.components(draft.kind_schema().documented().clone());
    draft.request_body(json!({"required": true, "content": content}));
    describe_refusals(draft);
}

impl Extract for RecordBody {
    fn describe(draft: &mut Draft) {
        let kind = draft.kind_schema();
        let example: Value = serde_json::from_str(kind.example).unwrap_or_default();
        let schema = reference(&format!("{}Input", kind.name));
        let mut content = Map::new();
        content.insert(
            "application/json".to_owned(),
            json!({"schema": schema, "example": example}),
        );
        describe_body(draft, &content);
    }
}

impl FromRequest for PatchBody {
    type Error = Problem;
    type Future = LocalBoxFuture<'static, Result<Self, Problem>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let (request, payload) = (request.clone(), payload.take());
        Box::pin(async move {
            let OfKind(kind) = OfKind::of(&request)?;
            let types = &["application/merge-patch+json", "application/json"];
            let body = read_json(request.clone(), payload, MAX_BODY, types).await?;
            let errors = identity(kind, &request, &body);
            if !errors.is_empty() {
                return Err(StoreError::Invalid(errors).into());
            }
            if body.is_object() {
                return Ok(Self(body));
            }
            Err(Problem::new(Code::ValidationFailed).detail(
                "A merge patch of a record is a JSON object with the members to change; null removes a member.",
                "Ein Merge Patch ist ein JSON-Objekt mit den zu ändernden Feldern; null entfernt eines.",
            ))
        })
    }
}

impl Extract for PatchBody {
    fn describe(draft: &mut Draft) {
        let schema = reference(&format!("{}Patch", draft.kind_schema().name));
        let example = json!({"source": {"document": "000"}});
        // `application/json` is accepted too, since some clients cannot send anything else.
        let content = Map::from_iter([(
            "application/merge-patch+json".to_owned(),
            json!({"schema": schema, "example": example}),
        )]);
        describe_body(draft, &content);
    }
}

impl FromRequest for GeoJsonBody {
    type Error = Problem;
    type Future = LocalBoxFuture<'static, Result<Self, Problem>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let (request, payload) = (request.clone(), payload.take());
        Box::pin(async move {
            let types = &[GeoJson::MEDIA_TYPE, Json::MEDIA_TYPE];
            let body = read_json(request, payload, MAX_GEOMETRY, types).await?;
            domain::value::geometry::check(&body).map_err(|fault| {
                Problem::from(StoreError::Invalid(vec![FieldError::new("", fault)]))
            })?;
            Ok(Self(body))
        })
    }
}

impl Extract for GeoJsonBody {
    fn describe(draft: &mut Draft) {
        let content = json!({
            "schema": reference("Geometry"),
            "example": domain::value::geometry::example(),
        });
        draft.components(domain::value::geometry::components());
        draft.request_body(json!({
            "required": true,
            "content": {GeoJson::MEDIA_TYPE: content},
        }));
        describe_refusals(draft);
    }
}
