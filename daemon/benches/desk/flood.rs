//! Ten thousand alarms within one minute, through journal lines, engine and store; the desk and its
//! messages meanwhile.

use crate::city::{BEGIN, GROUP_WAIT_S, enterprise_of, mn, outlet_id, policy, region_of, registry};
use crate::{Size, ms, say};
use cems_core::alarm::groups::GROUPS_BELOW;
use cems_core::model::{EnterpriseId, Recipient, Role, Scope, Timestamp, UserId};
use cems_daemon::console::Desk;
use cems_daemon::events::{JournalEvent, Verdict};
use cems_daemon::intake::Interpreter;
use cems_daemon::journal::Entry;
use cems_daemon::pipeline::Pipeline;
use cems_daemon::store::{Readers, SqliteStore};
use cems_dashboards::backend::{Actor, AlarmFilter};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Instant;

/// Journal lines handed over at a time.
const BATCH: usize = 500;
/// Factors: the fewer, the smaller the registry's own row.
const FACTORS: usize = 1;
/// What a page of the desk may take, ms.
const PAGE_MS_MAX: u128 = 200;

pub(crate) struct Books {
    pipeline: Pipeline<SqliteStore>,
    seq: u64,
    _dir: tempfile::TempDir,
    pub(crate) readers: Readers,
}

impl Books {
    pub(crate) fn open() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("projections.db");
        let store = SqliteStore::open(&path).unwrap().store;
        let journal = dir.path().join("journal");
        std::fs::create_dir(&journal).unwrap();
        let stop = Arc::new(AtomicBool::new(false));
        Self {
            pipeline: Pipeline::new(store, journal, Interpreter, stop).unwrap(),
            readers: Readers::open(&path).unwrap(),
            _dir: dir,
            seq: 0,
        }
    }

    pub(crate) fn take(&mut self, at: Timestamp, events: &[JournalEvent]) {
        let lines = events.iter().map(|event| {
            self.seq += 1;
            Entry {
                seq: self.seq,
                at_ms: at.0,
                body: event.to_line(),
            }
        });
        let lines: Vec<Entry> = lines.collect();
        self.pipeline.take(&lines);
    }
}

fn wrong_password(n: usize) -> JournalEvent {
    let verdict = Verdict::WrongPassword {
        outlet: outlet_id(n),
    };
    let raw = format!(
        "##0100QN=20261120000000000;ST=31;CN=2051;PW=x;MN={};CP=&&&&",
        mn(n)
    );
    JournalEvent::frame("203.0.113.9:1", verdict, raw.into_bytes())
}

fn actor(scope: Scope) -> Actor {
    Actor {
        user: UserId::new("duty-1"),
        name: "示例".to_owned(),
        role: Role::DutyOfficer,
        scope,
    }
}

fn page(books: &Books, name: &str, scope: Scope) {
    let projected = books.pipeline.projected();
    let (registry, rules) = (projected.registry(), projected.policy());
    let now = books.pipeline.position().at;
    let actor = actor(scope);
    let ask = || {
        let began = Instant::now();
        let desk = Desk {
            readers: &books.readers,
            registry: &registry,
            policy: &rules,
            now,
        };
        let view = desk.view(&actor, &AlarmFilter::default());
        (ms(began), view.unwrap())
    };
    let (first, view) = ask();
    let (again, _) = ask();
    let rows = view.queue.groups.len();
    say(
        &format!("desk of {name}, first time and again: {first} and"),
        again,
        "ms",
    );
    say(
        &format!("rows of {} open alarms", view.queue.open),
        rows,
        "rows",
    );
    assert!(rows < GROUPS_BELOW, "{rows} rows");
    if first >= PAGE_MS_MAX {
        println!("  over {PAGE_MS_MAX} ms");
    }
}

/// A message to the people of `enterprise`: engine time from the alarm to the decision.
fn message(books: &Books, enterprise: &EnterpriseId) -> Option<i64> {
    let user = Recipient::User(format!("user-of-{enterprise}").as_str().into());
    let messages = books
        .readers
        .messages_after(cems_core::model::MessageId(0), 1_000_000);
    let messages = messages.unwrap();
    let mine = messages.iter().find(|message| message.to == user)?;
    let alarm = match mine.about.first()? {
        cems_core::model::About::Alarm(id) => books.readers.alarm(*id).unwrap()?,
        _ => return None,
    };
    Some(mine.at.since_ms(alarm.raised_at))
}

pub(crate) fn run(size: Size) {
    let mut books = Books::open();
    let began = Instant::now();
    let opening = JournalEvent::Registry {
        files_sha256: "bench".into(),
        registry: Arc::new(registry(size.outlets, FACTORS)),
    };
    let rules = JournalEvent::Policy {
        policy: Arc::new(policy(size.outlets)),
    };
    books.take(BEGIN, &[rules]);
    books.take(BEGIN, &[opening]);
    say(
        &format!("{} outlets into the books", size.outlets),
        ms(began),
        "ms",
    );

    // One cause: keys were changed, every logger is refused. One line a few milliseconds.
    let step = size.outlets / size.alarms;
    let events: Vec<JournalEvent> = (0..size.alarms).map(|n| wrong_password(n * step)).collect();
    let began = Instant::now();
    let mut slowest = 0;
    for (n, batch) in (0..).zip(events.chunks(BATCH)) {
        let each = Instant::now();
        let at = 60_000 * n / i64::try_from(size.alarms.div_ceil(BATCH)).unwrap();
        books.take(BEGIN.plus_ms(60_000 + at), batch);
        slowest = slowest.max(ms(each));
    }
    say(
        &format!("{} alarms raised, to committed rows", size.alarms),
        ms(began),
        "ms",
    );
    say(&format!("slowest batch of {BATCH}"), slowest, "ms");

    page(&books, "all", Scope::default());
    let region = Scope {
        regions: [region_of(0)].into(),
        ..Scope::default()
    };
    page(&books, "a region", region);

    let began = Instant::now();
    let wait = i64::from(GROUP_WAIT_S) * 1_000;
    books.take(BEGIN.plus_ms(120_000 + wait), &[JournalEvent::Tick]);
    let wall = ms(began);
    let told = message(&books, &enterprise_of(0)).unwrap();
    say(
        "message to one enterprise, event to decision",
        told,
        "ms of engine time",
    );
    say("the tick that decides the last of them", wall, "ms");
    assert!(told <= 5_000, "{told} ms");
}
