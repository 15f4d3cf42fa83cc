//! `verbund token`: a local account with one grant, and its token.

use super::{Failure, complain, say};
use crate::auth::Tokens;
use chrono::TimeDelta;
use clap::Args;
use domain::access::{Caller, Role};
use domain::nearest::nearest;
use domain::resource::Kind;
use domain::vocabulary::Coded;
use persistence::Store;
use persistence::accounts::NewGrant;

/// Options of `token`.
#[derive(Debug, Args)]
pub(super) struct Token {
    /// reader, editor, approver, feeder or admin
    #[arg(long, value_parser = role)]
    role: Role,
    /// The region in which it holds, by slug or id [default: the whole node]
    #[arg(long)]
    region: Option<String>,
    /// Whether it holds below that region too
    #[arg(long, requires = "region")]
    descendants: bool,
    /// For feeders: the system whose records they push
    #[arg(long, required_if_eq("role", "feeder"))]
    system: Option<String>,
    /// How many hours the token is valid, at most 24
    #[arg(long, default_value_t = 24, value_parser = clap::value_parser!(u8).range(1..=24))]
    hours: u8,
}

fn role(text: &str) -> Result<Role, String> {
    Role::parse(text).ok_or_else(|| {
        let known: Vec<&str> = Role::ALL.iter().map(|role| role.code()).collect();
        let close = nearest(text, known.iter().copied());
        let close = close.map_or(String::new(), |close| format!("; did you mean {close}?"));
        format!("one of {}{close}", known.join(", "))
    })
}

pub(super) async fn run(store: &Store, token: &Token) -> Result<(), Failure> {
    let region = match &token.region {
        Some(key) => {
            let found = store.get(&Caller::node(), Kind::Region, key).await;
            let row = found.map_err(|_| Failure::Told(format!("there is no region \"{key}\"")))?;
            Some(row)
        }
        None => None,
    };
    let place = region.as_ref().and_then(|row| row.slug.as_deref());
    let below = if token.descendants { "-and-below" } else { "" };
    let parts = [Some(token.role.code()), place, token.system.as_deref()];
    let parts: Vec<&str> = parts.into_iter().flatten().collect();
    let name = format!("local-{}{below}", parts.join("-"));
    let grant = NewGrant {
        role: token.role,
        region: region.as_ref().map(|row| row.id),
        descendants: token.descendants,
        system: token.system.clone(),
    };
    let account = store.local_account(&name, &grant).await?;
    let tokens = Tokens::load(store).await?;
    let lifetime = TimeDelta::hours(i64::from(token.hours));
    let text = tokens.issue(account, store.clock().now(), lifetime)?;
    complain(&format!(
        "account {name}, {} in {}, valid for {} h",
        token.role.code(),
        place.unwrap_or("the whole node"),
        token.hours
    ));
    say(&text);
    Ok(())
}
