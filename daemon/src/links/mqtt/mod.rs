//! MQTT 3.1.1, both ways.
//!
//! | part | what |
//! | --- | --- |
//! | [`Line`] | a connection that publishes; its owner keeps what is not acknowledged |
//! | `options` | how a broker is reached: address, TLS, log-in |
//! | `trouble` | why it was not, in classes that a person can act on |

mod flying;
mod line;
mod options;
mod trouble;

pub use line::{FLYING_MAX, Line, LineState, PAYLOAD_BYTES_MAX, Publication, Torn};
pub use options::options;
pub use trouble::{Cause, LineError};
