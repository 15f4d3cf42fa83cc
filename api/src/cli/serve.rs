//! `verbund serve`.

use crate::app;
use crate::auth::secrets;
use crate::cli::context::{Failure, complain, open, say};
use crate::config::Config;
use crate::exchange::partners::pull::PartnerSync;
use crate::exchange::webhooks::sender::WebhookSender;
use crate::exchange::workers::Workers;
use crate::state::State;
use domain::access::account::AccountKind;
use domain::access::rules::{Caller, Role};
use persistence::Store;
use persistence::accounts::{NewAccount, NewGrant};
use persistence::jobs::BackgroundJobs;
use persistence::load::{CHUNK, LoadMode};
use persistence::search::{IndexPlace, Search};
use persistence::transaction::WriteOptions;
use persistence::write::outcome::Change;
use std::net::TcpListener;

const DEMO: &str = "demo-admin";

pub(super) async fn run(config: &Config) -> Result<(), Failure> {
    let listener = TcpListener::bind(config.listen)
        .map_err(|why| Failure::Io(format!("cannot listen on {}", config.listen), why))?;
    let address = listener
        .local_addr()
        .map_err(|why| Failure::Io("cannot determine the address".to_owned(), why))?;
    let store = open(config).await?;
    let origin = store.node().origin.clone();
    if config.demo {
        seed(&store).await?;
    }
    let search = Search::new(store.clone(), IndexPlace::Folder(config.index()));
    let state = State::new(store.clone(), search.clone(), config).await?;
    let sign_in = if config.demo {
        demo_account(&store).await?
    } else {
        None
    };
    let server = app::server(state, config, listener)
        .map_err(|why| Failure::Io("cannot start the server".to_owned(), why))?;
    let missing = config.missing_legal_pages();
    if !missing.is_empty() {
        let missing = missing.join(", ");
        tracing::warn!(
            missing,
            "legal pages are not configured; the pages of this public node have no links to them"
        );
    }
    say(&format!(
        "Verbund {} · origin {origin} · {}\n\n  Explorer    http://{address}/\n  API         http://{address}/\n  Swagger UI  http://{address}/docs/\n  OpenAPI     http://{address}/openapi.json\n",
        env!("CARGO_PKG_VERSION"),
        config.database_for_display(),
    ));
    if let Some(password) = sign_in {
        say(&format!(
            "To write, press Authorize in Swagger UI and sign in. This is shown once\n(`verbund user set-password {DEMO}` sets another password; `verbund token --role admin` prints a token):\n\n  user        {DEMO}\n  password    {password}\n"
        ));
    }
    store.leases().take_over().await?;
    let mut background = BackgroundJobs::start(&store).searching(&store, &search);
    if let Some(days) = config.log_retention_days {
        background = background.pruning(&store, days.into());
    }
    let exchange = PartnerSync::new(store.clone(), config)
        .map_err(|why| Failure::Told(format!("cannot reach partners: {why}")))?;
    let partners = Workers::start(exchange);
    let sender = WebhookSender::new(store.clone(), config)
        .map_err(|why| Failure::Told(format!("cannot reach webhooks: {why}")))?;
    let webhooks = Workers::start(sender);
    let outcome = server.await;
    partners.stop().await;
    webhooks.stop().await;
    background.stop().await;
    outcome.map_err(|why| Failure::Io("the server failed".to_owned(), why))?;
    store.db().clone().close().await;
    complain("stopped");
    Ok(())
}

/// The password of the demo's admin if the account was just created.
async fn demo_account(store: &Store) -> Result<Option<String>, Failure> {
    let found = store
        .accounts()
        .find_by_name(AccountKind::Person, DEMO)
        .await?;
    if found.is_some() {
        return Ok(None);
    }
    let password = secrets::random_password();
    let new = NewAccount {
        kind: AccountKind::Person,
        name: DEMO.to_owned(),
        password_hash: Some(secrets::hash(password.clone()).await?),
        secret_hash: None,
        external: None,
        grants: vec![NewGrant {
            role: Role::Admin,
            region: None,
            descendants: false,
            system: None,
        }],
    };
    store.accounts().create(&Caller::node(), &new).await?;
    Ok(Some(password))
}

/// Loads missing records of the seed pages; existing and deleted ones are left unchanged.
async fn seed(store: &Store) -> Result<(), Failure> {
    let options = WriteOptions::default();
    let mut created = 0;
    for (document, lines) in domain::data::SEEDS {
        let lines: Vec<&str> = lines.lines().collect();
        for chunk in lines.chunks(CHUNK) {
            let outcomes = store
                .imports()
                .load(&Caller::node(), chunk, LoadMode::CreateMissing, &options)
                .await?;
            for (line, outcome) in chunk.iter().zip(outcomes) {
                match outcome.0 {
                    Ok(applied) => {
                        created += usize::from(matches!(applied.change, Some(Change::Created)));
                    }
                    Err(why) => {
                        let problem = crate::http::problem::Problem::from(why);
                        let text = problem.document(domain::base::fault::Lang::En, "", "");
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
