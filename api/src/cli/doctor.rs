//! `verbund doctor`: checks of the installation.

use crate::auth::Tokens;
use crate::cli::context::{Failure, open, say, told};
use crate::config::Config;
use clap::Args;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

#[derive(Debug, Args)]
pub(super) struct Doctor {
    /// Fail if the server does not run (for health checks of containers)
    #[arg(long)]
    server: bool,
}

const PATIENCE: Duration = Duration::from_secs(5);

pub(super) async fn run(config: &Config, doctor: &Doctor) -> Result<(), Failure> {
    say("ok    configuration");
    let database = config.database_for_display();
    let file = config.data_dir.join("verbund.sqlite");
    if config.database_url.is_none() && !file.exists() {
        return Err(ill(
            "database",
            &format!("{database} does not exist yet; `verbund migrate` creates it"),
        ));
    }
    let store = match open(config).await {
        Ok(store) => store,
        Err(why) => return Err(ill("database", &format!("{database}: {}", told(&why)))),
    };
    say(&format!(
        "ok    database {database} (origin {})",
        store.node().origin
    ));
    match Tokens::load(&store).await {
        Ok(_) => say("ok    signing key"),
        Err(why) => return Err(ill("signing key", &why.to_string())),
    }
    match server(config).await {
        Ok(Some(200)) => say(&format!("ok    server on {}", config.listen)),
        Ok(Some(status)) => {
            return Err(ill(
                "server",
                &format!("/health/ready responds with {status}"),
            ));
        }
        Ok(None) if doctor.server => {
            return Err(ill(
                "server",
                &format!("nothing listens on {}", config.listen),
            ));
        }
        Ok(None) => say(&format!("-     server does not run on {}", config.listen)),
        Err(why) => return Err(ill("server", &why)),
    }
    Ok(())
}

fn ill(what: &str, why: &str) -> Failure {
    say(&format!("FAIL  {what}: {why}"));
    Failure::Silent
}

/// The status of `/health/ready`; `None` if nothing listens.
async fn server(config: &Config) -> Result<Option<u16>, String> {
    let mut address = config.listen;
    if address.ip().is_unspecified() {
        address.set_ip(std::net::Ipv4Addr::LOCALHOST.into());
    }
    let asked = async {
        let Ok(mut connection) = TcpStream::connect(address).await else {
            return Ok(None);
        };
        let request = "GET /health/ready HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";
        let mut answer = Vec::new();
        connection
            .write_all(request.as_bytes())
            .await
            .map_err(|why| why.to_string())?;
        connection
            .read_to_end(&mut answer)
            .await
            .map_err(|why| why.to_string())?;
        let answer = String::from_utf8_lossy(&answer);
        let status = answer.split(' ').nth(1).and_then(|code| code.parse().ok());
        status
            .map(Some)
            .ok_or_else(|| "the response is not HTTP".to_owned())
    };
    match tokio::time::timeout(PATIENCE, asked).await {
        Ok(answer) => answer,
        Err(_) => Err("no response within 5 seconds".to_owned()),
    }
}
