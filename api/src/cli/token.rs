//! `verbund token`: a local account with one grant, and its token.

use crate::auth::Tokens;
use crate::cli::context::{Failure, complain, say};
use crate::cli::grant::{self, Where, role};
use chrono::TimeDelta;
use clap::Args;
use domain::access::rules::Role;
use domain::base::vocabulary::Coded;
use persistence::Store;

#[derive(Debug, Args)]
pub(super) struct Token {
    /// Role: reader, editor, approver, feeder or admin
    #[arg(long, value_parser = role)]
    role: Role,
    #[command(flatten)]
    place: Where,
    /// Hours for which the token is valid, at most 24
    #[arg(long, default_value_t = 24, value_parser = clap::value_parser!(u8).range(1..=24))]
    hours: u8,
}

pub(super) async fn run(store: &Store, token: &Token) -> Result<(), Failure> {
    let (grant, place) = grant::read(store, token.role, &token.place).await?;
    let below = if grant.descendants { "-and-below" } else { "" };
    let region = grant.region.map(|_| place.as_str());
    let parts = [Some(grant.role.code()), region, grant.system.as_deref()];
    let parts: Vec<&str> = parts.into_iter().flatten().collect();
    let name = format!("local-{}{below}", parts.join("-"));
    let account = store.accounts().ensure_local(&name, &grant).await?;
    let tokens = Tokens::load(store).await?;
    let lifetime = TimeDelta::hours(i64::from(token.hours));
    let text = tokens.issue(account, store.clock().now(), lifetime).await?;
    complain(&format!(
        "account {name}, {} in {place}, valid for {} h",
        token.role.code(),
        token.hours
    ));
    say(&text);
    Ok(())
}
