//! Shapes of what people enter about data: marks, tests of the equipment, validity reviews.

use super::schema::{Exact, Iso, shape};
use std::collections::BTreeMap;

shape! {
    /// Evidence that is kept; its content is at `/api/v1/outlets/{id}/attachments/{sha256}`.
    AttachmentOut {
        /// Name as uploaded.
        name: String,
        /// Size in bytes.
        bytes: u64,
        /// SHA-256 of the content, hex.
        sha256: String,
    }
}
shape! {
    /// A file to be kept: at most 5 of at most 8 MiB each.
    FileIn {
        /// Name.
        name: String,
        /// Content in base64 (RFC 4648, with padding).
        content_base64: String,
    }
}
shape! {
    /// Who took an entry back.
    WithdrawnOut {
        /// When.
        at: Iso,
        /// Who.
        by: String,
        /// Why.
        reason: String,
        /// Journal position.
        seq: u64,
    }
}
shape! {
    /// A mark.
    MarkOut {
        /// Identity: the journal position of its entry.
        id: u64,
        /// Outlet.
        outlet: String,
        /// Kind, such as `maintenance`.
        kind: String,
        /// Factors concerned; empty: all.
        factors: Vec<String>,
        /// First instant.
        from: Iso,
        /// First instant after it.
        until: Iso,
        /// Why.
        reason: String,
        /// Evidence.
        attachments: Vec<AttachmentOut>,
        /// Who entered it.
        by: String,
        /// When it was entered.
        entered_at: Iso,
        /// Until when it could be entered in time.
        deadline: Option<Iso>,
        /// It came after that.
        late: bool,
        /// It has the effect that the rules give its kind.
        counts: bool,
        /// Taken back.
        withdrawn: Option<WithdrawnOut>,
    }
}
shape! {
    /// A mark to be entered.
    MarkIn {
        /// Outlet.
        outlet: String,
        /// Kind.
        kind: String,
        /// Factors concerned; empty: all.
        factors: Vec<String>,
        /// First instant, whole minutes, ISO 8601 with offset.
        from: Iso,
        /// First instant after it.
        until: Iso,
        /// Why, not empty.
        reason: String,
        /// Evidence, possibly empty.
        files: Vec<FileIn>,
    }
}
shape! {
    /// An entry to be taken back.
    WithdrawIn {
        /// Outlet it belongs to.
        outlet: String,
        /// Why, not empty.
        reason: String,
    }
}
shape! {
    /// A reference value and what the equipment showed, in the factor's unit.
    PairOut {
        /// Reference method, laboratory or standard.
        reference: Exact,
        /// Equipment.
        measured: Exact,
    }
}
shape! {
    /// A test of the equipment with its verdict.
    TestOut {
        /// Identity: the journal position of its entry; several tests of one entry differ in `n`.
        id: u64,
        /// Ordinal within the entry.
        n: u64,
        /// Outlet.
        outlet: String,
        /// Factor.
        factor: String,
        /// Kind, such as `span-drift`.
        kind: String,
        /// When it was done.
        at: Iso,
        /// Values.
        pairs: Vec<PairOut>,
        /// Full scale given with the test, in the factor's unit.
        full_scale: Option<Exact>,
        /// Tester, method, laboratory.
        note: String,
        /// Evidence.
        attachments: Vec<AttachmentOut>,
        /// Who entered it; `device` for tests taken from an exchange.
        by: String,
        /// Command number it was taken from.
        from_cn: Option<String>,
        /// When it was entered.
        entered_at: Iso,
        /// passed, adjust, failed or not-judged.
        outcome: String,
        /// The result that was judged.
        result: Option<Exact>,
        /// What it was held against.
        limit: Option<Exact>,
        /// How the result is expressed, as a code.
        band: String,
        /// Why it was not judged, as a code.
        why: Option<String>,
        /// Further figures by name.
        figures: BTreeMap<String, Exact>,
        /// Rule profile that judged it.
        profile: String,
        /// Taken back.
        withdrawn: Option<WithdrawnOut>,
    }
}
shape! {
    /// A test to be entered.
    TestIn {
        /// Factor.
        factor: String,
        /// Kind.
        kind: String,
        /// When it was done, ISO 8601 with offset.
        at: Iso,
        /// Values, at least one pair.
        pairs: Vec<PairOut>,
        /// Full scale in the factor's unit; `null`: the range of the registry.
        full_scale: Option<Exact>,
        /// Tester, method, laboratory; possibly empty.
        note: String,
        /// Evidence, possibly empty.
        files: Vec<FileIn>,
    }
}
shape! {
    /// A step of a validity review.
    ReviewStepOut {
        /// submit, pass or fail.
        step: String,
        /// Who.
        by: String,
        /// When.
        at: Iso,
        /// Their words.
        note: String,
        /// Evidence.
        attachments: Vec<AttachmentOut>,
        /// Journal position.
        seq: u64,
    }
}
shape! {
    /// The validity review of a quarter.
    ReviewOut {
        /// Outlet.
        outlet: String,
        /// Quarter, such as `2025-Q4`.
        quarter: String,
        /// Its first instant.
        start: Iso,
        /// The decision in force; `null` while there is none.
        passed: Option<bool>,
        /// Every step, oldest first.
        steps: Vec<ReviewStepOut>,
    }
}
shape! {
    /// A step of a validity review to be taken.
    ReviewIn {
        /// Quarter, such as `2025-Q4`.
        quarter: String,
        /// submit, pass or fail.
        step: String,
        /// Words; needed unless the step is `pass`.
        note: String,
        /// Evidence, possibly empty.
        files: Vec<FileIn>,
    }
}
