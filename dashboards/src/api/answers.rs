//! Shapes of what people answer: alarms, fallbacks, manual reports, the audit trail, and requests.

use super::judged::{AttachmentOut, FileIn, WithdrawnOut};
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
        /// `no-valid-data`, `equipment-state`, `out-of-control`, `review-failed`, `review-expired`,
        /// `not-reviewed` or `decision`.
        why: String,
        /// Factor concerned.
        factor: Option<String>,
        /// Since when.
        since: Option<Iso>,
        /// Flags and failed checks seen.
        seen: Vec<String>,
        /// Kind of the failed test.
        test_kind: Option<String>,
        /// Number of the failed test.
        test: Option<u64>,
        /// First instant of the quarter that the review was about.
        quarter: Option<Iso>,
        /// Since when it holds no more.
        lifted_at: Option<Iso>,
        /// Who decided.
        by: Option<String>,
        /// Their words.
        note: Option<String>,
    }
}
shape! {
    /// A written report that was handed in.
    DeliveryOut {
        /// When.
        at: Iso,
        /// After it was due.
        late: bool,
        /// Who.
        by: String,
        /// Their words.
        note: String,
        /// The document.
        attachments: Vec<AttachmentOut>,
        /// Journal position.
        seq: u64,
    }
}
shape! {
    /// The written report on a fallback.
    WrittenOut {
        /// When it is due.
        due: Iso,
        /// Due time that passed, until it is delivered.
        overdue_since: Option<Iso>,
        /// What was delivered, oldest first.
        delivered: Vec<DeliveryOut>,
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
        /// Due times that passed without a report.
        missed_dues: Vec<Iso>,
        /// Days that ended with too few reports.
        short_days: Vec<Iso>,
        /// The written report; `null` where none is owed.
        written: Option<WrittenOut>,
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
    /// Something odd about a manual report.
    ReportFindingOut {
        /// What, as a code.
        code: String,
        /// Factor concerned.
        factor: Option<String>,
        /// What it was held against.
        against: Option<Exact>,
        /// In words, in the language asked for.
        text: String,
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
        /// It was entered longer after the sampling than the rule allows for.
        entered_late: bool,
        /// What is odd about it; it counts all the same.
        findings: Vec<ReportFindingOut>,
        /// Evidence.
        attachments: Vec<AttachmentOut>,
        /// The earlier report it stands in for.
        corrects: Option<u64>,
        /// The later report that stands in for it.
        superseded_by: Option<u64>,
        /// Taken back.
        withdrawn: Option<WithdrawnOut>,
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
    /// One obligation of a fallback: a report by `due`, because the last sample, or the opening,
    /// was at `from`.
    DueOut {
        /// The last sample before, or the opening.
        from: Iso,
        /// When the report was due.
        due: Iso,
        /// met, late, overdue, ahead, ended (the fallback closed before), missed (it closed while
        /// overdue) or revised (counted anew after a correction).
        state: String,
        /// The due time passed without a report.
        missed: bool,
        /// The report that ended it.
        report: Option<u64>,
        /// When that was sampled.
        sampled_at: Option<Iso>,
        /// When that was received.
        received_at: Option<Iso>,
        /// How long after it was due, ms.
        late_ms: Option<i64>,
        /// From sample to sample, ms.
        gap_ms: Option<i64>,
    }
}
shape! {
    /// One local calendar day of a fallback.
    DayOut {
        /// Its first instant.
        day: Iso,
        /// The fallback was open during all of it.
        full: bool,
        /// It is over, or the fallback is.
        over: bool,
        /// Samples reported by its end, or by now.
        reports: u64,
        /// It ended with too few.
        short: bool,
    }
}
shape! {
    /// The compliance sheet of a fallback: what was owed against what was delivered.
    ComplianceOut {
        /// The fallback.
        fallback: u64,
        /// Outlet.
        outlet: String,
        /// Obligations in the order in which they arose.
        dues: Vec<DueOut>,
        /// Days.
        days: Vec<DayOut>,
        /// Reports that were due by now.
        scheduled: u64,
        /// Of them delivered in time.
        in_time: u64,
        /// Of them delivered late.
        late: u64,
        /// Due times that passed without a report.
        missed_dues: u64,
        /// Full days with too few reports.
        short_days: u64,
        /// Reports that count.
        reports: u64,
        /// Longest time between two samples, ms.
        longest_gap_ms: Option<i64>,
        /// All lateness together, ms.
        late_ms: i64,
        /// The written report.
        written: Option<WrittenOut>,
        /// The counts are those of the engine; false where the rule was changed meanwhile.
        as_counted: bool,
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
        /// Number of the report that this one corrects.
        corrects: Option<u64>,
        /// Evidence; `null` or left out: none.
        files: Option<Vec<FileIn>>,
    }
}
shape! {
    /// Manual reports of one outlet, all entered or none, at most 200.
    ManualReportsIn {
        /// The reports.
        reports: Vec<ManualReportIn>,
    }
}
shape! {
    /// Manual reports as a table, CSV or XLSX: all entered or none.
    ReportTableIn {
        /// The file.
        file: FileIn,
    }
}
shape! {
    /// The written report on a fallback.
    WrittenIn {
        /// Words, possibly empty.
        note: String,
        /// The document, at least one file.
        files: Vec<FileIn>,
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
