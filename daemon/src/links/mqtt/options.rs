//! How a broker is reached, and the event loop of one connection.

use super::trouble::LineError;
use anyhow::Context;
use cems_config::Broker;
use rumqttc::{
    AsyncClient, ConnectionError, Event, EventLoop, MqttOptions, Packet, TlsConfiguration,
    Transport,
};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;

/// How often a silent connection is tried.
const KEEP_ALIVE: Duration = Duration::from_secs(30);
/// A broker must have accepted a connection within this time.
const CONNECT_PATIENCE: Duration = Duration::from_secs(15);
/// First pause before a new connection; doubled up to [`PAUSE_MAX`].
pub(super) const PAUSE_FIRST: Duration = Duration::from_millis(500);
/// Longest pause before a new connection.
pub(super) const PAUSE_MAX: Duration = Duration::from_secs(30);
/// Events of a connection that may wait for whoever follows it; then the socket is not read.
const EVENTS_WAITING_MAX: usize = 256;

/// What an event loop came upon.
pub(super) type Seen = Result<Event, ConnectionError>;

/// The options common to every connection to a broker; the caller adds session and last will.
///
/// # Errors
/// When the address, a certificate or a key cannot be used.
pub(super) fn options(broker: &Broker) -> anyhow::Result<MqttOptions> {
    let (host, port) = split(&broker.server)?;
    let mut options = MqttOptions::new(broker.client_id.as_str(), host, port);
    options.set_keep_alive(KEEP_ALIVE);
    if let Some(login) = &broker.login {
        options.set_credentials(login.username.clone(), login.password.0.clone());
    }
    if broker.tls {
        let config = crate::notify::tls::client(broker.ca.as_deref(), broker.certificate.as_ref())
            .context("TLS of the broker")?;
        let config = TlsConfiguration::Rustls(Arc::new(config));
        options.set_transport(Transport::Tls(config));
    }
    Ok(options)
}

fn split(server: &str) -> anyhow::Result<(&str, u16)> {
    let (host, port) = server
        .rsplit_once(':')
        .with_context(|| format!("{server} is not host:port"))?;
    let port = port.parse().context("the port of the broker")?;
    Ok((host.trim_start_matches('[').trim_end_matches(']'), port))
}

/// A connection that the broker has accepted.
pub(super) struct Open {
    pub(super) client: AsyncClient,
    pub(super) events: EventLoop,
    /// The broker remembers the session of this client.
    pub(super) session_present: bool,
}

/// Opens a connection. `requests` is the room for what is handed to the client and not written
/// yet.
pub(super) async fn connect(options: MqttOptions, requests: usize) -> Result<Open, LineError> {
    let (client, mut events) = AsyncClient::new(options, requests);
    // Otherwise the last small packet of a window waits for an acknowledgement of TCP: 40 ms each.
    let mut network = events.network_options();
    network.set_tcp_nodelay(true);
    events.set_network_options(network);
    let accepted = async {
        loop {
            if let Event::Incoming(Packet::ConnAck(ack)) = events.poll().await? {
                return Ok::<bool, ConnectionError>(ack.session_present);
            }
        }
    };
    match tokio::time::timeout(CONNECT_PATIENCE, accepted).await {
        Ok(Ok(session_present)) => Ok(Open {
            client,
            events,
            session_present,
        }),
        Ok(Err(error)) => Err(LineError::of(&error)),
        Err(_) => Err(LineError::slow(format!(
            "no answer within {} s",
            CONNECT_PATIENCE.as_secs()
        ))),
    }
}

/// Runs the event loop in a task of its own: a step of it must not be cut short in the middle of
/// writing.
pub(super) fn follow(mut events: EventLoop) -> (JoinHandle<()>, mpsc::Receiver<Seen>) {
    let (out, seen) = mpsc::channel(EVENTS_WAITING_MAX);
    let task = tokio::spawn(async move {
        loop {
            let event = events.poll().await;
            let over = event.is_err();
            if out.send(event).await.is_err() || over {
                return;
            }
        }
    });
    (task, seen)
}
