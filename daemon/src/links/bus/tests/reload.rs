//! New settings while a bus is at work: nothing is missed, nothing else is touched.

use super::bus::{Running, instrument, map, plan};
use super::slave::{ScriptDial, script, word};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::time::sleep;

#[tokio::test(start_paused = true)]
async fn a_new_map_takes_over_between_two_polls() {
    let asked = Arc::new(Mutex::new(Vec::new()));
    let seen = Arc::clone(&asked);
    let slave = script(move |question| {
        seen.lock()
            .expect("plain")
            .push((question.unit, question.start));
        // Slow enough that the reload comes in the middle of a poll.
        vec![(Duration::from_millis(300), question.rtu())]
    });
    let (old, new) = (map(&[10]), map(&[20]));
    let all = |map| plan(vec![instrument(1, 1_000, map), instrument(2, 1_000, &old)]);
    let dial = ScriptDial::rtu(slave);
    let opened = Arc::clone(&dial.opened);
    let bus = Running::start(all(&old), dial);
    // In the middle of unit 1's answer.
    sleep(Duration::from_millis(10_150)).await;
    bus.plans.send_replace(all(&new));
    sleep(Duration::from_secs(10)).await;
    for (id, unit) in [("i1", 1), ("i2", 2)] {
        let sets = bus.sets(id);
        let pulse = bus.board.pulse(id).expect("known");
        assert_eq!((pulse.skipped, pulse.failures), (0, 0), "{id}");

        assert!((19..=21).contains(&sets.len()), "{id}: {}", sets.len());
        let values: Vec<_> = sets
            .iter()
            .map(|(_, set)| {
                let sample = &set.samples[0];
                let value = sample.value.as_ref().expect("read").value;
                (sample.factor.to_string(), value)
            })
            .collect();
        let ten = ("f10".to_owned(), word(unit, 10).into());
        let twenty = ("f20".to_owned(), word(unit, 20).into());
        let (first, last) = (&values[0], &values[values.len() - 1]);
        assert_eq!(first, &ten, "{id}");
        assert_eq!(last, if unit == 1 { &twenty } else { &ten }, "{id}");
    }
    assert_eq!(*opened.lock().expect("plain"), 1, "the line stays open");
    let asked = asked.lock().expect("plain");
    let change = asked.iter().position(|q| *q == (1, 20)).expect("asked");
    assert!(!asked[change..].contains(&(1, 10)), "the old map is gone");
}

#[tokio::test(start_paused = true)]
async fn instruments_come_and_go() {
    let map = map(&[10]);
    let dial = ScriptDial::rtu(script(super::slave::right));
    let bus = Running::start(plan(vec![instrument(1, 1_000, &map)]), dial);
    sleep(Duration::from_millis(5_500)).await;
    let two = vec![instrument(1, 1_000, &map), instrument(2, 500, &map)];
    bus.plans.send_replace(plan(two));
    sleep(Duration::from_secs(5)).await;
    let (first, second) = (bus.sets("i1").len(), bus.sets("i2").len());
    assert!((10..=11).contains(&first), "{first}");
    assert!((10..=11).contains(&second), "{second}");
    bus.plans.send_replace(plan(vec![instrument(2, 500, &map)]));
    sleep(Duration::from_secs(5)).await;
    assert!(bus.sets("i1").len() <= first + 1, "gone");
    assert!(bus.sets("i2").len() >= second + 9, "it goes on");
    bus.plans.send_replace(plan(Vec::new()));
    sleep(Duration::from_secs(5)).await;
    let none = bus.sets("i2").len();
    sleep(Duration::from_secs(5)).await;
    assert_eq!(bus.sets("i2").len(), none, "an empty bus rests");
    bus.plans
        .send_replace(plan(vec![instrument(3, 1_000, &map)]));
    sleep(Duration::from_secs(3)).await;
    assert!(bus.sets("i3").len() >= 2, "and begins again");
}
