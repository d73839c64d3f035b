//! Text messages through the web interface of a gateway, whose fields the settings name.

use super::super::parcel::Parcel;
use super::http::{FORM, Http, JSON, address};
use super::sign::percent;
use super::{Channel, Delivered, SendError, Sending};
use axum::http::Uri;
use cems_config::{SmsForm, SmsGateway};
use serde_json::{Map, Value};

/// The channel.
pub(super) struct Sms {
    http: Http,
    uri: Uri,
    gateway: SmsGateway,
}

/// What is put into the gateway's fields.
struct Fields<'a> {
    phone: &'a str,
    text: &'a str,
    key: &'a str,
    secret: &'a str,
}

impl Fields<'_> {
    /// A template with its places filled. What is put in is not looked at again.
    fn fill(&self, template: &str) -> String {
        let mut out = String::new();
        let mut rest = template;
        while let Some((before, after)) = rest.split_once('{') {
            out.push_str(before);
            let Some((name, behind)) = after.split_once('}') else {
                out.push('{');
                rest = after;
                continue;
            };
            match name {
                "phone" => out.push_str(self.phone),
                "text" => out.push_str(self.text),
                "key" => out.push_str(self.key),
                "secret" => out.push_str(self.secret),
                // The check of the settings lets no other pass.
                other => out.push_str(other),
            }
            rest = behind;
        }
        out.push_str(rest);
        out
    }
}

impl Sms {
    pub(super) fn open(gateway: &SmsGateway) -> anyhow::Result<Self> {
        Ok(Self {
            http: Http::new(gateway.hook.ca.as_deref())?,
            uri: address(&gateway.hook.url.0)?,
            gateway: gateway.clone(),
        })
    }

    async fn post(&self, parcel: &Parcel) -> Result<Delivered, SendError> {
        let phone = parcel.address.as_deref();
        let phone = phone.ok_or_else(|| SendError::refused("nobody to send it to"))?;
        let secret = self.gateway.hook.secret.as_ref();
        let fields = Fields {
            phone,
            text: parcel.written.first().map_or("", |w| &w.short),
            key: &parcel.message.key,
            secret: secret.map_or("", |secret| &secret.0),
        };
        let filled = self
            .gateway
            .body
            .iter()
            .map(|(name, template)| (name, fields.fill(template)));
        let (content_type, body) = match self.gateway.form {
            SmsForm::Json => {
                let object: Map<String, Value> = filled
                    .map(|(name, text)| (name.clone(), text.into()))
                    .collect();
                (JSON, Value::from(object).to_string())
            }
            SmsForm::Form => {
                let pairs: Vec<String> = filled
                    .map(|(name, text)| format!("{}={}", percent(name), percent(&text)))
                    .collect();
                (FORM, pairs.join("&"))
            }
        };
        let authorization = self.gateway.authorization.as_ref();
        let headers: Vec<(&'static str, String)> = authorization
            .map(|template| ("authorization", fields.fill(template)))
            .into_iter()
            .collect();
        let answer = self
            .http
            .post(&self.uri, content_type, &headers, body.into_bytes())
            .await?;
        let success = self.gateway.success.as_deref();
        if success.is_some_and(|text| !answer.body.contains(text)) {
            // The gateway may repeat the number: what it said is not kept.
            return Err(SendError::busy(
                "the gateway did not say that it has taken it",
            ));
        }
        Ok(Delivered {
            said: answer.status.as_u16().to_string(),
        })
    }
}

impl Channel for Sms {
    fn send<'a>(&'a self, parcel: &'a Parcel) -> Sending<'a, Delivered> {
        Box::pin(self.post(parcel))
    }
}
