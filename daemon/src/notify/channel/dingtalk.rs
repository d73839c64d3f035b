//! A robot of a DingTalk group (钉钉自定义机器人).
//!
//! With a key (加签) the address gets `timestamp` in milliseconds and `sign`, the base64 of the
//! HMAC-SHA256 with the key over the timestamp, a line feed and the key. Twenty messages a minute.

use super::super::parcel::Parcel;
use super::http::{Http, JSON, address};
use super::robot::{Codes, markdown, title};
use super::sign::{base64, hmac_sha256, percent};
use super::{Channel, Delivered, Room, SendError, Sending};
use crate::clock::Clock;
use axum::http::Uri;
use cems_config::{Hook, Secret};
use serde_json::json;

/// Bytes of a message's body.
const BYTES_MAX: usize = 18_000;
/// -1: busy; 130101 and 130102: too fast.
const CODES: Codes = Codes {
    names: &["errcode"],
    words: "errmsg",
    later: &[-1, 130_101, 130_102],
};

/// The channel.
pub(super) struct Dingtalk {
    http: Http,
    url: Secret<String>,
    key: Option<Secret<String>>,
    clock: Clock,
}

impl Dingtalk {
    pub(super) fn open(hook: &Hook, room: &Room) -> anyhow::Result<Self> {
        address(&hook.url.0)?;
        Ok(Self {
            http: Http::new(hook.ca.as_deref())?,
            url: hook.url.clone(),
            key: hook.secret.clone(),
            clock: room.clock.clone(),
        })
    }

    fn uri(&self) -> Result<Uri, SendError> {
        let url = match &self.key {
            Some(key) => signed(&self.url.0, &key.0, self.clock.now().0),
            None => self.url.0.clone(),
        };
        address(&url).map_err(|error| SendError::refused(error.to_string()))
    }

    async fn post(&self, parcel: &Parcel) -> Result<Delivered, SendError> {
        let body = json!({
            "msgtype": "markdown",
            "markdown": { "title": title(parcel), "text": markdown(parcel, BYTES_MAX) },
        });
        let body = body.to_string().into_bytes();
        let answer = self.http.post(&self.uri()?, JSON, &[], body).await?;
        CODES.read(&answer)
    }
}

/// The address with timestamp and signature.
pub(super) fn signed(url: &str, key: &str, now_ms: i64) -> String {
    let sign = hmac_sha256(key.as_bytes(), format!("{now_ms}\n{key}").as_bytes());
    let sign = percent(&base64(&sign));
    let joint = if url.contains('?') { '&' } else { '?' };
    format!("{url}{joint}timestamp={now_ms}&sign={sign}")
}

impl Channel for Dingtalk {
    fn send<'a>(&'a self, parcel: &'a Parcel) -> Sending<'a, Delivered> {
        Box::pin(self.post(parcel))
    }

    fn at_once(&self) -> usize {
        1
    }
}
