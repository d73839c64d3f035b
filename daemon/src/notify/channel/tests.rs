//! Channels against scripted peers: what is sent, what is made of each answer, and that neither
//! addresses nor secrets come back in an error.

mod mail;
mod mqtt;
mod peer;
mod web;

use super::super::parcel::{Parcel, Shown};
use super::*;
use cems_core::model::{
    About, AlarmId, AlarmKind, AlarmRow, AlarmSubject, ChannelId, ChannelKind, MessageId,
    MessageReason, MessageRow, Priority, Recipient, Seq, Timestamp, UtcOffset,
};
use cems_dashboards::message::{Headline, Thing, Written};
use cems_dashboards::text::Lang;

/// 2026-03-18 14:32:10 +08:00.
const NOW: Timestamp = Timestamp(1_773_815_530_000);

fn room() -> Room {
    Room {
        clock: Clock::simulated(NOW, 1),
        tasks: TaskTracker::new(),
        stop: CancellationToken::new(),
        console: Some("https://cems.example".to_owned()),
    }
}

fn alarm() -> AlarmRow {
    let subject = AlarmSubject::Outlet("jia-1".into());
    let mut row = AlarmRow::raised(AlarmId(12), AlarmKind::ExceedanceHour, subject, NOW, Seq(7));
    row.enterprise = Some("jia".into());
    row.factor = Some("a21026".into());
    row.value = Some("66.93".parse().unwrap());
    row.threshold = Some("50".parse().unwrap());
    row
}

fn written(lang: Lang, subject: &str) -> Written {
    Written {
        lang,
        subject: subject.to_owned(),
        text: format!("{subject}\ntext\n"),
        html: format!("<html><body><h1>{subject}</h1></body></html>"),
        markdown: format!("### {subject}\n\ntext"),
        short: format!("short {subject}"),
    }
}

/// A message about one alarm, to a person with an address or to the channel.
fn parcel(address: Option<&str>) -> Parcel {
    let row = alarm();
    let shown = Shown {
        words: vec![Headline {
            lang: Lang::Zh,
            title: "氮氧化物小时均值超标".to_owned(),
            text: "text".to_owned(),
        }],
        offset: UtcOffset::default(),
        row: row.clone(),
    };
    Parcel {
        message: MessageRow {
            id: MessageId(3),
            key: "alarm-raised/alarm/12+0+0@1773815530000".into(),
            reason: MessageReason::AlarmRaised,
            channel: ChannelId::new("under-test"),
            to: address.map_or(Recipient::Channel, |_| Recipient::User("duty1".into())),
            priority: Priority::Urgent,
            enterprise: Some("jia".into()),
            about: vec![About::Alarm(AlarmId(12))],
            more: 0,
            at: NOW,
            deadline: NOW.plus_ms(3_600_000),
            seq: Seq(7),
        },
        address: address.map(str::to_owned),
        written: vec![
            written(Lang::Zh, "【紧急】超标"),
            written(Lang::En, "Urgent"),
        ],
        things: vec![Thing::Alarm(Box::new(row))],
        shown: vec![shown],
        site: "示例市".to_owned(),
        offset: UtcOffset::default(),
        console: Some("https://cems.example".to_owned()),
    }
}

/// A channel opened from settings as a file would give them.
fn channel(text: &str, files: &[(&str, &str)]) -> (Box<dyn Channel>, Room) {
    let (channel, room, _) = channel_with_line(text, files);
    (channel, room)
}

fn channel_with_line(
    text: &str,
    files: &[(&str, &str)],
) -> (Box<dyn Channel>, Room, watch::Receiver<u64>) {
    let mut all = vec![("cemsd.toml", text)];
    all.extend(files);
    let checked = cems_config::load_str(&all).unwrap_or_else(|p| panic!("{p}"));
    let room = room();
    let (back, connections) = watch::channel(0);
    let channel = open(&checked.settings.channels[0], &room, &back).unwrap();
    (channel, room, connections)
}

#[test]
fn every_kind_can_be_opened() {
    // Each kind has settings of its own; the list of kinds is the list of what `open` knows.
    for kind in ChannelKind::ALL {
        let own = match kind {
            ChannelKind::Mail => "server = \"127.0.0.1:25\"\nfrom = \"a@b.example\"\n",
            ChannelKind::Mqtt => "server = \"127.0.0.1:1883\"\n",
            ChannelKind::Sms => {
                "url_file = \"url\"\nbody = { to = \"{phone}\", text = \"{text}\" }\n"
            }
            ChannelKind::Webhook => "url_file = \"url\"\nsecret_file = \"key\"\n",
            _ => "url_file = \"url\"\n",
        };
        let name = kind.as_str();
        let text = format!("[[channel]]\nid = \"x\"\nkind = \"{name}\"\n{own}");
        let files = [("url", "https://peer.example/hook"), ("key", "k")];
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .unwrap();
        runtime.block_on(async {
            let (channel, room) = channel(&text, &files);
            assert!(channel.at_once() > 0, "{name}");
            room.stop.cancel();
        });
    }
}
