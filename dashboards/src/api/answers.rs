//! Shapes of what people answer: alarms, fallbacks, manual reports, the audit trail, and requests.

use super::schema::{Exact, Iso, shape};
use std::collections::BTreeMap;

shape! {
    /// Who acknowledged, shelved or closed an alarm.
    AnswerOut {
        /// When.
        at: Iso,
        /// Who.
        by: String,
        /// Note or conclusion.
        text: String,
        /// Until when it holds, where it ends by itself.
        until: Option<Iso>,
    }
}
shape! {
    /// An alarm.
    AlarmOut {
        /// Identity.
        id: u64,
        /// Kind, such as `exceedance.hour`.
        kind: String,
        /// urgent, high, normal or low.
        priority: String,
        /// State after ISA-18.2: unacknowledged, returned-unacknowledged, acknowledged, shelved,
        /// suppressed, out-of-service, normal or closed.
        state: String,
        /// What it is about: outlet, enterprise, region, daemon, device or peer.
        subject_type: String,
        /// Its identity.
        subject: String,
        /// Enterprise concerned.
        enterprise: Option<String>,
        /// Region concerned.
        region: Option<String>,
        /// Which of its kind: number of a check, letter of a flag, kind of record.
        code: Option<String>,
        /// Factor concerned.
        factor: Option<String>,
        /// Limit broken.
        limit: Option<String>,
        /// Start of the cause.
        since: Iso,
        /// When it was raised.
        raised_at: Iso,
        /// When it was last seen or changed.
        updated_at: Iso,
        /// The figure that matters now.
        value: Option<Exact>,
        /// What it is held against.
        threshold: Option<Exact>,
        /// Periods, frames or values under the condition.
        count: u64,
        /// The condition holds.
        active: bool,
        /// When the condition went away.
        returned_at: Option<Iso>,
        /// Acknowledgement.
        acknowledged: Option<AnswerOut>,
        /// When somebody first took notice.
        answered_at: Option<Iso>,
        /// Put aside for a limited time.
        shelved: Option<AnswerOut>,
        /// Why it tells nobody: stopped, maintenance, outage or out-of-service.
        suppressed: Option<String>,
        /// Closure.
        closed: Option<AnswerOut>,
        /// Previous occurrence.
        previous: Option<u64>,
        /// First alarm of the cascade it belongs to.
        first_out: Option<u64>,
        /// The outage that stands for it.
        covered_by: Option<u64>,
        /// Outlets that an outage covers.
        outlets: u64,
        /// Steps of its escalation taken.
        escalated: u64,
        /// Times it was armed again.
        rearmed: u64,
        /// It came and went too often.
        chattering: bool,
        /// Further facts.
        facts: BTreeMap<String, String>,
        /// Title in the language asked for.
        title: String,
        /// What happened, in words.
        text: String,
        /// What to do first.
        first: String,
        /// Journal position that raised it.
        raised_seq: u64,
        /// Journal position of the last change.
        updated_seq: u64,
    }
}
shape! {
    /// One line of the audit trail or of a history.
    AuditOut {
        /// Journal position.
        seq: u64,
        /// When.
        at: Iso,
        /// Who.
        who: String,
        /// What, as a code.
        what: String,
        /// About which object.
        object: String,
        /// Words.
        detail: String,
    }
}
shape! {
    /// An alarm with its history.
    AlarmDetailOut {
        /// The alarm.
        alarm: AlarmOut,
        /// What happened to it, oldest first.
        history: Vec<AuditOut>,
    }
}
shape! {
    /// A reason of a fallback.
    ReasonOut {
        /// `no-valid-data` or `decision`.
        why: String,
        /// Factor without valid data.
        factor: Option<String>,
        /// Since when.
        since: Option<Iso>,
        /// Flags and failed checks seen.
        seen: Vec<String>,
        /// Who decided.
        by: Option<String>,
        /// Their words.
        note: Option<String>,
    }
}
shape! {
    /// A manual fallback.
    FallbackOut {
        /// Identity.
        id: u64,
        /// Outlet.
        outlet: String,
        /// When it opened.
        opened_at: Iso,
        /// Why.
        reasons: Vec<ReasonOut>,
        /// When the next manual report is due.
        next_due: Option<Iso>,
        /// Sampling time of the last report.
        last_report_at: Option<Iso>,
        /// Reports received.
        reports: u64,
        /// Reports counted today.
        reports_today: u64,
        /// Overdue since.
        overdue_since: Option<Iso>,
        /// Due times that passed without a report.
        missed: u64,
        /// Days that ended with too few reports.
        short_days: Vec<Iso>,
        /// When it closed.
        closed_at: Option<Iso>,
        /// Why it closed.
        closed_why: Option<String>,
        /// Journal position that opened it.
        opened_seq: u64,
        /// Journal position of the last change.
        updated_seq: u64,
    }
}
shape! {
    /// One value of a manual report.
    ManualValueOut {
        /// Factor code.
        factor: String,
        /// Value in the factor's unit.
        value: Exact,
    }
}
shape! {
    /// A manual report in the books.
    ManualReportOut {
        /// Identity.
        id: u64,
        /// The fallback it belongs to.
        fallback: Option<u64>,
        /// Outlet.
        outlet: String,
        /// When the sample was taken.
        sampled_at: Iso,
        /// Who took it.
        sampler: String,
        /// Method.
        method: String,
        /// Laboratory.
        laboratory: String,
        /// Results.
        values: Vec<ManualValueOut>,
        /// Remarks.
        note: String,
        /// Who entered it.
        by: String,
        /// When it was received.
        received_at: Iso,
        /// It came after it was due.
        late: bool,
        /// Journal position.
        seq: u64,
    }
}
shape! {
    /// A fallback with its reports.
    FallbackDetailOut {
        /// The fallback.
        fallback: FallbackOut,
        /// Its reports by sampling time.
        reports: Vec<ManualReportOut>,
    }
}
shape! {
    /// Proof that what was sent is on disk.
    ReceiptOut {
        /// Journal position.
        seq: u64,
        /// Journal time.
        at: Iso,
    }
}
shape! {
    /// An acknowledgement.
    AcknowledgeIn {
        /// Note, not empty.
        note: String,
        /// Until when it holds while the condition does; may be left out.
        until: Option<Iso>,
    }
}
shape! {
    /// The end of an alarm.
    CloseIn {
        /// Conclusion, not empty.
        conclusion: String,
    }
}
shape! {
    /// A manual report.
    ManualReportIn {
        /// When the sample was taken, ISO 8601 with offset.
        sampled_at: Iso,
        /// Who took it.
        sampler: String,
        /// Method (standard number).
        method: String,
        /// Laboratory, possibly empty.
        laboratory: String,
        /// Results, at least one.
        values: Vec<ManualValueOut>,
        /// Remarks, possibly empty.
        note: String,
    }
}
shape! {
    /// A decision about a fallback.
    DecisionIn {
        /// Open (true) or close (false).
        open: bool,
        /// Reason, not empty.
        note: String,
    }
}
