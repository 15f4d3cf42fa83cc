//! `verbund serve`.

use super::{Failure, complain, open, say};
use crate::app::{self, State};
use crate::config::Config;
use domain::access::{Caller, Role};
use persistence::Store;
use persistence::accounts::NewGrant;
use persistence::follow::Followers;
use persistence::load::{CHUNK, LoadMode, Loaded};
use persistence::search::{IndexPlace, Search};
use persistence::unit::WriteOptions;
use std::net::TcpListener;

pub(super) async fn run(config: &Config) -> Result<(), Failure> {
    let listener = TcpListener::bind(config.listen)
        .map_err(|why| Failure::Io(format!("cannot listen on {}", config.listen), why))?;
    let address = listener
        .local_addr()
        .map_err(|why| Failure::Io("cannot tell the address".to_owned(), why))?;
    let store = open(config).await?;
    let origin = store.node().origin.clone();
    if config.demo {
        seed(&store).await?;
    }
    let search = Search::new(store.clone(), IndexPlace::Folder(config.index()));
    let state = State::new(store.clone(), search.clone(), config).await?;
    let sign_in = if config.demo {
        Some(demo_token(&state).await?)
    } else {
        None
    };
    let server = app::server(state, config, listener)
        .map_err(|why| Failure::Io("cannot start the server".to_owned(), why))?;
    say(&format!(
        "Verbund {} · origin {origin} · {}\n\n  API         http://{address}/\n  Swagger UI  http://{address}/docs/\n  OpenAPI     http://{address}/openapi.json\n",
        env!("CARGO_PKG_VERSION"),
        config.database_for_display(),
    ));
    if let Some(token) = sign_in {
        say(&format!(
            "To write, press Authorize in Swagger UI and paste this admin token, or send it as\n`Authorization: Bearer …` (valid for 24 hours; `verbund token --role admin` makes another):\n\n{token}\n"
        ));
    }
    let followers = Followers::start(&store).with(&store, search.follower());
    let outcome = server.await;
    followers.stop().await;
    outcome.map_err(|why| Failure::Io("the server failed".to_owned(), why))?;
    store.db().clone().close().await;
    complain("stopped");
    Ok(())
}

async fn demo_token(state: &State) -> Result<String, Failure> {
    let grant = NewGrant {
        role: Role::Admin,
        region: None,
        descendants: false,
        system: None,
    };
    let account = state.store.local_account("local-admin", &grant).await?;
    let now = state.store.clock().now();
    Ok(state
        .tokens
        .issue(account, now, crate::auth::MAX_LIFETIME)?)
}

/// Loads what is missing of the seed pages; what is there, or was deleted, is left alone.
async fn seed(store: &Store) -> Result<(), Failure> {
    let options = WriteOptions::default();
    let mut created = 0;
    for (document, lines) in domain::data::SEEDS {
        let lines: Vec<&str> = lines.lines().collect();
        for chunk in lines.chunks(CHUNK) {
            let outcomes = store
                .load(&Caller::node(), chunk, LoadMode::CreateMissing, &options)
                .await?;
            for (line, outcome) in chunk.iter().zip(outcomes) {
                match outcome {
                    Loaded::Created(_) => created += 1,
                    Loaded::Updated { .. } | Loaded::Unchanged(_) => {}
                    Loaded::Refused(why) => {
                        let problem = crate::problem::Problem::from(why);
                        let text = problem.document(domain::fault::Lang::En, "", "");
                        return Err(Failure::Told(format!(
                            "seed page {document}: {text} in {line}"
                        )));
                    }
                }
            }
        }
    }
    tracing::info!(created, "seed pages loaded");
    Ok(())
}
