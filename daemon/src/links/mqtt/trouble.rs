//! Why a broker did not take something, in classes that a person can act on.

use crate::text::chain;
use rumqttc::{ConnectReturnCode, ConnectionError};

/// The class of a trouble.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cause {
    /// Name or password are wrong, or the client may not connect.
    Unauthorised,
    /// Nobody answers, or the connection broke.
    Unreachable,
    /// A certificate is not trusted, has expired or does not fit the name.
    Certificate,
    /// An answer did not come in time.
    Slow,
    /// The broker does not want this.
    Refused,
}

/// A connection, or something that went over it, failed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{said}")]
pub struct LineError {
    /// Its class.
    pub cause: Cause,
    /// In words; no secret is in them.
    pub said: String,
}

impl LineError {
    /// An error of the client library.
    pub fn of(error: &ConnectionError) -> Self {
        let said = chain(error);
        let cause = match error {
            ConnectionError::ConnectionRefused(
                ConnectReturnCode::BadUserNamePassword | ConnectReturnCode::NotAuthorized,
            ) => Cause::Unauthorised,
            ConnectionError::ConnectionRefused(_) | ConnectionError::NotConnAck(_) => {
                Cause::Refused
            }
            ConnectionError::NetworkTimeout | ConnectionError::FlushTimeout => Cause::Slow,
            // rustls hands its verdict on certificates through several errors of other crates.
            _ if said.to_ascii_lowercase().contains("certificate") => Cause::Certificate,
            _ => Cause::Unreachable,
        };
        let said = match error {
            ConnectionError::ConnectionRefused(code) => refusal(*code).to_owned(),
            _ => said,
        };
        Self { cause, said }
    }

    /// Something took too long.
    pub fn slow(said: impl Into<String>) -> Self {
        Self {
            cause: Cause::Slow,
            said: said.into(),
        }
    }

    /// The connection is gone.
    pub fn away(said: impl Into<String>) -> Self {
        Self {
            cause: Cause::Unreachable,
            said: said.into(),
        }
    }

    /// Trying again will not help.
    pub fn refused(said: impl Into<String>) -> Self {
        Self {
            cause: Cause::Refused,
            said: said.into(),
        }
    }
}

/// Return codes of MQTT 3.1.1, table 3.1.
fn refusal(code: ConnectReturnCode) -> &'static str {
    match code {
        ConnectReturnCode::Success => "the broker accepted and yet refused",
        ConnectReturnCode::RefusedProtocolVersion => "the broker does not speak MQTT 3.1.1",
        ConnectReturnCode::BadClientId => "the broker does not take this client_id",
        ConnectReturnCode::ServiceUnavailable => "the broker is unavailable",
        ConnectReturnCode::BadUserNamePassword => "the broker refuses user name or password",
        ConnectReturnCode::NotAuthorized => "the broker does not let this client in",
    }
}
