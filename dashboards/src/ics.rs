//! Calendar files (RFC 5545): what is due, for the calendar program of a person.
//!
//! A day is over at 24:00, so what is due by the end of a day is an event of that whole day; what
//! is due at an hour stands at that hour.

use cems_core::model::time::{DAY_MS, HOUR_MS};
use cems_core::model::{Day, Timestamp, UtcOffset};
use chrono::DateTime;

/// Octets of a line before it is folded (RFC 5545, 3.1), line end not counted.
const LINE_OCTETS_MAX: usize = 75;

/// One thing that is due.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Due {
    /// The same for the same thing, whenever the file is fetched.
    pub(crate) uid: String,
    /// First instant at which it is late.
    pub(crate) due_at: Timestamp,
    /// In a few words.
    pub(crate) summary: String,
    /// In more.
    pub(crate) description: String,
    /// Where it is on the console, when that has an address.
    pub(crate) url: Option<String>,
    /// Reminders, hours before it is due.
    pub(crate) remind_h: Vec<u32>,
}

/// Text values: backslash, semicolon, comma and line ends are escaped; other control characters
/// fall away.
fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '\\' | ';' | ',' => {
                out.push('\\');
                out.push(c);
            }
            '\n' => out.push_str("\\n"),
            c if c.is_control() => {}
            c => out.push(c),
        }
    }
    out
}

/// A line with its end, folded where it is longer than it may be; never inside a character.
fn line(out: &mut String, text: &str) {
    let mut room = LINE_OCTETS_MAX;
    for c in text.chars() {
        if c.len_utf8() > room {
            out.push_str("\r\n ");
            // The blank that marks the continuation counts.
            room = LINE_OCTETS_MAX - 1;
        }
        out.push(c);
        room -= c.len_utf8();
    }
    out.push_str("\r\n");
}

fn utc(at: Timestamp) -> String {
    DateTime::from_timestamp_millis(at.0)
        .map(|at| at.format("%Y%m%dT%H%M%SZ").to_string())
        .unwrap_or_default()
}

/// The calendar of these things.
pub(crate) fn calendar(name: &str, due: &[Due], now: Timestamp, offset: UtcOffset) -> String {
    let mut out = String::new();
    for text in [
        "BEGIN:VCALENDAR",
        "VERSION:2.0",
        "PRODID:-//cemsd//duties//ZH",
        "CALSCALE:GREGORIAN",
        "METHOD:PUBLISH",
        "REFRESH-INTERVAL;VALUE=DURATION:PT1H",
        "X-PUBLISHED-TTL:PT1H",
    ] {
        line(&mut out, text);
    }
    line(&mut out, &format!("X-WR-CALNAME:{}", escape(name)));
    for one in due {
        event(&mut out, one, now, offset);
    }
    line(&mut out, "END:VCALENDAR");
    out
}

fn event(out: &mut String, due: &Due, now: Timestamp, offset: UtcOffset) {
    line(out, "BEGIN:VEVENT");
    line(out, &format!("UID:{}", escape(&due.uid)));
    line(out, &format!("DTSTAMP:{}", utc(now)));
    let local_ms = due.due_at.0 + i64::from(offset.minutes()) * 60_000;
    if local_ms.rem_euclid(DAY_MS) == 0 {
        let day = Day::of(due.due_at.plus_ms(-1), offset);
        let date = |day: Day| day.to_string().replace('-', "");
        line(out, &format!("DTSTART;VALUE=DATE:{}", date(day)));
        line(out, &format!("DTEND;VALUE=DATE:{}", date(day.plus(1))));
    } else {
        line(out, &format!("DTSTART:{}", utc(due.due_at)));
    }
    line(out, &format!("SUMMARY:{}", escape(&due.summary)));
    line(out, &format!("DESCRIPTION:{}", escape(&due.description)));
    if let Some(url) = &due.url {
        line(out, &format!("URL:{url}"));
    }
    // A deadline takes nobody's time.
    line(out, "TRANSP:TRANSPARENT");
    for hours in &due.remind_h {
        let at = due.due_at.plus_ms(-i64::from(*hours) * HOUR_MS);
        if at > now {
            line(out, "BEGIN:VALARM");
            line(out, "ACTION:DISPLAY");
            line(out, &format!("TRIGGER;VALUE=DATE-TIME:{}", utc(at)));
            line(out, &format!("DESCRIPTION:{}", escape(&due.summary)));
            line(out, "END:VALARM");
        }
    }
    line(out, "END:VEVENT");
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Timestamp {
        Timestamp(
            DateTime::parse_from_rfc3339(text)
                .unwrap()
                .timestamp_millis(),
        )
    }

    fn one(due_at: &str) -> Due {
        Due {
            uid: "month-total:jia:2026-09@cemsd".to_owned(),
            due_at: at(due_at),
            summary: "月报; 甲, 乙".to_owned(),
            description: "第一行\n第二行\\".to_owned(),
            url: Some("https://cems.example/duties/x".to_owned()),
            remind_h: vec![72, 24],
        }
    }

    /// Lines with folds undone, as a calendar program reads them.
    fn lines(text: &str) -> Vec<String> {
        assert!(text.ends_with("\r\n"));
        assert!(!text.replace("\r\n", "").contains(['\r', '\n']));
        for raw in text.split("\r\n") {
            assert!(raw.len() <= LINE_OCTETS_MAX, "{raw}");
        }
        let unfolded = text.replace("\r\n ", "");
        unfolded.lines().map(str::to_owned).collect()
    }

    fn written(due: Due, now: &str) -> Vec<String> {
        lines(&calendar("值守", &[due], at(now), UtcOffset::default()))
    }

    #[test]
    fn the_end_of_a_day_is_that_whole_day() {
        let text = written(
            one("2026-10-16T00:00:00+08:00"),
            "2026-10-01T09:00:00+08:00",
        );
        for expected in [
            "UID:month-total:jia:2026-09@cemsd",
            "DTSTAMP:20261001T010000Z",
            "DTSTART;VALUE=DATE:20261015",
            "DTEND;VALUE=DATE:20261016",
            "SUMMARY:月报\\; 甲\\, 乙",
            "DESCRIPTION:第一行\\n第二行\\\\",
            "TRIGGER;VALUE=DATE-TIME:20261012T160000Z",
            "TRIGGER;VALUE=DATE-TIME:20261014T160000Z",
        ] {
            assert!(
                text.iter().any(|line| line == expected),
                "{expected}: {text:?}"
            );
        }
    }

    #[test]
    fn an_hour_is_an_hour_and_past_reminders_are_left_out() {
        let text = written(
            one("2026-10-02T10:10:00+08:00"),
            "2026-10-01T09:00:00+08:00",
        );
        assert!(text.iter().any(|line| line == "DTSTART:20261002T021000Z"));
        let alarms = text.iter().filter(|line| *line == "BEGIN:VALARM");
        assert_eq!(alarms.count(), 1);
    }

    #[test]
    fn long_lines_are_folded_between_characters() {
        let mut due = one("2026-10-16T00:00:00+08:00");
        due.summary = "自动监测设备运行情况季度自查报告".repeat(9);
        due.description = "x".repeat(400);
        let text = written(due.clone(), "2026-10-01T09:00:00+08:00");
        assert!(text.contains(&format!("SUMMARY:{}", due.summary)));
        assert!(text.contains(&format!("DESCRIPTION:{}", due.description)));
    }

    #[test]
    fn nothing_can_end_a_line_from_outside() {
        let mut due = one("2026-10-16T00:00:00+08:00");
        due.summary = "a\r\nBEGIN:VEVENT\u{0}".to_owned();
        let text = written(due, "2026-10-01T09:00:00+08:00");
        assert!(text.iter().any(|line| line == "SUMMARY:a\\nBEGIN:VEVENT"));
    }
}
