//! A station between its loggers and its centres, with everything that can be cut being cut.
//!
//! A logger uploads to a station, which passes on to a centre of the same program and to two
//! scripted ones that speak 2005 and 2025. At moments drawn from a seed the station is killed, the
//! centre is killed, the line between them is pulled. The logger goes on behind what the station
//! has acknowledged, as loggers do. At the end the centre's records are the station's: none lost,
//! none changed, and the scripted centres have seen each record at least once.

mod again;
mod receipts;

use crate::Town;
use cems_protocols::hj212::{self, Action, Edition, Session, SessionConfig};
use cems_tests::city::{City, GAS_MN, Outlet};
use cems_tests::logger::{Frame, Logger};
use cems_tests::process::assert_books_hold;
use cems_tests::random::Random;
use cems_tests::time::{Moment, now};
use cems_tests::wait::{until, until_within};
use rusqlite::{Connection, OpenFlags};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt, copy_bidirectional};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

/// Minutes of data; each has a minute record, a sixtieth an hour record.
const MINUTES: i64 = 180;
/// Longest wait for the last record: pauses between attempts go up to a minute and a quarter.
const ACROSS: Duration = Duration::from_secs(240);

/// A line that can be pulled: its near end stays, its far end is where the test says.
struct Line {
    near: SocketAddr,
    far: Arc<Mutex<Option<SocketAddr>>>,
    cut: watch::Sender<u64>,
}

impl Line {
    async fn new() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let near = listener.local_addr().expect("bound");
        let far = Arc::new(Mutex::new(None));
        let cut = watch::Sender::new(0);
        let (to, cuts) = (Arc::clone(&far), cut.subscribe());
        tokio::spawn(async move {
            while let Ok((mut here, _)) = listener.accept().await {
                let far: Option<SocketAddr> = *to.lock().expect("whole");
                let mut cuts = cuts.clone();
                cuts.mark_unchanged();
                tokio::spawn(async move {
                    let Some(far) = far else { return };
                    let Ok(mut there) = TcpStream::connect(far).await else {
                        return;
                    };
                    tokio::select! {
                        _ = copy_bidirectional(&mut here, &mut there) => {}
                        _ = cuts.changed() => {}
                    }
                });
            }
        });
        Self { near, far, cut }
    }

    /// Leads to `far` from now on; what ran before is cut.
    fn lead(&self, far: Option<SocketAddr>) {
        *self.far.lock().expect("whole") = far;
        self.cut.send_modify(|n| *n += 1);
    }
}

/// A centre that only acknowledges and remembers.
struct Scripted {
    address: SocketAddr,
    seen: Arc<Mutex<Vec<hj212::Message>>>,
}

impl Scripted {
    /// `forget`: one frame in so many is not acknowledged.
    async fn new(forget: usize) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = listener.local_addr().expect("bound");
        let seen = Arc::new(Mutex::new(Vec::new()));
        let all = Arc::clone(&seen);
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(Self::serve(stream, Arc::clone(&all), forget));
            }
        });
        Self { address, seen }
    }

    async fn serve(mut stream: TcpStream, seen: Arc<Mutex<Vec<hj212::Message>>>, forget: usize) {
        let mut session = Session::new(SessionConfig::default());
        let mut buffer = vec![0; 4096];
        while let Ok(n @ 1..) = stream.read(&mut buffer).await {
            for action in session.on_bytes(0, &buffer[..n]) {
                let Action::Frame(_, message) = action else {
                    continue;
                };
                let answer = hj212::answer(&message);
                let count = {
                    let mut seen = seen.lock().expect("whole");
                    seen.push(message);
                    seen.len()
                };
                if let Some(answer) = answer.filter(|_| !count.is_multiple_of(forget))
                    && stream.write_all(&answer.bytes).await.is_err()
                {
                    return;
                }
            }
        }
    }

    /// Records seen, as command and DataTime, and how often.
    fn records(&self) -> BTreeMap<(String, String), u32> {
        let mut out = BTreeMap::new();
        for message in self.seen.lock().expect("whole").iter() {
            if let Some(time) = message.bare("DataTime") {
                let key = (message.cn().to_owned(), time.to_string());
                *out.entry(key).or_default() += 1;
            }
        }
        out
    }
}

/// One record of a database, without what says how and when it came: kind, start, factor, figures.
type Essence = BTreeMap<(String, i64, String), Vec<String>>;

/// The records of `jia-1` in a data directory.
fn records(data: &Path) -> Essence {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY;
    let Ok(connection) = Connection::open_with_flags(data.join("projections.db"), flags) else {
        return Essence::new();
    };
    let mut statement = connection
        .prepare("SELECT kind, start, body FROM record WHERE outlet = 'jia-1'")
        .expect("the table of records");
    let rows = statement
        .query_map([], |row| {
            Ok((
                row.get::<_, String>(0)?,
                row.get::<_, i64>(1)?,
                row.get::<_, String>(2)?,
            ))
        })
        .expect("rows");
    let mut out = Essence::new();
    for row in rows {
        let (kind, start, body) = row.expect("a row");
        let values: Value = serde_json::from_str(&body).expect("JSON");
        let values = values.as_object().expect("factors");
        for (factor, value) in values {
            let figures = ["rtd", "avg", "min", "max", "cou", "converted", "flag"]
                .map(|name| match &value[name] {
                    Value::Object(number) => number["value"].to_string(),
                    other => other.to_string(),
                })
                .to_vec();
            out.insert((kind.clone(), start, factor.clone()), figures);
        }
    }
    out
}

/// What the logger has to tell, in order.
fn frames(from: Moment, minutes: std::ops::Range<i64>) -> Vec<String> {
    let mut out = Vec::new();
    for n in minutes {
        let start = from.plus_minutes(n);
        let flag = if n % 17 == 0 { "D" } else { "N" };
        let item = |code: &str, base: i64| {
            let (low, mean, high) = (base + n % 7, base + n % 7 + 1, base + n % 7 + 3);
            format!(
                "{code}-Cou=0.0{low},{code}-Min={low}.5,{code}-Avg={mean}.25,\
                 {code}-Max={high},{code}-Flag={flag}"
            )
        };
        let cp = format!(
            "DataTime={};{};{}",
            start.digits(),
            item("a21026", 20),
            item("a19001", 5)
        );
        out.push(Frame::new(GAS_MN, "2051", &cp).text());
        if (n + 1) % 60 == 0 {
            let hour = from.plus_minutes(n - 59).digits();
            let cp = format!("DataTime={hour};a21026-Avg=22.{n},a21026-Flag=N");
            out.push(Frame::new(GAS_MN, "2061", &cp).text());
        }
    }
    out
}

/// The settings of the station.
fn station(line: SocketAddr, old: SocketAddr, new: SocketAddr) -> String {
    let city = City::empty().outlet(&Outlet::gas("jia-1", GAS_MN).text());
    let uplink = |id: &str, address: SocketAddr, edition: &str, more: &str| {
        format!(
            "[[uplink]]\nid = \"{id}\"\naddress = \"{address}\"\nedition = \"{edition}\"\n\
             over_time_s = 1\nre_count = 2\nhistory_per_min = 6000\n{more}\n"
        )
    };
    let to = |more: &str| {
        format!("[[uplink.outlet]]\noutlet = \"jia-1\"\npassword = \"123456\"\n{more}\n")
    };
    [
        city.text(),
        uplink("centre", line, "2017", ""),
        to(""),
        uplink("old", old, "2005", ""),
        to("factors = [\"a21026\", \"a19001\"]"),
        uplink("new", new, "2025", "heartbeat_s = 0"),
        to(""),
    ]
    .join("\n")
}

/// Tells the station everything, through its deaths: a frame is behind us when it is acknowledged.
async fn tell(frames: Vec<String>, address: Arc<Mutex<SocketAddr>>, pace: Duration) {
    let mut rest = frames.as_slice();
    while !rest.is_empty() {
        let to = *address.lock().expect("whole");
        let Ok(mut logger) = Logger::connect(to).await else {
            tokio::time::sleep(Duration::from_millis(50)).await;
            continue;
        };
        while let Some((first, after)) = rest.split_first() {
            if logger.send(first).await.is_err() {
                break;
            }
            match logger.answer_within(Duration::from_secs(30)).await {
                Ok(Some(_)) => rest = after,
                _ => break,
            }
            tokio::time::sleep(pace).await;
        }
    }
}

/// Kills the station, kills the centre, or pulls the line between them.
async fn trouble(kind: usize, station: &mut Town, centre: &mut Town, line: &Line) {
    match kind {
        0 => {
            station.daemon.kill();
            station.restart().await;
        }
        1 => {
            centre.daemon.kill();
            line.lead(None);
            centre.restart().await;
            line.lead(Some(centre.daemon.hj212));
        }
        _ => line.lead(Some(centre.daemon.hj212)),
    }
}

#[tokio::test]
async fn kills_and_cuts_lose_nothing_between_station_and_centre() {
    let mut random = Random::of_test("uplink", 20_260_331);
    let line = Line::new().await;
    let old = Scripted::new(13).await;
    let new = Scripted::new(11).await;
    let gas = || Outlet::gas("jia-1", GAS_MN).text();
    let mut centre = Town::start(&City::empty().outlet(&gas())).await;
    line.lead(Some(centre.daemon.hj212));

    let directory = tempfile::tempdir().expect("a temporary directory");
    let config = directory.path().join("cemsd.toml");
    let text = station(line.near, old.address, new.address);
    std::fs::write(&config, text).expect("the test's directory can be written");
    let mut station = Town::open(directory, config).await;

    let from = now().floor_hour().plus_minutes(-60 * 24);
    let first = frames(from, 0..MINUTES);
    let count = first.len();
    let address = Arc::new(Mutex::new(station.daemon.hj212));
    let teller = tokio::spawn(tell(first, Arc::clone(&address), Duration::from_millis(60)));

    for _ in 0..6 {
        let pause = u64::try_from(random.within(300..1_500)).expect("small");
        tokio::time::sleep(Duration::from_millis(pause)).await;
        trouble(random.within(0..3), &mut station, &mut centre, &line).await;
        *address.lock().expect("whole") = station.daemon.hj212;
    }
    teller.await.expect("the logger gets rid of everything");

    let ours = until("the station to have them all", async || {
        let ours = records(&station.data());
        let kinds: BTreeSet<_> = ours.keys().map(|(kind, start, _)| (kind, *start)).collect();
        if kinds.len() == count {
            Ok(ours)
        } else {
            Err(ours.len())
        }
    })
    .await;
    until_within(
        ACROSS,
        "the centre to have what the station has",
        async || {
            let theirs = records(&centre.data());
            if theirs == ours {
                return Ok(());
            }
            let missing = ours
                .iter()
                .find(|(key, value)| theirs.get(key) != Some(value));
            Err((
                theirs.len(),
                missing.map(|(key, value)| (key.clone(), value.clone())),
            ))
        },
    )
    .await;
    for scripted in [&old, &new] {
        until_within(ACROSS, "every record at a scripted centre", async || {
            let seen = scripted.records().len();
            if seen == count { Ok(()) } else { Err(seen) }
        })
        .await;
    }
    speaks_its_edition(&old, &new);
    nothing_owed(&station.data()).await;
    let story = receipts::Story {
        station: &station,
        line: &line,
        centre: &centre,
        scripted: [("old", &old), ("new", &new)],
        from,
    };
    story.receipts_are_what_the_centres_have_seen(count).await;
    story.what_is_cut_is_told_and_sent_again().await;
    let standing = station.daemon.stop().await;
    assert!(standing.success() && centre.daemon.stop().await.success());
    assert_books_hold(&station.data());
    assert_books_hold(&centre.data());
}

async fn nothing_owed(station: &Path) {
    until_within(ACROSS, "nothing to be owed any more", async || {
        let owed = pending(station);
        if owed == 0 { Ok(()) } else { Err(owed) }
    })
    .await;
}

/// Rows of `pending` in `uplink.db`.
fn pending(data: &Path) -> i64 {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY;
    let connection = Connection::open_with_flags(data.join("uplink.db"), flags).expect("opens");
    connection
        .query_row("SELECT count(*) FROM pending", [], |row| row.get(0))
        .expect("the table of what is owed")
}

/// The old centre reads old codes; the new one finds what came again marked as such, or else not.
fn speaks_its_edition(old: &Scripted, new: &Scripted) {
    let seen = old.seen.lock().expect("whole");
    assert!(seen.iter().all(|message| message.edition == Edition::V2005));
    let codes: BTreeSet<String> = seen
        .iter()
        .flat_map(|message| &message.items)
        .filter(|item| item.get("").is_none())
        .map(|item| item.name.to_string())
        .collect();
    assert_eq!(codes, BTreeSet::from(["02".to_owned(), "S01".to_owned()]));
    let seen = new.seen.lock().expect("whole");
    // Version bits of 2025 and an answer wanted.
    assert!(seen.iter().all(|message| message.header.flag == Some(9)));
}
