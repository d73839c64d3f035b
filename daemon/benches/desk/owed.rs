//! The national table of duties for a province: a month opens, falls due and is told; what the
//! pages of it take.

use crate::city::{BEGIN, policy, registry};
use crate::flood::Books;
use crate::{Size, ms, say};
use cems_core::model::time::{DAY_MS, HOUR_MS};
use cems_core::model::{Expectation, FallbackRule, Policy, Registry, Timestamp};
use cems_daemon::events::JournalEvent;
use cems_daemon::store::DutyFilter;
use std::sync::Arc;
use std::time::Instant;

/// What a page of duties may take, ms.
const PAGE_MS_MAX: u128 = 200;

/// Outlets that are not expected to send: nothing but duties is told.
fn silent(outlets: usize) -> Registry {
    let mut city = registry(outlets, 1);
    for outlet in city.outlets.values_mut() {
        outlet.expect = Expectation {
            realtime_s: None,
            minute_min: None,
            hour: false,
            no_data_after_s: outlet.expect.no_data_after_s,
        };
        outlet.fallback = FallbackRule {
            opens_after_min: u32::MAX,
            ..outlet.fallback.clone()
        };
    }
    city
}

fn national(outlets: usize) -> Policy {
    let files = [("bench.toml", "")];
    let checked = cems_config::load_str(&files).unwrap_or_else(|problems| panic!("{problems}"));
    Policy {
        duties: Arc::clone(&checked.policy.duties),
        ..policy(outlets)
    }
}

/// Lets time pass to `until`, an hour a tick, and gives the slowest tick with its moment.
fn pass(books: &mut Books, from: Timestamp, until: Timestamp) -> (u128, Timestamp) {
    let (mut at, mut slowest) = (from, (0, from));
    while at < until {
        at = at.plus_ms(HOUR_MS).min(until);
        let began = Instant::now();
        books.take(at, &[JournalEvent::Tick]);
        slowest = slowest.max((ms(began), at));
    }
    slowest
}

fn rows(books: &Books) -> u64 {
    let (from, until) = (Timestamp(0), Timestamp(i64::MAX));
    let days = books.readers.duty_days(None, true, (from, until), 10_000);
    days.unwrap().iter().map(|day| day.all).sum()
}

fn pages(books: &Books, now: Timestamp) {
    let began = Instant::now();
    let filter = DutyFilter {
        open: true,
        due_before: Some(now.plus_ms(7 * DAY_MS)),
        rule: None,
        places: None,
        inside: true,
        limit: 1_000,
    };
    let list = books.readers.duties(&filter).unwrap().len();
    let first = ms(began);
    say(&format!("list of {list} duties"), first, "ms");
    let began = Instant::now();
    let (from, until) = (now.plus_ms(-20 * DAY_MS), now.plus_ms(30 * DAY_MS));
    let days = books.readers.duty_days(None, true, (from, until), 1_000);
    let days = days.unwrap().len();
    let month = ms(began);
    say(
        &format!("a month of the calendar, {days} rounds"),
        month,
        "ms",
    );
    for (name, took) in [("list", first), ("calendar", month)] {
        if took >= PAGE_MS_MAX {
            println!("  {name}: over {PAGE_MS_MAX} ms");
        }
    }
}

pub(crate) fn run(size: Size) {
    let mut books = Books::open();
    let opening = JournalEvent::Registry {
        files_sha256: "bench".into(),
        registry: Arc::new(silent(size.outlets)),
    };
    let rules = JournalEvent::Policy {
        policy: Arc::new(national(size.outlets)),
    };
    let began = Instant::now();
    books.take(BEGIN, &[rules, opening]);
    let first = rows(&books);
    say(
        &format!("registry and {first} duties of this period"),
        ms(began),
        "ms",
    );
    // 2026-12-01 00:00: the months of December open.
    let december = BEGIN.plus_ms(11 * DAY_MS);
    let (slowest, _) = pass(&mut books, BEGIN, december.plus_ms(-1));
    say("slowest tick of November", slowest, "ms");
    let began = Instant::now();
    books.take(december, &[JournalEvent::Tick]);
    let opened = rows(&books) - first;
    say(&format!("a month opens, {opened} duties"), ms(began), "ms");
    pages(&books, december);
    let until = december.plus_ms(12 * DAY_MS);
    let (slowest, at) = pass(&mut books, december, until);
    let day = at.since_ms(december) / HOUR_MS;
    say(
        &format!("slowest tick until 12 December (hour {day})"),
        slowest,
        "ms",
    );
    pages(&books, until);
}
