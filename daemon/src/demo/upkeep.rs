//! What people of the city entered while the past was written: marks, tests of the equipment, and
//! the validity review of the last quarter. All about one stack that plays no part in the four
//! situations.

use super::city::Resident;
use super::story::Story;
use crate::attachments::Attachments;
use crate::events::JournalEvent;
use anyhow::{Context, anyhow};
use cems_core::marks;
use cems_core::model::time::{DAY_MS, HOUR_MS, MINUTE_MS, quarter_of};
use cems_core::model::{
    Attachment, FactorCode, Mark, MarkKind, OutletId, QaKind, QaPair, QaTest, Registry,
    ReviewAction, ReviewEntry, ReviewRow, ReviewStep, Seq, Timestamp, UserId, UtcOffset,
};
use cems_core::qa::entry;
use rust_decimal::Decimal;

/// The stack.
const OUTLET: &str = "boli-1";
/// Who looks after its equipment, and who decides.
const OPERATOR: &str = "operator";
const SUPERVISOR: &str = "supervisor";
/// The factor that is tested.
const NOX: &str = "a21002";
/// Span gas, percent of full scale.
const SPAN_GAS_PCT: i64 = 80;

/// An entry and when it was made.
type Entry = (Timestamp, JournalEvent);

/// Everything that was entered after the past begins, in order.
///
/// # Errors
/// When an entry would be refused at a real site, or a file cannot be kept: mistakes of the demo.
pub(super) fn entries(
    residents: &[Resident],
    story: &Story,
    registry: &Registry,
    attachments: &Attachments,
) -> anyhow::Result<Vec<Entry>> {
    let Some(resident) = residents.iter().find(|resident| resident.id == OUTLET) else {
        return Ok(Vec::new());
    };
    let full_scale = full_scale(resident)?;
    let mut all = vec![maintenance(story), late(story)];
    all.extend(drifts(story, full_scale));
    all.extend(review(story, attachments)?);
    let told = |at: &Timestamp| story.begins() <= *at;
    all.retain(|(at, event)| told(at) && first_instant(event).is_none_or(|at| told(&at)));
    all.sort_by_key(|(at, _)| *at);
    let mut submitted = None;
    for (at, event) in &all {
        check(event, registry, &mut submitted, *at)?;
    }
    Ok(all)
}

fn full_scale(resident: &Resident) -> anyhow::Result<Decimal> {
    let mut channels = resident.channels().iter();
    let channel = channels.find(|channel| channel.code == NOX);
    let channel = channel.with_context(|| format!("{OUTLET} does not measure {NOX}"))?;
    Ok(Decimal::new(channel.range, channel.decimals))
}

/// The first instant that an entry speaks of. `None` for a review: its quarter is over, with data
/// in the books or without.
fn first_instant(event: &JournalEvent) -> Option<Timestamp> {
    match event {
        JournalEvent::Mark { mark } => Some(mark.from),
        JournalEvent::QaTest { test } => Some(test.at),
        _ => None,
    }
}

/// An entry passes the checks of a live one.
fn check(
    event: &JournalEvent,
    registry: &Registry,
    submitted: &mut Option<ReviewRow>,
    at: Timestamp,
) -> anyhow::Result<()> {
    let wrong = |error: &dyn std::fmt::Display| anyhow!("an entry of the demo: {error}");
    match event {
        JournalEvent::Mark { mark } => marks::check(mark, registry, at).map_err(|e| wrong(&e)),
        JournalEvent::QaTest { test } => {
            entry::check_test(test, registry, at).map_err(|e| wrong(&e))
        }
        JournalEvent::Review { action } => {
            entry::check_review(action, registry, submitted.as_ref(), at).map_err(|e| wrong(&e))?;
            *submitted = Some(ReviewRow {
                outlet: action.outlet.clone(),
                quarter: action.quarter,
                entries: vec![ReviewEntry {
                    action: action.clone(),
                    at,
                    seq: Seq(0),
                }],
            });
            Ok(())
        }
        other => Err(wrong(&format!("{other:?} is none"))),
    }
}

fn mark(kind: MarkKind, from: Timestamp, hours: i64, reason: &str) -> JournalEvent {
    JournalEvent::Mark {
        mark: Mark {
            outlet: OutletId::new(OUTLET),
            kind,
            factors: Vec::new(),
            from,
            until: from.plus_ms(hours * HOUR_MS),
            reason: reason.to_owned(),
            attachments: Vec::new(),
            by: UserId::new(OPERATOR),
        },
    }
}

/// Two hours of the day before yesterday, stated the same day.
fn maintenance(story: &Story) -> Entry {
    let from = story.hour_ago(34);
    let event = mark(MarkKind::Maintenance, from, 2, "更换采样探头滤芯，清洗管路");
    (from.plus_ms(5 * HOUR_MS), event)
}

/// Three hours of more than a fortnight ago, stated when the ten days for it were over.
fn late(story: &Story) -> Entry {
    let from = story.hour_ago(16 * 24);
    let event = mark(MarkKind::Fault, from, 3, "采样泵故障，补录");
    (from.plus_ms(13 * DAY_MS), event)
}

/// A test of the span that shows so many percent of full scale too much.
fn drift(story: &Story, full_scale: Decimal, (hours, tenths_pct): (i64, i64)) -> Entry {
    let part = |tenths: i64| full_scale * Decimal::new(tenths, 3);
    let at = story.hour_ago(hours).plus_ms(20 * MINUTE_MS);
    let test = QaTest {
        outlet: OutletId::new(OUTLET),
        factor: FactorCode::new(NOX),
        kind: QaKind::SpanDrift,
        at,
        pairs: vec![QaPair {
            reference: part(SPAN_GAS_PCT * 10).normalize(),
            measured: part(SPAN_GAS_PCT * 10 + tenths_pct).normalize(),
        }],
        full_scale: None,
        note: "量程标准气体，运维人员丁".to_owned(),
        attachments: Vec::new(),
        by: UserId::new(OPERATOR),
        from_cn: None,
    };
    (at.plus_ms(40 * MINUTE_MS), JournalEvent::QaTest { test })
}

/// A passed test, the next day a failed one, and one that passed after the repair: a day and two
/// hours out of control.
fn drifts(story: &Story, full_scale: Decimal) -> Vec<Entry> {
    let days = [(10 * 24, 12), (98, 8), (74, 114), (72, 5)];
    let of = |day| drift(story, full_scale, day);
    days.into_iter().map(of).collect()
}

/// The last quarter that was over six days before the end: handed in with its report, accepted the
/// next day. Nothing when the past is shorter.
fn review(story: &Story, attachments: &Attachments) -> anyhow::Result<Vec<Entry>> {
    let offset = UtcOffset::default();
    let at = story.hour_ago(6 * 24);
    if at < story.begins() {
        return Ok(Vec::new());
    }
    let (running, _) = quarter_of(at, offset);
    let (quarter, _) = quarter_of(running.plus_ms(-1), offset);
    let report = "有效性审核自查报告（演示，内容为虚构）\n";
    let file = attachments.keep("自查报告.txt", report.as_bytes())?;
    let step = |step, by: &str, note: &str, attachments: Vec<Attachment>| JournalEvent::Review {
        action: ReviewAction {
            outlet: OutletId::new(OUTLET),
            quarter,
            step,
            by: UserId::new(by),
            note: note.to_owned(),
            attachments,
        },
    };
    let hand_in = step(ReviewStep::Submit, OPERATOR, "季度自查合格", vec![file]);
    let pass = step(ReviewStep::Pass, SUPERVISOR, "同意", Vec::new());
    Ok(vec![(at, hand_in), (at.plus_ms(DAY_MS), pass)])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::demo::city::residents;
    use crate::demo::people::{logins, users_toml};
    use crate::demo::settings::{Expected, Ports, Settings};

    fn told(days: u32) -> Vec<Entry> {
        let dir = tempfile::tempdir().expect("a directory");
        let story = Story::ending(Timestamp(1_795_104_000_000), days);
        let cast = residents(&story);
        let users = users_toml(&logins(dir.path(), false).expect("made")).expect("hashed");
        let ports = Ports {
            console: 0,
            hj212: 0,
        };
        let settings = Settings::new(&cast, &story, &ports, users);
        let checked = settings.checked(Expected::All, dir.path()).expect("sound");
        let files = Attachments::in_directory(dir.path().join("files"));
        let all = entries(&cast, &story, &checked.registry, &files).expect("sound entries");
        let times: Vec<Timestamp> = all.iter().map(|(at, _)| *at).collect();
        assert!(times.is_sorted(), "{times:?}");
        let within = |at: &Timestamp| story.begins() <= *at && *at <= story.base;
        assert!(times.iter().all(within), "{times:?}");
        all
    }

    #[test]
    fn three_weeks_have_everything_and_short_pasts_what_fits() {
        assert_eq!(told(21).len(), 8);
        for days in [1, 3, 5, 6, 12] {
            let all = told(days);
            let reviews = all
                .iter()
                .filter(|(_, event)| matches!(event, JournalEvent::Review { .. }));
            assert!(matches!(reviews.count(), 0 | 2), "{days} days");
        }
    }
}
