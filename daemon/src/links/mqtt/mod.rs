//! MQTT 3.1.1, both ways.
//!
//! | part | what |
//! | --- | --- |
//! | [`Line`] | a connection that publishes; its owner keeps what is not acknowledged |
//! | [`Sources`] | connections that take readings in: journalled before they are acknowledged |
//! | `reading` | what a message says (pure) |
//! | `seen` | which messages are in the journal already |
//! | `options` | how a broker is reached: address, TLS, log-in |
//! | `trouble` | why it was not, in classes that a person can act on |

mod flying;
mod line;
mod options;
mod reading;
mod seen;
mod source;
mod sources;
mod trouble;

pub use line::{FLYING_MAX, Line, LineState, PAYLOAD_BYTES_MAX, Publication, Torn, UnderWay};
pub use sources::{SourceRoom, SourceStanding, Sources};
pub use trouble::{Cause, LineError};

#[cfg(test)]
mod tests;
