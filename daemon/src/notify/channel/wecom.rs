//! A robot of a WeCom group (企业微信群机器人): Markdown of at most 4096 bytes, twenty messages a
//! minute; the key in the address is all there is of authentication.

use super::super::parcel::Parcel;
use super::http::{Http, JSON, address};
use super::robot::{Codes, markdown};
use super::{Channel, Delivered, SendError, Sending};
use axum::http::Uri;
use cems_config::Hook;
use serde_json::json;

/// Bytes of a Markdown text.
const BYTES_MAX: usize = 4_096;
/// -1: busy; 45009: too fast.
const CODES: Codes = Codes {
    names: &["errcode"],
    words: "errmsg",
    later: &[-1, 45_009],
};

/// The channel.
pub(super) struct Wecom {
    http: Http,
    uri: Uri,
}

impl Wecom {
    pub(super) fn open(hook: &Hook) -> anyhow::Result<Self> {
        Ok(Self {
            http: Http::new(hook.ca.as_deref())?,
            uri: address(&hook.url.0)?,
        })
    }

    async fn post(&self, parcel: &Parcel) -> Result<Delivered, SendError> {
        let body = json!({
            "msgtype": "markdown",
            "markdown": { "content": markdown(parcel, BYTES_MAX) },
        });
        let body = body.to_string().into_bytes();
        CODES.read(&self.http.post(&self.uri, JSON, &[], body).await?)
    }
}

impl Channel for Wecom {
    fn send<'a>(&'a self, parcel: &'a Parcel) -> Sending<'a, Delivered> {
        Box::pin(self.post(parcel))
    }

    fn at_once(&self) -> usize {
        1
    }
}
