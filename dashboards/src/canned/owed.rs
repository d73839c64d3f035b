//! What is owed in the canned city: a small table, the days of 2026 around now, and an instance in
//! every state.

use super::books::attachment;
use super::rows::NOW;
use crate::backend::Upload;
use cems_core::duties::{Opening, current_opening, due_at, key};
use cems_core::lang::Text;
use cems_core::model::profile::Provenance;
use cems_core::model::time::{DAY_MS, HOUR_MS};
use cems_core::model::{
    CalendarYear, Day, DutyBook, DutyDeadline, DutyDone, DutyEvent, DutyFor, DutyGone, DutyId,
    DutyKey, DutyRow, DutyRule, DutyStep, DutySubject, DutyTrigger, Holiday, Quota, QuotaUnit,
    Recurrence, Registry, Role, Seq, Speaks, Sure, Timestamp, UserId, UtcOffset, Watch,
    WorkCalendar,
};
use std::collections::{BTreeMap, BTreeSet};

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

pub(super) fn instance(
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
    let by_h = if late { 5 } else { -30 };
    DutyDone {
        at: row.due_at.plus_ms(by_h * HOUR_MS),
        by: UserId::new("qiye"),
        note: "已报送".to_owned(),
        attachments: vec![attachment(&document())],
        late,
        seq: Seq(182_500),
    }
}

/// What an enterprise handed in with its completion.
fn document() -> Upload {
    Upload {
        name: "排放总量报表.pdf".to_owned(),
        content: b"report".to_vec(),
    }
}

/// Documents by their SHA-256.
pub(super) fn documents() -> BTreeMap<String, Upload> {
    let document = document();
    [(attachment(&document).sha256, document)].into()
}
