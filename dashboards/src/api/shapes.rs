//! The shapes of the API. Times are ISO 8601 with the site's offset, decimals exact texts.

use super::answers::{AlarmOut, FallbackOut};
use super::devices::HabitsOut;
use super::schema::{Exact, Iso, shape};
use std::collections::BTreeMap;

shape! {
    /// A factor's latest value.
    LatestOut {
        /// Factor code.
        factor: String,
        /// Kind of the record it came with.
        kind: String,
        /// Time of the value.
        start: Iso,
        /// The value, in the factor's unit.
        value: Option<Exact>,
        /// Converted value as the station sent it.
        converted: Option<Exact>,
        /// Unit.
        unit: String,
        /// Flag as sent.
        flag: Option<String>,
        /// Verdict.
        valid: bool,
        /// When it was received.
        received_at: Iso,
        /// Journal position.
        seq: u64,
    }
}
shape! {
    /// An outlet with its state.
    OutletOut {
        /// Identity.
        id: String,
        /// Name, Chinese.
        name: String,
        /// Name, English.
        name_en: Option<String>,
        /// Enterprise.
        enterprise: String,
        /// Name of the enterprise.
        enterprise_name: String,
        /// `gas` or `water`.
        medium: String,
        /// Identity of its logger.
        mn: String,
        /// Rule profile in force.
        profile: String,
        /// State: exceeding, silent, fallback, invalid, stopped, normal, waiting.
        state: String,
        /// Last contact with its logger.
        last_seen: Option<Iso>,
        /// Alarms not closed.
        open_alarms: u64,
        /// Latest values.
        latest: Vec<LatestOut>,
        /// The last complete hour.
        last_hour: Option<AggregateOut>,
    }
}
shape! {
    /// Verdict of a limit on a mean.
    VerdictOut {
        /// The limit.
        limit: String,
        /// The figure compared.
        judged: Exact,
        /// What it was compared with.
        bound: Exact,
        /// Outside the limit.
        exceeded: bool,
        /// Exceedance multiple: judged / bound - 1.
        multiple: Option<Exact>,
    }
}
shape! {
    /// One factor of an aggregate.
    FactorAggregateOut {
        /// Mean of the valid values.
        mean: Option<Exact>,
        /// Mean converted to reference O2.
        converted: Option<Exact>,
        /// Least valid value.
        min: Option<Exact>,
        /// Greatest valid value.
        max: Option<Exact>,
        /// Emitted amount, kg.
        amount_kg: Option<Exact>,
        /// Enough valid input to count.
        valid: bool,
        /// Valid shorter units.
        valid_units: u64,
        /// Shorter units due.
        due_units: u64,
        /// Shorter units in which the source was stopped.
        stopped_units: u64,
        /// What the station itself reported.
        reported: Option<Exact>,
        /// Amount put in for invalid periods besides `amount_kg`, kg (month, year).
        substituted_kg: Option<Exact>,
        /// Why it does not count though data were there: out-of-control or review-failed.
        invalid_why: Option<String>,
        /// Units under marks that keep it from being judged.
        exempt_units: u64,
        /// Verdicts of the limits in force.
        limits: Vec<VerdictOut>,
    }
}
shape! {
    /// An aggregate of an outlet over an hour, day, month or year.
    AggregateOut {
        /// Outlet.
        outlet: String,
        /// hour, day, month or year.
        level: String,
        /// First instant of the period.
        start: Iso,
        /// `computed` here or `reported` by the station.
        origin: String,
        /// The period is over.
        complete: bool,
        /// Discharged volume, m³.
        volume_m3: Option<Exact>,
        /// Profile that judged it.
        profile: String,
        /// Highest journal position among the inputs.
        seq: u64,
        /// Versions of the period, once it was over, that were superseded.
        superseded: u64,
        /// Factors by code.
        factors: BTreeMap<String, FactorAggregateOut>,
    }
}
shape! {
    /// A number with the text the device sent.
    NumberOut {
        /// Value in the factor's unit.
        value: Exact,
        /// Characters as sent.
        text: String,
    }
}
shape! {
    /// One factor of a record.
    StoredValueOut {
        /// Code as sent when it differs.
        sent_as: Option<String>,
        /// Real-time value.
        rtd: Option<NumberOut>,
        /// Mean of the interval.
        avg: Option<NumberOut>,
        /// Minimum.
        min: Option<NumberOut>,
        /// Maximum.
        max: Option<NumberOut>,
        /// Amount of the interval.
        cou: Option<NumberOut>,
        /// Value converted to reference O2 by the station.
        converted: Option<NumberOut>,
        /// Flag as sent.
        flag: Option<String>,
        /// A field that should have been a number and was not.
        unreadable: Option<String>,
        /// Verdict.
        valid: bool,
        /// Checks that failed.
        checks: Vec<String>,
        /// When it was received.
        received_at: Iso,
        /// Journal position.
        seq: u64,
        /// Versions of this value that were superseded.
        superseded: u64,
    }
}
shape! {
    /// A record as received.
    RecordOut {
        /// Outlet.
        outlet: String,
        /// realtime, minute, hour or day.
        kind: String,
        /// Start of the interval, or the instant.
        start: Iso,
        /// Marked as re-sent.
        resent: bool,
        /// Factors by code.
        values: BTreeMap<String, StoredValueOut>,
    }
}
shape! {
    /// A total against its permitted amount.
    AmountOut {
        /// Outlet.
        outlet: String,
        /// Factor.
        factor: String,
        /// month or year.
        period: String,
        /// First instant of the period.
        start: Iso,
        /// Emitted so far, kg.
        amount_kg: Exact,
        /// Permitted, kg.
        permitted_kg: Exact,
        /// Share, percent.
        share_pct: Exact,
    }
}
shape! {
    /// The overview.
    OverviewOut {
        /// The daemon's clock.
        now: Iso,
        /// Outlets, worst state first.
        outlets: Vec<OutletOut>,
        /// Alarms not closed.
        alarms: Vec<AlarmOut>,
        /// Open fallbacks, next due first.
        fallbacks: Vec<FallbackOut>,
        /// Totals, highest share first.
        amounts: Vec<AmountOut>,
    }
}
shape! {
    /// A data logger as seen on the wire.
    DeviceOut {
        /// Identity as sent.
        mn: String,
        /// Last peer.
        peer: String,
        /// Dialect last spoken.
        edition: String,
        /// First contact.
        first_seen: Iso,
        /// Last contact.
        last_seen: Iso,
        /// Sound frames.
        frames: u64,
        /// Repeated values.
        duplicates: u64,
        /// Deviations from the standard, counted by code.
        findings: BTreeMap<String, u64>,
        /// Habits learned from its frames.
        habits: HabitsOut,
    }
}
shape! {
    /// One outlet with all that belongs to it.
    OutletDetailOut {
        /// The outlet.
        outlet: OutletOut,
        /// Its logger.
        device: Option<DeviceOut>,
        /// Its alarms, newest first.
        alarms: Vec<AlarmOut>,
        /// Its fallbacks, newest first.
        fallbacks: Vec<FallbackOut>,
        /// Its totals.
        amounts: Vec<AmountOut>,
    }
}
shape! {
    /// Something refused and kept apart.
    QuarantineOut {
        /// Journal position.
        seq: u64,
        /// When.
        at: Iso,
        /// Why.
        reason: String,
        /// Network peer.
        peer: String,
        /// Identity claimed.
        mn: Option<String>,
        /// Size in bytes.
        bytes: u64,
        /// Beginning, printable, passwords hidden.
        excerpt: String,
    }
}
shape! {
    /// How the daemon is.
    HealthOut {
        /// Everything works.
        ready: bool,
        /// What is wrong.
        problems: Vec<String>,
        /// Last journal position on disk.
        journal_seq: u64,
        /// Position the projections have reached.
        projected_seq: u64,
        /// Connected loggers.
        connections: u64,
        /// Version of the program.
        version: String,
    }
}
