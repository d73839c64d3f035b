//! The duty desk in words: its rows, what an alarm waits for, and the forms of a person's answer.

use super::Eyes;
use super::alarm::kind_name;
use crate::backend::{AlarmFilter, AlarmGroups, AlarmVerb};
use crate::text::Words;
use crate::url::encode;
use cems_core::alarm::groups::{Group, GroupBy};
use cems_core::model::{AlarmRow, EnterpriseId, HandOverRow, RegionId, UserId};
use std::collections::BTreeMap;

/// Fields of a filter as addresses and forms have them.
pub(crate) fn fields_of(filter: &AlarmFilter) -> Vec<(&'static str, String)> {
    let states: Vec<&str> = filter.states.iter().map(|state| state.as_str()).collect();
    let mut fields = Vec::new();
    let mut add = |name: &'static str, value: Option<String>| {
        fields.extend(value.filter(|v| !v.is_empty()).map(|v| (name, v)));
    };
    add("outlet", filter.outlet.as_ref().map(ToString::to_string));
    add("kind", filter.kind.map(|kind| kind.as_str().to_owned()));
    add("priority", filter.priority.map(|p| p.as_str().to_owned()));
    add("state", Some(states.join(",")));
    add("region", filter.region.as_ref().map(ToString::to_string));
    let enterprise = filter.enterprise.as_ref();
    add("enterprise", enterprise.map(ToString::to_string));
    add("covered_by", filter.covered_by.map(|id| id.to_string()));
    add("before", filter.before.map(|id| id.to_string()));
    fields
}

/// The list of alarms under a filter.
pub(crate) fn link_of(filter: &AlarmFilter) -> String {
    let mut parts: Vec<String> = Vec::new();
    if !filter.open_only {
        parts.push("all=1".to_owned());
    }
    let fields = fields_of(filter);
    parts.extend(
        fields
            .iter()
            .map(|(name, value)| format!("{name}={}", encode(value))),
    );
    match parts.is_empty() {
        true => "/alarms".to_owned(),
        false => format!("/alarms?{}", parts.join("&")),
    }
}

fn enterprise_name(eyes: &Eyes<'_>, id: &EnterpriseId) -> String {
    let known = eyes.registry.enterprises.get(id);
    known.map_or_else(|| id.to_string(), |e| eyes.enterprise_name(e).to_owned())
}

fn region_name(eyes: &Eyes<'_>, id: &RegionId) -> String {
    let known = eyes.registry.regions.get(id);
    known.cloned().unwrap_or_else(|| id.to_string())
}

/// What a list is narrowed to, in words.
pub(crate) fn narrowed(eyes: &Eyes<'_>, filter: &AlarmFilter) -> Vec<String> {
    let words = eyes.words;
    let outlet = filter.outlet.as_ref().map(|id| {
        let known = eyes.registry.outlets.get(id);
        known.map_or_else(|| id.to_string(), |o| eyes.outlet_name(o).to_owned())
    });
    let region = filter.region.as_ref().map(|id| region_name(eyes, id));
    let enterprise = filter.enterprise.as_ref();
    let enterprise = enterprise.map(|id| enterprise_name(eyes, id));
    let covered = filter
        .covered_by
        .map(|id| format!("{} #{id}", words.t("covered-by")));
    let states = filter.states.iter();
    let states = states.map(|state| words.code("alarm-state", state.as_str()));
    let kind = filter.kind.map(|kind| kind_name(words, kind));
    let priority = filter.priority.map(|p| words.code("priority", p.as_str()));
    let said = [kind, priority, region, enterprise, outlet, covered];
    said.into_iter().flatten().chain(states).collect()
}

/// What an alarm waits for, and how it was answered so far.
pub(crate) fn standing_facts(eyes: &Eyes<'_>, alarm: &AlarmRow) -> Vec<(String, String)> {
    let (words, times) = (eyes.words, eyes.times);
    let mut facts = Vec::new();
    let mut add = |key: &str, text: String| facts.push((words.t(key), text));
    if let Some(ack) = &alarm.acknowledged {
        let mut text = format!("{} · {} · {}", times.full(ack.at), ack.by, ack.note);
        if let Some(until) = ack.until {
            text = format!("{text} · {} {}", words.t("holds-until"), times.full(until));
        }
        add("acknowledged", text);
    }
    if let Some(shelved) = &alarm.shelved {
        let until = times.full(shelved.until);
        let until = format!("{} {until}", words.t("holds-until"));
        add(
            "shelved",
            format!("{until} · {} · {}", shelved.by, shelved.note),
        );
    }
    if let Some(why) = &alarm.suppressed {
        let text = words.code("suppressed-why", &why.why);
        let since = times.full(why.at);
        add(
            "suppressed",
            format!("{text} · {} {since}", words.t("since")),
        );
    }
    if let Some(end) = &alarm.closed {
        let text = format!("{} · {} · {}", times.full(end.at), end.by, end.conclusion);
        add("closed", text);
    }
    if let Some(at) = alarm.returned_at {
        add("returned-at", times.full(at));
    }
    if alarm.chattering {
        add("chattering", words.t("chattering-text"));
    }
    if alarm.escalated > 0 {
        add("escalated", alarm.escalated.to_string());
    }
    if alarm.rearmed > 0 {
        add("rearmed", alarm.rearmed.to_string());
    }
    facts
}

/// A form that does something to an alarm.
pub(crate) struct ActForm {
    /// Last part of its address.
    pub(crate) verb: &'static str,
    pub(crate) title: String,
    pub(crate) button: String,
    /// Name of its text field.
    pub(crate) field: &'static str,
    pub(crate) label: String,
    pub(crate) hint: String,
    pub(crate) needs_note: bool,
    pub(crate) has_end: bool,
    pub(crate) needs_end: bool,
    pub(crate) note: String,
    pub(crate) until: String,
    /// It stands open on the page: what is done first, and what was refused.
    pub(crate) open: bool,
}

/// The forms of an alarm, those first that are used first.
pub(crate) fn act_forms(
    words: Words,
    alarm: &AlarmRow,
    may: impl Fn(AlarmVerb) -> bool,
    shelve_until: &str,
    typed: Option<(AlarmVerb, &BTreeMap<String, String>)>,
) -> Vec<ActForm> {
    let fitting = AlarmVerb::ALL.into_iter();
    let fitting = fitting.filter(|verb| may(*verb) && verb.suits(alarm));
    let form = |verb: AlarmVerb| {
        let name = verb.as_str();
        let typed = typed.filter(|(of, _)| *of == verb).map(|(_, form)| form);
        let of = |field: &str| typed.and_then(|form| form.get(field)).cloned();
        let close = verb == AlarmVerb::Close;
        let field = if close { "conclusion" } else { "note" };
        let preset = match verb {
            AlarmVerb::Shelve => shelve_until.to_owned(),
            _ => String::new(),
        };
        ActForm {
            verb: name,
            title: words.code("act", name),
            button: words.code("act-button", name),
            field,
            label: words.t(if close { "conclusion" } else { "note" }),
            hint: words.code("act-hint", name),
            needs_note: verb.needs_note(),
            has_end: verb.has_end(),
            needs_end: verb == AlarmVerb::Shelve,
            note: of(field).unwrap_or_default(),
            until: of("until").unwrap_or(preset),
            open: typed.is_some() || matches!(verb, AlarmVerb::Acknowledge | AlarmVerb::Close),
        }
    };
    fitting.map(form).collect()
}

/// A row of the queue.
pub(crate) struct GroupItem {
    pub(crate) priority: &'static str,
    pub(crate) priority_word: String,
    pub(crate) name: String,
    /// What its alarms have in common besides the kind.
    pub(crate) place: String,
    pub(crate) count: u64,
    pub(crate) waiting: u64,
    pub(crate) oldest: String,
    pub(crate) oldest_full: String,
    pub(crate) age: String,
    /// State: class, word, how many.
    pub(crate) states: Vec<(&'static str, String, u64)>,
    /// Outlets that outages cover; empty for other kinds.
    pub(crate) outlets: String,
    /// The alarms of the row.
    pub(crate) link: String,
}

/// The rows of the queue; links keep what the desk is narrowed to.
pub(crate) fn group_items(
    eyes: &Eyes<'_>,
    queue: &AlarmGroups,
    filter: &AlarmFilter,
) -> Vec<GroupItem> {
    let rows = queue.groups.iter().enumerate();
    rows.map(|(n, group)| {
        let outlets = queue.outlets.get(&n).copied().unwrap_or(0);
        GroupItem {
            outlets: match outlets {
                0 => String::new(),
                n => eyes.words.count("outlets-count", n),
            },
            ..group_item(eyes, group, filter)
        }
    })
    .collect()
}

fn group_item(eyes: &Eyes<'_>, group: &Group, filter: &AlarmFilter) -> GroupItem {
    let words = eyes.words;
    let place = match (group.by, &group.enterprise, &group.region) {
        (_, Some(enterprise), _) => enterprise_name(eyes, enterprise),
        (_, None, Some(region)) => region_name(eyes, region),
        (GroupBy::Enterprise, None, None) => words.t("of-no-enterprise"),
        (GroupBy::Region | GroupBy::Kind, None, None) => words.t("of-many"),
    };
    let states = group.states.iter().map(|(state, n)| {
        let name = state.as_str();
        (name, words.code("alarm-state", name), *n)
    });
    let link = link_of(&AlarmFilter {
        open_only: true,
        kind: Some(group.kind),
        region: group.region.clone().or_else(|| filter.region.clone()),
        enterprise: group.enterprise.clone(),
        before: None,
        ..filter.clone()
    });
    GroupItem {
        priority: group.priority.as_str(),
        priority_word: words.code("priority", group.priority.as_str()),
        name: kind_name(words, group.kind),
        place,
        count: group.count,
        waiting: group.waiting,
        oldest: eyes.times.short(group.oldest),
        oldest_full: eyes.times.full(group.oldest),
        age: eyes.times.ago(group.oldest),
        states: states.collect(),
        outlets: String::new(),
        link,
    }
}

/// A hand-over.
pub(crate) struct HandOverItem {
    pub(crate) at: String,
    pub(crate) from: String,
    pub(crate) to: String,
    pub(crate) note: String,
    pub(crate) open_alarms: u32,
}

/// Hand-overs with the names of people.
pub(crate) fn hand_over_items(
    eyes: &Eyes<'_>,
    rows: &[HandOverRow],
    name: &impl Fn(&UserId) -> String,
) -> Vec<HandOverItem> {
    let joint = words_joint(eyes.words);
    let item = |row: &HandOverRow| HandOverItem {
        at: eyes.times.full(row.at),
        from: name(&row.over.from),
        to: row.over.to.iter().map(name).collect::<Vec<_>>().join(joint),
        note: row.over.note.clone(),
        open_alarms: row.open_alarms,
    };
    rows.iter().map(item).collect()
}

/// What stands between names.
pub(crate) fn words_joint(words: Words) -> &'static str {
    words.pick("、", Some(", "))
}
