//! How alarms are ranked and answered: the built-in file first, then files of a site, which change
//! single values. Tables and keys are those of [`AlarmPolicy`] in the core.

use super::Taken;
use crate::report::{At, Report, Say, say};
use crate::section::{Got, Item, Section, word};
use crate::suggest;
use cems_core::model::policy::{
    AlarmPolicy, Consequence, EscalationStep, KindRule, Response, SuppressedBy,
};
use cems_core::model::{AlarmKind, Priority, Role};
use rust_decimal::Decimal;
use std::collections::BTreeSet;

/// Longest delay of a condition, s: half a day. What waits longer is told too late to be answered.
const DELAY_S_MAX: i64 = 43_200;
/// Longest acknowledgement, min: a month goes through every absence.
const ACK_MIN_MAX: i64 = 44_640;
/// Latest step of an escalation, min: a week after the alarm.
const STEP_MIN_MAX: i64 = 10_080;
/// Steps of one escalation: more are told in vain.
const STEPS_MAX: usize = 10;
/// Widest dead-band, %: at half its bound a value has left it by any measure.
const DEADBAND_PCT_MAX: u32 = 50;

/// Reads the files of a site over the built-in policy.
pub(super) fn alarms(docs: &[&Section<'_>], r: &mut Report) -> AlarmPolicy {
    let mut policy = crate::alarms::builtin();
    let mut taken = Taken::default();
    for doc in docs {
        let said = alarm_rules(doc, &mut policy, r);
        if let Some(at) = said.matrix {
            ranked(&policy, at, r);
        }
        for name in &said.kinds {
            taken.claim(r, ("alarm kind", "报警类型"), name);
        }
    }
    policy
}

/// What a file speaks of.
pub(crate) struct Said {
    /// Place of its matrix, when it has one.
    matrix: Option<At>,
    /// Its kinds.
    kinds: Vec<Got<String>>,
}

/// Reads one file over what is known already.
pub(crate) fn alarm_rules(s: &Section<'_>, policy: &mut AlarmPolicy, r: &mut Report) -> Said {
    let matrix = s.section(r, "matrix");
    let at = matrix.as_ref().map(|matrix| matrix.at);
    if let Some(matrix) = matrix {
        read_matrix(matrix, policy, r);
    }
    if let Some(times) = s.section(r, "respond_min") {
        for response in Response::ALL {
            if let Some(min) = times.integer(r, response.as_str(), 1..=STEP_MIN_MAX) {
                policy.respond_min.insert(response, min.value);
            }
        }
        times.finish(r);
    }
    if let Some(chains) = s.section(r, "escalation") {
        for priority in Priority::ALL {
            if let Some(item) = chains.item(priority.as_str()) {
                let steps = chains.tables(r, priority.as_str(), &item);
                policy.escalation.insert(priority, chain(&steps, r));
                for step in steps {
                    step.finish(r);
                }
            }
        }
        chains.finish(r);
    }
    floods(s, policy, r);
    let mut kinds = Vec::new();
    for (name, item) in s.named(r, "kind") {
        if let Some(kind) = kind_of(&name, r)
            && let Some(table) = s.table(r, &name.value, &item)
        {
            let known = policy.kinds.remove(&kind);
            policy.kinds.insert(kind, rule(table, kind, known, r));
        }
        kinds.push(name);
    }
    Said { matrix: at, kinds }
}

fn read_matrix(matrix: Section<'_>, policy: &mut AlarmPolicy, r: &mut Report) {
    for consequence in Consequence::ALL {
        if let Some(row) = matrix.section(r, consequence.as_str()) {
            let known = policy.matrix.entry(consequence).or_default();
            for response in Response::ALL {
                let words = Priority::ALL.map(|priority| (priority.as_str(), priority));
                if let Some(rank) = row.word(r, response.as_str(), &words) {
                    known.insert(response, rank.value);
                }
            }
            row.finish(r);
        }
    }
    matrix.finish(r);
}

/// A matrix in which something worse, or something more pressing, is less urgent is a slip.
fn ranked(policy: &AlarmPolicy, at: At, r: &mut Report) {
    let rank = |c: Consequence, w: Response| policy.matrix.get(&c)?.get(&w).copied();
    let slip = |r: &mut Report, more: (Consequence, Response), less: (Consequence, Response)| {
        let name = |(c, w): (Consequence, Response)| format!("{}/{}", c.as_str(), w.as_str());
        let (more, less) = (name(more), name(less));
        r.error(
            at,
            say!(
                "the matrix ranks {more} below {less}",
                "优先级矩阵中 {more} 低于 {less}"
            ),
            say!(
                "what is worse or more pressing is at least as urgent",
                "后果更重或更紧迫的，优先级不得更低"
            ),
        );
    };
    let cells: Vec<(Consequence, Response)> = Consequence::ALL
        .into_iter()
        .flat_map(|c| Response::ALL.map(|w| (c, w)))
        .collect();
    for &(c, w) in &cells {
        let worse = Consequence::ALL.into_iter().find(|worse| *worse > c);
        let sooner = Response::ALL.into_iter().rev().find(|sooner| *sooner < w);
        let next = [worse.map(|worse| (worse, w)), sooner.map(|s| (c, s))];
        for other in next.into_iter().flatten() {
            // A smaller priority is the more urgent one.
            if rank(other.0, other.1) > rank(c, w) {
                slip(r, other, (c, w));
            }
        }
    }
}

fn chain(steps: &[Section<'_>], r: &mut Report) -> Vec<EscalationStep> {
    let mut out: Vec<EscalationStep> = Vec::new();
    for (n, step) in steps.iter().enumerate() {
        let after = step.integer::<u32>(r, "after_min", 1..=STEP_MIN_MAX);
        if step.item("after_min").is_none() {
            let hint = say!("minutes after the alarm", "报警产生后的分钟数");
            step.missing(r, "after_min", hint);
        }
        let roles = roles(step, r);
        if n >= STEPS_MAX {
            r.error(
                step.at,
                say!(
                    "an escalation of more than {STEPS_MAX} steps",
                    "升级步骤超过 {STEPS_MAX} 步"
                ),
                say!("leave steps out", "请减少步骤"),
            );
            break;
        }
        let Some(after) = after else { continue };
        if out.last().is_some_and(|last| last.after_min >= after.value) {
            r.error(
                after.at,
                say!(
                    "steps of an escalation do not follow each other in time",
                    "升级步骤的时间没有递增"
                ),
                say!("a later step has more minutes", "后一步的分钟数应更大"),
            );
        }
        out.push(EscalationStep {
            after_min: after.value,
            roles,
        });
    }
    out
}

fn roles(step: &Section<'_>, r: &mut Report) -> BTreeSet<Role> {
    let words = Role::ALL.map(|role| (role.as_str(), role));
    let names = step.texts(r, "roles").unwrap_or_default();
    if names.is_empty() {
        let hint = say!(
            "who is told, such as roles = [\"supervisor\"]",
            "通知谁，如 roles = [\"supervisor\"]"
        );
        step.missing(r, "roles", hint);
    }
    let known = names.iter().filter_map(|got| word(r, "roles", got, &words));
    known.collect()
}

fn floods(s: &Section<'_>, policy: &mut AlarmPolicy, r: &mut Report) {
    fn set(to: &mut u32, got: Option<Got<u32>>) {
        if let Some(got) = got {
            *to = got.value;
        }
    }
    if let Some(chatter) = s.section(r, "chatter") {
        let rule = &mut policy.chatter;
        set(&mut rule.raises, chatter.integer(r, "raises", 0..=100));
        let window = chatter.integer(r, "window_min", 1..=1_440);
        set(&mut rule.window_min, window);
        let quiet = chatter.integer(r, "quiet_min", 1..=1_440);
        set(&mut rule.quiet_min, quiet);
        chatter.finish(r);
    }
    if let Some(outage) = s.section(r, "outage") {
        let rule = &mut policy.outage;
        let outlets = outage.integer(r, "outlets_min", 2..=10_000);
        set(&mut rule.outlets_min, outlets);
        set(&mut rule.share_pct, outage.integer(r, "share_pct", 1..=100));
        set(
            &mut rule.window_s,
            outage.integer(r, "window_s", 10..=3_600),
        );
        outage.finish(r);
    }
}

fn kind_of(name: &Got<String>, r: &mut Report) -> Option<AlarmKind> {
    let known = AlarmKind::ALL.iter().find(|k| k.as_str() == name.value);
    if known.is_none() {
        let value = &name.value;
        r.error(
            name.at,
            say!(
                "no alarm kind is called {value}",
                "没有名为 {value} 的报警类型"
            ),
            suggest::hint(value, AlarmKind::ALL.iter().map(|kind| kind.as_str())),
        );
    }
    known.copied()
}

/// One kind: what is written over what is known. A kind of the built-in file, of which nothing is
/// known, is filled by a test; its placeholder is the list's rank.
fn rule(s: Section<'_>, kind: AlarmKind, known: Option<KindRule>, r: &mut Report) -> KindRule {
    let mut rule = known.unwrap_or_else(|| KindRule {
        consequence: Consequence::Moderate,
        response: Response::Shift,
        on_delay_s: 0,
        off_delay_s: 0,
        deadband_pct: Decimal::ZERO,
        share_pct: None,
        ack_expires_min: None,
        suppressed_by: BTreeSet::new(),
        in_service: true,
    });
    let words = Consequence::ALL.map(|c| (c.as_str(), c));
    if let Some(got) = s.word(r, "consequence", &words) {
        rule.consequence = got.value;
    }
    let words = Response::ALL.map(|w| (w.as_str(), w));
    if let Some(got) = s.word(r, "response", &words) {
        rule.response = got.value;
    }
    if let Some(got) = s.integer(r, "on_delay_s", 0..=DELAY_S_MAX) {
        rule.on_delay_s = got.value;
    }
    if let Some(got) = s.integer(r, "off_delay_s", 0..=DELAY_S_MAX) {
        rule.off_delay_s = got.value;
    }
    if let Some(pct) = percent(&s, "deadband_pct", (0, DEADBAND_PCT_MAX), r) {
        rule.deadband_pct = pct;
    }
    if let Some(item) = s.item("share_pct") {
        if kind == AlarmKind::LimitApproaching {
            rule.share_pct = percent(&s, "share_pct", (1, 100), r).or(rule.share_pct);
        } else {
            not_a_warning(item.at, kind, r);
        }
    }
    if let Some(got) = s.integer::<u32>(r, "ack_expires_min", 0..=ACK_MIN_MAX) {
        rule.ack_expires_min = Some(got.value).filter(|min| *min > 0);
    }
    if let Some(names) = s.texts(r, "suppressed_by") {
        rule.suppressed_by = suppressors(&s, &names, kind, r);
    }
    if let Some(got) = s.boolean(r, "in_service") {
        rule.in_service = got.value;
    }
    s.finish(r);
    rule
}

fn not_a_warning(at: At, kind: AlarmKind, r: &mut Report) {
    let (code, near) = (kind.as_str(), AlarmKind::LimitApproaching.as_str());
    r.error(
        at,
        say!(
            "`share_pct` has no meaning for {code}",
            "`share_pct` 对 {code} 没有意义"
        ),
        say!(
            "it belongs to {near}; shares of permitted amounts stand beside the amounts",
            "该键只用于 {near}；许可排放量的预警比例写在许可排放量处"
        ),
    );
}

fn percent(
    s: &Section<'_>,
    key: &'static str,
    (low, high): (u32, u32),
    r: &mut Report,
) -> Option<Decimal> {
    let got = s.decimal(r, key)?;
    if got.value < low.into() || got.value > high.into() {
        let value = got.value;
        let hint: Say = say!(
            "percent, from {low} to {high}",
            "百分数，{low} 到 {high} 之间"
        );
        r.error(
            got.at,
            say!(
                "`{key}` is out of bounds: {value}",
                "`{key}` 超出范围：{value}"
            ),
            hint,
        );
        return None;
    }
    Some(got.value)
}

fn suppressors(
    s: &Section<'_>,
    names: &[Got<String>],
    kind: AlarmKind,
    r: &mut Report,
) -> BTreeSet<SuppressedBy> {
    let words = SuppressedBy::ALL.map(|by| (by.as_str(), by));
    let known = names
        .iter()
        .filter_map(|got| word(r, "suppressed_by", got, &words));
    let known: BTreeSet<SuppressedBy> = known.collect();
    let exceedance = matches!(
        kind,
        AlarmKind::ExceedanceRealtime
            | AlarmKind::ExceedanceHour
            | AlarmKind::ExceedanceDay
            | AlarmKind::AmountExceeded
    );
    if exceedance && !known.is_empty() {
        let at = s
            .item("suppressed_by")
            .map_or(s.at, |item: Item<'_>| item.at);
        let code = kind.as_str();
        r.warn(
            at,
            say!(
                "a mark of the enterprise would silence {code}",
                "企业自行标记即可抑制 {code} 报警"
            ),
            say!(
                "leave `suppressed_by` empty for exceedances",
                "超标类报警的 `suppressed_by` 请留空"
            ),
        );
    }
    known
}
