//! `verbund log`: the log of changes.

use crate::cli::context::{Failure, say};
use crate::config::{Config, RetentionDays};
use clap::{Args, Subcommand};
use persistence::Store;

#[derive(Debug, Subcommand)]
pub(super) enum Log {
    /// Remove entries that were superseded long ago
    Prune(Prune),
}

#[derive(Debug, Args)]
pub(super) struct Prune {
    /// Days for which superseded versions are kept, at least 90 [default: `log_retention_days`]
    #[arg(long, value_parser = days)]
    days: Option<RetentionDays>,
}

fn days(text: &str) -> Result<RetentionDays, String> {
    let days = text.parse::<u32>().map_err(|why| why.to_string())?;
    RetentionDays::try_from(days)
}

pub(super) async fn run(store: &Store, config: &Config, command: &Log) -> Result<(), Failure> {
    let Log::Prune(options) = command;
    let days = options.days.or(config.log_retention_days).ok_or_else(|| {
        Failure::Told("set the retention: --days, or log_retention_days in the settings".to_owned())
    })?;
    let pruned = store.feed().prune(days.into()).await?;
    let floor = store.feed().state().await?.floor;
    say(&format!(
        "{pruned} entries pruned; cursors of the feed up to {floor} have expired"
    ));
    Ok(())
}
