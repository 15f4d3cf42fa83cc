//! Issuing tokens (RFC 6749), and publishing their keys (RFC 7517, RFC 8414).

mod form;

use crate::auth::secrets::{self, SecretError};
use crate::auth::{TOKEN_PATH, USUAL_LIFETIME, scope_text};
use crate::http::problem::{Code, Problem};
use crate::operation::extract::{App, ClientAddress, Public, Query};
use crate::operation::reply::{Json, content};
use crate::operation::routes::{Draft, Reply, Routes};
use actix_web::body::BoxBody;
use actix_web::http::{Method, StatusCode, header};
use actix_web::{HttpRequest, HttpResponse, Responder};
use chrono::TimeDelta;
use domain::access::account::{AccountKind, Scopes, TokenScope};
use domain::base::json::insert;
use domain::base::vocabulary::Coded;
use form::{Credentials, Fields, Form};
use persistence::StoreError;
use persistence::accounts::Account;
use serde::Serialize;
use serde_json::{Value, json};
use std::time::{Duration, Instant};
use utoipa::ToSchema;
use uuid::Uuid;

/// The code of a wrong name or password (RFC 6749, 5.2).
const WRONG_PASSWORD: &str = "invalid_grant";

const JWKS: &str = "/.well-known/jwks.json";

#[must_use]
pub fn routes() -> Routes {
    let token = ("create_token", "Get a token");
    let keys = ("get_jwks", "Read the keys that verify this node's tokens");
    let metadata = ("get_authorization_server", "Read how to get tokens");
    Routes::new("Access")
        .route(Method::POST, TOKEN_PATH, token, &[], create)
        .get(JWKS, keys, &[Code::Busy], jwks)
        .get(
            "/.well-known/oauth-authorization-server",
            metadata,
            &[],
            server,
        )
}

#[derive(Debug)]
struct OauthError {
    status: StatusCode,
    code: &'static str,
    description: &'static str,
}

/// Body of an error (RFC 6749, 5.2).
#[derive(Debug, Serialize, ToSchema)]
#[schema(example = json!({"error": "invalid_grant", "error_description": "Name or password is wrong."}))]
struct OauthErrorBody {
    /// Code of RFC 6749, 5.2.
    error: &'static str,
    /// Description for developers.
    error_description: &'static str,
}

const fn refuse(code: &'static str, description: &'static str) -> OauthError {
    OauthError {
        status: StatusCode::BAD_REQUEST,
        code,
        description,
    }
}

const fn bad_client() -> OauthError {
    OauthError {
        status: StatusCode::UNAUTHORIZED,
        code: "invalid_client",
        description: "The client is unknown or revoked, or its secret is wrong.",
    }
}

impl From<StoreError> for OauthError {
    fn from(error: StoreError) -> Self {
        // The store's error, for the log.
        match Problem::from(error).kind.status {
            StatusCode::SERVICE_UNAVAILABLE => SecretError::Busy.into(),
            _ => Self {
                status: StatusCode::INTERNAL_SERVER_ERROR,
                code: "server_error",
                description: "The server failed.",
            },
        }
    }
}

impl From<SecretError> for OauthError {
    fn from(error: SecretError) -> Self {
        let (status, code, description) = match error {
            SecretError::Busy => (
                StatusCode::SERVICE_UNAVAILABLE,
                "temporarily_unavailable",
                "Too many sign-ins at the moment; try again after Retry-After seconds.",
            ),
            SecretError::Failed(why) => {
                tracing::error!(error = why, "cannot verify a password");
                (
                    StatusCode::INTERNAL_SERVER_ERROR,
                    "server_error",
                    "The server failed.",
                )
            }
        };
        Self {
            status,
            code,
            description,
        }
    }
}

/// Issued token (RFC 6749, 5.1).
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Token, example = json!({"access_token": "eyJ…", "token_type": "Bearer", "expires_in": 3600, "scope": "directory"}))]
struct Granted {
    /// JWT (RFC 9068).
    access_token: String,
    /// `Bearer`.
    token_type: &'static str,
    /// Lifetime in seconds.
    expires_in: i64,
    /// Scopes of the token.
    scope: String,
}

#[derive(Debug)]
struct Answer(Result<Granted, OauthError>);

impl Responder for Answer {
    type Body = BoxBody;

    fn respond_to(self, _: &HttpRequest) -> HttpResponse {
        let mut response = HttpResponse::build(match &self.0 {
            Ok(_) => StatusCode::OK,
            Err(error) => error.status,
        });
        response
            .insert_header((header::CACHE_CONTROL, "no-store"))
            .insert_header((header::PRAGMA, "no-cache"));
        match self.0 {
            Ok(token) => response.json(token),
            Err(error) => {
                if error.status == StatusCode::UNAUTHORIZED {
                    let challenge = "Basic realm=\"verbund\"";
                    response.insert_header((header::WWW_AUTHENTICATE, challenge));
                }
                if error.status == StatusCode::SERVICE_UNAVAILABLE {
                    response.insert_header((header::RETRY_AFTER, "5"));
                }
                response.json(OauthErrorBody {
                    error: error.code,
                    error_description: error.description,
                })
            }
        }
    }
}

impl Reply for Answer {
    fn describe(draft: &mut Draft) {
        let token = draft.schema::<Granted>();
        let error = draft.schema::<OauthErrorBody>();
        let json = "application/json";
        draft.response(200, content("The token.", json, &token));
        let text = "An error of RFC 6749, 5.2: `invalid_request`, `invalid_grant`, `invalid_scope`, `unsupported_grant_type`.";
        draft.response(400, content(text, json, &error));
        let mut refused = content("`invalid_client`.", json, &error);
        let challenge = json!({"schema": {"type": "string"}});
        insert(&mut refused, &["headers", "WWW-Authenticate"], challenge);
        draft.response(401, refused);
        draft.response(500, content("`server_error`.", json, &error));
        draft.response(503, content("`temporarily_unavailable`.", json, &error));
    }
}

async fn create(app: App, form: Form, address: ClientAddress) -> Result<Answer, Problem> {
    let form = match form.0 {
        Ok(form) => form,
        Err(error) => return Ok(Answer(Err(error))),
    };
    let name = match form.field("grant_type") {
        Some("password") if app.access.password_grant => form.field("username"),
        Some(_) | None => None,
    };
    let Some(name) = name else {
        return Ok(Answer(issue(&app, &form).await));
    };
    app.sign_ins
        .admit(name, address.0, Instant::now())
        .map_err(too_many_attempts)?;
    let issued = issue(&app, &form).await;
    match &issued {
        Ok(_) => app.sign_ins.succeeded(name, address.0, Instant::now()),
        Err(error) if error.code == WRONG_PASSWORD => {}
        Err(_) => app.sign_ins.undecided(name, address.0),
    }
    Ok(Answer(issued))
}

pub(crate) fn too_many_attempts(wait: Duration) -> Problem {
    let seconds = wait.as_secs() + 1;
    Problem::new(Code::RateLimited)
        .detail(
            format!(
                "Too many failed attempts to sign in; the next one is allowed in {seconds} seconds."
            ),
            format!(
                "Zu viele erfolglose Anmeldungen; die nächste ist in {seconds} Sekunden möglich."
            ),
        )
        .header(header::RETRY_AFTER, &seconds.to_string())
}

async fn issue(app: &App, form: &Fields) -> Result<Granted, OauthError> {
    let scopes = scopes(form.field("scope"))?;
    let client = match &form.client {
        Some(credentials) => Some(client(app, credentials).await?),
        None => None,
    };
    let (account, client) = match form.field("grant_type") {
        Some("client_credentials") => {
            let id = client.ok_or_else(bad_client)?;
            (id, id)
        }
        Some("password") if app.access.password_grant => {
            let account = person(app, form.field("username"), form.field("password")).await?;
            (account, client.unwrap_or(account))
        }
        Some(_) => {
            return Err(refuse(
                "unsupported_grant_type",
                "This server offers the grant types that /.well-known/oauth-authorization-server lists.",
            ));
        }
        None => return Err(refuse("invalid_request", "grant_type is missing.")),
    };
    let now = app.store.clock().now();
    let lifetime: TimeDelta = USUAL_LIFETIME;
    let access_token = app
        .tokens
        .issue_for(account, client, &scopes, (now, lifetime))
        .await?;
    Ok(Granted {
        access_token,
        token_type: "Bearer",
        expires_in: lifetime.num_seconds(),
        scope: scope_text(&scopes),
    })
}

/// The requested scopes; all if none are requested, since scopes only narrow.
fn scopes(asked: Option<&str>) -> Result<Scopes, OauthError> {
    let asked = asked.unwrap_or_default().trim();
    if asked.is_empty() {
        return Ok(TokenScope::ALL.iter().copied().collect());
    }
    let unknown = refuse("invalid_scope", "Known scopes: directory sync admin.");
    let scopes = asked.split_ascii_whitespace().map(TokenScope::parse);
    scopes.collect::<Option<Scopes>>().ok_or(unknown)
}

async fn client(app: &App, credentials: &Credentials) -> Result<Uuid, OauthError> {
    let found = match Uuid::try_parse(&credentials.id) {
        Ok(id) => app.store.accounts().get(AccountKind::Client, id).await,
        Err(_) => Err(StoreError::NotFound),
    };
    let row = match found {
        Ok(found) => Some(found.account),
        Err(StoreError::NotFound) => None,
        Err(why) => return Err(why.into()),
    };
    let hash = row.as_ref().and_then(|row| row.secret_hash.as_deref());
    let known = secrets::is_secret(&credentials.secret, hash);
    let row = row.filter(|row| known && row.disabled_at.is_none());
    row.map(|row| row.id).ok_or_else(bad_client)
}

/// Authenticates a person; an unknown name takes as long as a wrong password.
async fn person(app: &App, name: Option<&str>, password: Option<&str>) -> Result<Uuid, OauthError> {
    let missing = || refuse("invalid_request", "username and password are required.");
    let (name, password) = (name.ok_or_else(missing)?, password.ok_or_else(missing)?);
    let row = app
        .store
        .accounts()
        .find_by_name(AccountKind::Person, name)
        .await?;
    let hash = row
        .as_ref()
        .and_then(|row: &Account| row.password_hash.clone());
    let known = secrets::is_password(password.to_owned(), hash).await?;
    let row = row.filter(|row| known && row.disabled_at.is_none());
    row.map(|row| row.id)
        .ok_or_else(|| refuse(WRONG_PASSWORD, "Name or password is wrong."))
}

/// Public keys (RFC 7517).
#[derive(Debug, Serialize, ToSchema)]
#[schema(example = json!({"keys": [{"kty": "OKP", "crv": "Ed25519", "use": "sig", "alg": "EdDSA", "kid": "019a…", "x": "11qY…"}]}))]
struct KeySet {
    /// Keys, newest first.
    #[schema(value_type = Vec<Object>)]
    keys: Value,
}

async fn jwks(_: Public, app: App, _: Query<()>) -> Result<Json<KeySet>, Problem> {
    Ok(Json(KeySet {
        keys: app.tokens.jwks().await?,
    }))
}

/// Capabilities of the authorization server (RFC 8414).
#[derive(Debug, Serialize, ToSchema)]
#[schema(example = json!({"issuer": "urn:verbund:nordhessen", "token_endpoint": "https://verzeichnis.example/oauth/token", "jwks_uri": "https://verzeichnis.example/.well-known/jwks.json", "scopes_supported": ["directory", "sync", "admin"], "response_types_supported": [], "grant_types_supported": ["client_credentials", "password"], "token_endpoint_auth_methods_supported": ["client_secret_basic", "client_secret_post"]}))]
struct Metadata {
    /// `iss` of the tokens.
    issuer: String,
    /// Token endpoint.
    token_endpoint: String,
    /// Keys of the tokens.
    jwks_uri: String,
    /// Supported scopes.
    scopes_supported: Vec<&'static str>,
    /// None: there are no redirects.
    response_types_supported: [&'static str; 0],
    /// Supported grant types.
    grant_types_supported: Vec<&'static str>,
    /// Supported ways of client authentication.
    token_endpoint_auth_methods_supported: [&'static str; 2],
}

async fn server(_: Public, app: App, _: Query<()>) -> Result<Json<Metadata>, Problem> {
    let base = &app.access.base_url;
    let mut grants = vec!["client_credentials"];
    grants.extend(app.access.password_grant.then_some("password"));
    Ok(Json(Metadata {
        issuer: app.tokens.issuer().to_owned(),
        token_endpoint: format!("{base}{TOKEN_PATH}"),
        jwks_uri: format!("{base}{JWKS}"),
        scopes_supported: TokenScope::ALL.iter().map(|scope| scope.code()).collect(),
        response_types_supported: [],
        grant_types_supported: grants,
        token_endpoint_auth_methods_supported: ["client_secret_basic", "client_secret_post"],
    }))
}
