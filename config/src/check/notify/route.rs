//! Who is told what, and when people are left alone.

use super::super::{Taken, id, unknown};
use crate::report::{Report, say};
use crate::section::{Got, Section, word};
use crate::settings::User;
use cems_core::model::policy::{DayPart, Days, QuietHours, Route};
use cems_core::model::{
    AlarmKind, ChannelId, EnterpriseId, MessageReason, Priority, RegionId, Registry, Role, UserId,
};
use smol_str::SmolStr;
use std::collections::BTreeSet;

/// What a route may name.
pub(super) struct Known<'a> {
    pub(super) channels: &'a BTreeSet<ChannelId>,
    pub(super) personal: BTreeSet<&'a ChannelId>,
    pub(super) users: &'a [User],
    pub(super) registry: &'a Registry,
}

const DAYS: [(&str, Days); 3] = [
    ("all", Days::All),
    ("weekdays", Days::Weekdays),
    ("weekends", Days::Weekends),
];

pub(super) fn route(
    s: Section<'_>,
    known: &Known<'_>,
    taken: &mut Taken,
    r: &mut Report,
) -> Option<Route> {
    let id = id(&s, r);
    if let Some(id) = &id {
        taken.claim(r, ("route", "通知路由"), id);
    }
    let channels = channels(&s, known, r);
    let reasons = words(
        &s,
        "reasons",
        &named(&MessageReason::ALL, MessageReason::as_str),
        r,
    );
    let kinds = words(&s, "kinds", &named(AlarmKind::ALL, AlarmKind::as_str), r);
    let roles = words(&s, "roles", &named(&Role::ALL, Role::as_str), r);
    let users = names(
        &s,
        "users",
        ("user", "用户"),
        |name| known.users.iter().any(|user| user.id.as_str() == name),
        &known
            .users
            .iter()
            .map(|user| user.id.as_str())
            .collect::<Vec<_>>(),
        r,
    );
    let registry = known.registry;
    let regions: Vec<&str> = registry.regions.keys().map(RegionId::as_str).collect();
    let enterprises: Vec<&str> = registry
        .enterprises
        .keys()
        .map(EnterpriseId::as_str)
        .collect();
    let regions = names(
        &s,
        "regions",
        ("region", "行政区"),
        |name| regions.contains(&name),
        &regions,
        r,
    );
    let enterprises = names(
        &s,
        "enterprises",
        ("enterprise", "排污单位"),
        |name| enterprises.contains(&name),
        &enterprises,
        r,
    );
    if roles.is_empty() && users.is_empty() && channels.iter().any(|c| known.personal.contains(c)) {
        r.error(
            s.at,
            say!("the route does not say whom to tell", "路由未指定通知对象"),
            say!(
                "mail and text messages go to people: list `roles` or `users`",
                "邮件和短信发给个人：请列出 `roles` 或 `users`"
            ),
        );
    }
    let priority = priority(&s, "priority", r);
    let (days, hours) = (days(&s, r), hours(&s, r));
    let on_duty_only = s.boolean(r, "on_duty_only").is_some_and(|got| got.value);
    s.finish(r);
    Some(Route {
        id: SmolStr::new(id?.value),
        channels,
        reasons,
        kinds,
        priority,
        roles,
        users: users.into_iter().map(UserId::new).collect(),
        regions: regions.into_iter().map(RegionId::new).collect(),
        enterprises: enterprises.into_iter().map(EnterpriseId::new).collect(),
        days,
        hours,
        on_duty_only,
    })
}

pub(super) fn quiet(s: Section<'_>, r: &mut Report) -> Option<QuietHours> {
    let roles = words(&s, "roles", &named(&Role::ALL, Role::as_str), r);
    let days = days(&s, r);
    let hours = hours(&s, r);
    if hours.is_none() && s.item("from").is_none() && s.item("until").is_none() {
        let hint = say!(
            "such as from = \"22:00\", until = \"07:00\"",
            "如 from = \"22:00\"，until = \"07:00\""
        );
        s.missing(r, "from", hint);
    }
    let except = priority(&s, "except", r).unwrap_or(Priority::Urgent);
    s.finish(r);
    Some(QuietHours {
        roles,
        hours: hours?,
        days,
        except,
    })
}

fn channels(s: &Section<'_>, known: &Known<'_>, r: &mut Report) -> BTreeSet<ChannelId> {
    let list: Vec<&str> = known.channels.iter().map(ChannelId::as_str).collect();
    let found = names(
        s,
        "channels",
        ("channel", "通知渠道"),
        |name| list.contains(&name),
        &list,
        r,
    );
    if found.is_empty() && s.item("channels").is_none() {
        let hint = say!("ids of [[channel]]", "填 [[channel]] 的标识");
        s.missing(r, "channels", hint);
    }
    found.into_iter().map(ChannelId::new).collect()
}

/// Values with their names in files.
fn named<T: Copy>(all: &[T], name: fn(T) -> &'static str) -> Vec<(&'static str, T)> {
    all.iter().map(|one| (name(*one), *one)).collect()
}

fn words<T: Copy + Ord>(
    s: &Section<'_>,
    key: &'static str,
    known: &[(&'static str, T)],
    r: &mut Report,
) -> BTreeSet<T> {
    let list = s.texts(r, key).unwrap_or_default();
    list.iter()
        .filter_map(|got| word(r, key, got, known))
        .collect()
}

fn names(
    s: &Section<'_>,
    key: &'static str,
    what: (&str, &str),
    is_known: impl Fn(&str) -> bool,
    known: &[&str],
    r: &mut Report,
) -> Vec<String> {
    let list = s.texts(r, key).unwrap_or_default();
    for got in &list {
        if !is_known(&got.value) {
            unknown(r, what, got, known.iter().copied());
        }
    }
    list.into_iter().map(|got| got.value).collect()
}

fn priority(s: &Section<'_>, key: &'static str, r: &mut Report) -> Option<Priority> {
    let words = named(&Priority::ALL, Priority::as_str);
    s.word(r, key, &words).map(|got| got.value)
}

fn days(s: &Section<'_>, r: &mut Report) -> Days {
    s.word(r, "days", &DAYS).map_or(Days::All, |got| got.value)
}

/// `from` and `until`: both or none, and not the same.
fn hours(s: &Section<'_>, r: &mut Report) -> Option<DayPart> {
    let (from, until) = (s.text(r, "from"), s.text(r, "until"));
    match (&from, &until) {
        (Some(only), None) | (None, Some(only)) => {
            r.error(
                only.at,
                say!(
                    "`from` and `until` belong together",
                    "`from` 与 `until` 须同时填写"
                ),
                say!(
                    "until = \"07:00\" is the first minute outside",
                    "until = \"07:00\" 表示到该时刻为止"
                ),
            );
            None
        }
        (Some(first), Some(second)) => {
            let (from, until) = (minute(first, r), minute(second, r));
            if from.is_some() && from == until {
                r.error(
                    second.at,
                    say!("`from` and `until` are the same", "`from` 与 `until` 相同"),
                    say!("leave both out for the whole day", "全天请删除这两项"),
                );
            }
            Some(DayPart {
                from_min: from?,
                until_min: until?,
            })
        }
        (None, None) => None,
    }
}

/// `HH:MM` as minutes after midnight.
fn minute(got: &Got<String>, r: &mut Report) -> Option<u16> {
    let two = |t: &str, max: u16| {
        let digits = t.len() == 2 && t.bytes().all(|b| b.is_ascii_digit());
        digits
            .then(|| t.parse::<u16>().ok())
            .flatten()
            .filter(|n| *n <= max)
    };
    let read = got
        .value
        .split_once(':')
        .and_then(|(h, m)| Some(two(h, 23)? * 60 + two(m, 59)?));
    if read.is_none() {
        let value = &got.value;
        r.error(
            got.at,
            say!("not a time of day: {value}", "不是时刻：{value}"),
            say!("from \"00:00\" to \"23:59\"", "从 \"00:00\" 到 \"23:59\""),
        );
    }
    read
}
