//! Kinds of alarms. One list: code, default priority and texts hang on it.

use super::Priority;
use serde::{Deserialize, Serialize};

macro_rules! kinds {
    ($($(#[$doc:meta])* $name:ident = $code:literal, $priority:ident;)*) => {
        /// Kinds of alarm. Rules of a kind (delays, dead-band, rank) are data: see
        /// [`KindRule`](crate::model::policy::KindRule).
        #[derive(
            Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
        )]
        pub enum AlarmKind {
            $($(#[$doc])* #[serde(rename = $code)] $name,)*
        }

        impl AlarmKind {
            /// Every kind.
            pub const ALL: &[AlarmKind] = &[$(Self::$name,)*];

            /// The code in the store, the API and text keys.
            pub fn as_str(self) -> &'static str {
                match self {
                    $(Self::$name => $code,)*
                }
            }

            /// How urgent it is where no policy says otherwise.
            pub fn priority(self) -> Priority {
                match self {
                    $(Self::$name => Priority::$priority,)*
                }
            }
        }
    };
}

kinds! {
    /// Values come near a limit.
    LimitApproaching = "limit.approaching", Normal;
    /// Values are over the limit of the hour mean, which is not over yet.
    ExceedanceRealtime = "exceedance.realtime", High;
    /// An hour mean is over its limit.
    ExceedanceHour = "exceedance.hour", Urgent;
    /// A day mean is over its limit.
    ExceedanceDay = "exceedance.day", Urgent;
    /// A total has reached a warning share of the permitted amount.
    AmountWarning = "amount.warning", High;
    /// A total is over the permitted amount.
    AmountExceeded = "amount.exceeded", Urgent;
    /// A total will be over the permitted amount before its year is over.
    AmountProjected = "amount.projected", High;
    /// An outlet of the registry is silent, wholly or in one kind of record.
    NoData = "data.none", High;
    /// Many outlets fell silent at once: a line is out.
    LineOutage = "data.outage", High;
    /// Impossible values from an outlet.
    ImpossibleValue = "data.impossible", Normal;
    /// Values that a check of the catalogue judges invalid, by its code.
    InvalidData = "data.invalid", Normal;
    /// Equipment says of itself that it does not measure (fault, maintenance, line), by its flag.
    EquipmentState = "equipment.state", Normal;
    /// Equipment is out of control by a test.
    OutOfControl = "equipment.out-of-control", High;
    /// The clock of a logger is wrong.
    ClockDrift = "device.clock", Normal;
    /// A parameter that figures depend on was changed.
    ParameterChanged = "device.parameter", High;
    /// Many frames with a wrong CRC from one source.
    CrcStorm = "intake.crc-storm", Normal;
    /// A logger that the registry does not know.
    UnknownMn = "intake.unknown-mn", Normal;
    /// A logger with a wrong password or from a forbidden address.
    WrongPassword = "intake.wrong-password", High;
    /// A manual report of a fallback is overdue.
    ManualReportOverdue = "fallback.overdue", Urgent;
    /// The written report of a fallback is overdue.
    WrittenReportOverdue = "fallback.written", High;
    /// A duty falls due soon.
    DutyNear = "duty.near", Normal;
    /// A duty is overdue.
    DutyOverdue = "duty.overdue", High;
    /// The disk of the daemon is nearly full.
    HealthDisk = "health.disk", Urgent;
    /// The journal or the projections lag or stand still.
    HealthJournal = "health.journal", Urgent;
    /// What must leave the house does not leave it.
    HealthOutbox = "health.outbox", High;
    /// A broker that readings come from brings none.
    HealthSource = "health.source", High;
    /// A certificate runs out.
    HealthCertificate = "health.certificate", High;
}
