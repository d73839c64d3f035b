//! A station against small centres on loopback.

use super::*;
use crate::simulate::plant::{Plant, PlantKind};
use crate::simulate::stack::Outfall;
use crate::simulate::station::{Greeting, Quirks};
use cems_core::model::UtcOffset;
use cems_protocols::hj212::{BuildOptions, CrcStyle, Edition, FrameBuilder, Item, answer};
use tokio::net::TcpListener;
use tokio::sync::mpsc;

/// 2026-11-20 00:00 in China, a second before midnight tasks fall due.
const NIGHT: Timestamp = Timestamp(1_795_104_000_000 - 1_000);
/// Longest any story may take; reached only when it failed.
const PATIENCE: Duration = Duration::from_secs(20);

/// What a centre does with a message.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Habit {
    Answer,
    Ignore,
    /// Answers so many messages of the first connection, then closes it.
    CloseAfter(usize),
}

/// A centre that hands on what it hears; one connection at a time.
async fn centre(habit: Habit) -> (SocketAddr, mpsc::UnboundedReceiver<Message>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let address = listener.local_addr().expect("bound");
    let (heard, out) = mpsc::unbounded_channel();
    tokio::spawn(async move {
        let mut first = true;
        while let Ok((stream, _)) = listener.accept().await {
            let limit = match habit {
                Habit::CloseAfter(count) if first => Some(count),
                _ => None,
            };
            first = false;
            serve(stream, habit, limit, &heard).await;
        }
    });
    (address, out)
}

async fn serve(
    mut stream: TcpStream,
    habit: Habit,
    limit: Option<usize>,
    heard: &mpsc::UnboundedSender<Message>,
) {
    let mut framer = Framer::new(Limits::default());
    let mut buffer = vec![0; 4_096];
    let mut count = 0;
    loop {
        match framer.next() {
            Step::Frame(frame) => {
                if limit == Some(count) {
                    return;
                }
                count += 1;
                let message = parse(&frame);
                let reply = answer(&message).filter(|_| habit != Habit::Ignore);
                let _ = heard.send(message);
                if let Some(reply) = reply {
                    let _ = stream.write_all(&reply.bytes).await;
                }
            }
            Step::Garbage(_) => {}
            Step::Incomplete => match stream.read(&mut buffer).await {
                Ok(count @ 1..) => framer.push(&buffer[..count]),
                _ => return,
            },
        }
    }
}

fn client(centre: SocketAddr, edition: Edition, quirks: Quirks, clock: Clock) -> Client {
    let plant = Plant::new(PlantKind::CoalBoiler, 1);
    Client {
        station: Station {
            mn: "534900000000000000000001".into(),
            password: "123456".into(),
            edition,
            wants_answer: true,
            outfall: Outfall::Stack {
                area_m2: 12.into(),
                reference_o2_pct: 6.into(),
            },
            channels: plant.channels(),
            quirks,
            offset: UtcOffset::default(),
        },
        plant,
        schedule: Schedule {
            realtime_s: Some(30),
            minute_min: Some(1),
            hour: true,
            day: true,
            housekeeping: true,
            phase_ms: 0,
            offset: UtcOffset::default(),
        },
        script: Script::default(),
        centre,
        since: clock.now(),
        clock,
        timing: Timing {
            retries: Retries {
                over_time_ms: 150,
                re_count: 1,
            },
            back_off_max: Duration::from_millis(300),
            ..Timing::default()
        },
        tally: Arc::new(Tally::default()),
    }
}

async fn hear(
    heard: &mut mpsc::UnboundedReceiver<Message>,
    mut enough: impl FnMut(&[Message]) -> bool,
) -> Vec<Message> {
    let mut all = Vec::new();
    while !enough(&all) {
        let next = tokio::time::timeout(PATIENCE, heard.recv()).await;
        let cns: Vec<&str> = all.iter().map(Message::cn).collect();
        all.push(
            next.unwrap_or_else(|_| panic!("heard only {cns:?}"))
                .expect("centre runs"),
        );
    }
    all
}

fn count(tally: &Tally, name: &str) -> u64 {
    tally
        .counts()
        .into_iter()
        .find(|(own, _)| *own == name)
        .expect("a count")
        .1
}

#[tokio::test]
async fn a_day_begins_with_all_kinds_of_messages_and_every_one_is_answered() {
    for edition in [Edition::V2017, Edition::V2025] {
        let (address, mut heard) = centre(Habit::Answer).await;
        let quirks = Quirks {
            piece_bytes_max: 60,
            greeting: Greeting::Http,
            ..Quirks::default()
        };
        let client = client(address, edition, quirks, Clock::simulated(NIGHT, 200));
        let tally = Arc::clone(&client.tally);
        let stop = CancellationToken::new();
        let task = tokio::spawn(client.run(stop.clone()));
        let wanted = [
            "2081", "1013", "3019", "3020", "2011", "2051", "2061", "2031", "2021",
        ];
        let all = hear(&mut heard, |all| {
            wanted
                .iter()
                .all(|cn| all.iter().any(|message| message.cn() == *cn))
        })
        .await;
        assert!(
            all.iter()
                .all(|message| message.len_ok && message.crc.is_known())
        );
        assert!(all.iter().all(|message| message.edition == edition));
        stop.cancel();
        task.await.expect("no panic").expect("a sound station");
        assert!(count(&tally, "acked") >= 8, "{:?}", tally.counts());
        assert_eq!(count(&tally, "stray_answers"), 0);
        assert_eq!(count(&tally, "dropped"), 0);
        assert_eq!(tally.latencies.count(), count(&tally, "acked"));
    }
}

#[tokio::test]
async fn a_centre_that_hangs_up_gets_what_it_missed_marked_as_resent() {
    let (address, mut heard) = centre(Habit::CloseAfter(6)).await;
    let clock = Clock::simulated(NIGHT, 200);
    let client = client(address, Edition::V2025, Quirks::default(), clock);
    let tally = Arc::clone(&client.tally);
    let stop = CancellationToken::new();
    let task = tokio::spawn(client.run(stop.clone()));
    let minutes = |all: &[Message]| {
        let mut times: Vec<String> = all
            .iter()
            .filter(|message| message.cn() == "2051")
            .filter_map(|message| message.bare("DataTime").map(ToString::to_string))
            .collect();
        times.sort();
        times.dedup();
        times
    };
    let all = hear(&mut heard, |all| {
        minutes(all).len() >= 8 && all.iter().any(|message| message.header.rf)
    })
    .await;
    stop.cancel();
    task.await.expect("no panic").expect("a sound station");
    let times = minutes(&all);
    let first: Vec<u64> = times
        .iter()
        .map(|time| time.parse().expect("digits"))
        .collect();
    let gaps = first
        .windows(2)
        .filter(|pair| pair[1] - pair[0] > 100)
        .count();
    // From 23:59 to 00:00 the digits jump once; otherwise each minute follows the last.
    assert!(gaps <= 1, "{times:?}");
    assert!(count(&tally, "resent") >= 1 && count(&tally, "disconnected") >= 1);
    assert_eq!(count(&tally, "dropped"), 0);
}

#[tokio::test]
async fn a_centre_that_never_answers_is_asked_again_and_then_left() {
    let (address, mut heard) = centre(Habit::Ignore).await;
    let clock = Clock::simulated(NIGHT, 1);
    let client = client(address, Edition::V2017, Quirks::default(), clock);
    let tally = Arc::clone(&client.tally);
    let stop = CancellationToken::new();
    let task = tokio::spawn(client.run(stop.clone()));
    let all = hear(&mut heard, |all| all.len() >= 4).await;
    assert!(
        all.iter().all(|message| message.cn() == "2081"),
        "the first is not yet answered"
    );
    stop.cancel();
    task.await.expect("no panic").expect("a sound station");
    assert!(count(&tally, "retried") >= 1 && count(&tally, "gave_up") >= 1);
    assert_eq!(count(&tally, "acked"), 0);
}

#[tokio::test]
async fn loggers_of_2005_glue_and_wait_for_nothing() {
    let (address, mut heard) = centre(Habit::Answer).await;
    let quirks = Quirks {
        glued: true,
        crc: CrcStyle::Modbus,
        ..Quirks::default()
    };
    let client = client(
        address,
        Edition::V2005,
        quirks,
        Clock::simulated(NIGHT, 100),
    );
    let tally = Arc::clone(&client.tally);
    let stop = CancellationToken::new();
    let task = tokio::spawn(client.run(stop.clone()));
    let all = hear(&mut heard, |all| all.len() >= 6).await;
    assert!(all.iter().all(|message| message.edition == Edition::V2005));
    stop.cancel();
    task.await.expect("no panic").expect("a sound station");
    assert_eq!(count(&tally, "acked"), 0);
    assert!(count(&tally, "sent") >= 6);
}

#[tokio::test]
async fn a_duplicate_brings_an_answer_nobody_waits_for() {
    let (address, mut heard) = centre(Habit::Answer).await;
    let quirks = Quirks {
        duplicate_every: 2,
        ..Quirks::default()
    };
    let client = client(address, Edition::V2017, quirks, Clock::simulated(NIGHT, 60));
    let tally = Arc::clone(&client.tally);
    let stop = CancellationToken::new();
    let task = tokio::spawn(client.run(stop.clone()));
    let all = hear(&mut heard, |all| all.len() >= 8).await;
    let twice = all
        .windows(2)
        .filter(|pair| pair[0].header.qn == pair[1].header.qn)
        .count();
    assert!(twice >= 2);
    stop.cancel();
    task.await.expect("no panic").expect("a sound station");
    assert!(count(&tally, "duplicated") >= 2 && count(&tally, "stray_answers") >= 1);
}

#[tokio::test]
async fn a_password_that_no_frame_can_carry_is_an_error_at_once() {
    let (address, _heard) = centre(Habit::Answer).await;
    let clock = Clock::simulated(NIGHT, 1);
    let mut client = client(address, Edition::V2017, Quirks::default(), clock);
    client.station.password = "a;b".into();
    let ended = tokio::time::timeout(PATIENCE, client.run(CancellationToken::new())).await;
    assert!(matches!(ended, Ok(Err(BuildError::UnsafeText(_)))));
}

#[test]
fn settings_are_taken_and_everything_else_is_refused() {
    let address = SocketAddr::from(([127, 0, 0, 1], 1));
    let station = client(address, Edition::V2017, Quirks::default(), Clock::Real).station;
    let request = |cn: &str, item: Item| {
        let frame = FrameBuilder::new(Edition::V2017, "31", cn)
            .qn("20261120000000123")
            .pw("123456")
            .mn(&station.mn)
            .answer_wanted(true)
            .item(item)
            .build(&BuildOptions::default())
            .expect("builds");
        let mut framer = Framer::new(Limits::default());
        framer.push(&frame);
        let Step::Frame(frame) = framer.next() else {
            panic!("a frame")
        };
        reply::to_request(&parse(&frame), &station)
            .into_iter()
            .map(|bytes| String::from_utf8(bytes).expect("ASCII"))
            .collect::<Vec<_>>()
    };
    let set = request("1012", Item::bare("SystemTime", "20261120000000"));
    assert_eq!(set.len(), 2);
    assert!(set[0].contains("CN=9011") && set[0].contains("QnRtn=1"));
    assert!(set[1].contains("CN=9012") && set[1].contains("QN=20261120000000123"));
    let refused = request("3012", Item::bare("PolId", "w01018"));
    assert!(
        refused.len() == 1 && refused[0].contains("QnRtn=2"),
        "{refused:?}"
    );
}
