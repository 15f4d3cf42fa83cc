//! `verbund partner`: the nodes from which records are copied.

use crate::cli::context::{Failure, complain, say};
use crate::config::Config;
use crate::http::outbound::Outgoing;
use clap::{Args, Subcommand};
use domain::access::account::is_name;
use domain::access::rules::Caller;
use domain::base::clock::rfc3339;
use domain::base::fault::Lang;
use domain::base::kind::Kind;
use domain::base::vocabulary::Coded;
use domain::exchange::sync::FeedPhase;
use persistence::partner::{NewPartner, PartnerChange};
use persistence::write::Precondition;
use persistence::{Store, StoreError};
use uuid::Uuid;

/// The nodes from which records are copied, by `serve`.
#[derive(Debug, Subcommand)]
pub(super) enum Partner {
    /// Add a node from which records are copied
    Add(Add),
    /// List the partners
    List,
    /// Show the progress and the errors of a partner
    Show(Name),
    /// Remove a partner
    Remove(Remove),
    /// Pause a partner
    Pause(Name),
    /// Resume a partner, whatever stopped it
    Resume(Name),
    /// Approve the pending deletions of a partner that awaits it
    ApproveDeletions(Name),
}

#[derive(Debug, Args)]
pub(super) struct Add {
    /// Address, such as <https://verzeichnis.example>
    url: String,
    /// Name on this node: 2 to 64 of a-z, 0-9 and . _ @ - [default: its host]
    #[arg(long, value_parser = name)]
    name: Option<String>,
    /// The only origin whose records are accepted [default: that of its first response]
    // `--origin` is the name of this node.
    #[arg(long)]
    only_origin: Option<String>,
    /// Only records of this kind; may be repeated
    #[arg(long = "kind", value_parser = kind)]
    kinds: Vec<Kind>,
    /// Only records with this home region, by id; may be repeated
    #[arg(long = "home-region")]
    home_regions: Vec<Uuid>,
}

#[derive(Debug, Args)]
pub(super) struct Name {
    /// Name of the partner
    name: String,
}

#[derive(Debug, Args)]
pub(super) struct Remove {
    #[command(flatten)]
    name: Name,
    /// Remove its copies too
    #[arg(long)]
    with_copies: bool,
}

pub(super) fn name(text: &str) -> Result<String, String> {
    let fine = is_name(text).then(|| text.to_owned());
    fine.ok_or_else(|| "2 to 64 of a-z, 0-9 and . _ @ -".to_owned())
}

pub(super) fn kind(text: &str) -> Result<Kind, String> {
    let known: Vec<&str> = Kind::ALL.iter().map(|kind| kind.code()).collect();
    Kind::parse(text).ok_or_else(|| format!("one of {}", known.join(", ")))
}

pub(super) async fn run(store: &Store, config: &Config, command: &Partner) -> Result<(), Failure> {
    match command {
        Partner::Add(add) => add_one(store, config, add).await,
        Partner::List => list(store).await,
        Partner::Show(name) => show(store, &name.name).await,
        Partner::Remove(remove) => {
            let id = id(store, &remove.name.name).await?;
            store
                .partners()
                .delete(&Caller::node(), id, &Precondition::Any, remove.with_copies)
                .await?;
            complain("removed");
            Ok(())
        }
        Partner::Pause(name) => pause(store, &name.name, true).await,
        Partner::Resume(name) => pause(store, &name.name, false).await,
        Partner::ApproveDeletions(name) => {
            let id = id(store, &name.name).await?;
            store
                .partners()
                .approve_deletions(&Caller::node(), id, &Precondition::Any)
                .await?;
            show(store, &name.name).await
        }
    }
}

async fn add_one(store: &Store, config: &Config, add: &Add) -> Result<(), Failure> {
    let outgoing = Outgoing::new(config).map_err(|why| Failure::Told(why.to_string()))?;
    let url = outgoing.check(&add.url).map_err(Failure::Told)?;
    if url.query().is_some() {
        return Err(Failure::Told(format!("\"{url}\" must have no query")));
    }
    let host = url.host_str().unwrap_or_default();
    let new = NewPartner {
        name: add.name.clone().unwrap_or_else(|| host.to_owned()),
        url: add.url.clone(),
        origin: add.only_origin.clone(),
        kinds: add.kinds.clone(),
        home_regions: add.home_regions.clone(),
    };
    if !is_name(&new.name) {
        let why = format!(
            "\"{}\" is not a valid name of a partner; set one with --name",
            new.name
        );
        return Err(Failure::Told(why));
    }
    match store.partners().create(&Caller::node(), &new).await {
        Ok(_) => show(store, &new.name).await,
        Err(StoreError::Conflict(_)) => Err(Failure::Told(format!(
            "a partner called {} exists already; set another name with --name",
            new.name
        ))),
        Err(StoreError::Invalid(faults)) => {
            let whys = faults
                .iter()
                .map(|one| format!("{}: {}", one.pointer, one.fault.message(Lang::En)));
            Err(Failure::Told(whys.collect::<Vec<_>>().join("; ")))
        }
        Err(other) => Err(other.into()),
    }
}

async fn id(store: &Store, name: &str) -> Result<Uuid, Failure> {
    match store.partners().find_by_name(name).await {
        Ok(row) => Ok(row.id),
        Err(StoreError::NotFound) => Err(Failure::Told(format!(
            "there is no partner called {name}; `verbund partner list` lists them"
        ))),
        Err(other) => Err(other.into()),
    }
}

async fn pause(store: &Store, name: &str, paused: bool) -> Result<(), Failure> {
    let id = id(store, name).await?;
    let change = PartnerChange {
        paused: Some(paused),
        ..PartnerChange::default()
    };
    store
        .partners()
        .update(&Caller::node(), id, &Precondition::Any, &change)
        .await?;
    show(store, name).await
}

async fn list(store: &Store) -> Result<(), Failure> {
    for status in store.partners().list().await? {
        let row = &status.partner;
        let origin = row.origin.as_deref().unwrap_or("not reached yet");
        say(&format!(
            "{}  {}  {}  {origin}",
            row.name,
            row.state.code(),
            row.url
        ));
    }
    Ok(())
}

/// The values separated by commas, or "all" if there are none.
pub(super) fn all_or(values: &[impl ToString]) -> String {
    let values: Vec<String> = values.iter().map(ToString::to_string).collect();
    if values.is_empty() {
        return "all".to_owned();
    }
    values.join(",")
}

async fn show(store: &Store, name: &str) -> Result<(), Failure> {
    let status = store.partners().get(id(store, name).await?).await?;
    let row = &status.partner;
    let mut lines = vec![
        ("name", row.name.clone()),
        ("url", row.url.clone()),
        (
            "origin",
            row.origin
                .clone()
                .unwrap_or_else(|| "not reached yet".to_owned()),
        ),
        ("kinds", all_or(&row.kinds)),
        ("home regions", all_or(&row.home_regions)),
        ("state", row.state.code().to_owned()),
        ("phase", row.phase.code().to_owned()),
        (
            "read",
            match row.phase {
                FeedPhase::Snapshot => "the snapshot is not complete yet".to_owned(),
                FeedPhase::Changes => format!("{} of {}", row.seq, row.head_seq),
            },
        ),
        ("copies", status.copies.to_string()),
        ("quarantined", status.quarantined.to_string()),
        ("skipped", row.skipped.to_string()),
    ];
    let moments = [
        ("contacted", row.contacted_at),
        ("up to date", row.up_to_date_at),
    ];
    lines.extend(
        moments
            .into_iter()
            .filter_map(|(what, at)| Some((what, rfc3339(at?)))),
    );
    if let (Some(deletions), Some(copies)) = (row.held_deletions, row.held_copies) {
        lines.push((
            "to approve",
            format!("{deletions} of {copies} copies would be deleted"),
        ));
    }
    lines.extend(row.last_error.clone().map(|why| ("error", why)));
    for (what, value) in lines {
        say(&format!("{what:14}{value}"));
    }
    for entry in &status.latest {
        let kind = entry.kind.as_deref().unwrap_or("?");
        let id = entry
            .record_id
            .map_or_else(|| "?".to_owned(), |id| id.to_string());
        say(&format!("  {kind} {id}: {}", entry.reason));
    }
    Ok(())
}
