//! The write endpoint of InfluxDB v2, which VictoriaMetrics, GreptimeDB and others speak, too.

use super::recent::Recent;
use super::{SeriesSink, SinkError, Writing, packed};
use crate::delivery::redacted;
use crate::notify::tls;
use crate::outbox::Cause;
use crate::text::chain;
use anyhow::Context;
use axum::body::Bytes;
use axum::http::header::{
    AUTHORIZATION, CONNECTION, CONTENT_ENCODING, CONTENT_TYPE, RETRY_AFTER, USER_AGENT,
};
use axum::http::{HeaderMap, HeaderValue, Request, StatusCode, Uri};
use cems_config::InfluxServer;
use http_body_util::{BodyExt, Full, Limited};
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::{HttpConnector, HttpInfo};
use hyper_util::rt::TokioExecutor;
use std::fmt::Write as _;
use std::net::SocketAddr;
use std::sync::{Mutex, MutexGuard};
use std::time::Duration;
use tokio::time::Instant;

/// A connection must stand this long after it was begun.
const CONNECT_PATIENCE: Duration = Duration::from_secs(5);
/// A write must be answered this long after it was begun: a server under load takes its time.
const ANSWER_PATIENCE: Duration = Duration::from_secs(30);
/// Bytes of an answer that are read; one that is kept waiting has no more to say than a line.
const ANSWER_BYTES_MAX: usize = 16 * 1024;
/// Longest wait that the other side may ask for.
const WAIT_MAX: Duration = Duration::from_secs(3_600);

/// A server reached over HTTP.
pub struct InfluxSink {
    client: Client<HttpsConnector<HttpConnector>, Full<Bytes>>,
    uri: Uri,
    token: Option<HeaderValue>,
    gzip: bool,
    patience: Duration,
    recent: Mutex<Recent>,
}

impl InfluxSink {
    /// A client for one server; nothing is connected yet.
    ///
    /// # Errors
    /// When the address, the token or the certificate in the settings cannot be used.
    pub fn new(server: &InfluxServer) -> anyhow::Result<Self> {
        let mut http = HttpConnector::new();
        http.enforce_http(false);
        http.set_nodelay(true);
        http.set_connect_timeout(Some(CONNECT_PATIENCE));
        let connector = HttpsConnectorBuilder::new()
            .with_tls_config(tls::client(server.ca.as_deref(), None)?)
            .https_or_http()
            .enable_http1()
            .wrap_connector(http);
        let token = server.token.as_ref().map(|token| {
            let mut value = HeaderValue::from_str(&format!("Token {}", token.0))
                .context("the token cannot stand in a header")?;
            value.set_sensitive(true);
            anyhow::Ok(value)
        });
        Ok(Self {
            client: Client::builder(TokioExecutor::new()).build(connector),
            uri: address(server)?,
            token: token.transpose()?,
            gzip: server.gzip,
            patience: ANSWER_PATIENCE,
            recent: Mutex::default(),
        })
    }

    /// The same with another patience for answers.
    #[must_use]
    pub fn with_patience(self, patience: Duration) -> Self {
        Self { patience, ..self }
    }

    /// One write; the answer is our end of the connection that it went over, if that goes on.
    async fn exchange(&self, body: Bytes) -> Result<Option<SocketAddr>, SinkError> {
        let mut request = Request::post(self.uri.clone())
            .header(CONTENT_TYPE, "text/plain; charset=utf-8")
            .header(USER_AGENT, concat!("cemsd/", env!("CARGO_PKG_VERSION")));
        if self.gzip {
            request = request.header(CONTENT_ENCODING, "gzip");
        }
        if let Some(token) = &self.token {
            request = request.header(AUTHORIZATION, token.clone());
        }
        let request = request
            .body(Full::new(body))
            .map_err(|_| SinkError::trouble(Cause::Unreachable, "the request cannot be made"))?;
        let answer = self.client.request(request).await;
        let (head, body) = answer.map_err(|error| unreached(&error))?.into_parts();
        let body = Limited::new(body, ANSWER_BYTES_MAX).collect().await;
        if head.status.is_success() {
            // A server that says so hangs up in good order; it is no other one afterwards.
            let closes = |value: &HeaderValue| value.as_bytes().eq_ignore_ascii_case(b"close");
            let way = head.extensions.get::<HttpInfo>();
            let way = way.filter(|_| !head.headers.get(CONNECTION).is_some_and(closes));
            return Ok(way.map(HttpInfo::local_addr));
        }
        let said = match body {
            Ok(body) => redacted(&String::from_utf8_lossy(&body.to_bytes())),
            Err(_) => String::new(),
        };
        Err(refusal(head.status, &head.headers, &said))
    }

    async fn patiently(&self, body: Bytes) -> Result<Option<SocketAddr>, SinkError> {
        match tokio::time::timeout(self.patience, self.exchange(body)).await {
            Ok(answer) => answer,
            Err(_) => {
                let said = format!("no answer within {} s", self.patience.as_secs());
                Err(SinkError::trouble(Cause::Slow, said))
            }
        }
    }

    fn recent(&self) -> MutexGuard<'_, Recent> {
        self.recent.lock().expect("nothing panics while it is held")
    }
}

impl SeriesSink for InfluxSink {
    fn write<'a>(&'a self, lines: &'a [u8]) -> Writing<'a> {
        Box::pin(async move {
            let body = if self.gzip {
                packed(lines)
            } else {
                Bytes::copy_from_slice(lines)
            };
            let way = self.patiently(body.clone()).await?;
            let again = self.recent().taken(way, &body, Instant::now());
            for body in again {
                self.patiently(body).await?;
            }
            self.recent().settled(way);
            Ok(())
        })
    }
}

/// The address of a write; servers that know no organisation are not asked for one.
fn address(server: &InfluxServer) -> anyhow::Result<Uri> {
    let base = server.url.trim_end_matches('/');
    let mut address = format!("{base}/api/v2/write?");
    if !server.org.is_empty() {
        address.push_str("org=");
        escape(&server.org, &mut address);
        address.push('&');
    }
    address.push_str("bucket=");
    escape(&server.bucket, &mut address);
    address.push_str("&precision=ms");
    address
        .parse::<Uri>()
        .ok()
        .filter(|uri| uri.host().is_some() && !base.contains(['?', '#']))
        .context("the address cannot be used")
}

/// A name inside of a query (RFC 3986).
fn escape(name: &str, out: &mut String) {
    for byte in name.bytes() {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~') {
            out.push(char::from(byte));
        } else {
            write!(out, "%{byte:02X}").expect("a string takes everything");
        }
    }
}

/// What a status of InfluxDB and its kin means.
fn refusal(status: StatusCode, headers: &HeaderMap, said: &str) -> SinkError {
    let text = format!("{} {said}", status.as_u16()).trim_end().to_owned();
    let cause = match status.as_u16() {
        400 | 422 => return SinkError::Line(text),
        413 => return SinkError::TooLarge(text),
        401 | 403 => Cause::Unauthorised,
        404 | 405 => return SinkError::trouble(Cause::NoEndpoint, no_endpoint(&text)),
        300..=399 => {
            let why = "the address leads elsewhere; name the final one in the settings";
            return SinkError::trouble(Cause::NoEndpoint, format!("{why} ({text})"));
        }
        507 => Cause::Full,
        408 | 429 | 503 | 504 => Cause::Slow,
        500..=599 => Cause::Unreachable,
        _ => Cause::NoEndpoint,
    };
    let after = headers
        .get(RETRY_AFTER)
        .and_then(|value| value.to_str().ok()?.parse().ok())
        .map(|seconds| Duration::from_secs(seconds).min(WAIT_MAX));
    SinkError::Trouble {
        cause,
        said: text,
        after,
    }
}

/// Two things are a 404: no such endpoint, and an endpoint without the bucket.
fn no_endpoint(text: &str) -> String {
    let known = text.to_ascii_lowercase();
    let why = if known.contains("bucket") || known.contains("organization") {
        "the server does not know this bucket or organisation: create it, or correct the settings"
    } else {
        "nothing takes /api/v2/write there: InfluxDB 1.x has no v2 endpoint before 1.8, and an \
         address needs the path that stands before /api"
    };
    format!("{why} ({text})")
}

/// Why there was no answer at all.
fn unreached(error: &(dyn std::error::Error + 'static)) -> SinkError {
    let said = redacted(&chain(error));
    let cause = if certificate(error) {
        Cause::Certificate
    } else {
        Cause::Unreachable
    };
    SinkError::trouble(cause, said)
}

/// True when TLS failed for a certificate: theirs does not hold before us, or they miss one.
fn certificate(error: &(dyn std::error::Error + 'static)) -> bool {
    use rustls::Error::{AlertReceived, InvalidCertificate};
    if let Some(tls) = error.downcast_ref::<rustls::Error>() {
        return matches!(tls, InvalidCertificate(_) | AlertReceived(_));
    }
    // An error of IO hides the one that it carries from `source`; several may lie in each other.
    let carried = error.downcast_ref::<std::io::Error>();
    match carried.and_then(std::io::Error::get_ref) {
        Some(inner) => certificate(inner),
        None => error.source().is_some_and(certificate),
    }
}
