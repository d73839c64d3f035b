//! The outbox with destinations in memory, in time that does not pass by itself.

mod memory;
mod stories;

use super::lane::Lane;
use super::news::News;
use super::supply::Supply;
use super::*;
use crate::store::{Position, SqliteStore, Store};
use cems_config::{Destination as To, DestinationMeans, InfluxServer, OutletFilter};
use cems_core::model::rows::AuditRow;
use cems_core::model::time::{DAY_MS, MINUTE_MS};
use cems_core::model::{
    Number, OutgoingRow, OutletId, Output, RecordKind, RecordRow, Registry, Seq, Series,
    StoredValue, Timestamp, Value,
};
use memory::{Door, Fault, Memory};
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

const NOW: Timestamp = Timestamp(1_773_815_520_000);
const OUTLET: &str = "jia-1";

/// One region, one enterprise, one stack: the registry of an example, cut to its bones.
fn registry() -> Registry {
    let files = [
        ("cemsd.toml", "registry = [\"city.toml\"]\n"),
        ("city.toml", include_str!("city.toml")),
    ];
    cems_config::load_str(&files).unwrap().registry
}

fn settings(id: &str) -> To {
    To {
        id: id.into(),
        filter: OutletFilter::default(),
        series: Series::ALL.into(),
        events: true,
        give_up_after_days: 400,
        means: DestinationMeans::Influx(InfluxServer {
            url: "http://127.0.0.1:9".into(),
            org: "".into(),
            bucket: "cems".into(),
            token: None,
            ca: None,
            batch_lines: 10,
            gzip: false,
            corrections: cems_config::Corrections::Replace,
        }),
    }
}

/// Projections that are written to, and any number of lanes that read them.
struct House {
    dir: tempfile::TempDir,
    store: SqliteStore,
    supply: Arc<Supply>,
    books: Arc<Books>,
    clock: Clock,
    seq: u64,
    logged: BTreeSet<String>,
}

/// A lane at work.
struct Work {
    memory: Arc<Memory>,
    news: Arc<News>,
    stop: CancellationToken,
    task: tokio::task::JoinHandle<()>,
}

impl House {
    fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let store = SqliteStore::open(&dir.path().join("projections.db"))
            .unwrap()
            .store;
        let registry = Arc::new(registry());
        let supply = Arc::new(Supply {
            readers: store.readers().unwrap(),
            registry: Arc::new(move || Arc::clone(&registry)),
        });
        let (books, _) = Books::open(&dir.path().join("outbox.db")).unwrap();
        Self {
            dir,
            store,
            supply,
            books: Arc::new(books),
            clock: Clock::simulated(NOW, 1),
            seq: 0,
            logged: BTreeSet::new(),
        }
    }

    /// One minute record written now, with its line in the log.
    fn record(&mut self, start: Timestamp, value: i64) {
        let number = Number {
            value: value.into(),
            text: value.to_string().into(),
        };
        self.seq += 1;
        let (seq, at) = (Seq(self.seq), self.clock.now());
        let stored = StoredValue {
            value: Value {
                factor: "a21026".into(),
                sent_as: None,
                rtd: None,
                avg: Some(number),
                min: None,
                max: None,
                cou: None,
                converted: None,
                flag: None,
                unreadable: None,
            },
            valid: true,
            checks: Vec::new(),
            received_at: at,
            seq,
            superseded: 0,
        };
        let outlet = OutletId::new(OUTLET);
        let row = RecordRow {
            outlet: outlet.clone(),
            kind: RecordKind::Minute,
            start,
            resent: false,
            values: BTreeMap::from([("a21026".into(), stored)]),
        };
        let line = OutgoingRow {
            seq,
            n: 0,
            at,
            outlet,
            what: Series::Record(RecordKind::Minute),
            start,
        };
        self.logged.insert(format!("{OUTLET}/minute/{}", start.0));
        self.write(&[Output::Record(row), Output::Outgoing(line)]);
    }

    /// `n` minutes written now, one after another.
    fn minutes(&mut self, n: i64) {
        let begin = i64::try_from(self.seq).unwrap();
        for m in begin..begin + n {
            self.record(NOW.plus_ms(m * MINUTE_MS), m);
        }
    }

    fn event(&mut self, object: &str) {
        self.seq += 1;
        let row = AuditRow {
            seq: Seq(self.seq),
            n: 0,
            at: self.clock.now(),
            who: "zhang".into(),
            what: "mark.entered".into(),
            object: object.into(),
            detail: String::new(),
        };
        self.logged.insert(format!("event/{}.0", self.seq));
        self.write(&[Output::Audit(row)]);
    }

    fn write(&mut self, outputs: &[Output]) {
        self.store.begin().unwrap();
        for output in outputs {
            self.store.apply(output).unwrap();
        }
        let position = Position {
            seq: Seq(self.seq),
            at: self.clock.now(),
        };
        self.store.commit(position).unwrap();
    }

    /// Sets a destination to work; `books` are those of the house.
    fn open(&self, to: To, memory: &Arc<Memory>, most: usize) -> Work {
        let announce = Box::new(|| {});
        let news = Arc::new(News::new([to.id.clone()].into_iter(), announce));
        let lane = Lane {
            settings: Arc::new(to),
            destination: Box::new(Door(Arc::clone(memory), most)),
            books: Arc::clone(&self.books),
            supply: Arc::clone(&self.supply),
            clock: self.clock.clone(),
            news: Arc::clone(&news),
            attempts: 0,
        };
        let stop = CancellationToken::new();
        Work {
            memory: Arc::clone(memory),
            news,
            task: tokio::spawn(lane.run(stop.clone())),
            stop,
        }
    }

    fn board(&self, to: To, work: &Work) -> OutboxBoard {
        OutboxBoard::new(
            vec![Arc::new(to)],
            Arc::clone(&self.books),
            Arc::clone(&self.supply),
            Arc::clone(&work.news),
            self.clock.clone(),
        )
    }
}

impl Work {
    /// Waits, in virtual time, until `seen` or half a day has passed: pauses grow with failures.
    async fn until(&self, what: &str, seen: impl Fn(&Memory) -> bool) {
        self.news.wake_all();
        for _ in 0..12 * 3_600 {
            if seen(&self.memory) {
                return;
            }
            tokio::time::sleep(Duration::from_secs(1)).await;
        }
        panic!("{what}: {} taken", self.memory.taken.lock().unwrap().len());
    }

    async fn close(self) {
        self.stop.cancel();
        self.task.await.unwrap();
    }
}
