//! Addresses about duties with a clock, the calendar they are counted by, and what people enter.

use super::answers::ReceiptOut;
use super::calls::{Body, Id};
use super::convert::Convert;
use super::judged::{AttachmentOut, FileIn};
use super::problem::{Answer, Problem};
use super::schema::{Exact, Iso, shape};
use crate::app::Caller;
use crate::backend::{BackendError, DutyAsk};
use crate::pages::{Params, checked_reason, doubt, kind_of, month_of, subject_of};
use axum::Json;
use axum::extract::Path;
use axum::response::Response;
use cems_core::lang::Text;
use cems_core::model::{
    Day, DayKind, DutyDeadline, DutyFor, DutyId, DutyKey, DutyRow, DutyRule, DutyTrigger,
    Permission, Speaks,
};

shape! {
    /// The completion of a duty.
    DutyDoneOut {
        /// When it was entered.
        at: Iso,
        /// Who.
        by: String,
        /// Their words.
        note: String,
        /// Documents; their content is at `/api/v1/duties/{key}/files/{sha256}`.
        attachments: Vec<AttachmentOut>,
        /// It came after it was due.
        late: bool,
        /// Journal position.
        seq: u64,
    }
}
shape! {
    /// A duty: one instance of a row of the table.
    DutyOut {
        /// Identity: `row:subject:round`.
        key: String,
        /// Row of the table.
        rule: String,
        /// Name of the row.
        name: String,
        /// Period spoken about, such as `2026-09` or `2026-Q3`, or what triggered it.
        round: String,
        /// enterprise, outlet or region.
        subject_type: String,
        /// Whom it is about.
        subject: String,
        /// Enterprise concerned.
        enterprise: Option<String>,
        /// Region concerned.
        region: Option<String>,
        /// overdue, open, done, done-late or gone.
        standing: String,
        /// When it opened.
        opens_at: Iso,
        /// First instant at which it is late: the end of a day is the first instant of the next.
        due_at: Iso,
        /// What time the clock counts from or towards, where something triggered it.
        trigger_at: Option<Iso>,
        /// Who opened it by hand.
        opened_by: Option<String>,
        /// Their words.
        note: String,
        /// Its completion.
        done: Option<DutyDoneOut>,
        /// Why it ended without being completed.
        gone: Option<String>,
        /// Journal position of the last change.
        updated_seq: u64,
    }
}
shape! {
    /// What happened to a duty or to its round.
    DutyLineOut {
        /// When.
        at: Iso,
        /// Who.
        who: String,
        /// Code.
        what: String,
        /// Words.
        detail: String,
    }
}
shape! {
    /// A duty with its history.
    DutyDetailOut {
        /// The duty.
        duty: DutyOut,
        /// What happened, oldest first.
        history: Vec<DutyLineOut>,
    }
}
shape! {
    /// Who is told when a duty stays overdue.
    DutyStepOut {
        /// Hours after it became overdue.
        after_h: u64,
        /// Roles.
        roles: Vec<String>,
    }
}
shape! {
    /// What must be reached within the period.
    QuotaOut {
        /// For whom, in words.
        name: String,
        /// The least.
        number: Exact,
        /// percent or per-inspector.
        unit: String,
    }
}
shape! {
    /// A row of the table of duties.
    DutyRuleOut {
        /// Identity.
        id: String,
        /// What is owed.
        name: String,
        /// enterprise, outlet or region: for whom instances open.
        subject_type: String,
        /// Only in these regions; empty: everywhere.
        regions: Vec<String>,
        /// Who completes it.
        roles: Vec<String>,
        /// every, on or watched: what opens instances.
        trigger: String,
        /// Which period, event or watch.
        of: String,
        /// It speaks about the period before the one in which it opens.
        previous: bool,
        /// Month and day on which it opens, for years.
        opens_on: Option<String>,
        /// How the deadline is counted, such as working-day or days-after.
        due: String,
        /// The number of it.
        due_n: Option<u64>,
        /// Month, where the deadline is a date.
        due_month: Option<u64>,
        /// A due day on which nobody works moves to the next working day.
        moves: bool,
        /// Reminders, hours before it is due.
        remind_h: Vec<u64>,
        /// Who is told when it stays overdue.
        escalate: Vec<DutyStepOut>,
        /// A completion needs a document.
        document: bool,
        /// What must be reached.
        quota: Vec<QuotaOut>,
        /// Rule and clause.
        source: String,
        /// V read in the text itself, V2 in a secondary source, M recalled or chosen.
        sure: String,
        /// First day on which instances open.
        from: Option<String>,
        /// First day on which none opens any more.
        until: Option<String>,
    }
}
shape! {
    /// All instances of a row that are due at one time.
    DutyRoundOut {
        /// Row of the table.
        rule: String,
        /// Its name.
        name: String,
        /// Period spoken about, or what triggered it.
        round: String,
        /// First instant at which it is late.
        due_at: Iso,
        /// Instances in scope that are open.
        open: u64,
        /// Instances in scope.
        all: u64,
    }
}
shape! {
    /// A day of the calendar.
    CalendarDayOut {
        /// The day, `2026-10-08`.
        date: String,
        /// working, make-up, weekend or holiday.
        kind: String,
        /// Name of the holiday.
        holiday: Option<String>,
        /// What is due by its end.
        due: Vec<DutyRoundOut>,
    }
}
shape! {
    /// A month of the calendar.
    CalendarOut {
        /// The month, `2026-10`.
        month: String,
        /// What is not certain about the working days of the year; empty when nothing is.
        doubt: String,
        /// The notice that the year was taken from.
        source: Option<String>,
        /// Days.
        days: Vec<CalendarDayOut>,
    }
}
shape! {
    /// A completion to be entered.
    DutyDoneIn {
        /// Words, possibly empty.
        note: String,
        /// Documents, possibly empty.
        files: Vec<FileIn>,
    }
}
shape! {
    /// A completion, or else an opening by hand, to be taken back.
    DutyBackIn {
        /// Why, not empty.
        reason: String,
    }
}
shape! {
    /// A duty to be opened by hand.
    DutyOpenIn {
        /// Row of the table, one that an event opens.
        rule: String,
        /// Id of the enterprise, outlet or region.
        subject: String,
        /// When it happened, or for when it is announced, ISO 8601 with offset.
        trigger_at: Iso,
        /// Words, not empty.
        note: String,
    }
}

pub(super) async fn list(caller: Caller, query: Params) -> Answer<Vec<DutyOut>> {
    let due_before = query.get("due_before");
    let ask = DutyAsk {
        ended: query.get("ended").is_some_and(|v| v == "true" || v == "1"),
        due_before: due_before.map(|text| caller.instant(text)).transpose()?,
        rule: query.get("rule").map(DutyId::new),
    };
    let rows = caller.rows(move |b, a| b.duties(a, &ask)).await?;
    let book = caller.app.backend.duty_book();
    let convert = caller.convert();
    let shown = |row: &DutyRow| convert.duty(row, book.rules.get(&row.rule));
    Ok(Json(rows.iter().map(shown).collect()))
}

pub(super) async fn one(caller: Caller, key: Id<String>) -> Answer<DutyDetailOut> {
    let key = DutyKey::new(caller.id(key)?);
    let detail = caller.rows(move |b, a| b.duty(a, &key)).await?;
    let book = caller.app.backend.duty_book();
    let convert = caller.convert();
    let lines = detail.history.iter().map(|line| DutyLineOut {
        at: convert.iso(line.at),
        who: line.who.to_string(),
        what: line.what.to_string(),
        detail: line.detail.clone(),
    });
    Ok(Json(DutyDetailOut {
        history: lines.collect(),
        duty: convert.duty(&detail.row, book.rules.get(&detail.row.rule)),
    }))
}

pub(super) async fn rules(caller: Caller) -> Answer<Vec<DutyRuleOut>> {
    let book = caller.app.backend.duty_book();
    let convert = caller.convert();
    let inside = caller.actor.role.is_centre();
    let rules = book
        .rules
        .values()
        .filter(|rule| inside || !rule.is_inside());
    Ok(Json(rules.map(|rule| convert.duty_rule(rule)).collect()))
}

pub(super) async fn calendar(caller: Caller, query: Params) -> Answer<CalendarOut> {
    let offset = caller.registry.offset;
    let today = Day::of(caller.app.backend.now(), offset);
    let month = month_of(query.get("month"), today).map_err(|e| caller.problem(&e))?;
    let (from, until) = (month.start.start(offset), month.end().start(offset));
    let rounds = caller
        .rows(move |b, a| b.duty_rounds(a, from, until))
        .await?;
    let book = caller.app.backend.duty_book();
    let convert = caller.convert();
    let mut days = Vec::new();
    let mut day = month.start;
    while day < month.end() {
        let due = rounds.iter().filter(|round| {
            let last = Day::of(round.due_at.plus_ms(-1), offset);
            last == day
        });
        let kind = book.calendar.kind(day);
        days.push(CalendarDayOut {
            date: day.to_string(),
            kind: kind_of(kind).to_owned(),
            holiday: match kind {
                DayKind::Holiday(name) => Some(convert.both(name)),
                _ => None,
            },
            due: due
                .map(|round| DutyRoundOut {
                    rule: round.rule.to_string(),
                    name: convert.duty_name(&round.rule, book.rules.get(&round.rule)),
                    round: round.round.to_string(),
                    due_at: convert.iso(round.due_at),
                    open: round.open,
                    all: round.all,
                })
                .collect(),
        });
        day = day.plus(1);
    }
    let year = month.start.year();
    Ok(Json(CalendarOut {
        month: month.label().to_string(),
        doubt: doubt(caller.words, &book, year),
        source: book
            .calendar
            .years
            .get(&year)
            .map(|year| year.source.clone()),
        days,
    }))
}

pub(super) async fn complete(
    caller: Caller,
    key: Id<String>,
    body: Body<DutyDoneIn>,
) -> Answer<ReceiptOut> {
    let key = DutyKey::new(caller.id(key)?);
    caller.allow(Permission::CompleteDuty)?;
    let body = caller.body(body)?;
    let files = caller.files(&body.files)?;
    let backend = &caller.app.backend;
    let note = body.note.trim().to_owned();
    caller.receipt(backend.complete_duty(&caller.actor, key, note, files).await)
}

pub(super) async fn take_back(
    caller: Caller,
    key: Id<String>,
    body: Body<DutyBackIn>,
) -> Answer<ReceiptOut> {
    let key = DutyKey::new(caller.id(key)?);
    caller.allow(Permission::CompleteDuty)?;
    let body = caller.body(body)?;
    let reason = checked_reason(Some(&body.reason)).map_err(|e| caller.problem(&e))?;
    let backend = &caller.app.backend;
    caller.receipt(backend.take_duty_back(&caller.actor, key, reason).await)
}

pub(super) async fn open(caller: Caller, body: Body<DutyOpenIn>) -> Answer<ReceiptOut> {
    caller.allow(Permission::CompleteDuty)?;
    let body = caller.body(body)?;
    let rule = DutyId::new(&body.rule);
    let book = caller.app.backend.duty_book();
    let kind: Option<DutyFor> = book.rules.get(&rule).map(|rule| rule.subject);
    let kind = kind.ok_or_else(|| caller.problem(&BackendError::NotFound))?;
    let subject = subject_of(kind, &body.subject);
    let at = caller.time(&body.trigger_at)?;
    let note = checked_reason(Some(&body.note)).map_err(|e| caller.problem(&e))?;
    let backend = &caller.app.backend;
    let opened = backend.open_duty(&caller.actor, rule, subject, at, note);
    caller.receipt(opened.await)
}

/// `GET /api/v1/duties/{key}/files/{sha256}`: the file itself.
pub(super) async fn file(caller: Caller, path: Id<(String, String)>) -> Result<Response, Problem> {
    let (key, sha256) = path
        .map(|Path(path)| path)
        .map_err(|_| caller.problem(&BackendError::NotFound))?;
    let key = DutyKey::new(key);
    let file = caller
        .rows(move |b, a| b.duty_file(a, &key, &sha256))
        .await?;
    Ok(crate::upload::answer(file))
}

impl Convert<'_> {
    fn both(&self, text: &Text) -> String {
        self.words.pick(&text.zh, Some(&text.en)).to_owned()
    }

    fn duty_name(&self, id: &DutyId, rule: Option<&DutyRule>) -> String {
        rule.map_or_else(|| id.to_string(), |rule| self.both(&rule.name))
    }

    fn duty(&self, row: &DutyRow, rule: Option<&DutyRule>) -> DutyOut {
        DutyOut {
            key: row.key.to_string(),
            rule: row.rule.to_string(),
            name: self.duty_name(&row.rule, rule),
            round: row.round.to_string(),
            subject_type: row.subject.kind().as_str().to_owned(),
            subject: row.subject.id().to_owned(),
            enterprise: row.enterprise.as_ref().map(ToString::to_string),
            region: row.region.as_ref().map(ToString::to_string),
            standing: row.standing(self.times.now).as_str().to_owned(),
            opens_at: self.iso(row.opens_at),
            due_at: self.iso(row.due_at),
            trigger_at: self.iso_opt(row.trigger_at),
            opened_by: row.opened_by.as_ref().map(ToString::to_string),
            note: row.note.clone(),
            done: row.done.as_ref().map(|done| DutyDoneOut {
                at: self.iso(done.at),
                by: done.by.to_string(),
                note: done.note.clone(),
                attachments: self.all(&done.attachments, Self::attachment),
                late: done.late,
                seq: done.seq.0,
            }),
            gone: row.gone.map(|(_, why)| why.as_str().to_owned()),
            updated_seq: row.updated_seq.0,
        }
    }

    fn duty_rule(&self, rule: &DutyRule) -> DutyRuleOut {
        let names = |roles: &std::collections::BTreeSet<cems_core::model::Role>| {
            roles.iter().map(ToString::to_string).collect::<Vec<_>>()
        };
        let (trigger, of) = match rule.trigger {
            DutyTrigger::Every { period, .. } => ("every", period.as_str()),
            DutyTrigger::On { event } => ("on", event.as_str()),
            DutyTrigger::Watched { watch } => ("watched", watch.as_str()),
        };
        let (previous, opens_on) = match rule.trigger {
            DutyTrigger::Every { speaks, opens, .. } => (
                speaks == Speaks::Previous,
                opens.map(|(month, day)| format!("{month:02}-{day:02}")),
            ),
            _ => (false, None),
        };
        let (due, due_n, due_month) = deadline(rule.deadline);
        DutyRuleOut {
            id: rule.id.to_string(),
            name: self.both(&rule.name),
            subject_type: rule.subject.as_str().to_owned(),
            regions: rule.regions.iter().map(ToString::to_string).collect(),
            roles: names(&rule.roles),
            trigger: trigger.to_owned(),
            of: of.to_owned(),
            previous,
            opens_on,
            due: due.to_owned(),
            due_n: due_n.map(u64::from),
            due_month: due_month.map(u64::from),
            moves: rule.moves,
            remind_h: rule.remind_h.iter().map(|h| u64::from(*h)).collect(),
            escalate: rule
                .escalate
                .iter()
                .map(|step| DutyStepOut {
                    after_h: u64::from(step.after_h),
                    roles: names(&step.roles),
                })
                .collect(),
            document: rule.document,
            quota: rule
                .quota
                .iter()
                .map(|quota| QuotaOut {
                    name: self.both(&quota.name),
                    number: quota.number.into(),
                    unit: quota.unit.as_str().to_owned(),
                })
                .collect(),
            source: rule.provenance.source.clone(),
            sure: rule.provenance.sure.as_str().to_owned(),
            from: rule.from.map(|day| day.to_string()),
            until: rule.until.map(|day| day.to_string()),
        }
    }
}

/// How a deadline is counted, with its number and its month.
fn deadline(deadline: DutyDeadline) -> (&'static str, Option<u32>, Option<u32>) {
    use DutyDeadline as D;
    match deadline {
        D::WorkingDay { n } => ("working-day", Some(n), None),
        D::PeriodEnd => ("period-end", None, None),
        D::DayOfMonth { month, day } => ("day-of-month", Some(day), month),
        D::Day { n } => ("day", Some(n), None),
        D::WorkingDaysAfter { n } => ("working-days-after", Some(n), None),
        D::DaysAfter { n } => ("days-after", Some(n), None),
        D::HoursAfter { n } => ("hours-after", Some(n), None),
        D::DaysBefore { n } => ("days-before", Some(n), None),
        D::None => ("none", None, None),
    }
}
