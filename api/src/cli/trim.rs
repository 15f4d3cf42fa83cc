//! `verbund trim`.

use crate::cli::context::{Failure, say};
use crate::config::{Config, RetentionDays};
use clap::Args;
use persistence::Store;

#[derive(Debug, Args)]
pub(super) struct Trim {
    /// Days for which superseded versions are kept, at least 90 [default: `log_retention_days`]
    #[arg(long, value_parser = days)]
    days: Option<RetentionDays>,
}

fn days(text: &str) -> Result<RetentionDays, String> {
    let days = text.parse::<u32>().map_err(|why| why.to_string())?;
    RetentionDays::try_from(days)
}

pub(super) async fn run(store: &Store, config: &Config, options: &Trim) -> Result<(), Failure> {
    let days = options.days.or(config.log_retention_days).ok_or_else(|| {
        Failure::Told("set the retention: --days, or log_retention_days in the settings".to_owned())
    })?;
    let trimmed = store.feed().trim(days.into()).await?;
    let floor = store.feed().state().await?.floor;
    say(&format!(
        "{trimmed} entries trimmed; cursors of the feed up to {floor} have expired"
    ));
    Ok(())
}
