//! Backend rows as shapes of the API.

use super::answers::*;
use super::schema::{Exact, Iso};
use super::shapes::*;
use crate::backend::{
    AlarmDetail, AmountProgress, FallbackDetail, Health, OutletDetail, OutletSummary, Overview,
    Receipt,
};
use crate::format::Times;
use crate::text::Words;
use crate::view::Eyes;
use crate::view::alarm::{AlarmItem, priority};
use cems_core::model::rows::{
    AggregateOrigin, AuditRow, DeviceRow, LatestRow, QuarantineRow, RecordRow, StoredValue,
};
use cems_core::model::{
    AggregateRow, AlarmRow, AlarmSubject, FactorAggregate, Medium, Number, Outlet, Registry,
    Timestamp,
};
use rust_decimal::Decimal;

/// Converts rows for one caller.
pub(crate) struct Convert<'a> {
    pub(crate) registry: &'a Registry,
    pub(crate) times: Times,
    pub(crate) words: Words,
}

pub(super) fn exact(value: Option<Decimal>) -> Option<Exact> {
    value.map(Exact::from)
}

fn text(id: &impl ToString) -> String {
    id.to_string()
}

/// What a subject is, and its identity.
pub(super) fn subject(subject: &AlarmSubject) -> (&'static str, String) {
    match subject {
        AlarmSubject::Outlet(id) => ("outlet", text(id)),
        AlarmSubject::Enterprise(id) => ("enterprise", text(id)),
        AlarmSubject::Region(id) => ("region", text(id)),
        AlarmSubject::Daemon(part) => ("daemon", text(part)),
        AlarmSubject::Device(mn) => ("device", text(mn)),
        AlarmSubject::Peer(peer) => ("peer", text(peer)),
    }
}

impl Convert<'_> {
    pub(super) fn iso(&self, at: Timestamp) -> Iso {
        Iso(self.times.iso(at))
    }

    pub(super) fn iso_opt(&self, at: Option<Timestamp>) -> Option<Iso> {
        at.map(|at| self.iso(at))
    }

    pub(super) fn all<R, T>(&self, rows: &[R], one: impl Fn(&Self, &R) -> T) -> Vec<T> {
        rows.iter().map(|row| one(self, row)).collect()
    }

    pub(crate) fn latest(&self, outlet: &Outlet, row: &LatestRow) -> LatestOut {
        LatestOut {
            factor: text(&row.factor),
            kind: row.kind.as_str().to_owned(),
            start: self.iso(row.start),
            value: exact(row.value),
            converted: exact(row.converted),
            unit: outlet
                .factors
                .get(&row.factor)
                .map_or_else(String::new, |f| f.unit.clone()),
            flag: row.flag.as_ref().map(text),
            valid: row.valid,
            received_at: self.iso(row.received_at),
            seq: row.seq.0,
        }
    }

    pub(crate) fn outlet(&self, row: &OutletSummary) -> OutletOut {
        let outlet = &row.outlet;
        OutletOut {
            id: text(&outlet.id),
            name: outlet.name.clone(),
            name_en: outlet.name_en.clone(),
            enterprise: text(&outlet.enterprise),
            enterprise_name: row.enterprise.name.clone(),
            medium: match outlet.medium {
                Medium::Gas => "gas".to_owned(),
                Medium::Water => "water".to_owned(),
            },
            mn: text(&outlet.mn),
            profile: text(&outlet.profile),
            state: row.state.as_str().to_owned(),
            last_seen: self.iso_opt(row.last_seen),
            open_alarms: u64::from(row.open_alarms),
            latest: row.latest.iter().map(|l| self.latest(outlet, l)).collect(),
            last_hour: row.last_hour.as_ref().map(|a| self.aggregate(a)),
        }
    }

    pub(crate) fn aggregate(&self, row: &AggregateRow) -> AggregateOut {
        AggregateOut {
            outlet: text(&row.outlet),
            level: row.level.as_str().to_owned(),
            start: self.iso(row.start),
            origin: match row.origin {
                AggregateOrigin::Computed => "computed".to_owned(),
                AggregateOrigin::Reported => "reported".to_owned(),
            },
            complete: row.complete,
            volume_m3: exact(row.volume_m3),
            profile: text(&row.profile),
            seq: row.seq.0,
            superseded: u64::from(row.superseded),
            factors: row
                .factors
                .iter()
                .map(|(code, f)| (text(code), aggregated(f)))
                .collect(),
        }
    }

    pub(crate) fn record(&self, row: &RecordRow) -> RecordOut {
        let values = row
            .values
            .iter()
            .map(|(code, v)| (text(code), self.stored(v)));
        RecordOut {
            outlet: text(&row.outlet),
            kind: row.kind.as_str().to_owned(),
            start: self.iso(row.start),
            resent: row.resent,
            values: values.collect(),
        }
    }

    pub(super) fn stored(&self, row: &StoredValue) -> StoredValueOut {
        let value = &row.value;
        StoredValueOut {
            sent_as: value.sent_as.as_ref().map(text),
            rtd: number(value.rtd.as_ref()),
            avg: number(value.avg.as_ref()),
            min: number(value.min.as_ref()),
            max: number(value.max.as_ref()),
            cou: number(value.cou.as_ref()),
            converted: number(value.converted.as_ref()),
            flag: value.flag.as_ref().map(|flag| text(&flag.0)),
            unreadable: value.unreadable.as_ref().map(text),
            valid: row.valid,
            checks: row.checks.iter().map(|check| text(&check.0)).collect(),
            received_at: self.iso(row.received_at),
            seq: row.seq.0,
            superseded: u64::from(row.superseded),
        }
    }

    pub(crate) fn amount(&self, row: &AmountProgress) -> AmountOut {
        AmountOut {
            outlet: text(&row.outlet),
            factor: text(&row.factor),
            period: row.period.as_str().to_owned(),
            start: self.iso(row.start),
            amount_kg: row.amount_kg.into(),
            permitted_kg: row.permitted_kg.into(),
            share_pct: row.share_pct.into(),
        }
    }

    pub(crate) fn alarm(&self, row: &AlarmRow) -> AlarmOut {
        let eyes = Eyes {
            words: self.words,
            times: self.times,
            registry: self.registry,
        };
        let item = AlarmItem::new(&eyes, row);
        let (subject_type, subject) = subject(&row.subject);
        let answer = |at: Timestamp, by: String, words: &str, until: Option<Timestamp>| AnswerOut {
            at: self.iso(at),
            by,
            text: words.to_owned(),
            until: self.iso_opt(until),
        };
        let covered_by = row.suppressed.as_ref().and_then(|s| s.covered_by);
        AlarmOut {
            id: row.id.0,
            kind: row.kind.as_str().to_owned(),
            priority: priority(row).to_owned(),
            state: row.state().as_str().to_owned(),
            subject_type: subject_type.to_owned(),
            subject,
            enterprise: row.enterprise.as_ref().map(text),
            region: row.region.as_ref().map(text),
            code: row.code.as_ref().map(text),
            factor: row.factor.as_ref().map(text),
            limit: row.limit.as_ref().map(text),
            since: self.iso(row.since),
            raised_at: self.iso(row.raised_at),
            updated_at: self.iso(row.updated_at),
            value: exact(row.value),
            threshold: exact(row.threshold),
            count: row.count,
            active: row.active,
            returned_at: self.iso_opt(row.returned_at),
            acknowledged: row
                .acknowledged
                .as_ref()
                .map(|a| answer(a.at, text(&a.by), &a.note, a.until)),
            answered_at: self.iso_opt(row.answered_at),
            shelved: row
                .shelved
                .as_ref()
                .map(|s| answer(s.at, text(&s.by), &s.note, Some(s.until))),
            suppressed: row.suppressed.as_ref().map(|s| text(&s.why)),
            closed: row
                .closed
                .as_ref()
                .map(|c| answer(c.at, text(&c.by), &c.conclusion, None)),
            previous: row.previous.map(|id| id.0),
            first_out: row.first_out.map(|id| id.0),
            covered_by: covered_by.map(|id| id.0),
            outlets: u64::from(row.outlets),
            escalated: u64::from(row.escalated),
            rearmed: u64::from(row.rearmed),
            chattering: row.chattering,
            facts: row.facts.clone(),
            title: item.title,
            text: item.text,
            first: item.first,
            raised_seq: row.raised_seq.0,
            updated_seq: row.updated_seq.0,
        }
    }

    pub(crate) fn audit(&self, row: &AuditRow) -> AuditOut {
        AuditOut {
            seq: row.seq.0,
            at: self.iso(row.at),
            who: text(&row.who),
            what: text(&row.what),
            object: text(&row.object),
            detail: row.detail.clone(),
        }
    }

    pub(crate) fn alarm_detail(&self, row: &AlarmDetail) -> AlarmDetailOut {
        AlarmDetailOut {
            alarm: self.alarm(&row.alarm),
            history: self.all(&row.history, Self::audit),
        }
    }

    pub(crate) fn fallback_detail(&self, row: &FallbackDetail) -> FallbackDetailOut {
        FallbackDetailOut {
            fallback: self.fallback(&row.fallback),
            reports: self.all(&row.reports, Self::report),
        }
    }

    pub(crate) fn overview(&self, row: &Overview) -> OverviewOut {
        OverviewOut {
            now: self.iso(self.times.now),
            outlets: self.all(&row.outlets, Self::outlet),
            alarms: self.all(&row.alarms, Self::alarm),
            fallbacks: self.all(&row.fallbacks, Self::fallback),
            amounts: self.all(&row.amounts, Self::amount),
        }
    }

    fn device(&self, row: &DeviceRow) -> DeviceOut {
        DeviceOut {
            mn: text(&row.mn),
            peer: text(&row.peer),
            edition: text(&row.edition),
            first_seen: self.iso(row.first_seen),
            last_seen: self.iso(row.last_seen),
            frames: row.frames,
            duplicates: row.duplicates,
            findings: row
                .findings
                .iter()
                .map(|(code, n)| (text(code), *n))
                .collect(),
            habits: super::control::habits(&row.habits),
        }
    }

    pub(crate) fn outlet_detail(&self, row: &OutletDetail) -> OutletDetailOut {
        OutletDetailOut {
            outlet: self.outlet(&row.summary),
            device: row.device.as_ref().map(|d| self.device(d)),
            alarms: self.all(&row.alarms, Self::alarm),
            fallbacks: self.all(&row.fallbacks, Self::fallback),
            amounts: self.all(&row.amounts, Self::amount),
        }
    }

    pub(crate) fn quarantine(&self, row: &QuarantineRow) -> QuarantineOut {
        QuarantineOut {
            seq: row.seq.0,
            at: self.iso(row.at),
            reason: text(&row.reason),
            peer: text(&row.peer),
            mn: row.mn.as_ref().map(text),
            bytes: row.bytes,
            excerpt: crate::format::without_passwords(&row.excerpt),
        }
    }

    pub(crate) fn receipt(&self, row: Receipt) -> ReceiptOut {
        ReceiptOut {
            seq: row.seq.0,
            at: self.iso(row.at),
        }
    }
}

fn number(value: Option<&Number>) -> Option<NumberOut> {
    value.map(|n| NumberOut {
        value: n.value.into(),
        text: text(&n.text),
    })
}

fn aggregated(row: &FactorAggregate) -> FactorAggregateOut {
    let limits = row.limits.iter().map(|l| VerdictOut {
        limit: text(&l.limit),
        judged: l.judged.into(),
        bound: l.bound.into(),
        exceeded: l.exceeded,
        multiple: exact(l.multiple),
    });
    FactorAggregateOut {
        mean: exact(row.mean),
        converted: exact(row.converted),
        min: exact(row.min),
        max: exact(row.max),
        amount_kg: exact(row.amount_kg),
        valid: row.valid,
        valid_units: u64::from(row.valid_units),
        due_units: u64::from(row.due_units),
        stopped_units: u64::from(row.stopped_units),
        reported: exact(row.reported),
        substituted_kg: exact(row.substituted_kg),
        invalid_why: row.invalid_why.as_ref().map(text),
        exempt_units: u64::from(row.exempt_units),
        limits: limits.collect(),
    }
}

impl From<Health> for HealthOut {
    fn from(health: Health) -> Self {
        Self {
            ready: health.ready,
            problems: health.problems,
            journal_seq: health.journal_seq,
            projected_seq: health.projected_seq,
            connections: health.connections,
            version: health.version,
        }
    }
}
