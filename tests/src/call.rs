//! One request and its response.

use crate::conform;
use reqwest::header::{AUTHORIZATION, CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue, IF_MATCH};
use reqwest::{Client, Method};
use serde_json::Value;
use std::fmt::Write;
use std::future::IntoFuture;
use std::pin::Pin;

/// A request builder; `.await` sends it.
#[derive(Debug, Clone)]
#[must_use]
pub struct Call {
    client: Client,
    method: Method,
    base: String,
    path: String,
    headers: HeaderMap,
    body: Option<Vec<u8>>,
}

#[derive(Debug, Clone)]
pub struct Answer {
    pub status: u16,
    pub headers: HeaderMap,
    pub bytes: Vec<u8>,
    pub text: String,
    /// The body as JSON; `null` if it is not JSON.
    pub json: Value,
}

impl Call {
    /// A request to the server at `base`.
    pub fn new(client: &Client, base: &str, method: Method, path: &str) -> Self {
        Self {
            client: client.clone(),
            method,
            base: base.to_owned(),
            path: path.to_owned(),
            headers: HeaderMap::new(),
            body: None,
        }
    }

    pub fn header(mut self, name: &str, value: &str) -> Self {
        self.headers.append(
            HeaderName::from_bytes(name.as_bytes()).unwrap(),
            HeaderValue::from_bytes(value.as_bytes()).unwrap(),
        );
        self
    }

    pub fn token(mut self, token: &str) -> Self {
        let value = HeaderValue::from_str(&format!("Bearer {token}")).unwrap();
        self.headers.insert(AUTHORIZATION, value);
        self
    }

    pub fn anonymous(mut self) -> Self {
        self.headers.remove(AUTHORIZATION);
        self
    }

    /// Sends `If-Match` with the ETag of a response.
    pub fn if_match(mut self, etag: &str) -> Self {
        self.headers
            .insert(IF_MATCH, HeaderValue::from_str(etag).unwrap());
        self
    }

    /// Sends JSON: `application/merge-patch+json` with PATCH.
    pub fn json(self, body: &Value) -> Self {
        let media_type = if self.method == Method::PATCH {
            "application/merge-patch+json"
        } else {
            "application/json"
        };
        self.body(media_type, body.to_string())
    }

    pub fn body(mut self, media_type: &str, body: impl Into<Vec<u8>>) -> Self {
        self.headers
            .insert(CONTENT_TYPE, HeaderValue::from_str(media_type).unwrap());
        self.body = Some(body.into());
        self
    }

    async fn send(self) -> Answer {
        let url = format!("{}{}", self.base, self.path);
        let mut request = self
            .client
            .request(self.method.clone(), &url)
            .headers(self.headers);
        if let Some(body) = self.body {
            request = request.body(body);
        }
        let response = request.send().await.unwrap();
        let answer = Answer::read(response).await;
        conform::check(self.method.as_str(), &self.path, &answer);
        answer
    }
}

impl IntoFuture for Call {
    type Output = Answer;
    type IntoFuture = Pin<Box<dyn Future<Output = Answer>>>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(self.send())
    }
}

impl Answer {
    async fn read(response: reqwest::Response) -> Self {
        let status = response.status().as_u16();
        let headers = response.headers().clone();
        let bytes = response.bytes().await.unwrap().to_vec();
        let text = String::from_utf8_lossy(&bytes).into_owned();
        let json = serde_json::from_str(&text).unwrap_or_default();
        Self {
            status,
            headers,
            bytes,
            text,
            json,
        }
    }

    /// The value of a header; empty if it is absent.
    #[must_use]
    pub fn header(&self, name: &str) -> &str {
        self.headers
            .get(name)
            .map_or("", |value| value.to_str().unwrap())
    }

    #[must_use]
    pub fn etag(&self) -> &str {
        self.header("etag")
    }

    #[must_use]
    pub fn id(&self) -> &str {
        self.json["id"]
            .as_str()
            .unwrap_or_else(|| panic!("no id: {}", self.text))
    }

    #[track_caller]
    pub fn expect(self, status: u16) -> Self {
        assert_eq!(self.status, status, "{}", self.text);
        self
    }

    #[track_caller]
    pub fn problem(self, status: u16, code: &str) -> Self {
        assert_eq!(self.status, status, "{}", self.text);
        assert_eq!(self.header("content-type"), "application/problem+json");
        assert_eq!(
            self.json["type"],
            format!("/problems/{code}"),
            "{}",
            self.text
        );
        assert_eq!(self.json["status"], status);
        self
    }

    /// The pointer and code of every violation in the body, sorted.
    #[must_use]
    pub fn faults(&self) -> Vec<(String, String)> {
        let mut found: Vec<_> = self.json["errors"]
            .as_array()
            .unwrap_or_else(|| panic!("no errors: {}", self.text))
            .iter()
            .map(|error| {
                let text = |member: &str| error[member].as_str().unwrap().to_owned();
                (text("pointer"), text("code"))
            })
            .collect();
        found.sort();
        found
    }
}

#[must_use]
pub fn encoded(text: &str) -> String {
    text.bytes().fold(String::new(), |mut url, byte| {
        write!(url, "%{byte:02X}").expect("a String takes everything");
        url
    })
}
