//! `[hj212.dialogue]` and `[hj212.initial]`: what the centre asks of loggers by itself.

use crate::report::{Report, say};
use crate::section::{Got, Section};
use crate::settings::{DialogueSettings, InitialSettings};

/// Divisors of an hour that minute data may have as their interval (HJ 212-2017, MinInterval).
const MINUTE_INTERVALS: [u32; 11] = [1, 2, 3, 4, 5, 6, 10, 12, 15, 20, 30];

/// Reads both tables out of `[hj212]`.
pub(super) fn dialogue(hj212: &Section<'_>, r: &mut Report) -> DialogueSettings {
    let mut out = DialogueSettings {
        initial: hj212.section(r, "initial").map(|s| initial(s, r)),
        ..DialogueSettings::default()
    };
    let Some(s) = hj212.section(r, "dialogue") else {
        return out;
    };
    let mut number = |key, bounds, value: &mut u32| {
        if let Some(got) = s.integer(r, key, bounds) {
            *value = got.value;
        }
    };
    number("answer_timeout_s", 1..=300, &mut out.answer_timeout_s);
    number("resends", 0..=20, &mut out.resends);
    number(
        "execution_timeout_s",
        5..=86_400,
        &mut out.execution_timeout_s,
    );
    number("device_wait_s", 1..=604_800, &mut out.device_wait_s);
    number("refetch_per_minute", 1..=6_000, &mut out.refetch_per_minute);
    let tolerance = s.integer(r, "clock_tolerance_s", 5..=86_400);
    let days = s.integer(r, "refetch_days", 1..=366);
    let on = |key, r: &mut Report| s.boolean(r, key);
    if let Some(set) = on("set_clock", r) {
        out.clock_tolerance_s = set.value.then_some(30);
    }
    if let Some(tolerance) = tolerance {
        if out.clock_tolerance_s.is_none() {
            r.error(
                tolerance.at,
                say!(
                    "`clock_tolerance_s` without `set_clock = true`",
                    "写了 `clock_tolerance_s`，但未写 `set_clock = true`"
                ),
                say!("set both, or neither", "两项同时写，或都不写"),
            );
        }
        out.clock_tolerance_s = Some(tolerance.value);
    }
    let refetch = on("refetch", r);
    if let Some(days) = &days {
        out.refetch_days = Some(days.value);
    }
    if refetch.is_some_and(|got| !got.value) {
        out.refetch_days = None;
    }
    if let Some(rotate) = on("rotate_keys", r) {
        out.rotate_keys = rotate.value;
    }
    s.finish(r);
    out
}

fn initial(s: Section<'_>, r: &mut Report) -> InitialSettings {
    let mut value = |key, bounds| s.integer::<u32>(r, key, bounds).map(|got| got.value);
    let every_days = value("every_days", 1..=3_660).unwrap_or(365);
    let timeout = value("timeout_s", 1..=99);
    let retries = value("retries", 1..=99);
    let realtime_interval_s = value("realtime_interval_s", 30..=3_600);
    let minute = s.integer::<u32>(r, "minute_interval_min", 1..=30);
    let mut on = |key| s.boolean(r, key).map(|got| got.value);
    let set_time = on("set_time").unwrap_or(true);
    let (realtime, facility) = (on("realtime"), on("facility"));
    if timeout.is_some() != retries.is_some() {
        r.error(
            s.at,
            say!(
                "`timeout_s` and `retries` are sent together",
                "`timeout_s` 与 `retries` 在同一命令中下发"
            ),
            say!("set both, or neither", "两项同时写，或都不写"),
        );
    }
    let minute_interval_min = minute.map(|got| divides(&got, r));
    s.finish(r);
    InitialSettings {
        every_days,
        set_time,
        timeouts: timeout.zip(retries),
        realtime_interval_s,
        minute_interval_min,
        realtime,
        facility,
    }
}

fn divides(got: &Got<u32>, r: &mut Report) -> u32 {
    if !MINUTE_INTERVALS.contains(&got.value) {
        let value = got.value;
        r.error(
            got.at,
            say!(
                "`minute_interval_min` cannot be {value}",
                "`minute_interval_min` 不能是 {value}"
            ),
            say!(
                "a divisor of an hour up to 30, such as 1, 5 or 10",
                "应为 60 的约数且不超过 30，如 1、5、10"
            ),
        );
    }
    got.value
}
