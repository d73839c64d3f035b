//! Duties of the canned backend: a small table, the days of 2026 around now, and an instance in
//! every state.

use super::Canned;
use super::books::attachment;
use super::held::Held;
use super::rows::NOW;
use super::writing::allow;
use crate::backend::{
    Actor, Backend, BackendError, Change, DutyAsk, DutyBackend, DutyDetail, DutyRound, Feed,
    LIST_ROWS_MAX, Receipt, Reply, Upload, sees_duty,
};
use crate::refusal::of_duty;
use cems_core::duties::{Opening, check_completion, check_opening, check_withdrawal};
use cems_core::duties::{current_opening, due_at, key, triggered};
use cems_core::engine::{DutyCompletion, DutyOpening, DutyTakeBack};
use cems_core::lang::Text;
use cems_core::model::profile::Provenance;
use cems_core::model::time::{DAY_MS, HOUR_MS};
use cems_core::model::{
    CalendarYear, Day, DutyBook, DutyDeadline, DutyDone, DutyEvent, DutyFor, DutyGone, DutyId,
    DutyKey, DutyRow, DutyRule, DutyStep, DutySubject, DutyTrigger, Holiday, Permission, Quota,
    QuotaUnit, Recurrence, Registry, Role, Seq, Speaks, Sure, Timestamp, UserId, UtcOffset, Watch,
    WorkCalendar,
};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

type Read<T> = Result<T, BackendError>;

/// The secret of every canned feed is `feed-` and the user's name.
const FEED: &str = "feed-";

fn rule(
    id: &str,
    (zh, en): (&str, &str),
    subject: DutyFor,
    roles: &[Role],
    (trigger, deadline): (DutyTrigger, DutyDeadline),
) -> DutyRule {
    DutyRule {
        id: DutyId::new(id),
        name: Text::new(zh, en),
        subject,
        regions: BTreeSet::new(),
        roles: roles.iter().copied().collect(),
        trigger,
        deadline,
        moves: false,
        remind_h: vec![72, 24],
        escalate: vec![DutyStep {
            after_h: 24,
            roles: [Role::Supervisor].into(),
        }],
        document: false,
        quota: Vec::new(),
        provenance: Provenance {
            sure: Sure::M,
            source: "示例规定 示例-1 第七条".to_owned(),
        },
        from: None,
        until: None,
    }
}

fn every(period: Recurrence, speaks: Speaks) -> DutyTrigger {
    DutyTrigger::Every {
        period,
        speaks,
        opens: None,
    }
}

fn rules() -> Vec<DutyRule> {
    use DutyDeadline as D;
    use DutyFor as F;
    let (month, quarter) = (Recurrence::Month, Recurrence::Quarter);
    let staff = [Role::Inspector, Role::Supervisor];
    let mut total = rule(
        "month-total",
        (
            "上月主要污染物排放总量报送",
            "Total of last month's main pollutants",
        ),
        F::Enterprise,
        &[Role::EnterpriseUser],
        (every(month, Speaks::Previous), D::WorkingDay { n: 7 }),
    );
    total.document = true;
    let mut sampling = rule(
        "sampling-key",
        ("重点对象随机抽查", "Random checks of key objects"),
        F::Region,
        &[Role::Supervisor],
        (every(quarter, Speaks::Current), D::PeriodEnd),
    );
    sampling.quota = vec![Quota {
        name: Text::new("市级", "city"),
        number: 10.into(),
        unit: QuotaUnit::Percent,
    }];
    vec![
        total,
        sampling,
        rule(
            "month-check",
            ("月度例行现场检查", "Monthly on-site check"),
            F::Enterprise,
            &staff,
            (every(month, Speaks::Current), D::PeriodEnd),
        ),
        rule(
            "quarter-self-check",
            (
                "设备运行情况季度自查报告",
                "Quarterly self-check of the equipment",
            ),
            F::Outlet,
            &[Role::Operator],
            (
                every(quarter, Speaks::Current),
                D::DayOfMonth {
                    month: None,
                    day: 20,
                },
            ),
        ),
        rule(
            "finding-published",
            ("检查结果公开", "Result of an inspection published"),
            F::Enterprise,
            &staff,
            (
                DutyTrigger::On {
                    event: DutyEvent::Finding,
                },
                D::WorkingDaysAfter { n: 20 },
            ),
        ),
        rule(
            "stop-notice",
            (
                "停产、检修前的书面报告",
                "Notice before a stop or an overhaul",
            ),
            F::Enterprise,
            &[Role::EnterpriseUser],
            (
                DutyTrigger::On {
                    event: DutyEvent::StopAnnounced,
                },
                D::DaysBefore { n: 5 },
            ),
        ),
        rule(
            "manual-data",
            ("人工监测数据报送", "Manual monitoring data"),
            F::Outlet,
            &[Role::EnterpriseUser],
            (
                DutyTrigger::Watched {
                    watch: Watch::Fallback,
                },
                D::None,
            ),
        ),
    ]
}

/// A book with two days off in this month and the one after; next year is not known for good.
pub(super) fn book() -> DutyBook {
    let day = |year, month, day| Day::new(year, month, day).expect("a day of the calendar");
    let year = |holidays, make_up: &[Day], provisional| CalendarYear {
        holidays,
        make_up: make_up.iter().copied().collect(),
        source: "示例放假安排".to_owned(),
        provisional,
    };
    let holiday = |zh: &str, en: &str, from, to| Holiday {
        name: Text::new(zh, en),
        from,
        to,
    };
    let qingming = holiday(
        "清明节",
        "Tomb-sweeping Day",
        day(2026, 4, 4),
        day(2026, 4, 6),
    );
    let invented = holiday(
        "示例假日",
        "Example holiday",
        day(2026, 3, 12),
        day(2026, 3, 13),
    );
    let next = holiday("元旦", "New Year's Day", day(2027, 1, 1), day(2027, 1, 1));
    let why = Text::new("通知尚未发布", "the notice is not out yet");
    let years = [
        (
            2026,
            year(vec![invented, qingming], &[day(2026, 3, 14)], None),
        ),
        (2027, year(vec![next], &[], Some(why))),
    ];
    DutyBook {
        rules: rules()
            .into_iter()
            .map(|rule| (rule.id.clone(), rule))
            .collect(),
        calendar: WorkCalendar {
            years: years.into(),
        },
    }
}

fn row(
    rule: &DutyRule,
    subject: DutySubject,
    registry: &Registry,
    book: &DutyBook,
) -> Option<DutyRow> {
    let offset = UtcOffset::default();
    let today = Day::of(NOW, offset);
    let (period, day) = current_opening(rule, today)?;
    let opening = Opening::Period(period, day);
    let due_at = due_at(rule, &opening, &book.calendar, offset)?;
    let round = opening.label(rule)?;
    Some(instance(
        rule,
        subject,
        registry,
        (round.as_str(), day.start(offset), due_at),
    ))
}

fn instance(
    rule: &DutyRule,
    subject: DutySubject,
    registry: &Registry,
    (round, opens_at, due_at): (&str, Timestamp, Timestamp),
) -> DutyRow {
    let enterprise = match &subject {
        DutySubject::Enterprise(id) => Some(id.clone()),
        DutySubject::Outlet(id) => registry.outlets.get(id).map(|o| o.enterprise.clone()),
        DutySubject::Region(_) => None,
    };
    let of = enterprise
        .as_ref()
        .and_then(|id| registry.enterprises.get(id));
    let region = match &subject {
        DutySubject::Region(id) => Some(id.clone()),
        _ => of.map(|e| e.region.clone()),
    };
    DutyRow {
        key: key(&rule.id, &subject, round),
        rule: rule.id.clone(),
        round: round.into(),
        subject,
        enterprise,
        region,
        inside: rule.is_inside(),
        opens_at,
        due_at,
        trigger_at: None,
        opened_by: None,
        note: String::new(),
        done: None,
        gone: None,
        opened_seq: Seq(180_001),
        updated_seq: Seq(180_001),
    }
}

/// The instances: totals of two months ago and last month, some of them completed, the checks and
/// quotas that run, and one finding.
pub(super) fn rows(registry: &Registry, book: &DutyBook) -> BTreeMap<DutyKey, DutyRow> {
    let mut all = BTreeMap::new();
    let mut keep = |row: DutyRow| all.insert(row.key.clone(), row);
    for rule in book.rules.values() {
        let subjects: Vec<DutySubject> = match rule.subject {
            DutyFor::Enterprise => {
                let ids = registry.enterprises.keys();
                ids.cloned().map(DutySubject::Enterprise).collect()
            }
            DutyFor::Outlet => {
                let ids = registry.outlets.keys();
                ids.cloned().map(DutySubject::Outlet).collect()
            }
            DutyFor::Region => {
                let ids = registry.regions.keys();
                ids.cloned().map(DutySubject::Region).collect()
            }
        };
        for (n, subject) in subjects.into_iter().enumerate() {
            let Some(mut row) = row(rule, subject, registry, book) else {
                continue;
            };
            // Every third has been completed, every ninth of them late.
            if rule.id.as_str() == "month-total" && n % 3 == 2 {
                row.done = Some(completion(&row, n % 9 == 8));
            }
            keep(row);
        }
    }
    if let (Some(rule), Some(id)) = (
        book.rules.get("finding-published"),
        registry.enterprises.keys().next(),
    ) {
        let subject = DutySubject::Enterprise(id.clone());
        let trigger_at = NOW.plus_ms(-3 * DAY_MS);
        let due = NOW.plus_ms(25 * DAY_MS);
        let mut found = instance(
            rule,
            subject.clone(),
            registry,
            ("entry-183002", trigger_at, due),
        );
        found.trigger_at = Some(trigger_at);
        found.opened_by = Some(UserId::new("zhifa"));
        found.note = "台账不全".to_owned();
        keep(found);
        let mut back = instance(rule, subject, registry, ("entry-183001", trigger_at, due));
        back.trigger_at = Some(trigger_at);
        back.opened_by = Some(UserId::new("zhifa"));
        back.gone = Some((NOW.plus_ms(-HOUR_MS), DutyGone::TakenBack));
        keep(back);
    }
    all
}

fn completion(row: &DutyRow, late: bool) -> DutyDone {
    let file = Upload {
        name: "排放总量报表.pdf".to_owned(),
        content: b"report".to_vec(),
    };
    let by_h = if late { 5 } else { -30 };
    DutyDone {
        at: row.due_at.plus_ms(by_h * HOUR_MS),
        by: UserId::new("qiye"),
        note: "已报送".to_owned(),
        attachments: vec![attachment(&file)],
        late,
        seq: Seq(182_500),
    }
}

impl Held {
    fn own_duty(&self, actor: &Actor, key: &DutyKey) -> Read<DutyRow> {
        let row = self.duties.get(key).ok_or(BackendError::NotFound)?;
        if sees_duty(actor, &self.registry, row) {
            Ok(row.clone())
        } else {
            Err(BackendError::NotFound)
        }
    }
}

impl Canned {
    fn duty_changed(&self, row: DutyRow, receipt: Receipt) -> Receipt {
        let mut held = self.lock();
        held.duties.insert(row.key.clone(), row);
        drop(held);
        self.announce(&[Change::Duties]);
        receipt
    }

    fn write_completion(
        &self,
        actor: &Actor,
        key: DutyKey,
        note: String,
        files: &[Upload],
    ) -> Read<Receipt> {
        let mut held = self.lock();
        let mut row = held.own_duty(actor, &key)?;
        let rule = held.book.rules.get(&row.rule).cloned();
        if !rule
            .as_ref()
            .is_some_and(|rule| rule.is_completed_by(actor.role))
        {
            return Err(BackendError::Forbidden);
        }
        let entry = DutyCompletion {
            key,
            by: actor.user.clone(),
            note,
            attachments: files.iter().map(attachment).collect(),
        };
        check_completion(&entry, Some(&row), rule.as_ref())
            .map_err(|e| of_duty(&e, UtcOffset::default()))?;
        let object = format!("duty/{}", row.key);
        let receipt = held.write(actor, "duty.done", object, &entry.note);
        row.done = Some(DutyDone {
            at: NOW,
            by: entry.by,
            note: entry.note,
            attachments: entry.attachments,
            late: NOW >= row.due_at,
            seq: receipt.seq,
        });
        for file in files {
            let kept = (row.key.clone(), attachment(file).sha256);
            held.duty_files.insert(kept, file.clone());
        }
        drop(held);
        Ok(self.duty_changed(row, receipt))
    }

    fn write_taken_back(&self, actor: &Actor, key: DutyKey, reason: String) -> Read<Receipt> {
        let mut held = self.lock();
        let mut row = held.own_duty(actor, &key)?;
        let rule = held.book.rules.get(&row.rule);
        let may = rule.is_some_and(|rule| match row.done {
            Some(_) => rule.is_completed_by(actor.role),
            None => rule.is_opened_by(actor.role),
        });
        if !may {
            return Err(BackendError::Forbidden);
        }
        let entry = DutyTakeBack {
            key,
            by: actor.user.clone(),
            reason,
        };
        check_withdrawal(&entry, Some(&row)).map_err(|e| of_duty(&e, UtcOffset::default()))?;
        let object = format!("duty/{}", row.key);
        let receipt = held.write(actor, "duty.taken-back", object, &entry.reason);
        if row.done.take().is_none() {
            row.gone = Some((NOW, DutyGone::TakenBack));
        }
        drop(held);
        Ok(self.duty_changed(row, receipt))
    }

    fn write_opening(
        &self,
        actor: &Actor,
        rule: DutyId,
        subject: DutySubject,
        trigger_at: Timestamp,
        note: String,
    ) -> Read<Receipt> {
        let mut held = self.lock();
        let (book, registry) = (Arc::clone(&held.book), Arc::clone(&held.registry));
        let known = book.rules.get(&rule).ok_or(BackendError::NotFound)?;
        if !known.is_opened_by(actor.role) {
            return Err(BackendError::Forbidden);
        }
        let offset = UtcOffset::default();
        let entry = DutyOpening {
            rule,
            subject,
            trigger_at,
            by: actor.user.clone(),
            note,
        };
        check_opening(&entry, Some(known), &registry, NOW).map_err(|e| of_duty(&e, offset))?;
        let opening = Opening::Trigger(trigger_at);
        let due = due_at(known, &opening, &book.calendar, offset);
        let due = due.ok_or(BackendError::NotFound)?;
        let round = triggered("entry", held.seq + 1);
        let mut row = instance(known, entry.subject, &registry, (&round, NOW, due));
        row.trigger_at = Some(trigger_at);
        row.opened_by = Some(entry.by);
        row.note = entry.note;
        if !sees_duty(actor, &registry, &row) {
            return Err(BackendError::NotFound);
        }
        let object = format!("duty/{}", row.key);
        let receipt = held.write(actor, "duty.opened", object, &row.note);
        drop(held);
        Ok(self.duty_changed(row, receipt))
    }
}

impl DutyBackend for Canned {
    fn duty_book(&self) -> Arc<DutyBook> {
        Arc::clone(&self.lock().book)
    }

    fn duties(&self, actor: &Actor, ask: &DutyAsk) -> Read<Vec<DutyRow>> {
        let held = self.lock();
        let wanted = |row: &&DutyRow| {
            row.is_open() != ask.ended
                && ask.due_before.is_none_or(|before| row.due_at < before)
                && ask.rule.as_ref().is_none_or(|rule| row.rule == *rule)
                && sees_duty(actor, &held.registry, row)
        };
        let mut rows: Vec<DutyRow> = held.duties.values().filter(wanted).cloned().collect();
        rows.sort_by_key(|row| (row.due_at, row.key.clone()));
        if ask.ended {
            rows.sort_by_key(|row| std::cmp::Reverse(row.ended_at()));
        }
        rows.truncate(LIST_ROWS_MAX);
        Ok(rows)
    }

    fn duty(&self, actor: &Actor, key: &DutyKey) -> Read<DutyDetail> {
        let held = self.lock();
        let row = held.own_duty(actor, key)?;
        let of = format!("duty/{key}");
        let history = held.audit.iter().filter(|line| line.object == of);
        Ok(DutyDetail {
            history: history.cloned().collect(),
            row,
        })
    }

    fn duty_rounds(
        &self,
        actor: &Actor,
        from: Timestamp,
        until: Timestamp,
    ) -> Read<Vec<DutyRound>> {
        let held = self.lock();
        let mut rounds: BTreeMap<_, (u64, u64)> = BTreeMap::new();
        for row in held.duties.values() {
            let within = from < row.due_at && row.due_at <= until && row.gone.is_none();
            if within && sees_duty(actor, &held.registry, row) {
                let of = (row.due_at, row.rule.clone(), row.round.clone());
                let counts = rounds.entry(of).or_default();
                counts.0 += u64::from(row.is_open());
                counts.1 += 1;
            }
        }
        let one = |((due_at, rule, round), (open, all))| DutyRound {
            rule,
            round,
            due_at,
            open,
            all,
        };
        Ok(rounds.into_iter().map(one).take(LIST_ROWS_MAX).collect())
    }

    fn duty_file(&self, actor: &Actor, key: &DutyKey, sha256: &str) -> Read<Upload> {
        let held = self.lock();
        held.own_duty(actor, key)?;
        let kept = held.duty_files.get(&(key.clone(), sha256.to_owned()));
        kept.cloned().ok_or(BackendError::NotFound)
    }

    fn complete_duty<'a>(
        &'a self,
        actor: &'a Actor,
        key: DutyKey,
        note: String,
        files: Vec<Upload>,
    ) -> Reply<'a, Read<Receipt>> {
        Box::pin(async move { self.write_completion(actor, key, note, &files) })
    }

    fn take_duty_back<'a>(
        &'a self,
        actor: &'a Actor,
        key: DutyKey,
        reason: String,
    ) -> Reply<'a, Read<Receipt>> {
        Box::pin(async move { self.write_taken_back(actor, key, reason) })
    }

    fn open_duty<'a>(
        &'a self,
        actor: &'a Actor,
        rule: DutyId,
        subject: DutySubject,
        trigger_at: Timestamp,
        note: String,
    ) -> Reply<'a, Read<Receipt>> {
        Box::pin(async move { self.write_opening(actor, rule, subject, trigger_at, note) })
    }

    fn feed(&self, actor: &Actor) -> Read<Option<Feed>> {
        allow(actor, Permission::View)?;
        let made = self.lock().feeds.contains(&actor.user);
        Ok(made.then_some(Feed {
            created_at: NOW,
            fetched_at: None,
        }))
    }

    fn renew_feed<'a>(&'a self, actor: &'a Actor) -> Reply<'a, Read<String>> {
        Box::pin(async move {
            self.lock().feeds.insert(actor.user.clone());
            Ok(format!("{FEED}{}", actor.user))
        })
    }

    fn end_feed<'a>(&'a self, actor: &'a Actor) -> Reply<'a, Read<()>> {
        Box::pin(async move {
            self.lock().feeds.remove(&actor.user);
            Ok(())
        })
    }

    fn feed_of(&self, token: &str) -> Option<Actor> {
        let user = UserId::new(token.strip_prefix(FEED)?);
        let known = self.lock().feeds.contains(&user);
        let role = Role::ALL
            .into_iter()
            .find(|role| super::user_of(*role) == user.as_str());
        let actor = self.session(&Self::token(role?));
        actor.filter(|_| known)
    }
}
