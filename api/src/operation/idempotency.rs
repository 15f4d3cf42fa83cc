//! `Idempotency-Key`: a repeated request gets the stored response and has no further effect
//! (draft-ietf-httpapi-idempotency-key-header).

use crate::http::problem::{Code, Problem};
use crate::operation::extract::{App, from_head};
use crate::operation::routes::{Draft, Extract, Reply};
use actix_web::body::BoxBody;
use actix_web::http::StatusCode;
use actix_web::http::header::{HeaderName, HeaderValue};
use actix_web::web::Bytes;
use actix_web::{HttpMessage, HttpRequest, HttpResponse, Responder};
use domain::access::rules::Caller;
use persistence::StoreError;
use persistence::transaction::{Transaction, WriteOptions};
use persistence::write::idempotency::{KeyLock, OpaqueResponse, Outcome, RequestKey};
use serde::{Deserialize, Serialize};
use serde_json::json;

const KEY: &str = "idempotency-key";

/// Marks the response of an earlier request with the same key.
pub const REPLAYED: HeaderName = HeaderName::from_static("idempotency-replayed");

const MAX_KEY: usize = 255;

/// The body of a request with a key, as received.
struct Sent(Bytes);

pub fn note_body(request: &HttpRequest, body: &Bytes) {
    if request.headers().contains_key(KEY) {
        request.extensions_mut().insert(Sent(body.clone()));
    }
}

/// The `Idempotency-Key` of a request, if it has one; work that must happen once is done through
/// it.
#[derive(Debug)]
pub struct IdempotencyKey {
    key: Option<String>,
    request: HttpRequest,
    lock: Option<KeyLock>,
}

from_head!(IdempotencyKey);

impl IdempotencyKey {
    fn of(request: &HttpRequest) -> Result<Self, Problem> {
        Ok(Self {
            key: sent_key(request)?,
            request: request.clone(),
            lock: None,
        })
    }

    /// The key of `principal` for this request; none if nothing is to be stored.
    fn key(
        &self,
        app: &App,
        principal: &Caller,
        options: &WriteOptions,
    ) -> Result<Option<RequestKey>, Problem> {
        let Some(key) = self.key.as_ref().filter(|_| !options.dry_run) else {
            return Ok(None);
        };
        let account = principal.account.ok_or_else(|| {
            Problem::new(Code::InvalidHeader).detail(
                "`Idempotency-Key` belongs to an account: send a token, or leave it out.",
                "`Idempotency-Key` gehört zu einem Konto: Senden Sie ein Token, oder lassen Sie ihn weg.",
            )
        })?;
        let place = match self.request.query_string() {
            "" => self.request.path().to_owned(),
            query => format!("{}?{query}", self.request.path()),
        };
        let method = self.request.method().as_str();
        let body = self.body();
        Ok(Some(app.store.idempotency().key(
            account,
            key,
            [method, &place],
            &body,
        )))
    }

    /// The body; two texts of one JSON value are equal.
    fn body(&self) -> String {
        let extensions = self.request.extensions();
        let Some(Sent(body)) = extensions.get::<Sent>() else {
            return String::new();
        };
        domain::base::json::parse(body).map_or_else(
            |_| String::from_utf8_lossy(body).into_owned(),
            |value| domain::base::json::canonical(&value),
        )
    }

    /// The stored response to this request of `principal`. Until this is dropped, no other request
    /// with the key is served.
    ///
    /// Looked up before anything that would not succeed twice.
    pub async fn known<R>(
        &mut self,
        app: &App,
        principal: &Caller,
        options: &WriteOptions,
    ) -> Result<Option<Idempotent<R>>, Problem> {
        let Some(key) = self.key(app, principal, options)? else {
            return Ok(None);
        };
        if self.lock.is_none() {
            self.lock = Some(app.store.idempotency().lock(&key).await?);
        }
        let known = app.store.idempotency().get(&key).await?;
        let known = known.map(StoredResponse::try_from).transpose()?;
        Ok(known.map(Idempotent::Replayed))
    }

    /// Does `work` in one transaction that also stores its response, or returns the stored one.
    pub async fn write<R: Storable>(
        &mut self,
        app: &App,
        caller: &Caller,
        options: &WriteOptions,
        work: impl AsyncFn(&mut Transaction<'_>) -> persistence::Result<R>,
    ) -> Result<Idempotent<R>, Problem> {
        self.write_as(app, caller, caller, options, work).await
    }

    /// [`Self::write`] in the name of `writer`; the key is still that of `principal`.
    pub async fn write_as<R: Storable>(
        &mut self,
        app: &App,
        principal: &Caller,
        writer: &Caller,
        options: &WriteOptions,
        work: impl AsyncFn(&mut Transaction<'_>) -> persistence::Result<R>,
    ) -> Result<Idempotent<R>, Problem> {
        if let Some(known) = self.known(app, principal, options).await? {
            return Ok(known);
        }
        let Some(key) = self.key(app, principal, options)? else {
            return Ok(Idempotent::New(
                app.store.write(writer, options, work).await?,
            ));
        };
        let outcome = app
            .store
            .idempotency()
            .write(writer, options, &key, async |tx| {
                let reply = work(tx).await?;
                let stored = reply.to_stored().try_into()?;
                Ok((reply, stored))
            });
        Ok(match outcome.await? {
            Outcome::Done(reply) => Idempotent::New(reply),
            Outcome::Known(stored) => Idempotent::Replayed(stored.try_into()?),
        })
    }
}

/// The key as sent: a quoted string (RFC 9651) or, as many clients do it, bare.
fn sent_key(request: &HttpRequest) -> Result<Option<String>, Problem> {
    let wrong = || {
        Problem::new(Code::InvalidHeader).detail(
            format!("`Idempotency-Key` is one text of 1 to {MAX_KEY} visible ASCII characters, such as a new UUID in quotes."),
            format!("`Idempotency-Key` nimmt einen Text aus 1 bis {MAX_KEY} sichtbaren ASCII-Zeichen, etwa eine neue UUID in Anführungszeichen."),
        )
    };
    let mut sent = request.headers().get_all(KEY);
    let Some(value) = sent.next() else {
        return Ok(None);
    };
    if sent.next().is_some() {
        return Err(wrong());
    }
    let text = value.to_str().map_err(|_| wrong())?.trim();
    let bare = text
        .strip_prefix('"')
        .and_then(|text| text.strip_suffix('"'));
    let key = bare.unwrap_or(text);
    let fine =
        (1..=MAX_KEY).contains(&key.len()) && key.bytes().all(|byte| byte.is_ascii_graphic());
    fine.then(|| Some(key.to_owned())).ok_or_else(wrong)
}

impl Extract for IdempotencyKey {
    fn describe(draft: &mut Draft) {
        draft.parameter(json!({
            "name": "Idempotency-Key",
            "in": "header",
            "description": format!("A key of your choice, new for each request and unguessable, such as a UUID: repeating the request with it within {} days has no further effect and gets the same response, with `Idempotency-Replayed: true`. Keys belong to the account of the token.", persistence::write::idempotency::KEPT_DAYS),
            "schema": {"type": "string", "minLength": 1, "maxLength": MAX_KEY + 2},
            "example": "\"8e03978e-40d5-43e8-bc93-6894a57f9324\"",
        }));
        for code in [
            Code::InvalidHeader,
            Code::IdempotencyKeyInUse,
            Code::IdempotencyKeyReused,
            Code::Gone,
        ] {
            draft.problem(code);
        }
    }
}

/// A response that is repeated for the same key.
#[derive(Debug)]
pub struct StoredResponse {
    pub status: u16,
    pub headers: Vec<(String, String)>,
    pub body: String,
}

#[derive(Serialize, Deserialize)]
struct Head {
    status: u16,
    headers: Vec<(String, String)>,
}

impl TryFrom<StoredResponse> for OpaqueResponse {
    type Error = StoreError;

    fn try_from(response: StoredResponse) -> persistence::Result<Self> {
        let head = Head {
            status: response.status,
            headers: response.headers,
        };
        Ok(Self {
            head: serde_json::to_string(&head)
                .map_err(|why| StoreError::Corrupt(why.to_string()))?,
            body: response.body,
        })
    }
}

impl TryFrom<OpaqueResponse> for StoredResponse {
    type Error = StoreError;

    fn try_from(stored: OpaqueResponse) -> persistence::Result<Self> {
        let head = serde_json::from_str::<Head>(&stored.head);
        let head = head.map_err(|why| StoreError::Corrupt(format!("a stored response: {why}")))?;
        Ok(Self {
            status: head.status,
            headers: head.headers,
            body: stored.body,
        })
    }
}

pub trait Storable: Reply {
    /// The stored part, without secrets.
    fn to_stored(&self) -> StoredResponse;
}

#[derive(Debug)]
pub enum Idempotent<R> {
    /// The request took effect now.
    New(R),
    /// The request had taken effect before, with this response.
    Replayed(StoredResponse),
}

impl<R: Storable> Responder for Idempotent<R> {
    type Body = BoxBody;

    fn respond_to(self, request: &HttpRequest) -> HttpResponse {
        match self {
            Self::New(reply) => reply.respond_to(request).map_into_boxed_body(),
            Self::Replayed(response) => {
                let mut response = respond(response);
                let replayed = HeaderValue::from_static("true");
                response.headers_mut().insert(REPLAYED, replayed);
                response
            }
        }
    }
}

impl<R: Storable> Reply for Idempotent<R> {
    fn describe(draft: &mut Draft) {
        R::describe(draft);
        let text = "`true` if this is the stored response to an earlier request.";
        draft.success_header("Idempotency-Replayed", text);
    }
}

#[must_use]
pub fn respond(stored: StoredResponse) -> HttpResponse {
    let status = StatusCode::from_u16(stored.status).unwrap_or(StatusCode::OK);
    let mut response = HttpResponse::build(status);
    for (name, value) in stored.headers {
        response.insert_header((name, value));
    }
    response.body(stored.body)
}
