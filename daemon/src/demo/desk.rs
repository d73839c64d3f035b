//! The duty desk of the city: a roster of three shifts a day, and what one shift told the next.

use super::story::Story;
use crate::events::JournalEvent;
use anyhow::anyhow;
use cems_core::model::time::{DAY_MS, HOUR_MS};
use cems_core::model::{HandOver, Level, Period, Shift, Timestamp, UserId, UtcOffset};
use cems_core::roster;
use std::collections::BTreeSet;

/// Who is on duty: beginning of the shift by the clock, and who.
const SHIFTS: [(i64, &[&str]); 3] = [
    (0, &["supervisor"]),
    (8, &["duty"]),
    (16, &["duty", "supervisor"]),
];
/// Length of a shift, h.
const SHIFT_H: i64 = 8;
/// The roster is known for so many days before the end of the past, and after it.
const DAYS: std::ops::Range<i64> = -7..7;

/// Shifts and hand-overs with the times of their entry.
///
/// # Errors
/// When an entry would be refused at a real site: a mistake of the demo.
pub(super) fn entries(story: &Story) -> anyhow::Result<Vec<(Timestamp, JournalEvent)>> {
    let today = Period::containing(Level::Day, story.ago(0, 0), UtcOffset::default()).start;
    let people = |names: &[&str]| -> BTreeSet<UserId> { names.iter().map(UserId::new).collect() };
    let mut list = Vec::new();
    for day in DAYS {
        for (hour, names) in SHIFTS {
            let from = today.plus_ms(day * DAY_MS + hour * HOUR_MS);
            let shift = Shift {
                from,
                until: from.plus_ms(SHIFT_H * HOUR_MS),
                people: people(names),
                by: UserId::new("supervisor"),
            };
            roster::check_shift(&shift).map_err(|error| anyhow!("the demo's roster: {error}"))?;
            let entered = from.plus_ms(-2 * DAY_MS).min(story.ago(1, 0));
            list.push((entered, JournalEvent::Shift { shift }));
        }
    }
    for (hours, from, to, note) in [
        (16, "duty", "supervisor", "热电一号炉夜间低负荷运行，已报告"),
        (
            7,
            "supervisor",
            "duty",
            "溪水污水处理厂在线设备故障，人工监测数据请按时催报",
        ),
    ] {
        let over = HandOver {
            from: UserId::new(from),
            to: people(&[to]),
            note: note.to_owned(),
        };
        list.push((story.ago(hours, 0), JournalEvent::HandOver { over }));
    }
    list.retain(|(at, _)| story.begins() <= *at);
    Ok(list)
}
