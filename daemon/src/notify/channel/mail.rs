//! Mail to people: SMTP with STARTTLS or TLS; plain text and HTML side by side.

use super::super::parcel::Parcel;
use super::{Channel, Delivered, Room, SendError, Sending};
use crate::clock::Clock;
use crate::delivery::redacted;
use crate::text::{chain, hex};
use anyhow::Context;
use cems_config::{MailServer, Protection};
use lettre::message::header::{HeaderName, HeaderValue};
use lettre::message::{Mailbox, MultiPart};
use lettre::transport::smtp::PoolConfig;
use lettre::transport::smtp::authentication::Credentials;
use lettre::transport::smtp::client::{Certificate, CertificateStore, Tls, TlsParameters};
use lettre::{AsyncSmtpTransport, AsyncTransport, Message, Tokio1Executor};
use sha2::{Digest, Sha256};
use std::time::{Duration, UNIX_EPOCH};

/// One step of the dialogue must be answered within this time (RFC 5321 allows minutes for the
/// last; a duty desk has none).
const STEP_PATIENCE: Duration = Duration::from_secs(30);
/// Connections kept.
const CONNECTIONS_MAX: u32 = 2;
/// An idle connection is closed after this time, before servers do.
const IDLE: Duration = Duration::from_secs(30);
/// Answers that speak of the log-in, not of the message.
const LOG_IN_CODES: [u16; 4] = [530, 534, 535, 538];

/// The channel.
pub(super) struct Mail {
    transport: AsyncSmtpTransport<Tokio1Executor>,
    from: Mailbox,
    clock: Clock,
}

impl Mail {
    pub(super) fn open(server: &MailServer, room: &Room) -> anyhow::Result<Self> {
        let (host, port) = split(&server.server)?;
        let tls = match server.protection {
            Protection::StartTls => Tls::Required(parameters(host, server)?),
            Protection::Tls => Tls::Wrapper(parameters(host, server)?),
            Protection::None => Tls::None,
        };
        let pool = PoolConfig::new()
            .min_idle(0)
            .max_size(CONNECTIONS_MAX)
            .idle_timeout(IDLE);
        let mut transport = AsyncSmtpTransport::<Tokio1Executor>::builder_dangerous(host)
            .port(port)
            .tls(tls)
            .timeout(Some(STEP_PATIENCE))
            .pool_config(pool);
        if let Some(login) = &server.login {
            let (name, password) = (login.username.clone(), login.password.0.clone());
            transport = transport.credentials(Credentials::new(name, password));
        }
        let from: Mailbox = server
            .from
            .parse()
            .context("`from` cannot be used as a mail address")?;
        Ok(Self {
            transport: transport.build(),
            from,
            clock: room.clock.clone(),
        })
    }

    fn message(&self, parcel: &Parcel) -> Result<Message, SendError> {
        let address = parcel.address.as_deref();
        let address = address.ok_or_else(|| SendError::refused("nobody to send it to"))?;
        // The parser's error repeats the address.
        let to: Mailbox = address
            .parse()
            .map_err(|_| SendError::refused("the address of this person cannot be used"))?;
        let written = parcel.written.first();
        let written = written.ok_or_else(|| SendError::refused("a message without words"))?;
        let ms = u64::try_from(self.clock.now().0).unwrap_or(0);
        let auto = HeaderName::new_from_ascii_str("Auto-Submitted");
        Message::builder()
            .from(self.from.clone())
            .to(to)
            .subject(written.subject.as_str())
            .date(UNIX_EPOCH + Duration::from_millis(ms))
            .message_id(Some(message_id(parcel, self.from.email.domain())))
            .raw_header(HeaderValue::new(auto, "auto-generated".into()))
            .multipart(MultiPart::alternative_plain_html(
                written.text.clone(),
                written.html.clone(),
            ))
            .map_err(|_| SendError::refused("the mail cannot be put together"))
    }

    async fn deliver(&self, parcel: &Parcel) -> Result<Delivered, SendError> {
        let message = self.message(parcel)?;
        match self.transport.send(message).await {
            Ok(response) => {
                let code = response.code().to_string();
                let words = response.first_line().unwrap_or_default();
                Ok(Delivered {
                    said: redacted(&format!("{code} {words}")),
                })
            }
            Err(error) => Err(judge(&error)),
        }
    }
}

/// The same for a mail that goes twice, so that mail programs show it once.
fn message_id(parcel: &Parcel, domain: &str) -> String {
    let text = format!("{}\n{}", parcel.message.key, parcel.message.to.as_str());
    let digest = Sha256::digest(text.as_bytes());
    format!("<{}@{domain}>", hex(&digest[..16]))
}

/// Whether trying again makes sense (RFC 5321, 4.2.1): 4xx yes, 5xx no, except about the log-in,
/// which a person can put right; no connection, yes.
fn judge(error: &lettre::transport::smtp::Error) -> SendError {
    let text = chain(error);
    let code = error.status().map(|code| {
        let text = code.to_string();
        text.parse::<u16>().unwrap_or_default()
    });
    match code {
        Some(code) if LOG_IN_CODES.contains(&code) => SendError::trouble(text),
        // The server as a whole: shutting down, too much from us.
        Some(421) => SendError::trouble(text),
        Some(code) if (400..500).contains(&code) => SendError::busy(text),
        Some(_) => SendError::refused(text),
        None => SendError::trouble(text),
    }
}

fn parameters(host: &str, server: &MailServer) -> anyhow::Result<TlsParameters> {
    let mut builder = TlsParameters::builder(host.to_owned());
    builder = match &server.ca {
        None => builder.certificate_store(CertificateStore::WebpkiRoots),
        Some(ca) => {
            let authority = Certificate::from_pem(ca.as_bytes()).context("the CA file")?;
            builder
                .certificate_store(CertificateStore::None)
                .add_root_certificate(authority)
        }
    };
    builder.build_rustls().context("TLS of the mail server")
}

/// Host and port; the settings' check saw to the form.
pub(super) fn split(server: &str) -> anyhow::Result<(&str, u16)> {
    let (host, port) = server
        .rsplit_once(':')
        .with_context(|| format!("{server} is not host:port"))?;
    let port = port.parse().context("the port of the server")?;
    Ok((host.trim_start_matches('[').trim_end_matches(']'), port))
}

impl Channel for Mail {
    fn send<'a>(&'a self, parcel: &'a Parcel) -> Sending<'a, Delivered> {
        Box::pin(self.deliver(parcel))
    }

    fn at_once(&self) -> usize {
        usize::try_from(CONNECTIONS_MAX).unwrap_or(1)
    }
}
