//! One `[[duty]]`.

use crate::check::{dates, id, profile, unknown};
use crate::report::{Report, Say, say};
use crate::section::{Got, Item, Section, word};
use cems_core::lang::Text;
use cems_core::model::duty::DUTY_STEPS_MAX;
use cems_core::model::{
    Day, DutyDeadline, DutyEvent, DutyFor, DutyId, DutyRule, DutyStep, DutyTrigger, Provenance,
    Quota, QuotaUnit, Recurrence, RegionId, Registry, Role, Speaks, Sure, UtcOffset, Watch,
};
use rust_decimal::Decimal;
use std::collections::BTreeSet;

/// Hours of a reminder or a step: a year.
const HOURS: std::ops::RangeInclusive<i64> = 0..=8_784;
/// Days of a deadline: a year.
const DAYS: std::ops::RangeInclusive<i64> = 1..=366;
/// Most quotas of a row.
const QUOTAS_MAX: usize = 8;

/// Reads a row: its id, the row itself unless something is wrong or it is only switched off, and
/// whether it is switched off. Without a registry the regions are not looked up.
pub(super) fn row(
    s: &Section<'_>,
    offset: UtcOffset,
    registry: Option<&Registry>,
    r: &mut Report,
) -> Option<(Got<String>, Option<DutyRule>, bool)> {
    let id = id(s, r);
    let off = s.boolean(r, "off").is_some_and(|got| got.value);
    // What takes a row out says no more than that; a row that is kept switched off says all.
    if off && s.item("name_zh").is_none() {
        return id.map(|id| (id, None, true));
    }
    let name = names(s, r);
    let subject = need_word(s, r, "for", DutyFor::ALL.map(|kind| (kind.as_str(), kind)));
    let roles = roles(s, r);
    let trigger = trigger(s, r);
    let deadline = trigger.as_ref().and_then(|t| deadline(s, t, r));
    if let (Some(subject), Some(trigger)) = (&subject, &trigger) {
        outlets_only(subject, trigger, r);
    }
    let (from, until) = dates::force(s, offset, r);
    let rule = DutyRule {
        id: DutyId::new(id.as_ref().map_or("", |id| id.value.as_str())),
        name,
        subject: subject.map_or(DutyFor::Enterprise, |got| got.value),
        regions: regions(s, registry, r),
        roles,
        trigger: trigger.map_or(
            DutyTrigger::Watched {
                watch: Watch::NoData,
            },
            |t| t.value,
        ),
        deadline: deadline.unwrap_or(DutyDeadline::None),
        moves: s.boolean(r, "moves").is_some_and(|got| got.value),
        remind_h: reminders(s, r),
        escalate: steps(s, r),
        document: s.boolean(r, "document").is_some_and(|got| got.value),
        quota: quotas(s, r),
        provenance: source(s, r),
        from: from.map(|at| Day::of(at, offset)),
        until: until.map(|at| Day::of(at, offset)),
    };
    id.map(|id| (id, Some(rule), off))
}

fn names(s: &Section<'_>, r: &mut Report) -> Text {
    let hint = || say!("lists and mails show it", "列表与通知中显示");
    let zh = s.need_text(r, "name_zh", hint());
    let en = s.need_text(r, "name_en", hint());
    let text = |got: Option<Got<String>>| got.map(|got| got.value).unwrap_or_default();
    Text::new(text(zh), text(en))
}

fn need_word<T: Copy, const N: usize>(
    s: &Section<'_>,
    r: &mut Report,
    key: &'static str,
    words: [(&'static str, T); N],
) -> Option<Got<T>> {
    if s.item(key).is_none() {
        let names = words.map(|(name, _)| name).join(", ");
        s.missing(r, key, say!("one of {names}", "可取：{names}"));
    }
    s.word(r, key, &words)
}

fn roles(s: &Section<'_>, r: &mut Report) -> BTreeSet<Role> {
    let roles = role_list(s, r, "roles");
    if let Some(item) = s.item("roles") {
        let idle = |role: &&Role| matches!(role, Role::Auditor | Role::Administrator);
        if let Some(role) = roles.iter().find(idle) {
            r.error(
                item.at,
                say!("{role} completes no duties", "{role} 不办理事项"),
                say!("name those who owe it", "请填写承担该事项的角色"),
            );
        }
    }
    roles
}

fn role_list(s: &Section<'_>, r: &mut Report, key: &'static str) -> BTreeSet<Role> {
    let words = Role::ALL.map(|role| (role.as_str(), role));
    let list = s.texts(r, key).unwrap_or_default();
    if list.is_empty() {
        let names = Role::ALL.map(Role::as_str).join(", ");
        s.missing(r, key, say!("some of {names}", "可取：{names}"));
    }
    list.iter()
        .filter_map(|got| word(r, key, got, &words))
        .collect()
}

/// `every`, `on` or `watched`: exactly one.
fn trigger(s: &Section<'_>, r: &mut Report) -> Option<Got<DutyTrigger>> {
    let every = s.word(r, "every", &Recurrence::ALL.map(|p| (p.as_str(), p)));
    let on = s.word(r, "on", &DutyEvent::ALL.map(|e| (e.as_str(), e)));
    let watched = s.word(r, "watched", &Watch::ALL.map(|w| (w.as_str(), w)));
    let speaks = s.word(
        r,
        "speaks",
        &[("current", Speaks::Current), ("previous", Speaks::Previous)],
    );
    let opens = opens(s, r);
    let written = ["every", "on", "watched"].map(|key| s.item(key).is_some());
    if written.iter().filter(|is| **is).count() != 1 {
        r.error(
            s.at,
            say!(
                "it is not said by what it opens",
                "未说明或重复说明由什么启动"
            ),
            say!(
                "one of: every = \"month\", on = \"fallback-opened\", watched = \"no-data\"",
                "写一个：every = \"month\"、on = \"fallback-opened\" 或 watched = \"no-data\""
            ),
        );
        return None;
    }
    let period = every.as_ref().map(|got| got.value);
    if let Some(at) = opens.as_ref().map(|got| got.at)
        && period != Some(Recurrence::Year)
    {
        r.error(
            at,
            say!(
                "`opens` is for every = \"year\"",
                "`opens` 仅用于 every = \"year\""
            ),
            say!(
                "other periods open on their first day",
                "其他周期在首日启动"
            ),
        );
    }
    if let (Some(speaks), None) = (&speaks, period) {
        r.error(
            speaks.at,
            say!("`speaks` needs `every`", "`speaks` 须与 `every` 同用"),
            say!("take the line out", "请删除该行"),
        );
    }
    let opens = opens.map(|got| got.value);
    let speaks = speaks.map(|got| got.value).unwrap_or_default();
    let recurring = every.map(|got| {
        got.map(|period| DutyTrigger::Every {
            period,
            speaks,
            opens,
        })
    });
    recurring
        .or(on.map(|got| got.map(|event| DutyTrigger::On { event })))
        .or(watched.map(|got| got.map(|watch| DutyTrigger::Watched { watch })))
}

/// `opens = "04-15"`.
fn opens(s: &Section<'_>, r: &mut Report) -> Option<Got<(u32, u32)>> {
    let got = s.text(r, "opens")?;
    let parts = got.value.split_once('-');
    let parsed = parts.and_then(|(month, day)| Some((month.parse().ok()?, day.parse().ok()?)));
    // 29 February is a day of a leap year only.
    let parsed = parsed.filter(|(month, day)| Day::new(2025, *month, *day).is_some());
    if parsed.is_none() {
        let value = &got.value;
        r.error(
            got.at,
            say!(
                "not a day of every year: {value}",
                "不是每年都有的日期：{value}"
            ),
            say!("month and day, such as \"04-15\"", "月-日，如 \"04-15\""),
        );
    }
    parsed.map(|value| Got { value, at: got.at })
}

/// Events at an outlet open instances for that outlet.
fn outlets_only(subject: &Got<DutyFor>, trigger: &Got<DutyTrigger>, r: &mut Report) {
    let DutyTrigger::On { event } = trigger.value else {
        return;
    };
    let of_outlets = matches!(event, DutyEvent::FallbackOpened | DutyEvent::FaultMarked);
    if of_outlets && subject.value != DutyFor::Outlet {
        let name = event.as_str();
        r.error(
            subject.at,
            say!(
                "{name} happens at an outlet, so the duty is one of outlets",
                "{name} 发生在排放口，事项的对象须为排放口"
            ),
            say!("for = \"outlet\"", "请写 for = \"outlet\""),
        );
    }
}

fn due_hint() -> Say {
    say!(
        "such as due = {{ working_day = 7 }}; see examples/duties.toml",
        "如 due = {{ working_day = 7 }}；见 examples/duties.toml"
    )
}

fn deadline(s: &Section<'_>, trigger: &Got<DutyTrigger>, r: &mut Report) -> Option<DutyDeadline> {
    use DutyDeadline as D;
    let Some(due) = s.section(r, "due") else {
        if !matches!(trigger.value, DutyTrigger::Watched { .. }) && s.item("due").is_none() {
            s.missing(r, "due", due_hint());
        }
        return None;
    };
    let mut n = |key: &'static str, most: i64| {
        let got = due.integer::<u32>(r, key, 1..=most);
        got.map(|got| got.value)
    };
    let forms = [
        n("working_day", 250).map(|n| D::WorkingDay { n }),
        n("day", 366).map(|n| D::Day { n }),
        n("working_days_after", 250).map(|n| D::WorkingDaysAfter { n }),
        n("days_after", *DAYS.end()).map(|n| D::DaysAfter { n }),
        n("hours_after", *HOURS.end()).map(|n| D::HoursAfter { n }),
        n("days_before", *DAYS.end()).map(|n| D::DaysBefore { n }),
    ];
    let month = n("month", 12);
    let of_month = n("day_of_month", 31).map(|day| D::DayOfMonth { month, day });
    let end = due.boolean(r, "period_end");
    let end = end.filter(|got| got.value).map(|_| D::PeriodEnd);
    let mut found: Vec<D> = forms
        .into_iter()
        .flatten()
        .chain(of_month)
        .chain(end)
        .collect();
    let at = due.at;
    due.finish(r);
    let form = found.pop().filter(|_| found.is_empty());
    let fits = form.filter(|form| fits(&trigger.value, form));
    if fits.is_none() {
        let what = match form {
            Some(_) => say!(
                "that `due` does not go with what opens the duty",
                "`due` 与启动方式不符"
            ),
            None => say!(
                "`due` must say exactly one thing",
                "`due` 须且只能写一种期限"
            ),
        };
        let hint = say!(
            "every: working_day, day, day_of_month (years: with month), period_end; \
             on: working_days_after, days_after, hours_after; stop-announced: days_before",
            "every：working_day、day、day_of_month（按年须加 month）、period_end；\
             on：working_days_after、days_after、hours_after；stop-announced：days_before"
        );
        r.error(at, what, hint);
    }
    fits
}

fn fits(trigger: &DutyTrigger, form: &DutyDeadline) -> bool {
    use DutyDeadline as D;
    match *trigger {
        DutyTrigger::Watched { .. } => false,
        DutyTrigger::Every { period, .. } => match form {
            D::WorkingDay { .. } | D::PeriodEnd | D::Day { .. } => true,
            D::DayOfMonth { month, .. } => match period {
                Recurrence::Year => month.is_some(),
                Recurrence::Month | Recurrence::Quarter => month.is_none(),
                Recurrence::Day | Recurrence::Week => false,
            },
            _ => false,
        },
        DutyTrigger::On { event } => match form {
            D::DaysBefore { .. } => event == DutyEvent::StopAnnounced,
            D::WorkingDaysAfter { .. } | D::DaysAfter { .. } | D::HoursAfter { .. } => true,
            _ => false,
        },
    }
}

fn reminders(s: &Section<'_>, r: &mut Report) -> Vec<u32> {
    let Some(item) = s.item("remind_h") else {
        return Vec::new();
    };
    let mut hours: Vec<u32> = item
        .entries()
        .iter()
        .filter_map(|entry| entry.integer::<u32>(r, "remind_h", 1..=*HOURS.end()))
        .map(|got| got.value)
        .collect();
    hours.sort_unstable_by(|a, b| b.cmp(a));
    hours.dedup();
    at_most(&item, "remind_h", hours.len(), DUTY_STEPS_MAX, r);
    hours
}

fn at_most(item: &Item<'_>, key: &str, found: usize, most: usize, r: &mut Report) {
    if found > most {
        r.error(
            item.at,
            say!("`{key}` has {found} entries", "`{key}` 有 {found} 项"),
            say!("at most {most}", "最多 {most} 项"),
        );
    }
}

fn steps(s: &Section<'_>, r: &mut Report) -> Vec<DutyStep> {
    let mut steps = Vec::new();
    for step in s.sections(r, "escalate") {
        if step.item("after_h").is_none() {
            let hint = say!("hours after it became overdue", "逾期后的小时数");
            step.missing(r, "after_h", hint);
        }
        let after_h = step.integer::<u32>(r, "after_h", HOURS);
        let roles = role_list(&step, r, "roles");
        step.finish(r);
        steps.extend(after_h.map(|got| DutyStep {
            after_h: got.value,
            roles,
        }));
    }
    steps.sort_by_key(|step| step.after_h);
    if let Some(item) = s.item("escalate") {
        at_most(&item, "escalate", steps.len(), DUTY_STEPS_MAX, r);
    }
    steps
}

fn quotas(s: &Section<'_>, r: &mut Report) -> Vec<Quota> {
    let mut quotas = Vec::new();
    for quota in s.sections(r, "quota") {
        let name = names(&quota, r);
        let number = quota.decimal(r, "number");
        if quota.item("number").is_none() {
            let hint = say!("the least to be reached", "至少达到的数值");
            quota.missing(r, "number", hint);
        }
        if let Some(number) = number.as_ref().filter(|got| got.value <= Decimal::ZERO) {
            let value = number.value;
            r.error(
                number.at,
                say!("`number` cannot be {value}", "`number` 不能是 {value}"),
                say!("more than 0", "应大于 0"),
            );
        }
        let unit = need_word(&quota, r, "unit", QuotaUnit::ALL.map(|u| (u.as_str(), u)));
        quota.finish(r);
        if let (Some(number), Some(unit)) = (number, unit) {
            quotas.push(Quota {
                name,
                number: number.value,
                unit: unit.value,
            });
        }
    }
    if let Some(item) = s.item("quota") {
        at_most(&item, "quota", quotas.len(), QUOTAS_MAX, r);
    }
    quotas
}

fn regions(s: &Section<'_>, registry: Option<&Registry>, r: &mut Report) -> BTreeSet<RegionId> {
    let list = s.texts(r, "regions").unwrap_or_default();
    if let Some(registry) = registry {
        for region in &list {
            if !registry.regions.contains_key(region.value.as_str()) {
                let known = registry.regions.keys().map(RegionId::as_str);
                unknown(r, ("region", "行政区"), region, known);
            }
        }
    }
    list.iter().map(|got| RegionId::new(&got.value)).collect()
}

fn source(s: &Section<'_>, r: &mut Report) -> Provenance {
    let hint = say!(
        "source = \"V2: rule and clause\"",
        "请写 source = \"V2: 规定与条款\""
    );
    let got = s.need_text(r, "source", hint);
    let read = got.and_then(|got| profile::provenance(&got, "source", r));
    read.unwrap_or(Provenance {
        sure: Sure::M,
        source: String::new(),
    })
}
