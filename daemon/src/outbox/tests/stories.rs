//! Destinations that die, come back, refuse, or are slow.

use super::*;
use crate::delivery::problems;
use proptest::prelude::*;

fn down() -> SendError {
    SendError::new(Cause::Unreachable, "connection refused")
}

#[tokio::test(start_paused = true)]
async fn a_new_destination_begins_at_the_end_and_history_comes_when_it_is_asked_for() {
    let mut house = House::new();
    house.minutes(5);
    house.event("outlet/jia-1");
    let memory = Arc::new(Memory::default());
    let work = house.open(settings("series"), &memory, 10);
    tokio::time::sleep(Duration::from_secs(5)).await;
    assert!(memory.keys().is_empty(), "history is sent on demand");
    house.minutes(3);
    work.until("the new ones", |m| m.keys().len() == 3).await;
    let place = memory.taken.lock().unwrap()[0].place.clone().unwrap();
    assert_eq!(
        (place.region.as_str(), place.name.as_str()),
        ("north", "1号机组总排口")
    );

    let board = house.board(settings("series"), &work);
    let span = (NOW, NOW.plus_ms(DAY_MS));
    board.replay("series", span, "zhang").unwrap();
    let all = house.logged.clone();
    work.until("everything", |m| m.keys() == all).await;
    let over = |_: &Memory| board.status().unwrap()[0].replays[0].ended_at.is_some();
    work.until("the end of the replay", over).await;
    let status = &board.status().unwrap()[0];
    let cursor = &status.replays[0].cursor;
    assert_eq!((cursor.sent, cursor.progress), (9, (9, 9)));
    assert_eq!(status.replays[0].asked_by, "zhang");
    assert_eq!((status.lag_rows, status.lag_since), (0, None));
    assert_eq!(status.standing.delivered, 12);
    work.close().await;
}

#[tokio::test(start_paused = true)]
async fn a_destination_dead_for_a_week_misses_nothing_and_its_alarm_goes_by_itself() {
    let mut house = House::new();
    let memory = Arc::new(Memory::default());
    let work = house.open(settings("series"), &memory, 50);
    let board = house.board(settings("series"), &work);
    tokio::time::sleep(Duration::from_secs(2)).await;
    house.minutes(1);
    house.event("outlet/jia-1");
    tokio::time::sleep(Duration::from_secs(2)).await;
    memory.set(Some(down()));
    for _ in 0..7 * 24 {
        house.minutes(2);
        tokio::time::sleep(Duration::from_secs(3_600)).await;
    }
    let status = &board.status().unwrap()[0];
    let trouble = status.standing.trouble.clone().unwrap();
    assert_eq!(trouble.cause, Cause::Unreachable);
    let lasted = trouble.at.since_ms(trouble.since);
    assert!(lasted > 6 * DAY_MS, "{lasted}");
    // Every ten minutes and a bit once the pauses are long: a thousand in a week, not a flood.
    assert!(
        (600..1_500).contains(&trouble.attempts),
        "{}",
        trouble.attempts
    );
    assert!(status.lag_rows >= 7 * 48 - 1, "{}", status.lag_rows);
    assert!(problems(&board)[0].starts_with("destination series: nobody answers"));

    memory.set(None);
    let all = house.logged.clone();
    work.until("a week", |m| m.keys().is_superset(&all)).await;
    assert_eq!(problems(&board), [""; 0]);
    let status = &board.status().unwrap()[0];
    assert_eq!(
        (status.standing.trouble.clone(), status.lag_rows),
        (None, 0)
    );
    work.close().await;
}

#[tokio::test(start_paused = true)]
async fn one_that_was_away_for_longer_than_the_log_is_filled_from_the_rows() {
    let mut house = House::new();
    let memory = Arc::new(Memory::default());
    house.minutes(1);
    let work = house.open(settings("series"), &memory, 50);
    tokio::time::sleep(Duration::from_secs(5)).await;
    work.close().await;
    // Switched off for 50 days, in which a record came each day; the log keeps 30.
    house.logged.clear();
    for day in 1..=50 {
        tokio::time::sleep(Duration::from_secs(86_400)).await;
        house.record(NOW.plus_ms(day * DAY_MS), day);
    }
    let bounds = house.supply.bounds(books::Stream::Series);
    assert!(
        bounds.unwrap().unwrap().first.seq.0 > 10,
        "the log has forgotten"
    );
    let work = house.open(settings("series"), &memory, 50);
    let all = house.logged.clone();
    work.until("50 days", |m| m.keys().is_superset(&all)).await;
    let status = &house.board(settings("series"), &work).status().unwrap()[0];
    assert_eq!(status.replays.len(), 1);
    assert_eq!(status.replays[0].asked_by, "engine");
    work.close().await;
}

#[tokio::test(start_paused = true)]
async fn what_is_refused_becomes_a_dead_letter_and_goes_when_it_is_sent_again() {
    for bluntly in [false, true] {
        let mut house = House::new();
        let memory = Arc::new(Memory::default());
        *memory.bluntly.lock().unwrap() = bluntly;
        let work = house.open(settings("series"), &memory, 8);
        let board = house.board(settings("series"), &work);
        house.event("outlet/jia-1");
        tokio::time::sleep(Duration::from_secs(2)).await;
        let bad = format!("{OUTLET}/minute/{}", NOW.plus_ms(5 * MINUTE_MS).0);
        memory.refuses.lock().unwrap().insert(bad.clone());
        house.minutes(20);
        let mut rest = house.logged.clone();
        rest.remove("event/1.0");
        rest.remove(&bad);
        work.until("the rest", |m| m.keys().is_superset(&rest))
            .await;
        work.until("the letter", |_| !board.dead("series").unwrap().is_empty())
            .await;
        let dead = board.dead("series").unwrap();
        assert_eq!((dead.len(), dead[0].key.as_str()), (1, bad.as_str()));
        assert!(!dead[0].why.is_empty());
        memory.refuses.lock().unwrap().clear();
        board.send_again(&dead[0]).unwrap();
        work.until("the letter sent again", |m| m.keys().contains(&bad))
            .await;
        work.until("no letter", |_| board.dead("series").unwrap().is_empty())
            .await;
        work.close().await;
    }
}

#[tokio::test(start_paused = true)]
async fn when_everything_is_refused_nothing_is_thrown_away() {
    let mut house = House::new();
    let memory = Arc::new(Memory::default());
    let work = house.open(settings("series"), &memory, 50);
    let board = house.board(settings("series"), &work);
    house.event("outlet/jia-1");
    tokio::time::sleep(Duration::from_secs(2)).await;
    memory.set(Some(SendError::new(Cause::Refused, "wrong bucket")));
    house.minutes(40);
    work.news.wake_all();
    tokio::time::sleep(Duration::from_secs(600)).await;
    assert_eq!(board.dead("series").unwrap(), []);
    let trouble = board.status().unwrap()[0].standing.trouble.clone().unwrap();
    assert_eq!(
        (trouble.cause, trouble.said.as_str()),
        (Cause::Refused, "wrong bucket")
    );
    memory.set(None);
    work.until("all of them", |m| m.keys().len() >= 40).await;
    work.close().await;
}

#[tokio::test(start_paused = true)]
async fn a_replay_goes_on_after_a_restart() {
    let mut house = House::new();
    house.minutes(300);
    let memory = Arc::new(Memory::default());
    *memory.takes.lock().unwrap() = Duration::from_secs(5);
    let work = house.open(settings("series"), &memory, 10);
    let board = house.board(settings("series"), &work);
    board
        .replay("series", (NOW, NOW.plus_ms(DAY_MS)), "zhang")
        .unwrap();
    work.until("some", |m| m.keys().len() >= 100).await;
    work.close().await;
    let (some, calls) = (memory.keys().len(), *memory.calls.lock().unwrap());
    assert!(some < 300, "{some} are not all");
    let work = house.open(settings("series"), &memory, 10);
    let all = house.logged.clone();
    work.until("all", |m| m.keys() == all).await;
    let again = *memory.calls.lock().unwrap() - calls;
    assert!(again <= 22, "{again} calls: it did not begin anew");
    work.close().await;
}

#[tokio::test(start_paused = true)]
async fn a_slow_destination_holds_up_nobody() {
    let mut house = House::new();
    let (slow, quick) = (Arc::new(Memory::default()), Arc::new(Memory::default()));
    *slow.takes.lock().unwrap() = Duration::from_secs(100);
    let one = house.open(settings("slow"), &slow, 1);
    let other = house.open(settings("quick"), &quick, 10);
    house.event("outlet/jia-1");
    tokio::time::sleep(Duration::from_secs(2)).await;
    let began = house.clock.now();
    house.minutes(30);
    other.until("the quick one", |m| m.keys().len() >= 30).await;
    assert!(house.clock.now().since_ms(began) < 20_000);
    one.until("one of the slow", |m| !m.keys().is_empty()).await;
    assert!(slow.keys().len() < 5);
    // It never answers: that is slow, too.
    *slow.takes.lock().unwrap() = Duration::from_secs(10_000);
    tokio::time::sleep(Duration::from_secs(1_000)).await;
    let trouble = house.books.standing("slow").unwrap().trouble.unwrap();
    assert_eq!(trouble.cause, Cause::Slow);
    one.close().await;
    other.close().await;
}

#[tokio::test(start_paused = true)]
async fn what_is_too_old_is_given_up_and_counted() {
    let mut house = House::new();
    let to = To {
        give_up_after_days: 2,
        ..settings("series")
    };
    let memory = Arc::new(Memory::default());
    let work = house.open(to.clone(), &memory, 10);
    house.event("outlet/jia-1");
    tokio::time::sleep(Duration::from_secs(2)).await;
    memory.set(Some(down()));
    house.minutes(4);
    tokio::time::sleep(Duration::from_secs(3 * 86_400)).await;
    house.minutes(2);
    memory.set(None);
    work.until("the young ones", |m| m.keys().len() >= 2).await;
    let standing = &house.board(to, &work).status().unwrap()[0].standing;
    assert_eq!((standing.given_up, standing.dead), (4, 0));
    work.close().await;
}

#[test]
fn an_event_knows_its_place_and_a_filter_keeps_others_out() {
    let mut house = House::new();
    house.event("outlet/jia-1");
    house.event("user/zhang");
    let begin = books::Place {
        seq: Seq(0),
        n: 0,
        at: NOW,
    };
    let stream = books::Stream::Events;
    let ask = |to: &To| {
        let batch = house.supply.batch(to, stream, &begin, (10, Timestamp(0)));
        batch.unwrap().unwrap().parcels
    };
    let all = ask(&settings("all"));
    assert_eq!(all.len(), 2);
    assert_eq!(all[0].place.as_ref().unwrap().enterprise.as_str(), "jia");
    assert!(all[1].place.is_none());
    let mut narrow = settings("narrow");
    narrow.filter.enterprises.insert("jia".into());
    assert_eq!(ask(&narrow).len(), 1);
}

/// What befalls the outbox in one step of a history.
#[derive(Debug, Clone)]
enum Step {
    Rows(i64),
    Event,
    Fault(Cause),
    AnswerLost,
    Killed,
    Wait(u64),
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        4 => (1..12_i64).prop_map(Step::Rows),
        2 => Just(Step::Event),
        2 => prop::sample::select(vec![Cause::Unreachable, Cause::Full, Cause::Slow])
            .prop_map(Step::Fault),
        2 => Just(Step::AnswerLost),
        1 => Just(Step::Killed),
        3 => (0..90_u64).prop_map(Step::Wait),
    ]
}

async fn history(steps: Vec<Step>, most: usize) -> (BTreeSet<String>, BTreeSet<String>) {
    let mut house = House::new();
    let memory = Arc::new(Memory::default());
    let begin = books::Place {
        seq: Seq(0),
        n: 0,
        at: NOW,
    };
    for stream in books::Stream::ALL {
        house.books.begin("series", stream, begin).unwrap();
    }
    let mut work = house.open(settings("series"), &memory, most);
    for step in steps {
        match step {
            Step::Rows(n) => house.minutes(n),
            Step::Event => house.event("outlet/jia-1"),
            Step::Fault(cause) => {
                let fault = Fault::Error(SendError::new(cause, "trouble"));
                memory.script.lock().unwrap().push(fault);
            }
            Step::AnswerLost => memory.script.lock().unwrap().push(Fault::AnswerLost),
            Step::Killed => {
                work.task.abort();
                let _ = work.task.await;
                let path = house.dir.path().join("outbox.db");
                house.books = Arc::new(Books::open(&path).unwrap().0);
                work = house.open(settings("series"), &memory, most);
            }
            Step::Wait(s) => {
                work.news.wake_all();
                tokio::time::sleep(Duration::from_secs(s)).await;
            }
        }
    }
    let all = house.logged.clone();
    work.until("everything", |m| m.keys().is_superset(&all))
        .await;
    work.close().await;
    (memory.keys(), all)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    /// For any sequence of failures, what arrives is what was logged: nothing is lost, nothing made
    /// up. Repetitions are allowed.
    #[test]
    fn what_arrives_is_what_was_logged(
        steps in prop::collection::vec(step(), 1..40),
        most in 1..20_usize,
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_time()
            .start_paused(true)
            .build()
            .unwrap();
        let (taken, logged) = runtime.block_on(history(steps, most));
        prop_assert_eq!(taken, logged);
    }
}
