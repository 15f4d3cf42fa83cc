//! `verbund webhook`: the receivers of change notifications.

use crate::cli::context::{Failure, complain, say};
use crate::cli::partner::{all_or, kind, name};
use crate::config::Config;
use crate::exchange::webhooks::signature::new_secret;
use crate::exchange::webhooks::since;
use crate::http::outbound::Outgoing;
use clap::{Args, Subcommand};
use domain::access::account::is_name;
use domain::access::rules::Caller;
use domain::base::clock::rfc3339;
use domain::base::kind::Kind;
use domain::base::vocabulary::Coded;
use persistence::webhook::Secret;
use persistence::webhook::{NewWebhook, Since, WebhookChange};
use persistence::write::Precondition;
use persistence::{Store, StoreError};
use uuid::Uuid;

const SHOWN: u64 = 10;

/// The receivers of change notifications, which `serve` sends.
#[derive(Debug, Subcommand)]
pub(super) enum Webhook {
    /// Add a receiver, and print its secret as the last line
    Add(Add),
    /// List the webhooks
    List,
    /// Show the state of a webhook, and its last deliveries
    Show(Name),
    /// Remove a webhook with its deliveries
    Remove(Name),
    /// Disable a webhook
    Disable(Name),
    /// Enable a webhook for future changes, whatever disabled it
    Enable(Name),
    /// Rotate the secret, and print the new one as the last line; the previous one signs for
    /// another 24 hours
    Rotate(Name),
    /// Send everything since a moment again, or repeat one delivery
    Replay(Replay),
}

#[derive(Debug, Args)]
pub(super) struct Add {
    /// URL of the receiver, such as <https://website.example/hooks/verbund>
    url: String,
    /// Name on this node: 2 to 64 of a-z, 0-9 and . _ @ - [default: its host]
    #[arg(long, value_parser = name)]
    name: Option<String>,
    /// Only records of this kind; may be repeated
    #[arg(long = "kind", value_parser = kind)]
    kinds: Vec<Kind>,
    /// Only records with this home region, by id; may be repeated
    #[arg(long = "home-region")]
    home_regions: Vec<Uuid>,
}

#[derive(Debug, Args)]
pub(super) struct Name {
    /// Name of the webhook
    name: String,
}

#[derive(Debug, Args)]
pub(super) struct Replay {
    #[command(flatten)]
    name: Name,
    /// Number of the log entry after which to begin, or a moment (RFC 3339)
    #[arg(long, value_parser = moment, required_unless_present = "delivery")]
    since: Option<Since>,
    /// Id of a delivery
    #[arg(long, conflicts_with = "since")]
    delivery: Option<Uuid>,
}

fn moment(text: &str) -> Result<Since, String> {
    let expected = "the number of an entry of the log, or a moment such as 2026-01-31T08:00:00Z";
    since(text).ok_or_else(|| expected.to_owned())
}

pub(super) async fn run(store: &Store, config: &Config, command: &Webhook) -> Result<(), Failure> {
    match command {
        Webhook::Add(add) => add_one(store, config, add).await,
        Webhook::List => list(store).await,
        Webhook::Show(name) => show(store, &name.name).await,
        Webhook::Remove(name) => {
            let id = id(store, &name.name).await?;
            store
                .webhooks()
                .delete(&Caller::node(), id, &Precondition::Any)
                .await?;
            complain("removed");
            Ok(())
        }
        Webhook::Disable(name) => switch(store, &name.name, false).await,
        Webhook::Enable(name) => switch(store, &name.name, true).await,
        Webhook::Rotate(name) => rotate(store, &name.name).await,
        Webhook::Replay(again) => replay(store, again).await,
    }
}

async fn add_one(store: &Store, config: &Config, add: &Add) -> Result<(), Failure> {
    let outgoing = Outgoing::new(config).map_err(|why| Failure::Told(why.to_string()))?;
    let url = outgoing.check(&add.url).map_err(Failure::Told)?;
    let host = url.host_str().unwrap_or_default();
    let new = NewWebhook {
        name: add.name.clone().unwrap_or_else(|| host.to_owned()),
        url: add.url.clone(),
        kinds: add.kinds.clone(),
        home_regions: add.home_regions.clone(),
        secret: new_secret(),
    };
    if !is_name(&new.name) {
        let why = format!(
            "\"{}\" is not a valid name of a webhook; set one with --name",
            new.name
        );
        return Err(Failure::Told(why));
    }
    match store.webhooks().create(&Caller::node(), &new).await {
        Ok(_) => {
            show(store, &new.name).await?;
            tell(&new.secret);
            Ok(())
        }
        Err(StoreError::Conflict(_)) => Err(Failure::Told(format!(
            "a webhook called {} exists already; set another name with --name",
            new.name
        ))),
        Err(other) => Err(other.into()),
    }
}

fn tell(secret: &Secret) {
    complain("the secret, which is shown this once:");
    say(&secret.0);
}

async fn id(store: &Store, name: &str) -> Result<Uuid, Failure> {
    match store.webhooks().find_by_name(name).await {
        Ok(row) => Ok(row.id),
        Err(StoreError::NotFound) => Err(Failure::Told(format!(
            "there is no webhook called {name}; `verbund webhook list` lists them"
        ))),
        Err(other) => Err(other.into()),
    }
}

async fn switch(store: &Store, name: &str, active: bool) -> Result<(), Failure> {
    let id = id(store, name).await?;
    let change = WebhookChange {
        active: Some(active),
        ..WebhookChange::default()
    };
    store
        .webhooks()
        .update(&Caller::node(), id, &Precondition::Any, &change)
        .await?;
    show(store, name).await
}

async fn rotate(store: &Store, name: &str) -> Result<(), Failure> {
    let id = id(store, name).await?;
    let secret = new_secret();
    store
        .webhooks()
        .rotate_secret(&Caller::node(), id, &secret)
        .await?;
    tell(&secret);
    Ok(())
}

async fn replay(store: &Store, again: &Replay) -> Result<(), Failure> {
    let id = id(store, &again.name.name).await?;
    if let Some(delivery) = again.delivery {
        let made = store
            .deliveries()
            .replay_one(&Caller::node(), id, delivery)
            .await;
        return match made {
            Ok(_) => {
                say("the delivery is queued again");
                Ok(())
            }
            Err(StoreError::NotFound) => {
                Err(Failure::Told(format!("there is no delivery {delivery}")))
            }
            Err(other) => Err(other.into()),
        };
    }
    let mut since = again.since.unwrap_or(Since::Entry(0));
    let mut deliveries = 0;
    loop {
        let replayed = store
            .deliveries()
            .replay(&Caller::node(), id, since)
            .await?;
        deliveries += replayed.deliveries;
        since = Since::Entry(replayed.through);
        if replayed.complete {
            say(&format!("deliveries queued: {deliveries}"));
            return Ok(());
        }
    }
}

async fn list(store: &Store) -> Result<(), Failure> {
    for status in store.webhooks().list().await? {
        let row = &status.webhook;
        let why = row.disabled_reason.map_or("", Coded::code);
        say(&format!(
            "{}  {} {why}  {}",
            row.name,
            row.state.code(),
            row.url
        ));
    }
    Ok(())
}

async fn show(store: &Store, name: &str) -> Result<(), Failure> {
    let status = store.webhooks().get(id(store, name).await?).await?;
    let row = &status.webhook;
    let mut lines = vec![
        ("name", row.name.clone()),
        ("url", row.url.clone()),
        ("kinds", all_or(&row.kinds)),
        ("home regions", all_or(&row.home_regions)),
        ("state", row.state.code().to_owned()),
        ("pending", status.pending.to_string()),
        ("failed", status.failed.to_string()),
    ];
    lines.extend(
        row.disabled_reason
            .map(|why| ("because", why.code().to_owned())),
    );
    let moments = [
        ("since", row.disabled_at),
        ("got through", row.succeeded_at),
        ("next attempt", row.retry_at),
    ];
    lines.extend(
        moments
            .into_iter()
            .filter_map(|(what, at)| Some((what, rfc3339(at?)))),
    );
    lines.extend(row.last_error.clone().map(|why| ("error", why)));
    for (what, value) in lines {
        say(&format!("{what:14}{value}"));
    }
    let last = store
        .deliveries()
        .list(row.id, &[], (SHOWN, None), "")
        .await?;
    for delivery in last.items {
        let error = delivery.error.as_deref().unwrap_or_default();
        say(&format!(
            "  {} {}.{} {}: {}, {} attempts {error}",
            delivery.id,
            delivery.kind,
            delivery.happening.code(),
            delivery.record_id,
            delivery.state.code(),
            delivery.attempts
        ));
    }
    Ok(())
}
