//! One grant on the command line: `--role`, `--region`, `--descendants`, `--system`.

use crate::cli::context::Failure;
use clap::Args;
use domain::access::rules::{Caller, Role};
use domain::base::kind::Kind;
use domain::base::nearest::nearest;
use domain::base::vocabulary::Coded;
use persistence::Store;
use persistence::accounts::NewGrant;

/// Scope of a role.
#[derive(Debug, Args)]
pub(super) struct Where {
    /// Region in which it applies, by slug or id [default: the whole node]
    #[arg(long, requires = "role")]
    pub(super) region: Option<String>,
    /// Whether it also applies below that region
    #[arg(long, requires = "region")]
    pub(super) descendants: bool,
    /// For feeders: system whose records they push
    #[arg(long, requires = "role", required_if_eq("role", "feeder"))]
    pub(super) system: Option<String>,
}

pub(super) fn role(text: &str) -> Result<Role, String> {
    Role::parse(text).ok_or_else(|| {
        let known: Vec<&str> = Role::ALL.iter().map(|role| role.code()).collect();
        let close = nearest(text, known.iter().copied());
        let close = close.map_or(String::new(), |close| format!("; did you mean {close}?"));
        format!("one of {}{close}", known.join(", "))
    })
}

pub(super) async fn read(
    store: &Store,
    role: Role,
    place: &Where,
) -> Result<(NewGrant, String), Failure> {
    let region = match &place.region {
        Some(key) => {
            let found = store
                .records()
                .get(&Caller::node(), Kind::Region, key)
                .await;
            let row = found.map_err(|_| Failure::Told(format!("there is no region \"{key}\"")))?;
            Some(row)
        }
        None => None,
    };
    let grant = NewGrant {
        role,
        region: region.as_ref().map(|row| row.id),
        descendants: place.descendants,
        system: place.system.clone(),
    };
    let slug = region.and_then(|row| row.slug);
    Ok((grant, slug.unwrap_or_else(|| "the whole node".to_owned())))
}
