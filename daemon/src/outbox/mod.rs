//! Data and events on their way out (数据去向): from the logs of the projections to what a
//! destination took.

mod destination;
mod parcel;
pub mod series;

pub use destination::{Cause, Destination, Room, SendError, Sending, Sent};
pub use parcel::{Item, Key, Parcel, Place};
