//! Duties with a clock in words.

use super::Eyes;
use super::judged::{FileItem, file_item};
use super::outlet::outlet_link;
use crate::format::Times;
use cems_core::model::{
    DutyDeadline, DutyRow, DutyRule, DutyStanding, DutySubject, DutyTrigger, Role, Speaks,
    Timestamp,
};

/// Address of a duty.
pub(crate) fn duty_link(key: &str) -> String {
    format!("/duties/{}", crate::url::encode(key))
}

/// When something is due, the end of a day as 24:00 (民法典第二百零三条).
pub(crate) fn due_text(times: &Times, due_at: Timestamp) -> String {
    let local = times.offset.local(due_at);
    if local.format("%H:%M:%S").to_string() == "00:00:00" {
        return format!("{} 24:00", times.date(due_at.plus_ms(-1)));
    }
    local.format("%Y-%m-%d %H:%M").to_string()
}

/// Whom a duty is about, with the address of its page, when it has one.
pub(crate) fn subject(eyes: &Eyes<'_>, subject: &DutySubject) -> (String, Option<String>) {
    match subject {
        DutySubject::Outlet(id) => (eyes.outlet_words(id), Some(outlet_link(id.as_str()))),
        DutySubject::Enterprise(id) => {
            let known = eyes.registry.enterprises.get(id);
            let name = known.map_or(id.as_str(), |e| eyes.enterprise_name(e));
            (name.to_owned(), None)
        }
        DutySubject::Region(id) => {
            let known = eyes.registry.regions.get(id);
            (known.map_or(id.as_str(), String::as_str).to_owned(), None)
        }
    }
}

/// The name of a row; its id when the row is in force no more.
pub(crate) fn rule_name(eyes: &Eyes<'_>, id: &str, rule: Option<&DutyRule>) -> String {
    rule.map_or(id, |rule| {
        eyes.words.pick(&rule.name.zh, Some(&rule.name.en))
    })
    .to_owned()
}

/// What an instance speaks about: the period, or the moment that triggered it.
pub(crate) fn round_text(eyes: &Eyes<'_>, row: &DutyRow) -> String {
    row.trigger_at
        .map_or_else(|| row.round.to_string(), |at| eyes.times.short(at))
}

/// A duty as lists show it.
pub(crate) struct DutyItem {
    pub(crate) link: String,
    pub(crate) name: String,
    pub(crate) round: String,
    pub(crate) subject: String,
    pub(crate) standing: &'static str,
    pub(crate) standing_word: String,
    pub(crate) due: String,
    /// While it is open: when it is due, for the countdown, and the span in words.
    pub(crate) due_ms: Option<i64>,
    pub(crate) due_span: String,
    pub(crate) roles: String,
    pub(crate) ended: String,
}

impl DutyItem {
    pub(crate) fn new(eyes: &Eyes<'_>, row: &DutyRow, rule: Option<&DutyRule>) -> Self {
        let standing = row.standing(eyes.times.now);
        let open = matches!(standing, DutyStanding::Open | DutyStanding::Overdue);
        let span = row.due_at.since_ms(eyes.times.now).abs();
        let roles = rule.map(|rule| role_words(eyes, rule.roles.iter()));
        Self {
            link: duty_link(row.key.as_str()),
            name: rule_name(eyes, row.rule.as_str(), rule),
            round: round_text(eyes, row),
            subject: subject(eyes, &row.subject).0,
            standing: standing.as_str(),
            standing_word: eyes.words.code("duty-standing", standing.as_str()),
            due: due_text(&eyes.times, row.due_at),
            due_ms: open.then_some(row.due_at.0),
            due_span: eyes.times.span(span),
            roles: roles.unwrap_or_default(),
            ended: row
                .ended_at()
                .map(|at| eyes.times.full(at))
                .unwrap_or_default(),
        }
    }
}

/// Roles in words.
pub(crate) fn role_words<'a>(eyes: &Eyes<'_>, roles: impl Iterator<Item = &'a Role>) -> String {
    let words = roles.map(|role| eyes.words.code("role", role.as_str()));
    words
        .collect::<Vec<_>>()
        .join(eyes.words.pick("、", Some(", ")))
}

/// Documents of a completion with their links.
pub(crate) fn files(row: &DutyRow) -> Vec<FileItem> {
    let list = row.done.iter().flat_map(|done| &done.attachments);
    let link = duty_link(row.key.as_str());
    list.map(|file| {
        file_item(
            file,
            format!("{link}/files/{}", crate::url::encode(&file.sha256)),
        )
    })
    .collect()
}

/// A row of the table in words.
pub(crate) struct RuleItem {
    pub(crate) id: String,
    pub(crate) name: String,
    pub(crate) subject: String,
    /// Code of the kind of subject.
    pub(crate) subject_kind: &'static str,
    pub(crate) roles: String,
    pub(crate) opens: String,
    pub(crate) due: String,
    /// Reminders and steps, each in words.
    pub(crate) steps: Vec<String>,
    pub(crate) quota: Vec<String>,
    pub(crate) document: bool,
    pub(crate) source: String,
    pub(crate) sure: String,
    /// The visitor may open an instance.
    pub(crate) may_open: bool,
    /// Its trigger is announced, so it may lie ahead.
    pub(crate) ahead: bool,
}

impl RuleItem {
    pub(crate) fn new(eyes: &Eyes<'_>, rule: &DutyRule, role: Role) -> Self {
        let words = eyes.words;
        let steps = rule
            .remind_h
            .iter()
            .map(|hours| words.with("duty-reminded", &[("hours", &hours.to_string())]));
        let told = rule.escalate.iter().map(|step| {
            let who = role_words(eyes, step.roles.iter());
            let hours = step.after_h.to_string();
            words.with("duty-escalated", &[("hours", &hours), ("who", &who)])
        });
        let quota = rule.quota.iter().map(|quota| {
            let name = words.pick(&quota.name.zh, Some(&quota.name.en));
            let number = quota.number.normalize().to_string();
            let key = format!("duty-quota-{}", quota.unit.as_str());
            words.with(&key, &[("name", name), ("number", &number)])
        });
        Self {
            id: rule.id.to_string(),
            name: rule_name(eyes, rule.id.as_str(), Some(rule)),
            subject: words.code("duty-for", rule.subject.as_str()),
            subject_kind: rule.subject.as_str(),
            roles: role_words(eyes, rule.roles.iter()),
            opens: opens(eyes, rule),
            due: due(eyes, rule),
            steps: steps.chain(told).collect(),
            quota: quota.collect(),
            document: rule.document,
            source: rule.provenance.source.clone(),
            sure: words.code("sure", rule.provenance.sure.as_str()),
            may_open: rule.is_opened_by(role),
            ahead: matches!(rule.deadline, DutyDeadline::DaysBefore { .. }),
        }
    }
}

fn opens(eyes: &Eyes<'_>, rule: &DutyRule) -> String {
    let words = eyes.words;
    match rule.trigger {
        DutyTrigger::Every {
            period,
            speaks,
            opens,
        } => {
            let mut text = words.code("duty-every", period.as_str());
            if speaks == Speaks::Previous {
                text = words.with("duty-of-previous", &[("every", &text)]);
            }
            match opens {
                Some((month, day)) => {
                    let day = format!("{month:02}-{day:02}");
                    words.with("duty-opens-on", &[("every", &text), ("day", &day)])
                }
                None => text,
            }
        }
        DutyTrigger::On { event } => words.code("duty-on", event.as_str()),
        DutyTrigger::Watched { watch } => words.code("duty-watched", watch.as_str()),
    }
}

fn due(eyes: &Eyes<'_>, rule: &DutyRule) -> String {
    use DutyDeadline as D;
    let (key, n) = match rule.deadline {
        D::WorkingDay { n } => ("duty-due-working-day", n),
        D::PeriodEnd => ("duty-due-period-end", 0),
        D::Day { n } => ("duty-due-day", n),
        D::DayOfMonth { month, day } => {
            let day = day.to_string();
            let month = month.map(|month| month.to_string());
            return match month {
                Some(month) => eyes
                    .words
                    .with("duty-due-date", &[("month", &month), ("day", &day)]),
                None => eyes.words.with("duty-due-month-day", &[("day", &day)]),
            };
        }
        D::WorkingDaysAfter { n } => ("duty-due-working-days-after", n),
        D::DaysAfter { n } => ("duty-due-days-after", n),
        D::HoursAfter { n } => ("duty-due-hours-after", n),
        D::DaysBefore { n } => ("duty-due-days-before", n),
        D::None => return String::new(),
    };
    let text = eyes.words.with(key, &[("n", &n.to_string())]);
    if rule.moves {
        return format!("{text}{}", eyes.words.t("duty-moves"));
    }
    text
}
