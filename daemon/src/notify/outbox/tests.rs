//! The outbox across restarts: nothing is taken twice, lost or told twice.

use super::*;
use cems_core::model::{About, MessageReason, Priority, Recipient};

const NOW: Timestamp = Timestamp(1_773_815_530_000);

fn message(id: u64, key: &str) -> MessageRow {
    MessageRow {
        id: MessageId(id),
        key: key.into(),
        reason: MessageReason::AlarmRaised,
        channel: "mail".into(),
        to: Recipient::User("duty1".into()),
        priority: Priority::Urgent,
        enterprise: None,
        about: vec![About::Alarm(AlarmId(id))],
        more: 0,
        at: NOW,
        deadline: NOW.plus_ms(3_600_000),
        seq: Seq(id),
    }
}

fn end(id: u64, delivered: bool) -> End<'static> {
    End {
        id: MessageId(id),
        delivered,
        at: NOW,
        attempts: 2,
        detail: "250 ok",
    }
}

struct Desk {
    dir: tempfile::TempDir,
    outbox: Outbox,
}

impl Desk {
    fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let (outbox, damage) = Outbox::open(&dir.path().join("notify.db")).unwrap();
        assert_eq!(damage, None);
        assert_eq!(outbox.taken().unwrap(), None);
        outbox.begin(NOW).unwrap();
        Self { dir, outbox }
    }

    fn reopen(self) -> Self {
        drop(self.outbox);
        let (outbox, damage) = Outbox::open(&self.dir.path().join("notify.db")).unwrap();
        assert_eq!(damage, None);
        Self {
            outbox,
            dir: self.dir,
        }
    }

    fn due(&self) -> Vec<u64> {
        let letters = self.outbox.due(&"mail".into(), NOW, 100).unwrap();
        letters.iter().map(|letter| letter.message.id.0).collect()
    }
}

#[test]
fn the_same_fact_is_taken_once_for_a_reader() {
    let desk = Desk::new();
    let rows = [message(1, "a"), message(2, "b"), message(3, "a")];
    assert_eq!(desk.outbox.take(&rows, MessageId(3)).unwrap(), 2);
    let mut other = message(4, "a");
    other.to = Recipient::Channel;
    assert_eq!(desk.outbox.take(&[other], MessageId(4)).unwrap(), 1);
    let desk = desk.reopen();
    assert_eq!(desk.outbox.taken().unwrap(), Some((MessageId(4), NOW)));
    assert_eq!(desk.due(), [1, 2, 4]);
    // A rebuild may number them anew: the key still knows them.
    assert_eq!(
        desk.outbox.take(&[message(9, "b")], MessageId(9)).unwrap(),
        0
    );
}

#[test]
fn what_was_on_its_way_when_the_daemon_died_is_due_again() {
    let desk = Desk::new();
    let rows = [message(1, "a"), message(2, "b")];
    desk.outbox.take(&rows, MessageId(2)).unwrap();
    assert_eq!(desk.due(), [1, 2]);
    desk.outbox
        .end(&"mail".into(), end(1, true), &[AlarmId(1)])
        .unwrap();
    let desk = desk.reopen();
    assert_eq!(desk.due(), [2], "delivered is delivered, the other waits");
    let untold: Vec<u64> = desk
        .outbox
        .untold(10)
        .unwrap()
        .iter()
        .map(|l| l.message.id.0)
        .collect();
    assert_eq!(untold, [1], "its end is not in the journal yet");
    desk.outbox.told(&[MessageId(1)]).unwrap();
    assert_eq!(desk.reopen().outbox.untold(10).unwrap(), []);
}

#[test]
fn an_attempt_that_failed_waits_and_a_returning_peer_hurries_it() {
    let desk = Desk::new();
    desk.outbox.take(&[message(1, "a")], MessageId(1)).unwrap();
    let later = NOW.plus_ms(60_000);
    desk.outbox
        .put_off(MessageId(1), 1, later, "451 busy")
        .unwrap();
    assert_eq!(desk.due(), [0_u64; 0]);
    assert_eq!(desk.outbox.next_due(&"mail".into()).unwrap(), Some(later));
    desk.outbox.hurry(&"mail".into(), NOW).unwrap();
    let letter = desk
        .outbox
        .letter(MessageId(1))
        .unwrap()
        .expect("it is there");
    assert_eq!((letter.attempts, letter.detail.as_str()), (1, "451 busy"));
    assert_eq!(desk.due(), [1]);
}

#[test]
fn a_dead_letter_is_kept_until_a_person_sends_it_again() {
    let desk = Desk::new();
    desk.outbox.take(&[message(1, "a")], MessageId(1)).unwrap();
    let mail = ChannelId::new("mail");
    desk.outbox.end(&mail, end(1, false), &[]).unwrap();
    let standing = desk.outbox.standing(&mail).unwrap();
    assert_eq!(
        (standing.dead, standing.given_up, standing.waiting),
        (1, 1, 0)
    );
    assert_eq!(desk.outbox.letters(LetterState::Dead).unwrap().len(), 1);
    let deadline = NOW.plus_ms(7_200_000);
    assert!(desk.outbox.send_again(MessageId(1), NOW, deadline).unwrap());
    assert!(!desk.outbox.send_again(MessageId(1), NOW, deadline).unwrap());
    let letter = &desk.outbox.due(&mail, NOW, 10).unwrap()[0];
    assert_eq!((letter.attempts, letter.message.deadline), (0, deadline));
    desk.outbox.end(&mail, end(1, true), &[]).unwrap();
    assert!(!desk.outbox.send_again(MessageId(1), NOW, deadline).unwrap());
    let standing = desk.outbox.standing(&mail).unwrap();
    assert_eq!((standing.delivered, standing.dead), (1, 0));
    assert_eq!(standing.last_sent, Some(NOW));
}

#[test]
fn a_channel_shows_alarms_until_they_are_over() {
    let desk = Desk::new();
    desk.outbox.take(&[message(1, "a")], MessageId(1)).unwrap();
    let mail = ChannelId::new("mail");
    desk.outbox
        .end(&mail, end(1, true), &[AlarmId(1), AlarmId(7)])
        .unwrap();
    desk.outbox.end(&mail, end(1, true), &[AlarmId(7)]).unwrap();
    let shown = |desk: &Desk| desk.outbox.shown(&mail).unwrap();
    assert_eq!(shown(&desk), [(AlarmId(1), Seq(0)), (AlarmId(7), Seq(0))]);
    let told = [(AlarmId(1), Some(Seq(12))), (AlarmId(7), None)];
    desk.outbox.showed(&mail, &told).unwrap();
    assert_eq!(shown(&desk.reopen()), [(AlarmId(1), Seq(12))]);
}

#[test]
fn what_was_delivered_long_ago_is_forgotten_and_dead_letters_are_kept_longer() {
    let desk = Desk::new();
    let rows = [message(1, "a"), message(2, "b"), message(3, "c")];
    desk.outbox.take(&rows, MessageId(3)).unwrap();
    let mail = ChannelId::new("mail");
    desk.outbox.end(&mail, end(1, true), &[]).unwrap();
    desk.outbox.end(&mail, end(2, false), &[]).unwrap();
    let later = NOW.plus_ms(100 * DAY_MS);
    assert_eq!(desk.outbox.sweep(later).unwrap(), 0, "not told yet");
    desk.outbox.told(&[MessageId(1), MessageId(2)]).unwrap();
    assert_eq!(desk.outbox.sweep(later).unwrap(), 1);
    assert_eq!(desk.outbox.sweep(later).unwrap(), 0);
    assert_eq!(desk.outbox.letters(LetterState::Dead).unwrap().len(), 1);
    assert_eq!(desk.due(), [3], "what waits stays");
}

#[test]
fn a_damaged_file_is_put_aside() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("notify.db");
    std::fs::write(&path, b"not a database, but long enough to look like one").unwrap();
    let (outbox, damage) = Outbox::open(&path).unwrap();
    assert!(damage.is_some());
    assert_eq!(outbox.taken().unwrap(), None);
}
