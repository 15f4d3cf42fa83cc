//! Extractors of the caller: permission is a parameter of the handlers, and documented as
//! `x-access`.

use crate::auth::{self, Proof, TokenError};
use crate::http::problem::{Code, Problem};
use crate::operation::extract::App;
use crate::operation::routes::{Admission, Draft, Extract};
use actix_web::dev::Payload;
use actix_web::http::header::{self, HeaderMap};
use actix_web::{FromRequest, HttpMessage, HttpRequest};
use domain::access::account::{TokenScope, administers_node, narrow, pushing};
use domain::access::rules::{Caller, Visibility};
use domain::base::vocabulary::Coded;
use persistence::accounts::Principal;
use serde_json::json;
use std::future::{Ready, ready};

/// Any caller; a token is ignored.
#[derive(Debug)]
pub struct Public;

/// A caller who reads: anonymous, or with a token, which may show more.
#[derive(Debug)]
pub struct Reader(pub Caller);

/// A caller who writes, with a token. The store checks the grants for the record.
#[derive(Debug)]
pub struct Writer(pub Caller);

/// A caller who makes a statement in the name of a record, as its approver; the store checks.
#[derive(Debug)]
pub struct Approver(pub Caller);

/// A caller who hides copies, as an approver of their region; the store checks.
#[derive(Debug)]
pub struct HideAccess(pub Caller);

/// A caller who pushes the records of the system in the URL: its feeder, or an admin of the whole
/// node.
#[derive(Debug)]
pub struct Feeder {
    pub caller: Caller,
    pub system: String,
}

/// A caller who may write the records of some region.
#[derive(Debug)]
pub struct Importer(pub Caller);

/// An admin of the whole node, with a token for administration.
#[derive(Debug)]
pub struct Admin(pub Caller);

/// A caller who reads the metrics: an admin of the whole node, or with the configured token.
#[derive(Debug)]
pub struct MetricsAccess;

#[derive(Debug)]
pub struct Authenticated(pub Identity);

#[derive(Debug, Clone)]
pub struct Identity {
    pub proof: Proof,
    pub principal: Principal,
}

impl Identity {
    pub(crate) fn caller(&self) -> Caller {
        let grants = self.principal.grants.clone();
        self.principal.caller(narrow(grants, &self.proof.scopes))
    }

    /// Rejects a token without this scope (RFC 6750, 3.1).
    fn needs(&self, scope: TokenScope) -> Result<(), Problem> {
        if self.proof.scopes.contains(&scope) {
            return Ok(());
        }
        let code = scope.code();
        let challenge = format!("Bearer error=\"insufficient_scope\", scope=\"{code}\"");
        Err(Problem::new(Code::InsufficientScope)
            .detail(
                format!("A token with the scope `{code}` is required."),
                format!("Dafür braucht das Token den Scope `{code}`."),
            )
            .member("scope", json!(code))
            .header(header::WWW_AUTHENTICATE, &challenge))
    }
}

/// The bearer token of a request; an error if the header has something else.
pub(crate) fn bearer(headers: &HeaderMap) -> Result<Option<&str>, ()> {
    let mut headers = headers.get_all(header::AUTHORIZATION);
    let Some(value) = headers.next() else {
        return Ok(None);
    };
    let token = value
        .to_str()
        .ok()
        .and_then(|text| text.split_once(' '))
        .filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer"))
        .map(|(_, token)| token.trim());
    match (token, headers.next()) {
        (Some(token), None) => Ok(Some(token)),
        (_, _) => Err(()),
    }
}

/// The result of verifying the token, if that was done before.
pub(crate) struct Proved(pub(crate) Result<Proof, TokenError>);

/// Authenticates the request; `None` without a token.
async fn identity(request: HttpRequest) -> Result<Option<Identity>, Problem> {
    let app = App::of(&request)?;
    let token = bearer(request.headers()).map_err(|()| {
        bad_token([
            "Send one header `Authorization: Bearer …`.",
            "Senden Sie einen Header `Authorization: Bearer …`.",
        ])
    })?;
    let Some(token) = token else {
        return Ok(None);
    };
    let now = app.store.clock().now();
    let proved = request.extensions_mut().remove::<Proved>();
    let proof = match proved {
        Some(Proved(proof)) => proof,
        None => auth::verify(&app.tokens, &app.access.issuers, token, now).await,
    };
    let proof = match proof {
        Ok(proof) => proof,
        Err(TokenError::Bad(why)) => return Err(bad_token(why.messages())),
        Err(TokenError::Store(why)) => return Err(why.into()),
    };
    match app.store.accounts().principal(&proof.subject).await? {
        Some(principal) => Ok(Some(Identity { proof, principal })),
        None => Err(bad_token([
            "The account is unknown or disabled.",
            "Das Konto ist unbekannt oder gesperrt.",
        ])),
    }
}

async fn authenticated(request: HttpRequest) -> Result<Identity, Problem> {
    let missing = || Problem::new(Code::Unauthorized).header(header::WWW_AUTHENTICATE, "Bearer");
    identity(request).await?.ok_or_else(missing)
}

fn bad_token([en, de]: [&str; 2]) -> Problem {
    Problem::new(Code::Unauthorized)
        .detail(en, de)
        .header(header::WWW_AUTHENTICATE, "Bearer error=\"invalid_token\"")
}

from_head!(Public);

impl Public {
    #[expect(clippy::unnecessary_wraps, reason = "extractors may fail")]
    fn of(_: &HttpRequest) -> Result<Self, Problem> {
        Ok(Self)
    }
}

impl Extract for Public {
    fn describe(draft: &mut Draft) {
        draft.access("public", None);
    }
}

/// Implements an extractor of the caller, who is authenticated before the rest of the request is
/// read ([`Extract::admission`]) and kept in its extensions.
macro_rules! from_caller {
    ($name:ident, $describe:expr, $of:expr) => {
        impl FromRequest for $name {
            type Error = Problem;
            type Future = Ready<Result<Self, Problem>>;

            fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
                let admitted = request.extensions_mut().remove::<Self>();
                ready(admitted.ok_or_else(|| Problem::new(Code::Internal)))
            }
        }

        impl Extract for $name {
            fn describe(draft: &mut Draft) {
                $describe(draft);
            }

            fn admission(request: &HttpRequest) -> Option<Admission> {
                let request = request.clone();
                Some(Box::pin(async move {
                    let admitted: Result<Self, Problem> = $of(request.clone()).await;
                    request.extensions_mut().insert(admitted?);
                    Ok(())
                }))
            }
        }
    };
}

from_caller!(
    Reader,
    |draft: &mut Draft| {
        draft.access("read", Some(TokenScope::Directory.code()));
        draft.problem(Code::Unauthorized);
        draft.problem(Code::Busy);
    },
    async |request| {
        let caller = identity(request).await?.map(|one| one.caller());
        Ok(Self(caller.unwrap_or_default()))
    }
);

async fn writer(request: HttpRequest) -> Result<Caller, Problem> {
    let identity = authenticated(request).await?;
    identity.needs(TokenScope::Directory)?;
    Ok(identity.caller())
}

fn describe_writer(draft: &mut Draft, access: &'static str) {
    draft.access(access, Some(TokenScope::Directory.code()));
    for code in [
        Code::Unauthorized,
        Code::Forbidden,
        Code::OwnedBySystem,
        Code::InsufficientScope,
        Code::Busy,
    ] {
        draft.problem(code);
    }
}

from_caller!(
    Writer,
    |draft: &mut Draft| describe_writer(draft, "write"),
    async |request| Ok(Self(writer(request).await?))
);

from_caller!(
    Approver,
    |draft: &mut Draft| describe_writer(draft, "approve"),
    async |request| Ok(Self(writer(request).await?))
);

from_caller!(
    HideAccess,
    |draft: &mut Draft| describe_writer(draft, "hide"),
    async |request| Ok(Self(writer(request).await?))
);

/// A system in the notation of `external_id`.
fn system_of(request: &HttpRequest) -> Result<String, Problem> {
    let system = request.match_info().query("system");
    let plain = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit();
    let fine = (1..=63).contains(&system.len())
        && system.bytes().next().is_some_and(plain)
        && system.bytes().all(|b| plain(b) || b"._-".contains(&b));
    fine.then(|| system.to_owned())
        .ok_or_else(|| Problem::new(Code::NotFound))
}

from_caller!(
    Feeder,
    |draft: &mut Draft| {
        draft.parameter(json!({
            "name": "system",
            "in": "path",
            "required": true,
            "description": "The system that supplies the records, as their `external_id` names it.",
            "schema": {"type": "string", "pattern": "^[a-z0-9][a-z0-9._-]{0,62}$"},
            "example": "cms",
        }));
        draft.access("push", Some(TokenScope::Sync.code()));
        for code in [
            Code::Unauthorized,
            Code::Forbidden,
            Code::InsufficientScope,
            Code::Busy,
            Code::NotFound,
        ] {
            draft.problem(code);
        }
    },
    async |request: HttpRequest| {
        let system = system_of(&request)?;
        let identity = authenticated(request).await?;
        identity.needs(TokenScope::Sync)?;
        let grants = identity.principal.grants.clone();
        let grants = pushing(grants, &system, &identity.proof.scopes);
        if grants.is_empty() {
            return Err(Problem::new(Code::Forbidden)
            .detail(
                format!("This is reserved for feeders of the system {system} and for admins of the whole node."),
                format!("Das ist der Zulieferung des Systems {system} und der Verwaltung des ganzen Knotens vorbehalten."),
            )
            .member("reason", json!("feeder")));
        }
        let caller = identity.principal.caller(grants);
        Ok(Self { caller, system })
    }
);

from_caller!(
    Importer,
    |draft: &mut Draft| describe_writer(draft, "import"),
    async |request| {
        let caller = writer(request).await?;
        if caller.writable() == Visibility::Public {
            return Err(Problem::new(Code::Forbidden)
                .detail(
                    "This is reserved for editors, approvers and admins.",
                    "Das ist Redaktion, Freigabe und Verwaltung vorbehalten.",
                )
                .member("reason", json!("editor")));
        }
        Ok(Self(caller))
    }
);

async fn admin(request: HttpRequest) -> Result<Caller, Problem> {
    let identity = authenticated(request).await?;
    identity.needs(TokenScope::Admin)?;
    let grants = identity.principal.grants.clone();
    let grants: Vec<_> = grants.into_iter().filter(administers_node).collect();
    if grants.is_empty() {
        return Err(Problem::new(Code::Forbidden)
            .detail(
                "This is reserved for admins of the whole node.",
                "Das ist der Verwaltung des ganzen Knotens vorbehalten.",
            )
            .member("reason", json!("node-admin")));
    }
    Ok(identity.principal.caller(grants))
}

from_caller!(
    Admin,
    |draft: &mut Draft| {
        draft.access("admin", Some(TokenScope::Admin.code()));
        for code in [
            Code::Unauthorized,
            Code::Forbidden,
            Code::InsufficientScope,
            Code::Busy,
        ] {
            draft.problem(code);
        }
    },
    async |request| Ok(Self(admin(request).await?))
);

from_caller!(
    MetricsAccess,
    Admin::describe,
    async |request: HttpRequest| {
        let app = App::of(&request)?;
        let token = bearer(request.headers()).ok().flatten();
        let known = app.metrics_token.as_ref();
        if known.is_some_and(|known| token.is_some_and(|token| known.is(token))) {
            return Ok(Self);
        }
        admin(request).await.map(|_| Self)
    }
);

from_caller!(
    Authenticated,
    |draft: &mut Draft| {
        draft.access("account", None);
        draft.problem(Code::Unauthorized);
        draft.problem(Code::Busy);
    },
    async |request| { Ok(Self(authenticated(request).await?)) }
);
