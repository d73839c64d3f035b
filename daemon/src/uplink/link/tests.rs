//! Lines against centres in memory, under paused time: what is sent in which order, what happens
//! when nothing comes back, and what a centre may order.

mod centre;
mod orders;
mod receipts;
mod replays;
mod uploads;

use super::*;
use crate::store::{Position, SqliteStore, Store};
use crate::uplink::feed::{Feed, Slot};
use crate::uplink::receipts::Receipts;
use cems_config::load_str;
use cems_core::model::{
    Flag, ForwardRow, Number, Output, RecordKind, RecordRow, Seq, StoredValue, Value,
};
use centre::Centre;
use std::sync::Mutex;
use tokio::sync::mpsc;

/// 2020-03-31T12:00 at the site.
const NOON: Timestamp = Timestamp(1_585_627_200_000);

/// Journal lines as they were noted.
#[derive(Default)]
struct Notes(Mutex<Vec<JournalEvent>>);

impl Recorder for Notes {
    fn record(&self, events: Vec<JournalEvent>) -> BoxFuture<'_, Result<(), String>> {
        self.0.lock().expect("whole").extend(events);
        Box::pin(async { Ok(()) })
    }
}

impl Notes {
    /// Records noted as delivered, in order.
    fn delivered(&self) -> Vec<(RecordKind, Timestamp)> {
        let events = self.0.lock().expect("whole");
        let records = events.iter().filter_map(|event| match event {
            JournalEvent::Delivered { records, .. } => Some(records.clone()),
            _ => None,
        });
        records
            .flatten()
            .map(|(_, kind, start)| (kind, start))
            .collect()
    }

    /// Outcomes of what the centre sent.
    fn outcomes(&self) -> Vec<String> {
        let events = self.0.lock().expect("whole");
        let found = events.iter().filter_map(|event| match event {
            JournalEvent::FromCentre { outcome, .. } => Some(outcome.to_string()),
            _ => None,
        });
        found.collect()
    }

    /// Codes of audit lines.
    fn audited(&self) -> Vec<String> {
        let events = self.0.lock().expect("whole");
        let found = events.iter().filter_map(|event| match event {
            JournalEvent::Audit { what, .. } => Some(what.to_string()),
            _ => None,
        });
        found.collect()
    }
}

/// Gives out the ends of connections that the test has made; refuses when there is none.
struct TestDial(tokio::sync::Mutex<mpsc::UnboundedReceiver<Box<dyn Duplex>>>);

impl Dial for TestDial {
    fn dial(&self) -> BoxFuture<'_, io::Result<(Box<dyn Duplex>, SmolStr)>> {
        Box::pin(async {
            match self.0.lock().await.try_recv() {
                Ok(stream) => Ok((stream, SmolStr::new_static("192.0.2.7:9212"))),
                Err(_) => Err(io::ErrorKind::ConnectionRefused.into()),
            }
        })
    }
}

/// The settings of a station with one outlet and one uplink.
fn site(edition: &str, more: &str) -> String {
    format!(
        r#"
[[region]]
id = "shili"
name = "示例市"
[[enterprise]]
id = "jia"
name = "甲电厂"
region = "shili"
[[outlet]]
id = "jia-1"
enterprise = "jia"
name = "1号排口"
medium = "gas"
mn = "EXAMPLE0000001"
password = "123456"
profile = "hj75-2017"
permit = "示例-0001"
auxiliary = ["a01012", "a19001"]
gas = {{ area_m2 = 20, reference_o2_pct = 6 }}
factor = [{{ code = "a21026", range = 500, limit_hour = 35 }}]
[[uplink]]
id = "centre"
address = "centre.example:9212"
edition = "{edition}"
{more}
outlet = [{{ outlet = "jia-1", password = "654321" }}]
"#
    )
}

/// A station with one outlet and one uplink.
struct Desk {
    dir: tempfile::TempDir,
    store: SqliteStore,
    seq: u64,
    feed: Feed,
    ground: Arc<Ground>,
    notes: Arc<Notes>,
    uplink: Arc<Uplink>,
    outlet: Outlet,
    news: Arc<Notify>,
    connections: mpsc::UnboundedSender<Box<dyn Duplex>>,
    waiting: Option<mpsc::UnboundedReceiver<Box<dyn Duplex>>>,
    stop: CancellationToken,
    running: Option<tokio::task::JoinHandle<()>>,
}

impl Desk {
    /// `more`: what else the settings file says of the uplink, before its outlet.
    fn new(edition: &str, more: &str) -> Self {
        let text = site(edition, more);
        let files = [("cemsd.toml", text.as_str()), ("key", "0123456789ABCDEF")];
        let checked = load_str(&files).unwrap_or_else(|problems| panic!("{problems}"));
        let dir = tempfile::tempdir().expect("a directory");
        let store = SqliteStore::open(&dir.path().join("projections.db"))
            .expect("opens")
            .store;
        let (outbox, _) = Outbox::open(&dir.path().join("uplink.db")).expect("opens");
        let outbox = Arc::new(outbox);
        let clock = Clock::simulated(NOON, 1);
        let uplink = Arc::new(checked.settings.uplinks[0].clone());
        let keys = KeyRing::open(&dir.path().join("keys.db"), &dir.path().join("master.key"));
        let notes = Arc::new(Notes::default());
        let offset = checked.registry.offset;
        let readers = store.readers().expect("opens");
        let receipts = Receipts::open(&dir.path().join("uplink.db")).expect("opens");
        let asked = Arc::new(Notify::new());
        let board = UplinkBoard::new(
            &[Arc::clone(&uplink)],
            &checked.registry,
            (receipts, readers.clone()),
            (Arc::clone(&outbox), Arc::clone(&asked)),
            clock.clone(),
        );
        let ground = Arc::new(Ground {
            recorder: Arc::clone(&notes) as Arc<dyn Recorder>,
            readers: readers.clone(),
            outbox: Arc::clone(&outbox),
            keys: Arc::new(keys.expect("opens")),
            clock: clock.clone(),
            offset,
            board: Arc::new(board),
        });
        let outlet = checked.registry.outlets["jia-1"].clone();
        let news = Arc::new(Notify::new());
        let slot = Slot {
            mailbox: mailbox(),
            uplink: Arc::clone(&uplink),
            formed: outlet.expectation.clone(),
            news: Arc::clone(&news),
        };
        let (connections, waiting) = mpsc::unbounded_channel();
        Self {
            dir,
            store,
            seq: 0,
            feed: Feed {
                slots: vec![slot],
                outbox,
                readers,
                clock,
                offset,
                asked,
                announce: Box::new(|| {}),
            },
            ground,
            notes,
            uplink,
            outlet,
            news,
            connections,
            waiting: Some(waiting),
            stop: CancellationToken::new(),
            running: None,
        }
    }

    fn now(&self) -> Timestamp {
        self.ground.clock.now()
    }

    /// A record is formed now: stored, logged, taken into the mailbox.
    fn form(&mut self, kind: RecordKind, start: Timestamp, figure: &str) {
        let at = self.now();
        self.form_at(kind, start, figure, at);
    }

    /// A record that was formed at `at`.
    fn form_at(&mut self, kind: RecordKind, start: Timestamp, figure: &str, at: Timestamp) {
        self.seq += 1;
        let row = record(kind, start, figure, Seq(self.seq));
        let forward = ForwardRow {
            seq: Seq(self.seq),
            n: 0,
            at,
            outlet: row.outlet.clone(),
            kind,
            start,
        };
        self.store.begin().expect("begins");
        self.store.apply(&Output::Record(row)).expect("stored");
        self.store.apply(&Output::Forward(forward)).expect("stored");
        let seq = Seq(self.seq);
        self.store.commit(Position { seq, at }).expect("on disk");
        self.feed.step().expect("taken in");
    }

    /// Starts the line.
    fn start(&mut self) {
        let waiting = self.waiting.take().expect("started once");
        let link = Link::new(
            Arc::clone(&self.ground),
            Arc::clone(&self.uplink),
            self.uplink.outlets[0].clone(),
            self.outlet.clone(),
            Box::new(TestDial(tokio::sync::Mutex::new(waiting))),
            Arc::clone(&self.news),
        );
        let link = link.expect("a sound line");
        self.running = Some(tokio::spawn(link.run(self.stop.clone())));
    }

    /// Stops the line as the daemon does, and makes it ready to start again.
    async fn stop(&mut self) {
        self.stop.cancel();
        if let Some(running) = self.running.take() {
            running.await.expect("no panic");
        }
        self.stop = CancellationToken::new();
        let (connections, waiting) = mpsc::unbounded_channel();
        (self.connections, self.waiting) = (connections, Some(waiting));
    }

    /// Takes the next connection the line makes.
    fn listen(&self) -> Centre {
        let (here, there) = tokio::io::duplex(64 * 1024);
        self.connections
            .send(Box::new(there))
            .expect("the line runs");
        Centre::new(here)
    }

    fn pending(&self) -> u64 {
        let standing = self.ground.outbox.standing(&mailbox());
        standing.expect("reads").pending
    }
}

fn mailbox() -> Mailbox {
    Mailbox {
        uplink: "centre".into(),
        outlet: "jia-1".into(),
    }
}

fn minutes_before_noon(n: i64) -> Timestamp {
    NOON.plus_ms(-n * MINUTE_MS)
}

/// A record of SO2 with one figure.
fn record(kind: RecordKind, start: Timestamp, figure: &str, seq: Seq) -> RecordRow {
    let number = Some(Number {
        value: figure.parse().expect("a number"),
        text: figure.into(),
    });
    let mean = kind != RecordKind::Realtime;
    let value = Value {
        factor: "a21026".into(),
        sent_as: None,
        rtd: number.clone().filter(|_| !mean),
        avg: number.filter(|_| mean),
        min: None,
        max: None,
        cou: None,
        converted: None,
        flag: Some(Flag("N".into())),
        unreadable: None,
    };
    let stored = StoredValue {
        value,
        valid: true,
        checks: Vec::new(),
        received_at: start,
        seq,
        superseded: 0,
    };
    RecordRow {
        outlet: "jia-1".into(),
        kind,
        start,
        resent: false,
        values: std::iter::once(("a21026".into(), stored)).collect(),
    }
}
