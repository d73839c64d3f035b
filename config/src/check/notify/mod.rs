//! Messages: `[[channel]]`, `[[route]]` and `[[quiet]]` of the main file and of the files that
//! `notify` names.

mod means;
mod route;

use super::{Taken, id};
use crate::report::{At, Report, say};
use crate::section::{Got, Section};
use crate::settings::{CHANNELS_MAX, Channel, QUIET_MAX, ROUTES_MAX, Settings, Usual};
use crate::source::Loader;
use cems_core::lang::Lang;
use cems_core::model::policy::{ChannelRule, QuietHours, Route};
use cems_core::model::{ChannelId, ChannelKind, Registry};
use std::collections::BTreeSet;

/// What the files say about messages.
pub(super) struct Notify {
    pub(super) channels: Vec<Channel>,
    pub(super) routes: Vec<Route>,
    pub(super) quiet: Vec<QuietHours>,
}

/// Languages of what goes to no single person.
const LANGS: [(&str, &[Lang]); 3] = [
    ("both", &[Lang::Zh, Lang::En]),
    ("zh-CN", &[Lang::Zh]),
    ("en", &[Lang::En]),
];

/// Reads everything about messages; `settings` holds the people already.
pub(super) fn notify(
    docs: &[&Section<'_>],
    settings: &Settings,
    registry: &Registry,
    loader: &mut Loader<'_>,
    r: &mut Report,
) -> Notify {
    let mut taken = Taken::default();
    let mut channels: Vec<Channel> = Vec::new();
    let mut named = BTreeSet::new();
    for (n, s) in sections(docs, "channel", r).into_iter().enumerate() {
        if n == CHANNELS_MAX {
            too_many(&s, ("channels", "通知渠道"), CHANNELS_MAX, r);
        }
        let at = s.at;
        if let Some(name) = s
            .item("id")
            .and_then(|item| item.text(&mut Report::default(), "id"))
        {
            named.insert(ChannelId::new(name.value));
        }
        if let Some(channel) = channel(s, &mut taken, loader, r) {
            if channel.rule.kind.is_personal() {
                reaches(&channel, settings, at, r);
            }
            channels.push(channel);
        }
    }
    let known = route::Known {
        channels: &named,
        personal: channels
            .iter()
            .filter(|channel| channel.rule.kind.is_personal())
            .map(|channel| &channel.id)
            .collect(),
        users: &settings.users,
        registry,
    };
    let mut taken = Taken::default();
    let mut routes = Vec::new();
    for (n, s) in sections(docs, "route", r).into_iter().enumerate() {
        if n == ROUTES_MAX {
            too_many(&s, ("routes", "通知路由"), ROUTES_MAX, r);
        }
        routes.extend(route::route(s, &known, &mut taken, r));
    }
    unused(docs, &channels, &routes, r);
    let mut quiet = Vec::new();
    for (n, s) in sections(docs, "quiet", r).into_iter().enumerate() {
        if n == QUIET_MAX {
            too_many(&s, ("times of quiet", "免打扰时段"), QUIET_MAX, r);
        }
        quiet.extend(route::quiet(s, r));
    }
    Notify {
        channels,
        routes,
        quiet,
    }
}

fn sections<'a>(docs: &[&Section<'a>], key: &'static str, r: &mut Report) -> Vec<Section<'a>> {
    docs.iter().flat_map(|doc| doc.sections(r, key)).collect()
}

fn too_many(s: &Section<'_>, (en, zh): (&str, &str), max: usize, r: &mut Report) {
    r.error(
        s.at,
        say!("more than {max} {en}", "{zh}超过 {max} 个"),
        say!("put some together", "请合并部分条目"),
    );
}

/// A channel that no route names stays silent.
fn unused(docs: &[&Section<'_>], channels: &[Channel], routes: &[Route], r: &mut Report) {
    for channel in channels {
        let id = &channel.id;
        if r.has_errors() || routes.iter().any(|route| route.channels.contains(id)) {
            continue;
        }
        let at = docs.last().map_or(At { file: 0, offset: 0 }, |doc| doc.at);
        r.warn(
            at,
            say!("no route uses the channel {id}", "没有路由使用渠道 {id}"),
            say!("name it in a [[route]]", "请在 [[route]] 中引用"),
        );
    }
}

/// A personal channel that reaches nobody is a doubtful one.
fn reaches(channel: &Channel, settings: &Settings, at: At, r: &mut Report) {
    let kind = channel.rule.kind;
    if settings
        .users
        .iter()
        .any(|user| user.address(kind).is_some())
    {
        return;
    }
    let id = &channel.id;
    let key = if kind == ChannelKind::Mail {
        "mail"
    } else {
        "phone"
    };
    r.warn(
        at,
        say!(
            "nobody can be reached through {id}",
            "渠道 {id} 没有可送达的人员"
        ),
        say!(
            "give people in [[user]] their `{key}`",
            "请在 [[user]] 中填写 `{key}`"
        ),
    );
}

fn channel(
    s: Section<'_>,
    taken: &mut Taken,
    loader: &mut Loader<'_>,
    r: &mut Report,
) -> Option<Channel> {
    let id = id(&s, r);
    if let Some(id) = &id {
        taken.claim(r, ("channel", "通知渠道"), id);
    }
    let kind = kind(&s, r)?;
    let usual = Usual::of(kind);
    let number = |r: &mut Report, key, bounds, usual| {
        s.integer(r, key, bounds)
            .map_or(usual, |got: Got<u32>| got.value)
    };
    let rule = ChannelRule {
        kind,
        group_wait_s: number(r, "group_wait_s", 0..=3_600, usual.group_wait_s),
        per_hour_max: number(r, "per_hour_max", 1..=100_000, usual.per_hour_max),
        deadline_min: number(r, "deadline_min", 1..=10_080, usual.deadline_min),
    };
    let per_min_max = number(r, "per_min_max", 1..=100_000, usual.per_min_max);
    let langs = s
        .word(r, "lang", &LANGS)
        .map_or(LANGS[0].1, |got| got.value);
    let means = means::means(&s, kind, loader, r);
    s.finish(r);
    Some(Channel {
        id: ChannelId::new(id?.value),
        rule,
        per_min_max,
        langs: langs.to_vec(),
        means: means?,
    })
}

fn kind(s: &Section<'_>, r: &mut Report) -> Option<ChannelKind> {
    if s.item("kind").is_none() {
        let names = ChannelKind::ALL.map(ChannelKind::as_str).join(", ");
        s.missing(r, "kind", say!("one of {names}", "可取：{names}"));
        return None;
    }
    let words = ChannelKind::ALL.map(|kind| (kind.as_str(), kind));
    s.word(r, "kind", &words).map(|got| got.value)
}
