//! Shapes of the duty desk in the API.

use super::answers::AlarmOut;
use super::convert::{Convert, subject};
use super::schema::{Exact, Iso, shape};
use crate::backend::{AlarmGroups, DeskView, OnDuty, RosterView};
use cems_core::alarm::figures::{Answers, Figures, Spread, Top};
use cems_core::alarm::groups::Group;
use cems_core::model::{AlarmServiceRow, HandOverRow, ShiftRow};
use std::collections::BTreeMap;

shape! {
    /// Somebody on duty, or who can be.
    PersonOut {
        /// Log-in name.
        user: String,
        /// Name shown.
        name: String,
    }
}
shape! {
    /// A shift.
    ShiftOut {
        /// First instant.
        from: Iso,
        /// First instant after it.
        until: Iso,
        /// Log-in names of those on duty.
        people: Vec<String>,
        /// Who entered it.
        by: String,
        /// Journal position.
        seq: u64,
    }
}
shape! {
    /// A hand-over of the desk.
    HandOverOut {
        /// When.
        at: Iso,
        /// Who left.
        from: String,
        /// Who took over.
        to: Vec<String>,
        /// What they had to know.
        note: String,
        /// Alarms that were open then.
        open_alarms: u64,
        /// Journal position.
        seq: u64,
    }
}
shape! {
    /// A row of the queue: open alarms with something in common.
    GroupOut {
        /// What they have in common: enterprise, region or kind.
        by: String,
        /// Kind.
        kind: String,
        /// Region in common.
        region: Option<String>,
        /// Enterprise in common.
        enterprise: Option<String>,
        /// The most urgent of them.
        priority: String,
        /// How many.
        count: u64,
        /// How many wait for somebody to take notice.
        waiting: u64,
        /// When the oldest was raised.
        oldest: Iso,
        /// How many in which state.
        states: BTreeMap<String, u64>,
        /// Outlets that outages of the row cover.
        outlets: u64,
    }
}
shape! {
    /// The queue of the desk.
    QueueOut {
        /// Open alarms, whatever was asked for.
        open: u64,
        /// Open alarms by state.
        states: BTreeMap<String, u64>,
        /// Alarms that wait for somebody, by priority.
        waiting: BTreeMap<String, u64>,
        /// Rows, fewer than 50.
        groups: Vec<GroupOut>,
    }
}
shape! {
    /// A kind of alarm of an outlet that is out of service.
    AlarmServiceOut {
        /// Whose alarms.
        outlet: String,
        /// Kind.
        kind: String,
        /// Since when.
        at: Iso,
        /// Who decided it.
        by: String,
        /// Why.
        note: String,
        /// Journal position.
        seq: u64,
    }
}
shape! {
    /// The duty desk.
    DeskOut {
        /// Who is on duty; empty when the roster says nothing.
        on_duty: Vec<PersonOut>,
        /// Until when, where a shift says so.
        until: Option<Iso>,
        /// The next shift.
        next: Option<ShiftOut>,
        /// Hand-overs, newest first, a few.
        hand_overs: Vec<HandOverOut>,
        /// The queue.
        queue: QueueOut,
        /// Alarms put aside.
        shelved: Vec<AlarmOut>,
        /// Alarms suppressed by design.
        suppressed: Vec<AlarmOut>,
        /// Active alarms of what is out of service.
        out_of_service: Vec<AlarmOut>,
        /// Kinds that a person took out of service, by outlet.
        services: Vec<AlarmServiceOut>,
        /// Kinds that the settings take out of service everywhere.
        kinds_out: Vec<String>,
    }
}
shape! {
    /// The roster.
    RosterOut {
        /// Shifts, by their beginning.
        shifts: Vec<ShiftOut>,
        /// Hand-overs, newest first, a few.
        hand_overs: Vec<HandOverOut>,
        /// Who can be put on a shift.
        people: Vec<PersonOut>,
    }
}
shape! {
    /// How long something took.
    SpreadOut {
        /// Of how many.
        count: u64,
        /// Half took no longer, ms.
        median_ms: i64,
        /// Nine of ten took no longer, ms.
        p90_ms: i64,
        /// The longest, ms.
        max_ms: i64,
    }
}
shape! {
    /// How alarms were answered.
    AnswersOut {
        /// Raised and announced.
        raised: u64,
        /// Acknowledged.
        acknowledged: u64,
        /// Alarms whose kind says how soon, and of which it can be said already.
        asked: u64,
        /// Of those acknowledged in time.
        in_time: u64,
        /// From raised to first acknowledged.
        to_acknowledge: SpreadOut,
        /// From raised to closed.
        to_close: SpreadOut,
    }
}
shape! {
    /// Who alarms most.
    TopOut {
        /// Kind.
        kind: String,
        /// What it is about: outlet, enterprise, region, daemon, device or peer.
        subject_type: String,
        /// Its identity.
        subject: String,
        /// How often.
        count: u64,
    }
}
shape! {
    /// Performance of the desk after ISA-18.2 / IEC 62682.
    FiguresOut {
        /// First instant.
        from: Iso,
        /// First instant after it.
        until: Iso,
        /// Alarms raised and announced.
        raised: u64,
        /// Alarms suppressed from the first moment.
        silent: u64,
        /// Intervals of ten minutes.
        intervals: u64,
        /// People on duty on average, at least one.
        operators: Option<Exact>,
        /// Alarms per operator and ten minutes, on average.
        rate_mean: Option<Exact>,
        /// The highest of ten minutes.
        rate_max: Option<Exact>,
        /// When those began.
        rate_max_at: Option<Iso>,
        /// Intervals with more than ten alarms per operator.
        flood_intervals: u64,
        /// The ten that alarm most.
        top: Vec<TopOut>,
        /// Their share of all alarms, percent.
        top_share_pct: Option<Exact>,
        /// Alarms active for more than 24 hours at the end.
        stale: Vec<u64>,
        /// Conditions that chattered.
        chattering: u64,
        /// Alarms gone within two minutes.
        fleeting: u64,
        /// How many of which priority.
        priorities: BTreeMap<String, u64>,
        /// How they were answered.
        all: AnswersOut,
        /// The same by priority.
        by_priority: BTreeMap<String, AnswersOut>,
    }
}
shape! {
    /// An alarm put aside.
    ShelveIn {
        /// Why, not empty.
        note: String,
        /// Until when.
        until: Iso,
    }
}
shape! {
    /// Words on an alarm.
    NoteIn {
        /// Note, not empty.
        note: String,
    }
}
shape! {
    /// An action that may come with words.
    RemarkIn {
        /// Note; may be left out.
        note: Option<String>,
    }
}
shape! {
    /// A kind of alarm taken out of service, or put back.
    AlarmServiceIn {
        /// Kind, such as `data.none`.
        kind: String,
        /// Out of service (true) or back.
        out: bool,
        /// Why, not empty.
        note: String,
    }
}
shape! {
    /// The desk handed over.
    HandOverIn {
        /// Log-in names of those who take over.
        to: Vec<String>,
        /// What they must know, not empty.
        note: String,
    }
}
shape! {
    /// A shift.
    ShiftIn {
        /// First instant.
        from: Iso,
        /// First instant after it.
        until: Iso,
        /// Log-in names; empty takes the shift out of the roster.
        people: Vec<String>,
    }
}

fn names(people: impl IntoIterator<Item = impl ToString>) -> Vec<String> {
    people.into_iter().map(|one| one.to_string()).collect()
}

fn counted<K: Ord>(
    of: &BTreeMap<K, u64>,
    name: impl Fn(&K) -> &'static str,
) -> BTreeMap<String, u64> {
    of.iter()
        .map(|(key, n)| (name(key).to_owned(), *n))
        .collect()
}

impl Convert<'_> {
    fn person(person: &OnDuty) -> PersonOut {
        PersonOut {
            user: person.user.to_string(),
            name: person.name.clone(),
        }
    }

    fn shift(&self, row: &ShiftRow) -> ShiftOut {
        ShiftOut {
            from: self.iso(row.shift.from),
            until: self.iso(row.shift.until),
            people: names(&row.shift.people),
            by: row.shift.by.to_string(),
            seq: row.seq.0,
        }
    }

    fn hand_over(&self, row: &HandOverRow) -> HandOverOut {
        HandOverOut {
            at: self.iso(row.at),
            from: row.over.from.to_string(),
            to: names(&row.over.to),
            note: row.over.note.clone(),
            open_alarms: u64::from(row.open_alarms),
            seq: row.id.0,
        }
    }

    fn group(&self, group: &Group, outlets: u64) -> GroupOut {
        GroupOut {
            by: group.by.as_str().to_owned(),
            kind: group.kind.as_str().to_owned(),
            region: group.region.as_ref().map(ToString::to_string),
            enterprise: group.enterprise.as_ref().map(ToString::to_string),
            priority: group.priority.as_str().to_owned(),
            count: group.count,
            waiting: group.waiting,
            oldest: self.iso(group.oldest),
            states: counted(&group.states, |state| state.as_str()),
            outlets,
        }
    }

    pub(super) fn queue(&self, queue: &AlarmGroups) -> QueueOut {
        let outlets = |n: usize| queue.outlets.get(&n).copied().unwrap_or(0);
        let groups = queue.groups.iter().enumerate();
        QueueOut {
            open: queue.open,
            states: counted(&queue.states, |state| state.as_str()),
            waiting: counted(&queue.waiting, |priority| priority.as_str()),
            groups: groups
                .map(|(n, group)| self.group(group, outlets(n)))
                .collect(),
        }
    }

    fn service(&self, row: &AlarmServiceRow) -> AlarmServiceOut {
        AlarmServiceOut {
            outlet: row.outlet.to_string(),
            kind: row.kind.as_str().to_owned(),
            at: self.iso(row.at),
            by: row.by.to_string(),
            note: row.note.clone(),
            seq: row.seq.0,
        }
    }

    pub(super) fn desk(&self, desk: &DeskView) -> DeskOut {
        DeskOut {
            on_duty: desk.on_duty.iter().map(Self::person).collect(),
            until: self.iso_opt(desk.until),
            next: desk.next.as_ref().map(|row| self.shift(row)),
            hand_overs: self.all(&desk.hand_overs, Self::hand_over),
            queue: self.queue(&desk.queue),
            shelved: self.all(&desk.shelved, Self::alarm),
            suppressed: self.all(&desk.suppressed, Self::alarm),
            out_of_service: self.all(&desk.silenced, Self::alarm),
            services: self.all(&desk.services, Self::service),
            kinds_out: names(desk.kinds_out.iter().map(|kind| kind.as_str())),
        }
    }

    pub(super) fn roster(&self, roster: &RosterView) -> RosterOut {
        RosterOut {
            shifts: self.all(&roster.shifts, Self::shift),
            hand_overs: self.all(&roster.hand_overs, Self::hand_over),
            people: roster.people.iter().map(Self::person).collect(),
        }
    }

    fn top(&self, top: &Top) -> TopOut {
        let (subject_type, subject) = subject(&top.subject);
        TopOut {
            kind: top.kind.as_str().to_owned(),
            subject_type: subject_type.to_owned(),
            subject,
            count: top.count,
        }
    }

    pub(super) fn figures(&self, figures: &Figures) -> FiguresOut {
        let by_priority = figures.by_priority.iter();
        FiguresOut {
            from: self.iso(figures.from),
            until: self.iso(figures.until),
            raised: figures.raised,
            silent: figures.silent,
            intervals: figures.intervals,
            operators: figures.operators.map(Into::into),
            rate_mean: figures.rate_mean.map(Into::into),
            rate_max: figures.rate_max.map(|(rate, _)| rate.into()),
            rate_max_at: self.iso_opt(figures.rate_max.map(|(_, at)| at)),
            flood_intervals: figures.flood_intervals,
            top: self.all(&figures.top, Self::top),
            top_share_pct: figures.top_share_pct.map(Into::into),
            stale: figures.stale.iter().map(|id| id.0).collect(),
            chattering: figures.chattering,
            fleeting: figures.fleeting,
            priorities: counted(&figures.priorities, |priority| priority.as_str()),
            all: answers(&figures.all),
            by_priority: by_priority
                .map(|(priority, of)| (priority.as_str().to_owned(), answers(of)))
                .collect(),
        }
    }
}

fn spread(spread: Spread) -> SpreadOut {
    SpreadOut {
        count: spread.count,
        median_ms: spread.median_ms,
        p90_ms: spread.p90_ms,
        max_ms: spread.max_ms,
    }
}

fn answers(of: &Answers) -> AnswersOut {
    AnswersOut {
        raised: of.raised,
        acknowledged: of.acknowledged,
        asked: of.asked,
        in_time: of.in_time,
        to_acknowledge: spread(of.to_acknowledge),
        to_close: spread(of.to_close),
    }
}
