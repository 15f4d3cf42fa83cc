//! `verbund user`, `verbund client` and `verbund key`: accounts and keys.

use crate::auth::secrets::{self, SecretError};
use crate::auth::{KEEP_KEYS, as_new, new_key};
use crate::cli::context::{Failure, complain, say};
use crate::cli::grant::{self, Where, role};
use chrono::TimeDelta;
use clap::{Args, Subcommand};
use domain::access::account::{AccountKind, is_name};
use domain::access::rules::{Caller, Role};
use domain::base::clock::rfc3339;
use domain::base::fault::Lang;
use domain::base::vocabulary::Coded;
use persistence::accounts::{AccountChange, AccountWithGrants, External, NewAccount, NewGrant};
use persistence::write::Precondition;
use persistence::{Store, StoreError};

/// Accounts of people.
#[derive(Debug, Subcommand)]
pub(super) enum User {
    /// Create an account; a generated password is printed as the last line, once
    Add(Add),
    /// List the accounts
    List,
    /// Set a new password for an account
    SetPassword(SetPassword),
    /// Lock an account; its tokens become invalid at once
    Disable(Name),
}

/// Programs that sign in.
#[derive(Debug, Subcommand)]
pub(super) enum Client {
    /// Create a client; its id and its secret are printed as the last two lines, once
    Add(AddClient),
    /// List the clients
    List,
    /// Lock a client; its tokens become invalid at once
    Revoke(Name),
}

/// Keys that sign tokens.
#[derive(Debug, Subcommand)]
pub(super) enum Key {
    /// Sign with a new key; older ones verify until their tokens have expired
    Rotate(Rotate),
}

#[derive(Debug, Args)]
pub(super) struct Add {
    #[command(flatten)]
    name: Name,
    /// Role: reader, editor, approver, feeder or admin [default: none]
    #[arg(long, value_parser = role)]
    role: Option<Role>,
    #[command(flatten)]
    place: Where,
    /// Read the password from standard input instead of generating one
    #[arg(long, conflicts_with = "issuer")]
    password_stdin: bool,
    /// OpenID Connect issuer where the person signs in instead
    #[arg(long, requires = "subject")]
    issuer: Option<String>,
    /// Subject of the person at that issuer; `GET /v1/me` shows it
    #[arg(long, requires = "issuer")]
    subject: Option<String>,
}

#[derive(Debug, Args)]
pub(super) struct AddClient {
    #[command(flatten)]
    name: Name,
    /// Role: reader, editor, approver, feeder or admin [default: none]
    #[arg(long, value_parser = role)]
    role: Option<Role>,
    #[command(flatten)]
    place: Where,
}

#[derive(Debug, Args)]
pub(super) struct SetPassword {
    #[command(flatten)]
    name: Name,
    /// Read the password from standard input instead of generating one
    #[arg(long)]
    password_stdin: bool,
}

#[derive(Debug, Args)]
pub(super) struct Name {
    /// Name: 2 to 64 of a-z, 0-9 and . _ @ -
    #[arg(value_parser = name)]
    name: String,
}

#[derive(Debug, Args)]
pub(super) struct Rotate {
    /// Remove the older keys at once, with every token that they signed, because one has leaked
    #[arg(long)]
    forget_old: bool,
}

fn name(text: &str) -> Result<String, String> {
    let fine = is_name(text).then(|| text.to_owned());
    fine.ok_or_else(|| "2 to 64 of a-z, 0-9 and . _ @ -".to_owned())
}

impl From<SecretError> for Failure {
    fn from(error: SecretError) -> Self {
        Self::Told(error.to_string())
    }
}

pub(super) async fn user(store: &Store, command: &User) -> Result<(), Failure> {
    match command {
        User::Add(add) => add_user(store, add).await,
        User::List => list(store, AccountKind::Person).await,
        User::SetPassword(set) => {
            let (password, made) = password(&set.name.name, set.password_stdin)?;
            let change = AccountChange {
                password_hash: Some(secrets::hash(password.clone()).await?),
                ..AccountChange::default()
            };
            change_named(store, AccountKind::Person, &set.name.name, &change).await?;
            complain(&format!("password of {} changed", set.name.name));
            if made {
                say(&password);
            }
            Ok(())
        }
        User::Disable(name) => lock_out(store, AccountKind::Person, name).await,
    }
}

pub(super) async fn client(store: &Store, command: &Client) -> Result<(), Failure> {
    match command {
        Client::Add(add) => {
            let secret = secrets::random_secret();
            let new = NewAccount {
                kind: AccountKind::Client,
                name: add.name.name.clone(),
                password_hash: None,
                secret_hash: Some(secrets::hash_secret(&secret)),
                external: None,
                grants: grants(store, add.role, &add.place).await?,
            };
            let made = create(store, &new).await?;
            complain("client_id and client_secret, which is not shown again:");
            say(&made.account.id.to_string());
            say(&secret);
            Ok(())
        }
        Client::List => list(store, AccountKind::Client).await,
        Client::Revoke(name) => lock_out(store, AccountKind::Client, name).await,
    }
}

pub(super) async fn key(store: &Store, command: &Key) -> Result<(), Failure> {
    let Key::Rotate(rotate) = command;
    let (kid, pem) = new_key()?;
    let keep = if rotate.forget_old {
        TimeDelta::zero()
    } else {
        KEEP_KEYS
    };
    store
        .signing_keys()
        .rotate(as_new(&kid, &pem), keep)
        .await?;
    say(&format!("new signing key {kid}"));
    Ok(())
}

async fn add_user(store: &Store, add: &Add) -> Result<(), Failure> {
    let external = match (&add.issuer, &add.subject) {
        (Some(issuer), Some(subject)) => Some(External {
            issuer: issuer.clone(),
            subject: subject.clone(),
        }),
        _ => None,
    };
    let (password, made) = if external.is_some() {
        (None, false)
    } else {
        let (password, made) = password(&add.name.name, add.password_stdin)?;
        (Some(password), made)
    };
    let password_hash = match &password {
        Some(password) => Some(secrets::hash(password.clone()).await?),
        None => None,
    };
    let new = NewAccount {
        kind: AccountKind::Person,
        name: add.name.name.clone(),
        password_hash,
        secret_hash: None,
        external,
        grants: grants(store, add.role, &add.place).await?,
    };
    let account = create(store, &new).await?;
    complain(&format!("account {} ({})", new.name, account.account.id));
    if let Some(password) = password.filter(|_| made) {
        complain("its password, which is not shown again:");
        say(&password);
    }
    Ok(())
}

/// The password for an account of this name, and whether it was generated.
fn password(name: &str, from_input: bool) -> Result<(String, bool), Failure> {
    if !from_input {
        return Ok((secrets::random_password(), true));
    }
    let mut line = String::new();
    std::io::stdin()
        .read_line(&mut line)
        .map_err(|why| Failure::Io("standard input".to_owned(), why))?;
    let password = line.trim_end_matches(['\r', '\n']).to_owned();
    if let Some(fault) = secrets::password_fault(&password, name) {
        let why = fault.message(Lang::En);
        return Err(Failure::Told(format!("the password {why}")));
    }
    Ok((password, false))
}

async fn grants(
    store: &Store,
    role: Option<Role>,
    place: &Where,
) -> Result<Vec<NewGrant>, Failure> {
    match role {
        Some(role) => Ok(vec![grant::read(store, role, place).await?.0]),
        None => Ok(Vec::new()),
    }
}

async fn create(store: &Store, new: &NewAccount) -> Result<AccountWithGrants, Failure> {
    match store.accounts().create(&Caller::node(), new).await {
        Err(StoreError::Conflict(conflict)) => Err(Failure::Told(format!(
            "an account with the {} \"{}\" exists already",
            conflict.field.trim_start_matches('/'),
            conflict.value
        ))),
        outcome => Ok(outcome?),
    }
}

async fn change_named(
    store: &Store,
    kind: AccountKind,
    name: &str,
    change: &AccountChange,
) -> Result<(), Failure> {
    let row = store.accounts().find_by_name(kind, name).await?;
    let row = row.ok_or_else(|| Failure::Told(format!("there is no \"{name}\"; see list")))?;
    if change.password_hash.is_some() && row.issuer.is_some() {
        return Err(Failure::Told(format!("{name} signs in elsewhere")));
    }
    let (caller, any) = (Caller::node(), Precondition::Any);
    store
        .accounts()
        .update(&caller, (kind, row.id), &any, change)
        .await?;
    Ok(())
}

async fn lock_out(store: &Store, kind: AccountKind, name: &Name) -> Result<(), Failure> {
    let change = AccountChange {
        disabled: Some(true),
        ..AccountChange::default()
    };
    change_named(store, kind, &name.name, &change).await?;
    say(&format!("{} is locked", name.name));
    Ok(())
}

async fn list(store: &Store, kind: AccountKind) -> Result<(), Failure> {
    let mut cursor = None;
    loop {
        let page = store.accounts().list(kind, 200, cursor.as_deref()).await?;
        for account in &page.items {
            say(&line(account));
        }
        cursor = page.next;
        if cursor.is_none() {
            return Ok(());
        }
    }
}

/// An account on one line: id, name, state, grants.
fn line(account: &AccountWithGrants) -> String {
    let row = &account.account;
    let state = row.disabled_at.map_or_else(
        || "active".to_owned(),
        |at| format!("locked since {}", rfc3339(at)),
    );
    let grants = account.grants.iter().map(|grant| {
        let region = grant.region_id.map(|id| format!(" in {id}"));
        let below = if grant.descendants { " and below" } else { "" };
        let system = grant.system.as_ref().map(|name| format!(" for {name}"));
        let parts = [region, Some(below.to_owned()), system];
        let parts: String = parts.into_iter().flatten().collect();
        format!("{}{parts}", grant.role.code())
    });
    let grants: Vec<String> = grants.collect();
    let elsewhere = row.issuer.as_ref().zip(row.subject.as_ref());
    let elsewhere = elsewhere.map_or_else(String::new, |(issuer, subject)| {
        format!("\t{subject} at {issuer}")
    });
    let (id, name) = (row.id, &row.name);
    format!("{id}\t{name}\t{state}\t{}{elsewhere}", grants.join(", "))
}
