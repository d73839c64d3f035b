//! Data go out to a broker that refuses us, is killed in the middle and comes back without its
//! memory: nothing is missing, and what belongs to an outlet comes in order.

use super::{Broker, OTHERS, OURS};
use crate::notify::peer::Lines;
use cems_core::model::rows::AuditRow;
use cems_core::model::{
    Flag, Medium, Number, RecordKind, RecordRow, Seq, Series, StoredValue, Timestamp,
};
use cems_daemon::clock::Clock;
use cems_daemon::outbox::{Cause, Destination, Item, Key, Mqtt, Parcel, Place, Room, SendError};
use cems_tests::random::Random;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

/// Parcels of the story.
const PARCELS: usize = 9_000;
/// Parcels in one batch.
const BATCH: usize = 600;
/// How often the broker is killed.
const KILLS: usize = 3;
/// 2026-03-18 14:32:00 +08:00.
const NOW: i64 = 1_773_815_520_000;

fn place(outlet: &str) -> Arc<Place> {
    Arc::new(Place {
        outlet: outlet.into(),
        name: outlet.to_owned(),
        medium: Medium::Gas,
        enterprise: "jia".into(),
        region: "shiyan".into(),
        units: BTreeMap::new(),
    })
}

/// Parcel `n`: an event or a record of one of two outlets.
fn parcel(n: usize) -> Parcel {
    let outlet = if n.is_multiple_of(3) {
        "jia-1"
    } else {
        "jia-2"
    };
    let seq = Seq(n as u64);
    if n.is_multiple_of(2) {
        let row = AuditRow {
            seq,
            n: 0,
            at: Timestamp(NOW),
            who: "engine".into(),
            what: "test".into(),
            object: "outlet".into(),
            detail: "detail".to_owned(),
        };
        return Parcel {
            key: Key::Event { seq, n: 0 },
            place: Some(place(outlet)),
            item: Item::Event(row, None),
        };
    }
    let start = Timestamp(NOW + 60_000 * i64::try_from(n).expect("small"));
    let value = cems_core::model::Value {
        factor: "a21026".into(),
        sent_as: None,
        rtd: None,
        avg: Some(Number {
            value: n.into(),
            text: n.to_string().into(),
        }),
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
    Parcel {
        key: Key::Row {
            outlet: outlet.into(),
            what: Series::Record(RecordKind::Minute),
            start,
        },
        place: Some(place(outlet)),
        item: Item::Record(RecordRow {
            outlet: outlet.into(),
            kind: RecordKind::Minute,
            start,
            resent: false,
            values: [("a21026".into(), stored)].into(),
        }),
    }
}

/// A destination at the broker, and what ends it.
fn open(broker: &Broker) -> (Mqtt, CancellationToken) {
    let files = broker.reached();
    let text = format!("[[destination]]\nid = \"data\"\nkind = \"mqtt\"\n{files}");
    let config = cems_tests::city::City::default().write(broker.place());
    let mut city = std::fs::read_to_string(&config).expect("just written");
    city.push_str(&text);
    std::fs::write(&config, city).expect("our own directory");
    let checked = cems_config::load(&config).unwrap_or_else(|problems| panic!("{problems}"));
    let cems_config::DestinationMeans::Mqtt(server) = &checked.settings.destinations[0].means
    else {
        panic!("it is a broker");
    };
    let room = Room {
        clock: Clock::simulated(Timestamp(NOW), 1),
        tasks: TaskTracker::new(),
        stop: CancellationToken::new(),
    };
    let stop = room.stop.clone();
    (Mqtt::open(server, &room).expect("it opens"), stop)
}

/// Hands a batch over as the outbox does: again until it is taken. Gives the troubles on the way.
async fn deliver(destination: &mut Mqtt, batch: &[Parcel]) -> Vec<SendError> {
    let mut troubles: Vec<SendError> = Vec::new();
    let begun = Instant::now();
    loop {
        match destination.send(batch).await {
            Ok(sent) => {
                assert_eq!(sent.refused, []);
                return troubles;
            }
            Err(error) => {
                assert!(error.recoverable(), "{error}");
                assert!(begun.elapsed() < Duration::from_secs(90), "{troubles:?}");
                troubles.push(error);
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        }
    }
}

/// Takes what was heard: outlet and key of every message but states.
fn heard(lines: &Lines, into: &mut Vec<(String, String)>) {
    while let Some(line) = lines.take() {
        let mut parts = line.splitn(3, ' ');
        let (topic, _, payload) = (parts.next(), parts.next(), parts.next());
        let topic = topic.unwrap_or_default();
        if topic.ends_with("/event") || topic.contains("/record/") {
            let body: Value = serde_json::from_str(payload.unwrap_or_default()).expect("JSON");
            let text = |name: &str| body[name].as_str().expect("a text").to_owned();
            into.push((text("outlet"), text("thing")));
        }
    }
}

/// Of each outlet everything was heard, for the first time in the order of the log.
fn whole_and_in_order(parcels: &[Parcel], said: &[(String, String)]) {
    for outlet in ["jia-1", "jia-2"] {
        let mut known = BTreeSet::new();
        let ours = said.iter().filter(|(of, _)| of == outlet);
        let first: Vec<&String> = ours
            .filter(|(_, thing)| known.insert(thing.clone()))
            .map(|(_, thing)| thing)
            .collect();
        let due = parcels.iter().filter(|p| {
            p.place
                .as_ref()
                .is_some_and(|p| p.outlet.as_str() == outlet)
        });
        let due: Vec<String> = due.map(|parcel| parcel.key.to_string()).collect();
        assert_eq!(first.len(), due.len(), "{outlet}: nothing is missing");
        assert!(
            first.iter().zip(&due).all(|(a, b)| *a == b),
            "{outlet}: in order"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_broker_killed_in_the_middle_misses_nothing_and_hears_it_in_order() {
    let directory = tempfile::tempdir().expect("a temporary directory");
    let mut random = Random::of_test("mqtt-destination-kill", 20_261_130);
    let broker = Broker::new(directory.path());
    let mut running = broker.start().await;
    let (mut listener, mut lines) = broker.listen("cems/#").await;
    let (mut destination, stop) = open(&broker);
    let parcels: Vec<Parcel> = (0..PARCELS).map(parcel).collect();
    let mut said = Vec::new();
    let batches: Vec<&[Parcel]> = parcels.chunks(BATCH).collect();
    let kills: BTreeSet<usize> = (1..=KILLS)
        .map(|n| n * batches.len() / (KILLS + 1))
        .collect();
    for (n, batch) in batches.iter().enumerate() {
        if !kills.contains(&n) {
            deliver(&mut destination, batch).await;
            continue;
        }
        // Killed while the batch is under way; it comes back knowing nothing, and lets us in only
        // when somebody listens.
        let pause = Duration::from_micros(random.within(100..20_000) as u64);
        let (again, ()) = tokio::join!(async { destination.send(batch).await.is_err() }, async {
            tokio::time::sleep(pause).await;
            running.kill();
        });
        broker.users(&[OTHERS]);
        running = broker.start().await;
        // Whatever the first broker had handed on lies in the pipe.
        listener.ended().await;
        heard(&lines, &mut said);
        (listener, lines) = broker.listen("cems/#").await;
        broker.users(&[OURS, OTHERS]);
        broker.reread(&running);
        cems_tests::wait::say(&format!("batch {n} was torn: {again}"));
        deliver(&mut destination, batch).await;
    }
    cems_tests::wait::until("the last message", async || {
        heard(&lines, &mut said);
        let last = parcels[PARCELS - 1].key.to_string();
        said.iter()
            .any(|(_, thing)| *thing == last)
            .then_some(())
            .ok_or("not yet")
    })
    .await;
    whole_and_in_order(&parcels, &said);
    cems_tests::wait::say(&format!("{} messages for {PARCELS} parcels", said.len()));
    // Whoever comes late finds the last state.
    let (_late, late) = broker.come_late("cems/+/+/jia-1/latest/+");
    let state = late.next("a state").await;
    assert!(
        state.starts_with("cems/shiyan/jia/jia-1/latest/a21026 1 {"),
        "{state}"
    );
    stop.cancel();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_password_is_told_by_name_and_is_over_by_itself() {
    let directory = tempfile::tempdir().expect("a temporary directory");
    let broker = Broker::new(directory.path());
    broker.users(&[OTHERS]);
    let running = broker.start().await;
    let (mut destination, stop) = open(&broker);
    let batch = [parcel(0), parcel(1)];
    let error = destination.send(&batch).await.expect_err("we may not in");
    assert_eq!(error.cause, Cause::Unauthorised, "{error}");
    broker.users(&[OURS, OTHERS]);
    broker.reread(&running);
    let troubles = deliver(&mut destination, &batch).await;
    let causes: BTreeSet<Cause> = troubles.iter().map(|error| error.cause).collect();
    assert!(
        causes.iter().all(|cause| *cause == Cause::Unauthorised),
        "{troubles:?}"
    );
    stop.cancel();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_broker_with_a_certificate_of_strangers_is_not_spoken_to() {
    let directory = tempfile::tempdir().expect("a temporary directory");
    let broker = Broker::new(directory.path());
    let _running = broker.start().await;
    // Another authority of the same name.
    let other = tempfile::tempdir().expect("a temporary directory");
    crate::notify::peer::certificates(other.path());
    std::fs::copy(other.path().join("ca.pem"), directory.path().join("ca.pem")).expect("copied");
    let (mut destination, stop) = open(&broker);
    let error = destination
        .send(&[parcel(0)])
        .await
        .expect_err("not trusted");
    assert_eq!(error.cause, Cause::Certificate, "{error}");
    stop.cancel();
}
