//! Channels for messages, checked.

use super::uplink::Secret;
use cems_core::lang::Lang;
use cems_core::model::policy::ChannelRule;
use cems_core::model::{ChannelId, ChannelKind};
use smol_str::SmolStr;

/// Most channels: each has a task and a queue of its own.
pub const CHANNELS_MAX: usize = 32;
/// Most routes.
pub const ROUTES_MAX: usize = 200;
/// Most times of quiet.
pub const QUIET_MAX: usize = 50;
/// Most extra fields in the body of a text message's request.
pub const SMS_FIELDS_MAX: usize = 30;

/// One channel with everything needed to send through it.
#[derive(Debug, Clone, PartialEq)]
pub struct Channel {
    /// Its name.
    pub id: ChannelId,
    /// What the engine knows of it.
    pub rule: ChannelRule,
    /// Messages sent in a minute at most, all recipients together; more wait.
    pub per_min_max: u32,
    /// Languages of what goes to the channel's own address; a person has a language of their own.
    pub langs: Vec<Lang>,
    /// How it is reached.
    pub means: Means,
}

/// How a channel is reached.
#[derive(Debug, Clone, PartialEq)]
pub enum Means {
    /// SMTP.
    Mail(MailServer),
    /// A gateway for text messages.
    Sms(SmsGateway),
    /// An MQTT broker.
    Mqtt(Broker),
    /// A robot of a DingTalk group.
    Dingtalk(Hook),
    /// A robot of a WeCom group.
    Wecom(Hook),
    /// A robot of a Feishu group.
    Feishu(Hook),
    /// Signed JSON.
    Webhook(Hook),
    /// Prometheus Alertmanager; the address is that of its root.
    Alertmanager(Hook),
}

impl Means {
    /// Certificates in PEM that it uses: those it shows, and the authorities it trusts in place of
    /// the public ones.
    pub fn certificates(&self) -> Vec<&str> {
        let ca = match self {
            Self::Mqtt(broker) => return broker.certificates(),
            Self::Mail(server) => &server.ca,
            Self::Sms(SmsGateway { hook, .. })
            | Self::Dingtalk(hook)
            | Self::Wecom(hook)
            | Self::Feishu(hook)
            | Self::Webhook(hook)
            | Self::Alertmanager(hook) => &hook.ca,
        };
        ca.as_deref().into_iter().collect()
    }

    /// The kind of channel.
    pub fn kind(&self) -> ChannelKind {
        match self {
            Self::Mail(_) => ChannelKind::Mail,
            Self::Sms(_) => ChannelKind::Sms,
            Self::Mqtt(_) => ChannelKind::Mqtt,
            Self::Dingtalk(_) => ChannelKind::Dingtalk,
            Self::Wecom(_) => ChannelKind::Wecom,
            Self::Feishu(_) => ChannelKind::Feishu,
            Self::Webhook(_) => ChannelKind::Webhook,
            Self::Alertmanager(_) => ChannelKind::Alertmanager,
        }
    }
}

/// How a connection is protected.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Protection {
    /// Clear text first, then TLS; without it nothing is sent.
    StartTls,
    /// TLS from the first byte.
    Tls,
    /// Clear text.
    None,
}

/// An SMTP server.
#[derive(Debug, Clone, PartialEq)]
pub struct MailServer {
    /// `host:port`.
    pub server: SmolStr,
    /// Protection.
    pub protection: Protection,
    /// Sender, as `Name <address>` or an address.
    pub from: String,
    /// Log-in name and password.
    pub login: Option<Login>,
    /// Authorities trusted instead of the public ones, PEM.
    pub ca: Option<String>,
}

/// A log-in at a server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Login {
    /// Name.
    pub username: String,
    /// Password.
    pub password: Secret<String>,
}

/// An MQTT broker.
#[derive(Debug, Clone, PartialEq)]
pub struct Broker {
    /// `host:port`.
    pub server: SmolStr,
    /// TLS, or clear text.
    pub tls: bool,
    /// Client identity at the broker.
    pub client_id: SmolStr,
    /// Topics begin with it, without a slash at either end.
    pub prefix: SmolStr,
    /// Log-in name and password.
    pub login: Option<Login>,
    /// Authorities trusted instead of the public ones, PEM.
    pub ca: Option<String>,
    /// Certificate chain and private key shown to the broker, PEM.
    pub certificate: Option<(String, Secret<String>)>,
}

impl Broker {
    /// Certificates in PEM: ours, and the authorities trusted in place of the public ones.
    pub fn certificates(&self) -> Vec<&str> {
        let own = self.certificate.as_ref().map(|(chain, _)| chain.as_str());
        own.into_iter().chain(self.ca.as_deref()).collect()
    }
}

/// An address on the web with the key that signs what goes there.
#[derive(Debug, Clone, PartialEq)]
pub struct Hook {
    /// Address; that of a robot is itself a secret.
    pub url: Secret<String>,
    /// Key of the signature.
    pub secret: Option<Secret<String>>,
    /// Authorities trusted instead of the public ones, PEM.
    pub ca: Option<String>,
}

/// Form of a request to a gateway of text messages.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SmsForm {
    /// A JSON object.
    Json,
    /// `application/x-www-form-urlencoded`.
    Form,
}

/// A gateway of text messages.
#[derive(Debug, Clone, PartialEq)]
pub struct SmsGateway {
    /// Address, the secret that `{secret}` stands for, authorities.
    pub hook: Hook,
    /// Form of the request.
    pub form: SmsForm,
    /// Fields by name; `{phone}`, `{text}`, `{key}` and `{secret}` are put in.
    pub body: Vec<(String, String)>,
    /// Header `Authorization`, with the same fields.
    pub authorization: Option<String>,
    /// A text that stands in the answer when the gateway has taken the message.
    pub success: Option<String>,
}

/// What one channel is used for when its file does not say.
pub(crate) struct Usual {
    pub(crate) group_wait_s: u32,
    pub(crate) per_hour_max: u32,
    pub(crate) deadline_min: u32,
    pub(crate) per_min_max: u32,
}

impl Usual {
    /// People read a few mails an hour; group robots of DingTalk and WeCom take twenty messages a
    /// minute; machines take what comes.
    pub(crate) fn of(kind: ChannelKind) -> Self {
        let (group_wait_s, per_hour_max, deadline_min, per_min_max) = match kind {
            ChannelKind::Mail => (30, 60, 720, 120),
            ChannelKind::Sms => (30, 20, 120, 60),
            ChannelKind::Dingtalk | ChannelKind::Wecom | ChannelKind::Feishu => (15, 120, 240, 18),
            ChannelKind::Mqtt | ChannelKind::Webhook | ChannelKind::Alertmanager => {
                (0, 6_000, 1_440, 1_200)
            }
        };
        Self {
            group_wait_s,
            per_hour_max,
            deadline_min,
            per_min_max,
        }
    }
}
