//! A program that uses `/api/v1`.

use crate::wait::until;
use reqwest::{Method, RequestBuilder, StatusCode};
use serde_json::Value;
use std::net::SocketAddr;

/// A client with a token.
#[derive(Debug, Clone)]
pub struct Api {
    base: String,
    token: Option<String>,
    http: reqwest::Client,
}

impl Api {
    /// A client of the console at an address.
    pub fn new(console: SocketAddr, token: &str) -> Self {
        let base = format!("http://{console}");
        Self {
            base,
            token: Some(token.to_owned()),
            http: reqwest::Client::new(),
        }
    }

    /// A client that logs in as a person and keeps the cookie.
    ///
    /// # Panics
    /// When the log-in is refused.
    pub async fn log_in(console: SocketAddr, user: &str, password: &str) -> Self {
        let http = reqwest::Client::builder()
            .cookie_store(true)
            .build()
            .expect("a client");
        let base = format!("http://{console}");
        let form = [("user", user), ("password", password), ("next", "/health")];
        // A form comes from the console's own pages, as a browser says.
        let post = http
            .post(format!("{base}/login"))
            .header("origin", &base)
            .form(&form);
        let answer = post.send().await.expect("the console answers");
        let (status, landed) = (answer.status(), answer.url().path().to_owned());
        assert!(
            status.is_success() && landed == "/health",
            "log-in: {status} at {landed}"
        );
        Self {
            base,
            token: None,
            http,
        }
    }

    fn request(&self, method: Method, path: &str) -> RequestBuilder {
        let request = self.http.request(method, format!("{}{path}", self.base));
        match &self.token {
            Some(token) => request.bearer_auth(token),
            None => request,
        }
    }

    /// `GET`, with status and JSON (`null` when the body is none).
    ///
    /// # Panics
    /// When nothing answers.
    pub async fn try_get(&self, path: &str) -> (StatusCode, Value) {
        let request = self.request(Method::GET, path);
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

    /// What a `GET` that must succeed answers, byte for byte.
    ///
    /// # Panics
    /// When it does not succeed.
    pub async fn bytes(&self, path: &str) -> Vec<u8> {
        let request = self.request(Method::GET, path);
        let response = request.send().await.expect("the console answers");
        let status = response.status();
        assert!(status.is_success(), "GET {path}: {status}");
        response.bytes().await.expect("a whole answer").to_vec()
    }

    /// Sends a form as a browser on one of the console's pages does; the page that answers.
    ///
    /// # Panics
    /// When it does not succeed.
    pub async fn submit(&self, path: &str, form: &[(&str, &str)]) -> String {
        let request = self
            .request(Method::POST, path)
            .header("origin", &self.base);
        let response = request.form(form).send().await;
        let response = response.expect("the console answers");
        let status = response.status();
        assert!(status.is_success(), "POST {path}: {status}");
        response.text().await.expect("a whole answer")
    }

    /// `POST` of JSON.
    ///
    /// # Panics
    /// When nothing answers.
    pub async fn try_post(&self, path: &str, body: &Value) -> (StatusCode, Value) {
        let request = self.request(Method::POST, path);
        answer(
            request
                .json(body)
                .send()
                .await
                .expect("the console answers"),
        )
        .await
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

    /// Gets a path again and again until `wanted` finds what it looks for in an answer that is no
    /// refusal: what a daemon was just told may not be in its books yet.
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
            let found = status.is_success().then(|| wanted(&body)).flatten();
            found.ok_or((status, body))
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
    let list = answer
        .as_array()
        .or_else(|| answer.as_object()?.values().find_map(Value::as_array));
    list.map_or_else(|| panic!("no list in {answer:#}"), Vec::as_slice)
}
