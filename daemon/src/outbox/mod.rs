//! Data and events on their way out (数据去向): from the logs of the projections to what a
//! destination took.

mod destination;
mod mqtt;
mod parcel;

pub use destination::{Cause, Destination, Room, SendError, Sending, Sent};
pub use mqtt::Mqtt;
pub use parcel::{Item, Key, Parcel, Place};
