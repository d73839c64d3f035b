//! The engine's look-ups, written down once for everything that passes them on.

/// Implements [`History`](cems_core::engine::History) for a type that has a method `with`: it runs
/// a look-up on whatever really answers ([`Queries`](super::Queries), or another past) and decides
/// what a failure means.
macro_rules! history_through_with {
    ([$($generics:tt)*] $kind:ty) => {
        $crate::store::history::history_through_with! {
            @look-ups [$($generics)*] $kind;
            record(outlet: &OutletId, kind: RecordKind, start: Timestamp) -> Option<RecordRow>;
            records(outlet: &OutletId, kind: RecordKind, from: Timestamp, until: Timestamp)
                -> Vec<RecordRow>;
            aggregates(outlet: &OutletId, level: Level, from: Timestamp, until: Timestamp)
                -> Vec<AggregateRow>;
            alarm(id: AlarmId) -> Option<AlarmRow>;
            fallback(id: FallbackId) -> Option<FallbackRow>;
            exchange(id: Seq) -> Option<ExchangeRow>;
            mark(id: Seq) -> Option<MarkRow>;
            marks(outlet: &OutletId, from: Timestamp, until: Timestamp) -> Vec<MarkRow>;
            qa_tests(id: Seq) -> Vec<QaRow>;
            qa_around(outlet: &OutletId, factor: &FactorCode, kind: QaKind, at: Timestamp)
                -> (Option<QaRow>, Option<QaRow>);
            qa_between(outlet: &OutletId, from: Timestamp, until: Timestamp) -> Vec<QaRow>;
            review(outlet: &OutletId, quarter: Timestamp) -> Option<ReviewRow>;
            quarter(outlet: &OutletId, start: Timestamp) -> Option<QuarterRow>;
            pack(outlet: &OutletId, month: Timestamp) -> Option<PackRow>;
            clues(outlet: &OutletId, level: Level, start: Timestamp) -> Option<ClueRow>;
            duty(key: &DutyKey) -> Option<DutyRow>;
            open_duties(rule: &DutyId, round: Option<&str>) -> Vec<DutyRow>;
            open_duties_about(subject: &DutySubject) -> Vec<DutyRow>;
            manual_report(id: ReportId) -> Option<ManualReportRow>;
            manual_reports(outlet: &OutletId, from: Timestamp, until: Timestamp)
                -> Vec<ManualReportRow>;
        }
    };
    (@look-ups [$($generics:tt)*] $kind:ty; $(
        $name:ident($($arg:ident: $arg_kind:ty),*) -> $answer:ty;
    )*) => {
        const _: () = {
            use cems_core::model::{
                AggregateRow, AlarmId, AlarmRow, ClueRow, DutyId, DutyKey, DutyRow, DutySubject,
                ExchangeRow, FactorCode, FallbackId, FallbackRow, Level, ManualReportRow, MarkRow,
                OutletId, PackRow, QaKind, QaRow, QuarterRow, RecordKind, RecordRow, ReportId,
                ReviewRow, Seq, Timestamp,
            };

            impl $($generics)* cems_core::engine::History for $kind {
                $(fn $name(&self, $($arg: $arg_kind),*) -> $answer {
                    self.with(|past| past.$name($($arg),*))
                })*
            }
        };
    };
}

pub(crate) use history_through_with;
