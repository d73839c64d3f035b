//! A robot of a Feishu group (飞书自定义机器人): a card with Markdown.
//!
//! With a key (签名校验) the body holds `timestamp` in seconds and `sign`, the base64 of the
//! HMAC-SHA256 over nothing, with the timestamp, a line feed and the key as its key.

use super::super::parcel::Parcel;
use super::http::{Http, JSON, address};
use super::robot::{Codes, markdown, title};
use super::sign::{base64, hmac_sha256};
use super::{Channel, Delivered, Room, SendError, Sending};
use crate::clock::Clock;
use axum::http::Uri;
use cems_config::{Hook, Secret};
use cems_core::model::Priority;
use serde_json::{Value, json};

/// Bytes of the Markdown text; a request may have 20 KiB.
const BYTES_MAX: usize = 16_000;
/// 9499: busy; 11232 and 99991400: too fast.
const CODES: Codes = Codes {
    names: &["code", "StatusCode"],
    words: "msg",
    later: &[9_499, 11_232, 99_991_400],
};

/// The channel.
pub(super) struct Feishu {
    http: Http,
    uri: Uri,
    key: Option<Secret<String>>,
    clock: Clock,
}

impl Feishu {
    pub(super) fn open(hook: &Hook, room: &Room) -> anyhow::Result<Self> {
        Ok(Self {
            http: Http::new(hook.ca.as_deref())?,
            uri: address(&hook.url.0)?,
            key: hook.secret.clone(),
            clock: room.clock.clone(),
        })
    }

    fn body(&self, parcel: &Parcel) -> Value {
        let colour = match parcel.message.priority {
            Priority::Urgent => "red",
            Priority::High => "orange",
            Priority::Normal | Priority::Low => "blue",
        };
        let mut body = json!({
            "msg_type": "interactive",
            "card": {
                "config": { "wide_screen_mode": true },
                "header": {
                    "title": { "tag": "plain_text", "content": title(parcel) },
                    "template": colour,
                },
                "elements": [{ "tag": "markdown", "content": markdown(parcel, BYTES_MAX) }],
            },
        });
        if let Some(key) = &self.key {
            let timestamp = self.clock.now().0 / 1_000;
            body["timestamp"] = Value::from(timestamp.to_string());
            body["sign"] = Value::from(sign(&key.0, timestamp));
        }
        body
    }

    async fn post(&self, parcel: &Parcel) -> Result<Delivered, SendError> {
        let body = self.body(parcel).to_string().into_bytes();
        CODES.read(&self.http.post(&self.uri, JSON, &[], body).await?)
    }
}

/// The signature of a moment.
pub(super) fn sign(key: &str, now_s: i64) -> String {
    base64(&hmac_sha256(format!("{now_s}\n{key}").as_bytes(), b""))
}

impl Channel for Feishu {
    fn send<'a>(&'a self, parcel: &'a Parcel) -> Sending<'a, Delivered> {
        Box::pin(self.post(parcel))
    }

    fn at_once(&self) -> usize {
        1
    }
}
