//! Asking partners: over HTTP, or however a test carries questions and answers.

use crate::outgoing::{Outgoing, causes, retry_after};
use reqwest::{Response, StatusCode};
use std::time::Duration;

/// How many bytes an answer may have, decompressed.
const MOST_BYTES: usize = 8 * 1024 * 1024;

/// How long an answer may take, beside the time that it was asked to wait.
const PATIENCE: Duration = Duration::from_mins(2);

/// What carries questions to partners.
pub trait Ask {
    /// The answer to a GET request that asks to wait so long for changes.
    fn get(&self, url: &str, wait: Duration) -> impl Future<Output = Result<Answer, Unreadable>>;
}

/// What a partner answers.
#[derive(Debug, Clone)]
pub struct Answer {
    /// The status.
    pub status: StatusCode,
    /// The body, decompressed; that of a refusal need not be there.
    pub body: Vec<u8>,
}

/// Why there is no answer, or none that is any good.
#[derive(Debug)]
pub struct Unreadable {
    /// Why, in English.
    pub why: String,
    /// How long the partner wants to be let alone.
    pub retry_after: Option<Duration>,
}

impl From<String> for Unreadable {
    fn from(why: String) -> Self {
        Self {
            why,
            retry_after: None,
        }
    }
}

impl Ask for Outgoing {
    async fn get(&self, url: &str, wait: Duration) -> Result<Answer, Unreadable> {
        let request = Self::get(self, url)?.timeout(wait + PATIENCE);
        let response = request.send().await;
        let response = response.map_err(|why| causes(&why.without_url()))?;
        let status = response.status();
        let busy = [
            StatusCode::TOO_MANY_REQUESTS,
            StatusCode::SERVICE_UNAVAILABLE,
        ];
        if busy.contains(&status) {
            return Err(Unreadable {
                why: format!("it answers {status}"),
                retry_after: retry_after(&response),
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

async fn body(mut response: Response) -> Result<Vec<u8>, Unreadable> {
    let mut body = Vec::new();
    loop {
        let chunk = response.chunk().await;
        match chunk.map_err(|why| causes(&why.without_url()))? {
            Some(chunk) if body.len() + chunk.len() > MOST_BYTES => {
                return Err(format!("an answer of more than {MOST_BYTES} bytes").into());
            }
            Some(chunk) => body.extend_from_slice(&chunk),
            None => return Ok(body),
        }
    }
}
