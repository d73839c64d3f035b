//! Posting to an address on the web: no redirects, a time limit, an answer of limited size, and
//! errors that name neither the address nor what was sent.

use super::{SendError, tls};
use crate::delivery::redacted;
use crate::text::chain;
use anyhow::Context;
use axum::body::Bytes;
use axum::http::header::{CONTENT_TYPE, RETRY_AFTER, USER_AGENT};
use axum::http::{HeaderValue, Request, StatusCode, Uri};
use http_body_util::{BodyExt, Full, Limited};
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use std::time::Duration;

/// An answer must be complete this long after the request was begun.
const ANSWER_PATIENCE: Duration = Duration::from_secs(20);
/// Bytes of an answer that are read; the receivers we know answer with a line.
const ANSWER_BYTES_MAX: usize = 64 * 1024;
/// Longest wait that the other side may ask for.
const WAIT_MAX: Duration = Duration::from_secs(3_600);

/// JSON bodies.
pub(super) const JSON: &str = "application/json; charset=utf-8";
/// Form bodies.
pub(super) const FORM: &str = "application/x-www-form-urlencoded";

/// A client for one address.
pub(super) struct Http {
    client: Client<HttpsConnector<HttpConnector>, Full<Bytes>>,
}

/// An answer of 2xx.
pub(super) struct Answer {
    pub(super) status: StatusCode,
    pub(super) body: String,
}

impl Answer {
    /// What it said, in one short line.
    pub(super) fn said(&self) -> String {
        redacted(&format!("{} {}", self.status.as_u16(), self.body))
    }
}

impl Http {
    /// A client that trusts the authorities in `ca`, or the public ones.
    pub(super) fn new(ca: Option<&str>) -> anyhow::Result<Self> {
        let connector = HttpsConnectorBuilder::new()
            .with_tls_config(tls::client(ca, None)?)
            .https_or_http()
            .enable_http1()
            .build();
        Ok(Self {
            client: Client::builder(TokioExecutor::new()).build(connector),
        })
    }

    /// Posts a body. Everything but 2xx is an error; whether it is worth trying again follows from
    /// the status (RFC 9110: 408, 429 and 5xx are).
    pub(super) async fn post(
        &self,
        uri: &Uri,
        content_type: &'static str,
        headers: &[(&'static str, String)],
        body: Vec<u8>,
    ) -> Result<Answer, SendError> {
        let mut request = Request::post(uri.clone())
            .header(CONTENT_TYPE, content_type)
            .header(USER_AGENT, concat!("cemsd/", env!("CARGO_PKG_VERSION")));
        for (name, value) in headers {
            let mut value = HeaderValue::from_str(value)
                .map_err(|_| SendError::refused(format!("{name} cannot stand in a header")))?;
            value.set_sensitive(true);
            request = request.header(*name, value);
        }
        let request = request
            .body(Full::new(Bytes::from(body)))
            .map_err(|_| SendError::refused("the request cannot be made"))?;
        match tokio::time::timeout(ANSWER_PATIENCE, self.exchange(request)).await {
            Ok(answer) => answer,
            Err(_) => {
                let patience = ANSWER_PATIENCE.as_secs();
                Err(SendError::trouble(format!("no answer within {patience} s")))
            }
        }
    }

    async fn exchange(&self, request: Request<Full<Bytes>>) -> Result<Answer, SendError> {
        let answer = self
            .client
            .request(request)
            .await
            .map_err(|error| SendError::trouble(chain(&error)))?;
        let (head, body) = answer.into_parts();
        let body = Limited::new(body, ANSWER_BYTES_MAX).collect().await;
        let body = match body {
            Ok(body) => String::from_utf8_lossy(&body.to_bytes()).into_owned(),
            Err(error) => return Err(SendError::trouble(format!("reading the answer: {error}"))),
        };
        let status = head.status;
        let answer = Answer { status, body };
        if status.is_success() {
            return Ok(answer);
        }
        let seconds = head
            .headers
            .get(RETRY_AFTER)
            .and_then(|value| value.to_str().ok()?.parse::<u64>().ok());
        let again = status.is_server_error()
            || [StatusCode::REQUEST_TIMEOUT, StatusCode::TOO_MANY_REQUESTS].contains(&status);
        let error = if again {
            SendError::trouble(answer.said())
        } else {
            SendError::refused(answer.said())
        };
        Err(SendError {
            after: seconds.map(|s| Duration::from_secs(s).min(WAIT_MAX)),
            ..error
        })
    }
}

/// An address of the settings. The error does not repeat it.
pub(super) fn address(url: &str) -> anyhow::Result<Uri> {
    url.parse::<Uri>()
        .ok()
        .filter(|uri| uri.host().is_some())
        .context("the address cannot be used")
}
