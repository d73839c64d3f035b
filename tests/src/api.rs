//! A program that uses `/api/v1`.

use crate::wait::until;
use reqwest::StatusCode;
use serde_json::Value;
use std::net::SocketAddr;

/// A client with a token.
#[derive(Debug, Clone)]
pub struct Api {
    base: String,
    token: String,
    http: reqwest::Client,
}

impl Api {
    /// A client of the console at an address.
    pub fn new(console: SocketAddr, token: &str) -> Self {
        let base = format!("http://{console}");
        Self { base, token: token.to_owned(), http: reqwest::Client::new() }
    }

    /// `GET`, with status and JSON (`null` when the body is none).
    ///
    /// # Panics
    /// When nothing answers.
    pub async fn try_get(&self, path: &str) -> (StatusCode, Value) {
        let request = self.http.get(format!("{}{path}", self.base)).bearer_auth(&self.token);
        answer(request.send().await.expect("the console answers")).await
    }

    /// `GET` that must succeed.
    ///
    /// # Panics
    /// When it does not.
    pub async fn get(&self, path: &str) -> Value {
        let (status, body) = self.try_get(path).await;
        assert!(status.is_success(), "GET {path}: {status}: {body:#}");
        body
    }

    /// `POST` of JSON.
    ///
    /// # Panics
    /// When nothing answers.
    pub async fn try_post(&self, path: &str, body: &Value) -> (StatusCode, Value) {
        let request = self.http.post(format!("{}{path}", self.base)).bearer_auth(&self.token);
        answer(request.json(body).send().await.expect("the console answers")).await
    }

    /// `POST` that must succeed.
    ///
    /// # Panics
    /// When it does not.
    pub async fn post(&self, path: &str, body: &Value) -> Value {
        let (status, answer) = self.try_post(path, body).await;
        assert!(status.is_success(), "POST {path}: {status}: {answer:#}");
        answer
    }

    /// Gets a path again and again until `wanted` finds what it looks for.
    ///
    /// # Panics
    /// When the time is over.
    pub async fn until<T>(
        &self,
        path: &str,
        what: &str,
        wanted: impl Fn(&Value) -> Option<T>,
    ) -> T {
        until(what, async || {
            let (status, body) = self.try_get(path).await;
            wanted(&body).ok_or((status, body))
        })
        .await
    }
}

async fn answer(response: reqwest::Response) -> (StatusCode, Value) {
    let status = response.status();
    (status, response.json().await.unwrap_or(Value::Null))
}

/// The entries of a list, or of the list in the answer's only array field.
///
/// # Panics
/// When there is none.
pub fn rows(answer: &Value) -> &[Value] {
    let list = answer.as_array().or_else(|| answer.as_object()?.values().find_map(Value::as_array));
    list.map_or_else(|| panic!("no list in {answer:#}"), Vec::as_slice)
}
