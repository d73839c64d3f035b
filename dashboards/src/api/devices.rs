//! Shapes of devices: what a logger is used to, what it can be told, what it was told, and the
//! instruments and uplinks of a station.

use super::schema::{Iso, shape};
use std::collections::BTreeMap;

shape! {
    /// Habits of a logger, learned from its frames; null until something was seen.
    HabitsOut {
        /// Check code: `hj212`, `hj212-lower`, `modbus`, ...
        crc: Option<String>,
        /// Line end: `crlf`, `cr`, `lf`, `none`.
        line_end: Option<String>,
        /// Encoding of text: `utf-8`, `gbk`, `binary`; null while everything was ASCII.
        encoding: Option<String>,
        /// Length field: `right`, `unpadded`, `wrong`.
        length: Option<String>,
        /// Case of field names: `standard`, `other`.
        case: Option<String>,
        /// Asks for acknowledgements.
        wants_answer: Option<bool>,
        /// Reads them.
        reads_answers: Option<bool>,
        /// Follows a request to set its clock.
        sets_clock: Option<bool>,
        /// Encrypts its data area: `none`, `raw`, `brace`.
        encryption: Option<String>,
        /// Its clock against ours, seconds; positive: ahead.
        clock_offset_s: Option<i64>,
    }
}
shape! {
    /// One parameter of a command.
    ParameterOut {
        /// Name as the standard writes it.
        name: String,
        /// What it is, in the language asked for.
        label: String,
        /// number, time (`YYYYMMDDhhmmss` by the site's clock), choice, text or secret.
        kind: String,
        /// Least number.
        min: Option<i64>,
        /// Greatest number.
        max: Option<i64>,
        /// The values of a choice.
        choices: Vec<String>,
        /// Most characters of a text or secret.
        chars: Option<u64>,
        /// It may be left out.
        optional: bool,
        /// What a form shows at first.
        preset: String,
    }
}
shape! {
    /// A command that the device of an outlet understands.
    CommandOut {
        /// Command number.
        cn: String,
        /// What it does, in the language asked for.
        label: String,
        /// settings, data or control.
        group: String,
        /// It changes or moves something at the site.
        intrusive: bool,
        /// Its parameters.
        parameters: Vec<ParameterOut>,
    }
}
shape! {
    /// A command to send.
    CommandIn {
        /// Command number.
        cn: String,
        /// Parameters by name.
        params: BTreeMap<String, String>,
    }
}
shape! {
    /// A parameter as ordered.
    ExchangeParamOut {
        /// Name.
        name: String,
        /// Value; `***` for a password or key.
        value: String,
    }
}
shape! {
    /// One step of an exchange.
    StepOut {
        /// When.
        at: Iso,
        /// Journal position.
        seq: u64,
        /// sent, sent-again, accepted, data, done, refused, failed, timed-out or cancelled.
        what: String,
        /// QnRtn, ExeRtn, the values the device gave, or why.
        detail: String,
    }
}
shape! {
    /// A request to a device and how it went.
    ExchangeOut {
        /// Identity: the journal position of the order.
        id: u64,
        /// Whose device.
        outlet: String,
        /// Command number.
        cn: String,
        /// What the command does, in the language asked for.
        label: String,
        /// Parameters as ordered, passwords and keys masked.
        params: Vec<ExchangeParamOut>,
        /// Who: a user, or `daemon`.
        by: String,
        /// Why: order, gap, initial, time or key.
        why: String,
        /// When it was ordered.
        at: Iso,
        /// queued, sent, accepted, done, refused, failed, timed-out or cancelled.
        state: String,
        /// Nothing more will happen.
        over: bool,
        /// Steps so far, oldest first.
        steps: Vec<StepOut>,
        /// Steps left out; the journal has them all.
        more_steps: u64,
    }
}
shape! {
    /// Trouble with an instrument or an uplink.
    TroubleOut {
        /// When.
        at: Iso,
        /// What, in words (English).
        text: String,
    }
}
shape! {
    /// What an instrument gave last for one factor.
    ReadingOut {
        /// Factor code.
        factor: String,
        /// Value as text; empty when there was none.
        value: String,
        /// Flag.
        flag: String,
    }
}
shape! {
    /// An instrument that this station reads.
    InstrumentOut {
        /// Its id in the settings.
        id: String,
        /// The outlet it measures.
        outlet: String,
        /// The line it hangs on.
        bus: String,
        /// Register map.
        map: String,
        /// It answers.
        ok: bool,
        /// Last answer.
        last_ok: Option<Iso>,
        /// Last trouble.
        last_error: Option<TroubleOut>,
        /// Polls so far.
        polls: u64,
        /// Polls without an answer.
        failures: u64,
        /// Last readings.
        readings: Vec<ReadingOut>,
    }
}
shape! {
    /// A centre that this station uploads to.
    UplinkOut {
        /// Its id in the settings.
        id: String,
        /// `host:port`.
        address: String,
        /// Edition spoken.
        edition: String,
        /// A connection stands.
        connected: bool,
        /// Records not yet acknowledged.
        pending: u64,
        /// Start of the oldest of them.
        oldest_pending: Option<Iso>,
        /// Last acknowledgement.
        last_acknowledged: Option<Iso>,
        /// Records acknowledged so far.
        acknowledged: u64,
        /// Last trouble.
        last_error: Option<TroubleOut>,
    }
}
shape! {
    /// The station side of this daemon; empty at a pure centre.
    StationOut {
        /// Instruments, by id.
        instruments: Vec<InstrumentOut>,
        /// Uplinks, by id.
        uplinks: Vec<UplinkOut>,
    }
}
