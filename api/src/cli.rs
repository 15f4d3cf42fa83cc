mod accounts;
mod context;
mod doctor;
mod erase;
mod export;
mod grant;
mod import;
mod log;
mod partner;
mod serve;
mod token;
mod webhook;

use crate::config::{Config, LogFormat};
use crate::http::telemetry;
use crate::operation::openapi;
use crate::routes;
use clap::{Args, Parser, Subcommand};
use context::{Failure, complain, open, say, told};
use persistence::search::{IndexPlace, Search};
use serde::Serialize;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::ExitCode;

/// The directory of regional health networks: a REST API over SQLite or PostgreSQL.
#[derive(Debug, Parser)]
#[command(name = "verbund", version, about)]
struct Cli {
    #[command(flatten)]
    common: Common,
    #[command(subcommand)]
    command: Command,
}

/// Options of every command; each also as `VERBUND_…` and in `verbund.toml`.
#[derive(Debug, Args)]
struct Common {
    /// The configuration file [default: ./verbund.toml if there is one; env: `VERBUND_CONFIG`]
    #[arg(long, global = true, env = "VERBUND_CONFIG", hide_env = true)]
    config: Option<PathBuf>,
    #[command(flatten)]
    given: Given,
}

/// The options of the command line; absent members leave the other layers unchanged.
#[derive(Debug, Args, Serialize)]
struct Given {
    /// Folder of the embedded database [default: ./verbund-data]
    #[arg(long, global = true)]
    #[serde(skip_serializing_if = "Option::is_none")]
    data_dir: Option<PathBuf>,
    /// sqlite://… or postgres://… [default: SQLite in the data directory]
    #[arg(long, global = true)]
    #[serde(skip_serializing_if = "Option::is_none")]
    database_url: Option<String>,
    /// The node's name, chosen at its first start [default: random]
    #[arg(long, global = true)]
    #[serde(skip_serializing_if = "Option::is_none")]
    origin: Option<String>,
    /// Log filter, as tracing directives [default: info]
    #[arg(long, global = true)]
    #[serde(skip_serializing_if = "Option::is_none")]
    log: Option<String>,
    /// Format of the log [default: text]
    #[arg(long, global = true)]
    #[serde(skip_serializing_if = "Option::is_none")]
    log_format: Option<LogFormat>,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Serve the API
    Serve(Serve),
    /// Bring the database's schema and reference data up to date
    Migrate,
    /// Import records: NDJSON, one record per line, or a table
    Import(import::Import),
    /// Export this node's own records in the format of import
    Export(export::ExportOptions),
    /// Rebuild the search index; no server may use its folder meanwhile
    Reindex,
    /// Erase a record and all its versions permanently
    Erase(erase::Erase),
    /// Print everything that is held about a person (GDPR Art. 15)
    PersonalData(erase::PersonalData),
    /// Rewrite the database files, so that no deleted data is left in them
    Vacuum,
    /// Print the OpenAPI document
    Openapi,
    /// Create a local account with one grant and print its token as the last line
    Token(token::Token),
    /// Manage the accounts of people
    #[command(subcommand)]
    User(accounts::User),
    /// Manage the clients of programs
    #[command(subcommand)]
    Client(accounts::Client),
    /// Manage the signing keys of tokens
    #[command(subcommand)]
    Key(accounts::Key),
    /// Manage the nodes from which records are copied
    #[command(subcommand)]
    Partner(partner::Partner),
    /// Manage the receivers of change notifications
    #[command(subcommand)]
    Webhook(webhook::Webhook),
    /// Manage the log of changes
    #[command(subcommand)]
    Log(log::Log),
    /// Check configuration, database, keys, and the server if it runs
    Doctor(doctor::Doctor),
}

#[derive(Debug, Args, Serialize)]
struct Serve {
    /// Load the seed pages and print how to sign in
    #[arg(long)]
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    demo: bool,
    /// Address to listen on [default: 127.0.0.1:8080]
    #[arg(long)]
    #[serde(skip_serializing_if = "Option::is_none")]
    listen: Option<SocketAddr>,
    /// Number of threads that serve requests [default: one per core]
    #[arg(long)]
    #[serde(skip_serializing_if = "Option::is_none")]
    workers: Option<usize>,
    /// Seconds for pending requests when the server is asked to stop [default: 10]
    #[arg(long)]
    #[serde(skip_serializing_if = "Option::is_none")]
    shutdown_timeout_seconds: Option<u64>,
    /// A web origin that may write and send tokens; may be repeated
    #[arg(long = "cors-origin")]
    #[serde(rename = "cors_origins", skip_serializing_if = "Vec::is_empty")]
    cors_origins: Vec<String>,
}

pub async fn run() -> ExitCode {
    keep_files_private();
    let cli = Cli::parse();
    match execute(cli).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(Failure::Silent) => ExitCode::FAILURE,
        Err(failure) => {
            complain(&format!("verbund: {}", told(&failure)));
            ExitCode::FAILURE
        }
    }
}

/// Lets only the owner read what the program creates, wherever that is: the database contains the
/// signing keys, the index the texts of drafts.
fn keep_files_private() {
    #[cfg(unix)]
    rustix::process::umask(rustix::fs::Mode::RWXG | rustix::fs::Mode::RWXO);
}

async fn execute(cli: Cli) -> Result<(), Failure> {
    let file = cli.common.config.as_deref();
    let mut given = serde_json::to_value(&cli.common.given).unwrap_or_default();
    if let Command::Serve(serve) = &cli.command {
        let serve = serde_json::to_value(serve).unwrap_or_default();
        domain::base::json::merge_patch(&mut given, &serve);
    }
    let config = Config::load(file, given)?;
    match cli.command {
        Command::Openapi => {
            say(openapi::text(&openapi::document(&routes::all())).trim_end());
            Ok(())
        }
        Command::Serve(_) => {
            telemetry::start(&config).map_err(Failure::Told)?;
            serve::run(&config).await
        }
        Command::Migrate => {
            let store = open(&config).await?;
            say(&format!(
                "{} is up to date (origin {})",
                config.database_for_display(),
                store.node().origin
            ));
            Ok(())
        }
        Command::Import(import) => import::run(&open(&config).await?, &import).await,
        Command::Export(options) => export::run(&open(&config).await?, &options).await,
        Command::Reindex => reindex(&config).await,
        Command::Erase(erase) => erase::run(&open(&config).await?, &erase).await,
        Command::PersonalData(about) => erase::personal_data(&open(&config).await?, &about).await,
        Command::Vacuum => erase::vacuum(&open(&config).await?).await,
        Command::Token(token) => token::run(&open(&config).await?, &token).await,
        Command::User(user) => accounts::user(&open(&config).await?, &user).await,
        Command::Client(client) => accounts::client(&open(&config).await?, &client).await,
        Command::Key(key) => accounts::key(&open(&config).await?, &key).await,
        Command::Partner(command) => partner::run(&open(&config).await?, &config, &command).await,
        Command::Webhook(command) => webhook::run(&open(&config).await?, &config, &command).await,
        Command::Log(command) => log::run(&open(&config).await?, &config, &command).await,
        Command::Doctor(doctor) => doctor::run(&config, &doctor).await,
    }
}

async fn reindex(config: &Config) -> Result<(), Failure> {
    let store = open(config).await?;
    let place = IndexPlace::Folder(config.index());
    let seq = Search::new(store, place).reindex().await?;
    say(&format!(
        "the index in {} is complete up to entry {seq} of the log",
        config.index().display()
    ));
    Ok(())
}
