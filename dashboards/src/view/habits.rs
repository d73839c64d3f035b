//! Habits of a logger, in words.

use super::Eyes;
use cems_core::model::rows::Habits;
use cems_core::model::time::SECOND_MS;
use smol_str::SmolStr;

/// A clock this near to ours is called right, s: what a request takes on a slow line.
const CLOCK_RIGHT_S: u64 = 10;

/// A habit: label, words, and whether it is what the standard says.
pub(crate) struct Habit {
    pub(crate) label: String,
    pub(crate) words: String,
    pub(crate) usual: bool,
}

/// All habits, also those not seen yet.
pub(crate) fn habits(eyes: &Eyes<'_>, row: &Habits) -> Vec<Habit> {
    let words = eyes.words;
    let unknown = || (words.t("habit-unknown"), true);
    let code = |prefix: &str, code: Option<&SmolStr>, usual: &[&str]| {
        code.map_or_else(unknown, |code| {
            (words.code(prefix, code), usual.contains(&code.as_str()))
        })
    };
    let yes = |prefix: &str, seen: Option<bool>| {
        seen.map_or_else(unknown, |yes| {
            let word = if yes { "yes" } else { "no" };
            (words.code(prefix, word), yes)
        })
    };
    let rows = [
        ("habit-crc", code("habit-crc", row.crc.as_ref(), &["hj212"])),
        (
            "habit-line-end",
            code("habit-line-end", row.line_end.as_ref(), &["crlf"]),
        ),
        (
            "habit-length",
            code("habit-length", row.length.as_ref(), &["right"]),
        ),
        (
            "habit-case",
            code("habit-case", row.case.as_ref(), &["standard"]),
        ),
        (
            "habit-encoding",
            code("habit-encoding", row.encoding.as_ref(), &["utf-8"]),
        ),
        (
            "habit-encryption",
            // Encrypted in the standard's own form is as usual as not at all.
            code(
                "habit-encryption",
                row.encryption.as_ref(),
                &["none", "raw"],
            ),
        ),
        (
            "habit-wants-answer",
            // A device may ask for no answers.
            (yes("habit-wants-answer", row.wants_answer).0, true),
        ),
        (
            "habit-reads-answers",
            yes("habit-reads-answers", row.reads_answers),
        ),
        ("habit-sets-clock", yes("habit-sets-clock", row.sets_clock)),
        (
            "habit-clock",
            row.clock_offset_s.map_or_else(unknown, |s| clock(eyes, s)),
        ),
    ];
    let habits = rows.into_iter().map(|(label, (text, usual))| Habit {
        label: words.t(label),
        words: text,
        usual,
    });
    habits.collect()
}

fn clock(eyes: &Eyes<'_>, offset_s: i64) -> (String, bool) {
    if offset_s.unsigned_abs() <= CLOCK_RIGHT_S {
        return (eyes.words.t("habit-clock-right"), true);
    }
    let key = if offset_s > 0 {
        "habit-clock-ahead"
    } else {
        "habit-clock-behind"
    };
    let ms = offset_s.saturating_abs().saturating_mul(SECOND_MS);
    let span = eyes.times.span(ms);
    (eyes.words.with(key, &[("span", &span)]), false)
}
