//! Accounts of people and of programs (clients), for admins of the node.

mod body;

pub(crate) use body::{GrantBody, shown};

use crate::auth::secrets;
use crate::http::problem::{Code, Problem};
use crate::operation::extract::{
    Admin, App, IfMatch, JsonBody, Pairs, Parameter, Parameters, Query, describe_path_id, from_head,
};
use crate::operation::idempotency::{
    IdempotencyKey, Idempotent, Storable, StoredResponse, respond,
};
use crate::operation::paging::{CURSOR, LIMIT};
use crate::operation::reply::{Private, Removed, content, header_pair};
use crate::operation::routes::{Draft, Extract, Reply, Routes};
use actix_web::body::BoxBody;
use actix_web::http::{Method, StatusCode, header};
use actix_web::{HttpRequest, HttpResponse, Responder};
use body::{
    AccountChanges, AccountList, AccountView, MadeAccount, MadeClient, NewAccountBody,
    NewClientBody, granted,
};
use domain::access::account::AccountKind;
use domain::access::rules::Caller;
use domain::base::json::insert;
use domain::base::kind::Kind;
use persistence::accounts::{AccountChange, NewAccount};
use persistence::transaction::WriteOptions;
use serde::Serialize;
use serde_json::json;
use std::marker::PhantomData;
use utoipa::ToSchema;
use uuid::Uuid;

#[must_use]
pub fn routes() -> Routes {
    let create = ("create_account", "Create an account for a person");
    let client = ("create_client", "Create a client for a program");
    Routes::new("Access")
        .and(registry::<People>())
        .route(
            Method::POST,
            "/v1/accounts",
            create,
            &[Code::Conflict],
            create_account,
        )
        .and(registry::<Clients>())
        .route(
            Method::POST,
            "/v1/clients",
            client,
            &[Code::Conflict],
            create_client,
        )
}

trait Registry: 'static {
    const KIND: AccountKind;
    const NAME: &'static str;
    const A: &'static str;
}

#[derive(Debug)]
struct People;

impl Registry for People {
    const KIND: AccountKind = AccountKind::Person;
    const NAME: &'static str = "account";
    const A: &'static str = "an account";
}

#[derive(Debug)]
struct Clients;

impl Registry for Clients {
    const KIND: AccountKind = AccountKind::Client;
    const NAME: &'static str = "client";
    const A: &'static str = "a client";
}

fn registry<R: Registry>() -> Routes {
    let (name, a) = (R::NAME, R::A);
    let all = format!("/v1/{name}s");
    let one = format!("{all}/{{id}}");
    let list = (format!("list_{name}s"), format!("List {name}s"));
    let read = (format!("get_{name}"), format!("Read {a}"));
    let change = (
        format!("patch_{name}"),
        format!("Change the grants of {a}, or lock it"),
    );
    let remove = (format!("delete_{name}"), format!("Remove {a}"));
    Routes::new("Access")
        .get(
            &all,
            (&list.0, &list.1),
            &[Code::InvalidCursor],
            list_all::<R>,
        )
        .get(&one, (&read.0, &read.1), &[], get::<R>)
        .route(Method::PATCH, &one, (&change.0, &change.1), &[], patch::<R>)
        .route(
            Method::DELETE,
            &one,
            (&remove.0, &remove.1),
            &[],
            delete::<R>,
        )
}

#[derive(Debug)]
struct AccountId<R>(Uuid, PhantomData<R>);

from_head!(AccountId<R>, R);

impl<R> AccountId<R> {
    fn of(request: &HttpRequest) -> Result<Self, Problem> {
        let id = Uuid::try_parse(request.match_info().query("id"));
        id.map(|id| Self(id, PhantomData))
            .map_err(|_| Problem::new(Code::NotFound))
    }
}

impl<R: Registry> Extract for AccountId<R> {
    fn describe(draft: &mut Draft) {
        describe_path_id(draft, "id", &format!("The id of the {}.", R::NAME));
    }
}

#[derive(Debug)]
struct Page {
    limit: u64,
    cursor: Option<String>,
}

impl Parameters for Page {
    fn table(_: Option<Kind>) -> &'static [Parameter] {
        &[LIMIT, CURSOR]
    }

    fn read(pairs: &Pairs) -> Result<Self, Problem> {
        Ok(Self {
            limit: pairs.integer(&LIMIT),
            cursor: pairs.one("cursor").map(str::to_owned),
        })
    }
}

async fn list_all<R: Registry>(
    app: App,
    _: Admin,
    Query(Page { limit, cursor }): Query<Page>,
) -> Result<Private<AccountList>, Problem> {
    let page = app
        .store
        .accounts()
        .list(R::KIND, limit, cursor.as_deref())
        .await?;
    let next = page
        .next
        .map(|cursor| format!("/v1/{}s?limit={limit}&cursor={cursor}", R::NAME));
    let items = page.items.iter().map(AccountView::new).collect();
    Ok(Private::new(AccountList {
        items,
        total: page.total,
        next,
    }))
}

async fn get<R: Registry>(
    app: App,
    _: Admin,
    id: AccountId<R>,
    _: Query<()>,
) -> Result<Private<AccountView>, Problem> {
    let account = app.store.accounts().get(R::KIND, id.0).await?;
    let view = AccountView::new(&account);
    Ok(Private::new(view).version(account.account.version))
}

async fn patch<R: Registry>(
    app: App,
    Admin(admin): Admin,
    id: AccountId<R>,
    IfMatch(expected): IfMatch,
    _: Query<()>,
    JsonBody(changes): JsonBody<AccountChanges>,
) -> Result<Private<AccountView>, Problem> {
    let grants = match &changes.grants {
        Some(grants) => Some(granted(&app.store, grants).await?),
        None => None,
    };
    let change = AccountChange {
        disabled: changes.disabled,
        grants,
        password_hash: None,
    };
    let key = (R::KIND, id.0);
    let account = app
        .store
        .accounts()
        .update(&admin, key, &expected, &change)
        .await?;
    let view = AccountView::new(&account);
    Ok(Private::new(view).version(account.account.version))
}

async fn delete<R: Registry>(
    app: App,
    Admin(admin): Admin,
    id: AccountId<R>,
    IfMatch(expected): IfMatch,
    _: Query<()>,
) -> Result<Removed, Problem> {
    let key = (R::KIND, id.0);
    app.store.accounts().delete(&admin, key, &expected).await?;
    Ok(Removed)
}

async fn create_account(
    app: App,
    Admin(admin): Admin,
    _: Query<()>,
    mut idempotency: IdempotencyKey,
    JsonBody(body): JsonBody<NewAccountBody>,
) -> Result<Idempotent<Made<MadeAccount>>, Problem> {
    let options = WriteOptions::default();
    // Hashing a password is expensive.
    if let Some(known) = idempotency.known(&app, &admin, &options).await? {
        return Ok(known);
    }
    let grants = granted(&app.store, &body.grants).await?;
    let external = body.external();
    let generated = (body.password.is_none() && external.is_none()).then(secrets::random_password);
    let password = body.password.or_else(|| generated.clone());
    let password_hash = match password {
        Some(password) => Some(secrets::hash(password).await?),
        None => None,
    };
    let new = NewAccount {
        kind: AccountKind::Person,
        name: body.name,
        password_hash,
        secret_hash: None,
        external,
        grants,
    };
    let made = idempotency.write(&app, &admin, &options, async |tx| {
        let account = tx.accounts().create(&new).await?;
        let made = MadeAccount {
            account: AccountView::new(&account),
            password: generated.clone(),
        };
        Ok(Made(format!("/v1/accounts/{}", account.account.id), made))
    });
    Ok(told(made.await?, &admin))
}

async fn create_client(
    app: App,
    Admin(admin): Admin,
    _: Query<()>,
    mut idempotency: IdempotencyKey,
    JsonBody(body): JsonBody<NewClientBody>,
) -> Result<Idempotent<Made<MadeClient>>, Problem> {
    let options = WriteOptions::default();
    let grants = granted(&app.store, &body.grants).await?;
    let secret = secrets::random_secret();
    let new = NewAccount {
        kind: AccountKind::Client,
        name: body.name,
        password_hash: None,
        secret_hash: Some(secrets::hash_secret(&secret)),
        external: None,
        grants,
    };
    let made = idempotency.write(&app, &admin, &options, async |tx| {
        let account = tx.accounts().create(&new).await?;
        let made = MadeClient {
            account: AccountView::new(&account),
            client_id: account.account.id,
            client_secret: Some(secret.clone()),
        };
        Ok(Made(format!("/v1/clients/{}", account.account.id), made))
    });
    Ok(told(made.await?, &admin))
}

fn told<T>(made: Idempotent<Made<T>>, by: &Caller) -> Idempotent<Made<T>> {
    if let Idempotent::New(Made(location, _)) = &made {
        tracing::info!(
            location,
            by = by.account.map(tracing::field::display),
            "account created"
        );
    }
    made
}

/// 201 with the created account and a secret that is never shown again.
#[derive(Debug)]
struct Made<T>(String, T);

impl<T: Serialize + ToSchema> Responder for Made<T> {
    type Body = BoxBody;

    fn respond_to(self, _: &HttpRequest) -> HttpResponse {
        let body = json!(self.1).to_string();
        respond(self.answer(body))
    }
}

impl<T: Serialize + ToSchema> Made<T> {
    fn answer(&self, body: String) -> StoredResponse {
        StoredResponse {
            status: StatusCode::CREATED.as_u16(),
            headers: vec![
                header_pair(&header::CONTENT_TYPE, "application/json"),
                header_pair(&header::CACHE_CONTROL, "no-store"),
                header_pair(&header::LOCATION, &self.0),
                header_pair(&header::ETAG, "\"1\""),
            ],
            body,
        }
    }
}

impl<T: Serialize + ToSchema> Storable for Made<T> {
    fn to_stored(&self) -> StoredResponse {
        let mut made = json!(self.1);
        if let Some(members) = made.as_object_mut() {
            for secret in ["password", "client_secret"] {
                members.shift_remove(secret);
            }
        }
        self.answer(made.to_string())
    }
}

impl<T: Serialize + ToSchema> Reply for Made<T> {
    fn describe(draft: &mut Draft) {
        let schema = draft.schema::<T>();
        let text = "Created. Secrets and generated passwords are shown only here, and not in repeated responses.";
        let mut response = content(text, "application/json", &schema);
        for header in ["Location", "ETag", "Cache-Control"] {
            let object = json!({"schema": {"type": "string"}});
            insert(&mut response, &["headers", header], object);
        }
        draft.response(201, response);
    }
}
