//! Requests to partners: over HTTP, or by the transport of a test.

use crate::http::outbound::{Outgoing, causes, is_from_a_gateway, retry_after};
use reqwest::{Response, StatusCode};
use std::time::Duration;

const MOST_BYTES: usize = 8 * 1024 * 1024;

/// Time until the head of a response, in addition to the requested wait.
const PATIENCE: Duration = Duration::from_secs(15);

const TRANSFER: Duration = Duration::from_mins(2);

pub trait PartnerTransport {
    /// Sends a GET request that asks to wait for changes.
    fn get(&self, url: &str, wait: Duration) -> impl Future<Output = Result<Answer, Unreadable>>;
}

#[derive(Debug, Clone)]
pub struct Answer {
    pub status: StatusCode,
    /// The body, decompressed; may be absent from an error.
    pub body: Vec<u8>,
}

#[derive(Debug, thiserror::Error)]
#[error("{why}")]
pub struct Unreadable {
    pub why: String,
    pub retry_after: Option<Duration>,
    /// Whether there was no response, as opposed to an invalid one.
    pub absent: bool,
}

impl Unreadable {
    #[must_use]
    pub const fn absent(why: String) -> Self {
        Self {
            why,
            retry_after: None,
            absent: true,
        }
    }
}

impl From<String> for Unreadable {
    fn from(why: String) -> Self {
        Self {
            why,
            retry_after: None,
            absent: false,
        }
    }
}

impl PartnerTransport for Outgoing {
    async fn get(&self, url: &str, wait: Duration) -> Result<Answer, Unreadable> {
        let request = Self::get(self, url)?.timeout(wait + PATIENCE + TRANSFER);
        let response = tokio::time::timeout(wait + PATIENCE, request.send()).await;
        let response =
            response.map_err(|_| Unreadable::absent("no response in time".to_owned()))?;
        let response = response.map_err(unreached)?;
        let status = response.status();
        if status == StatusCode::TOO_MANY_REQUESTS || is_from_a_gateway(status) {
            return Err(Unreadable {
                why: format!("it responds with {status}"),
                retry_after: retry_after(&response),
                absent: is_from_a_gateway(status),
            });
        }
        let told = [StatusCode::OK, StatusCode::GONE].contains(&status);
        let body = if told {
            body(response).await?
        } else {
            Vec::new()
        };
        Ok(Answer { status, body })
    }
}

fn unreached(why: reqwest::Error) -> Unreadable {
    Unreadable::absent(causes(&why.without_url()))
}

async fn body(mut response: Response) -> Result<Vec<u8>, Unreadable> {
    let mut body = Vec::new();
    loop {
        let chunk = response.chunk().await;
        match chunk.map_err(unreached)? {
            Some(chunk) if body.len() + chunk.len() > MOST_BYTES => {
                return Err(format!("a response of more than {MOST_BYTES} bytes").into());
            }
            Some(chunk) => body.extend_from_slice(&chunk),
            None => return Ok(body),
        }
    }
}
