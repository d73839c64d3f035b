//! The courier with a channel that follows a script, in time that does not pass by itself.

use super::*;
use crate::notify::InForce;
use crate::notify::channel::{Delivered, Sending};
use crate::notify::outbox::{LetterState, Standing};
use crate::store::{SqliteStore, Store};
use cems_core::model::{MessageReason, MessageRow, Priority, Recipient, Seq};
use std::collections::VecDeque;
use std::sync::Mutex;

const NOW: Timestamp = Timestamp(1_773_815_530_000);

/// What the channel says, in order; `None` is taken. Beyond the script everything is taken.
type Script = VecDeque<Option<SendError>>;

/// A channel that follows a script and remembers who was under way when.
#[derive(Default)]
struct Scripted {
    script: Mutex<Script>,
    /// Message, and whether another was under way.
    tried: Mutex<Vec<(u64, bool)>>,
    under_way: Mutex<usize>,
    always: Option<SendError>,
}

impl Channel for Scripted {
    fn send<'a>(&'a self, parcel: &'a Parcel) -> Sending<'a, Delivered> {
        Box::pin(async move {
            let others = {
                let mut under_way = self.under_way.lock().unwrap();
                *under_way += 1;
                *under_way > 1
            };
            let id = parcel.message.id.0;
            self.tried.lock().unwrap().push((id, others));
            tokio::time::sleep(Duration::from_millis(100)).await;
            *self.under_way.lock().unwrap() -= 1;
            let next = self.script.lock().unwrap().pop_front().flatten();
            match next.or_else(|| self.always.clone()) {
                Some(error) => Err(error),
                None => Ok(Delivered { said: "ok".into() }),
            }
        })
    }
}

struct Desk {
    _dir: tempfile::TempDir,
    outbox: Arc<Outbox>,
    channel: Arc<Scripted>,
    clock: Clock,
    stop: CancellationToken,
    work: tokio::task::JoinHandle<()>,
    _back: watch::Sender<u64>,
}

fn message(id: u64, to: Recipient, deadline_s: i64) -> MessageRow {
    MessageRow {
        id: MessageId(id),
        key: format!("{id}").into(),
        reason: MessageReason::Test,
        channel: "hook".into(),
        to,
        priority: Priority::Normal,
        enterprise: None,
        about: Vec::new(),
        more: 0,
        at: NOW,
        deadline: NOW.plus_ms(deadline_s * 1_000),
        seq: Seq(id),
    }
}

impl Desk {
    fn start(channel: Scripted, per_min_max: u32, messages: &[MessageRow]) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let opened = SqliteStore::open(&dir.path().join("projections.db")).unwrap();
        let readers = opened.store.readers().unwrap();
        let (outbox, _) = Outbox::open(&dir.path().join("notify.db")).unwrap();
        outbox.begin(NOW).unwrap();
        outbox.take(messages, MessageId(99)).unwrap();
        let text = format!(
            "[[channel]]\nid = \"hook\"\nkind = \"webhook\"\nurl = \"https://peer.example\"\n\
             secret_file = \"key\"\nper_min_max = {per_min_max}\n"
        );
        let files = [("cemsd.toml", text.as_str()), ("key", "k")];
        let checked = cems_config::load_str(&files).unwrap();
        let clock = Clock::simulated(NOW, 1);
        let registry = Arc::new(crate::pipeline::empty_registry());
        let in_force = InForce {
            registry: Arc::new(move || Arc::clone(&registry)),
            duties: Arc::new(Arc::default),
        };
        let scribe = Scribe::new(readers, in_force, &[], None, clock.clone());
        let (outbox, channel) = (Arc::new(outbox), Arc::new(channel));
        let ids = BTreeSet::from(["hook".into()]);
        let bag = Bag {
            settings: Arc::new(checked.settings.channels[0].clone()),
            channel: Arc::clone(&channel) as Arc<dyn Channel>,
            outbox: Arc::clone(&outbox),
            scribe: Arc::new(scribe),
            clock: clock.clone(),
            news: Arc::new(News::new(&ids, Box::new(|| {}))),
        };
        let (back, connections) = watch::channel(0);
        let stop = CancellationToken::new();
        let work = tokio::spawn(Courier::new(bag).run(connections, stop.clone()));
        Self {
            _dir: dir,
            outbox,
            channel,
            clock,
            stop,
            work,
            _back: back,
        }
    }

    fn standing(&self) -> Standing {
        self.outbox.standing(&"hook".into()).unwrap()
    }

    /// Waits until so many messages have come to their end; gives the seconds it took.
    async fn until_ended(&self, count: u64) -> i64 {
        loop {
            let standing = self.standing();
            if standing.delivered + standing.given_up >= count {
                return self.clock.now().since_ms(NOW) / 1_000;
            }
            tokio::time::sleep(Duration::from_millis(200)).await;
        }
    }

    async fn stop(self) -> Vec<(u64, bool)> {
        self.stop.cancel();
        self.work.await.unwrap();
        self.channel.tried.lock().unwrap().clone()
    }
}

fn five() -> Vec<MessageRow> {
    (1..=5)
        .map(|id| message(id, Recipient::Channel, 3_600))
        .collect()
}

#[tokio::test(start_paused = true)]
async fn a_channel_in_trouble_is_asked_with_one_message_at_a_time() {
    let trouble = || Some(SendError::trouble("connection refused"));
    let script = (0..6).map(|_| trouble()).collect();
    let channel = Scripted {
        script: Mutex::new(script),
        ..Scripted::default()
    };
    let desk = Desk::start(channel, 1_000, &five());
    desk.until_ended(5).await;
    assert_eq!(desk.standing().delivered, 5);
    let (_, why) = desk.standing().trouble.expect("it was noted");
    assert_eq!(why, "connection refused");
    let tried = desk.stop().await;
    assert_eq!(tried.len(), 11, "{tried:?}");
    // Four set out before the first word of trouble; the probes went alone.
    assert!(tried[4..7].iter().all(|(_, others)| !others), "{tried:?}");
}

#[tokio::test(start_paused = true)]
async fn what_cannot_be_delivered_by_its_deadline_is_a_dead_letter() {
    let channel = Scripted {
        always: Some(SendError::busy("451 try again")),
        ..Scripted::default()
    };
    let rows = [message(1, Recipient::Channel, 60)];
    let desk = Desk::start(channel, 1_000, &rows);
    let took = desk.until_ended(1).await;
    assert!((60..=61).contains(&took), "{took} s");
    let dead = desk.outbox.letters(LetterState::Dead).unwrap();
    assert_eq!(dead[0].detail, "the deadline passed; last: 451 try again");
    assert!((4..=6).contains(&dead[0].attempts), "{}", dead[0].attempts);
    desk.stop().await;
}

#[tokio::test(start_paused = true)]
async fn a_refusal_and_a_stranger_are_dead_letters_at_once() {
    let channel = Scripted {
        script: Mutex::new(VecDeque::from([Some(SendError::refused(
            "404 no such hook",
        ))])),
        ..Scripted::default()
    };
    let rows = [
        message(1, Recipient::Channel, 3_600),
        message(2, Recipient::User("nobody".into()), 3_600),
    ];
    let desk = Desk::start(channel, 1_000, &rows);
    desk.until_ended(2).await;
    let dead = desk.outbox.letters(LetterState::Dead).unwrap();
    let details: Vec<&str> = dead.iter().map(|letter| letter.detail.as_str()).collect();
    assert_eq!(
        details,
        ["the settings do not know this person", "404 no such hook"]
    );
    assert_eq!(desk.stop().await.len(), 1, "the stranger's was never tried");
}

#[tokio::test(start_paused = true)]
async fn a_minute_has_no_more_messages_than_the_channel_takes() {
    let desk = Desk::start(Scripted::default(), 2, &five());
    let took = desk.until_ended(5).await;
    assert!((120..=150).contains(&took), "{took} s");
    assert_eq!(desk.stop().await.len(), 5);
}
