//! HJ 212: frames, messages and answers of data loggers, in the editions of 2005, 2017 and 2025.
//!
//! Bytes go through [`Framer`] (or [`Session`], which adds the timers) and come out as
//! [`RawFrame`]s; [`parse`] turns a frame into a [`Message`] and never fails: what it had to
//! forgive is listed in [`Message::findings`]. [`content`] is the typed view of a message,
//! [`answer`] the reply the device waits for, and [`FrameBuilder`] makes frames of any edition.
//!
//! Nothing here reads a clock or a socket: times come in as arguments, effects go out as values.

mod answer;
mod build;
mod command;
mod content;
mod crc;
mod data;
pub mod dialogue;
mod edition;
mod encrypt;
mod ends;
mod fields;
mod finding;
mod frame;
mod head;
mod items;
mod request;
mod segment;
mod session;
mod sm4;
mod time;
mod uploads_2025;
mod values;
mod view;

pub use answer::{Answer, answer, answer_as};
pub use build::{BuildError, BuildOptions, FrameBuilder, LengthStyle};
pub use command::{COMMANDS, Command, Kind, command};
pub use content::{
    AnswerKind, Content, DataKind, DataRecord, DataValue, FacilityRunTime, FacilityState, content,
};
pub use crc::{AcceptCrc, CrcStyle, CrcVerdict, crc_hj212, crc_modbus};
pub use edition::Edition;
pub use fields::{Header, Item, Message, TextEncoding};
pub use finding::{Finding, FindingCode};
pub use frame::{Framer, Framing, Limits, RawFrame, Step, Wait};
pub use request::{
    AlarmLimits, HistoryKind, Order, ParamKind, Parameter, Presence, Reply, Request,
    RequestContext, RequestError, Secret, order, orders,
};
pub use segment::{parse, parse_with_key};
pub use session::{Action, CloseReason, Session, SessionConfig};
pub use sm4::{Deciphered, KeyError, Sm4Key, decipher, encipher, must_be_enciphered};
pub use time::LocalTime;
pub use uploads_2025::{Identity, RawValue, StandardCheckResult, identity};
pub use values::{DeviceValues, device_values};
pub use view::{FieldView, Fields, FrameView, HeaderView, ValueView, frame_at, header_at};

#[cfg(test)]
mod tests;
