//! Buses: the lines on which a station's instruments hang.
//!
//! ```text
//!  settings ─▶ Buses ─ a task per line ─▶ Keeper
//!                                           │ schedule  whose turn it is (pure)
//!                                           │ poll      requests of a map, samples of the answers
//!                                           │ line      an answer belongs to its question
//!                                           │ quiet     a wire that can be emptied
//!                                           ▼
//!              journal ◀─ record ◀─ bounded queue        board ─▶ pages
//! ```
//!
//! A value that leaves here belongs to the register it is called after, or there is none. A silent
//! instrument costs its neighbours nothing but the first three attempts. A line that broke is
//! opened again for ever.

mod bench;
mod board;
mod buses;
mod door;
mod keeper;
mod line;
mod poll;
mod question;
mod quiet;
mod record;
mod said;
mod schedule;
mod text;
mod units;
mod wire;

#[cfg(test)]
mod tests;

pub use bench::{Rhythm, rhythm};
pub use board::BusBoard;
pub use buses::{BusRoom, Buses};
pub use keeper::{BusPlan, Keeper, Now, dial, framing};
pub use line::{Line, LineFraming, LineNote, LineTiming};
pub use poll::{Polled, Poller};
pub use question::{LineError, Question};
pub use quiet::{
    CAPTURE_BYTES_MAX, Capture, DISCARDED_KEPT_BYTES_MAX, DiscardError, Discarded, QuietLine,
};
pub use record::{RECORDS_WAITING_MAX, Record, Recorded};
pub use schedule::Pulse;
pub use wire::{Dial, Opening, SerialDial, TcpDial, Wire};
