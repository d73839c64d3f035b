//! A month of a duty desk, told once: exceedances, outages, a fallback over midnight, marks, a
//! changed parameter, duties around a public holiday, and people who answer, or do not. What is
//! alarmed, reminded, escalated and told comes out exactly as the golden file says, and the same
//! when the engine is restarted at any points.

mod script;

use super::month::dice::Dice;
use crate::fixture::*;
use crate::model::*;
use script::{Script, offset};
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::Path;

/// Turns that a person would look for in the month: by the beginning of their codes.
const TOLD: [&str; 8] = [
    "alarm.",
    "fallback.",
    "report.",
    "duty.",
    "desk.",
    "roster.",
    "policy.",
    "registry.",
];

fn local(at: Timestamp) -> String {
    offset().local(at).format("%m-%d %H:%M:%S").to_string()
}

/// Runs the month; before event `n`, `restarts(n)` says whether the engine is thrown away.
fn run(script: &Script, restarts: impl Fn(usize) -> bool) -> crate::engine::Tables {
    let mut bench = Bench::default();
    for (n, (at, event)) in script.events.iter().enumerate() {
        if restarts(n) {
            bench.restart();
        }
        bench.send(*at, event.clone());
    }
    bench.tick(script.until);
    bench.tables()
}

/// What an alarm is about, in a word.
fn subject(row: &AlarmRow) -> String {
    let subject = match &row.subject {
        AlarmSubject::Outlet(id) => id.to_string(),
        AlarmSubject::Enterprise(id) => format!("enterprise {id}"),
        AlarmSubject::Region(id) => format!("region {id}"),
        AlarmSubject::Daemon(part) => format!("daemon {part}"),
        AlarmSubject::Device(mn) => format!("device {mn}"),
        AlarmSubject::Peer(peer) => format!("peer {peer}"),
    };
    let more = [
        row.factor.as_ref().map(ToString::to_string),
        row.code.as_ref().map(ToString::to_string),
        row.first_out.map(|id| format!("after alarm/{id}")),
        row.previous.map(|id| format!("again alarm/{id}")),
        row.chattering.then(|| "chatters".to_owned()),
        (row.outlets > 0).then(|| format!("{} outlets", row.outlets)),
    ];
    let more: Vec<String> = more.into_iter().flatten().collect();
    format!("{subject} {}", more.join(" "))
        .trim_end()
        .to_owned()
}

/// The month in lines, by time.
fn lines(tables: &crate::engine::Tables) -> String {
    let mut all: BTreeMap<(Timestamp, u8, u64, u32), String> = BTreeMap::new();
    for row in tables.audit.values() {
        if !TOLD.iter().any(|of| row.what.starts_with(of)) {
            continue;
        }
        let alarm = row.object.strip_prefix("alarm/");
        let alarm = alarm.and_then(|id| tables.alarms.get(&AlarmId(id.parse().ok()?)));
        let detail = match (row.what.as_str(), alarm) {
            ("alarm.raised", Some(alarm)) => {
                format!(
                    "{} {} {}",
                    alarm.priority.as_str(),
                    row.detail,
                    subject(alarm)
                )
            }
            _ => row.detail.clone(),
        };
        let mut line = format!("{}  {} {}", local(row.at), row.what, row.object);
        if row.who != "engine" {
            let _ = write!(line, " by {}", row.who);
        }
        if !detail.is_empty() {
            let _ = write!(line, ": {detail}");
        }
        all.insert((row.at, 0, row.seq.0, row.n), line);
    }
    for row in tables.messages.values() {
        let about: Vec<String> = row.about.iter().map(|about| about.object()).collect();
        let line = format!(
            "{}      → {} by {} to {} ({}): {}",
            local(row.at),
            row.reason.as_str(),
            row.channel,
            row.to.as_str(),
            row.priority.as_str(),
            about.join(" ")
        );
        all.insert((row.at, 1, row.id.0, 0), line);
    }
    let mut text = String::new();
    for line in all.into_values() {
        text.push_str(&line);
        text.push('\n');
    }
    text
}

#[test]
fn a_month_of_the_desk_comes_out_exactly() {
    let found = lines(&run(&script::month(), |_| false));
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("testdata/vigil.txt");
    if std::env::var_os("BLESS").is_some() {
        std::fs::write(&path, &found).unwrap();
    }
    let kept = std::fs::read_to_string(&path).unwrap_or_default();
    let off = kept.lines().zip(found.lines()).find(|(a, b)| a != b);
    assert!(kept == found, "bless with BLESS=1 after reading: {off:#?}");
}

/// The journal positions of lines differ by nothing: the events are the same.
#[test]
fn a_month_with_restarts_at_a_hundred_random_points_is_the_same_month() {
    let script = script::month();
    let whole = run(&script, |_| false);
    let mut dice = Dice::new(20_261_001);
    let points: std::collections::BTreeSet<usize> =
        (0..100).map(|_| dice.place(script.events.len())).collect();
    assert!(points.len() > 90);
    let broken = run(&script, |n| points.contains(&n));
    assert_eq!(lines(&whole), lines(&broken));
    assert_eq!(whole.alarms, broken.alarms);
    assert_eq!(whole.messages, broken.messages);
    assert_eq!(whole.fallbacks, broken.fallbacks);
    assert!(
        whole.state == broken.state,
        "what the engine keeps is the same"
    );
}
