//! The form of a token request, and the credentials of its client.

use crate::access::oauth::{OauthError, bad_client, refuse};
use crate::http::problem::{Code, Problem};
use crate::operation::extract::{App, read_body};
use crate::operation::routes::{Draft, Extract};
use actix_web::dev::Payload;
use actix_web::http::header;
use actix_web::{FromRequest, HttpRequest};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use futures::future::LocalBoxFuture;
use serde_json::json;
use std::borrow::Cow;

const MEDIA_TYPE: &str = "application/x-www-form-urlencoded";

const MAX_FORM: usize = 16 * 1024;

/// A form, or its error in terms of RFC 6749.
pub(crate) struct Form(pub(crate) Result<Fields, OauthError>);

/// The fields of a form, and the client that sends it.
pub(crate) struct Fields {
    fields: Vec<(String, String)>,
    pub(crate) client: Option<Credentials>,
}

pub(crate) struct Credentials {
    pub(crate) id: String,
    pub(crate) secret: String,
}

impl Fields {
    /// The value of a field; a field without a value counts as absent (RFC 6749, 3.2).
    pub(crate) fn field(&self, name: &str) -> Option<&str> {
        let mut fields = self.fields.iter();
        let found = fields.find(|(one, value)| one == name && !value.is_empty());
        found.map(|(_, value)| value.as_str())
    }
}

impl FromRequest for Form {
    type Error = Problem;
    type Future = LocalBoxFuture<'static, Result<Self, Problem>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let (request, payload) = (request.clone(), payload.take());
        Box::pin(async move {
            if is_cross_site(&request)? {
                return Err(Problem::new(Code::OriginNotAllowed));
            }
            Ok(Self(read(&request, payload).await))
        })
    }
}

/// Whether a page of another site made a browser send this
/// ([Fetch Metadata](https://www.w3.org/TR/fetch-metadata/)): its visitors would guess passwords for it,
/// each from an address of their own. Pages of configured origins may.
fn is_cross_site(request: &HttpRequest) -> Result<bool, Problem> {
    let header = |name: &str| request.headers().get(name)?.to_str().ok();
    if header("sec-fetch-site") != Some("cross-site") {
        return Ok(false);
    }
    let app = App::of(request)?;
    let origin = header("origin");
    let mut trusted = app.access.origins.iter();
    Ok(!trusted.any(|one| Some(one.as_str()) == origin))
}

async fn read(request: &HttpRequest, payload: Payload) -> Result<Fields, OauthError> {
    let body = read_body(request, payload, MAX_FORM, &[MEDIA_TYPE]).await;
    let body = body.map_err(|_| {
        let text = "Send a form (application/x-www-form-urlencoded) of at most 16 KiB.";
        refuse("invalid_request", text)
    })?;
    let mut fields: Vec<(String, String)> = Vec::new();
    for (name, value) in url::form_urlencoded::parse(&body) {
        if fields.iter().any(|(one, _)| *one == name) {
            return Err(refuse(
                "invalid_request",
                "A field is given more than once.",
            ));
        }
        if value.contains('\0') {
            return Err(refuse(
                "invalid_request",
                "A field contains a NUL character.",
            ));
        }
        fields.push((name.into_owned(), value.into_owned()));
    }
    let mut form = Fields {
        fields,
        client: None,
    };
    form.client = credentials(request, &form)?;
    Ok(form)
}

/// The client's credentials from the header or from the form, never from both (RFC 6749, 2.3).
fn credentials(request: &HttpRequest, form: &Fields) -> Result<Option<Credentials>, OauthError> {
    let posted = form.field("client_id").map(|id| Credentials {
        id: id.to_owned(),
        secret: form.field("client_secret").unwrap_or_default().to_owned(),
    });
    let mut headers = request.headers().get_all(header::AUTHORIZATION);
    let Some(value) = headers.next() else {
        return Ok(posted);
    };
    let basic = value.to_str().ok().and_then(basic).ok_or_else(bad_client)?;
    // Swagger UI sends a header without name and secret if none was entered.
    let sent = (!basic.id.is_empty() || !basic.secret.is_empty()).then_some(basic);
    match (sent, posted, headers.next()) {
        (sent, posted, None) if sent.is_none() || posted.is_none() => Ok(sent.or(posted)),
        _ => Err(refuse(
            "invalid_request",
            "Send the client's credentials once: in the header or in the form.",
        )),
    }
}

/// HTTP Basic, both halves form-encoded (RFC 6749, 2.3.1).
fn basic(header: &str) -> Option<Credentials> {
    let (scheme, text) = header.split_once(' ')?;
    if !scheme.eq_ignore_ascii_case("basic") {
        return None;
    }
    let bytes = STANDARD.decode(text.trim()).ok()?;
    let text = String::from_utf8(bytes).ok()?;
    let (id, secret) = text.split_once(':')?;
    let decode = |half: &str| -> String {
        let pair = format!("={half}");
        let mut pairs = url::form_urlencoded::parse(pair.as_bytes());
        let value = pairs.next().map(|(_, value)| value);
        value.map(Cow::into_owned).unwrap_or_default()
    };
    Some(Credentials {
        id: decode(id),
        secret: decode(secret),
    })
}

impl Extract for Form {
    fn describe(draft: &mut Draft) {
        // The token request authenticates by its own content.
        draft.access("credentials", None);
        draft.problem(Code::OriginNotAllowed);
        let text = |description: &str| json!({"type": "string", "description": description});
        let schema = json!({
            "type": "object",
            "required": ["grant_type"],
            "properties": {
                "grant_type": {
                    "type": "string",
                    "enum": ["client_credentials", "password"],
                    "description": "Programs use `client_credentials`, people `password` unless it is disabled.",
                },
                "scope": text("`directory`, `sync`, `admin`, separated by spaces; all if absent."),
                "username": text("Name of the account, with `password`."),
                "password": text("Password of the account."),
                "client_id": text("Id of the client, unless it signs in with HTTP Basic."),
                "client_secret": text("Secret of the client."),
            },
        });
        let example = json!({"grant_type": "client_credentials", "scope": "directory"});
        draft.request_body(json!({
            "required": true,
            "content": {MEDIA_TYPE: {"schema": schema, "example": example}},
        }));
    }
}
