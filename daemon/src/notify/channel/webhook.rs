//! JSON to any program, signed.
//!
//! Headers: `Cems-Key` is the same when a message comes twice; `Cems-Timestamp` are seconds since
//! 1970; `Cems-Signature` is `v1=` and the hexadecimal HMAC-SHA256 of the timestamp, a point and
//! the body. A receiver refuses timestamps that are old, and keys that it has seen.

use super::super::parcel::Parcel;
use super::http::{Http, JSON, address};
use super::sign::hmac_sha256;
use super::{Channel, Delivered, Room, SendError, Sending, payload};
use crate::clock::Clock;
use crate::text::hex;
use axum::http::Uri;
use cems_config::{Hook, Secret};

/// The channel.
pub(super) struct Webhook {
    http: Http,
    uri: Uri,
    key: Secret<String>,
    clock: Clock,
}

impl Webhook {
    pub(super) fn open(hook: &Hook, room: &Room) -> anyhow::Result<Self> {
        let key = hook.secret.clone();
        Ok(Self {
            http: Http::new(hook.ca.as_deref())?,
            uri: address(&hook.url.0)?,
            key: key.ok_or_else(|| anyhow::anyhow!("a webhook needs `secret_file`"))?,
            clock: room.clock.clone(),
        })
    }

    async fn post(&self, parcel: &Parcel) -> Result<Delivered, SendError> {
        let body = payload::message(parcel).to_string().into_bytes();
        let timestamp = (self.clock.now().0 / 1_000).to_string();
        let headers = [
            ("cems-key", header(&parcel.message.key)),
            ("cems-signature", signature(&self.key.0, &timestamp, &body)),
            ("cems-timestamp", timestamp),
        ];
        let answer = self.http.post(&self.uri, JSON, &headers, body).await?;
        Ok(Delivered {
            said: answer.said(),
        })
    }
}

/// `v1=…` over timestamp and body.
pub(super) fn signature(key: &str, timestamp: &str, body: &[u8]) -> String {
    let mut signed = format!("{timestamp}.").into_bytes();
    signed.extend_from_slice(body);
    format!("v1={}", hex(&hmac_sha256(key.as_bytes(), &signed)))
}

/// A key as it may stand in a header: names in it can be in any script.
fn header(key: &str) -> String {
    if key.bytes().all(|b| b.is_ascii_graphic()) {
        key.to_owned()
    } else {
        super::sign::percent(key)
    }
}

impl Channel for Webhook {
    fn send<'a>(&'a self, parcel: &'a Parcel) -> Sending<'a, Delivered> {
        Box::pin(self.post(parcel))
    }
}
