//! A logger of 2025 that enciphers its data, and the change of its key. What the test knows of the
//! cipher are the standard's printed vectors, checked in the codec; here it only uses it.

use super::{NEW_MN, events, field};
use crate::Town;
use cems_daemon::events::JournalEvent;
use cems_protocols::hj212::{Framer, Limits, Step};
use cems_protocols::hj212::{Sm4Key, decipher, encipher};
use cems_tests::api::rows;
use cems_tests::city::{City, Outlet};
use cems_tests::logger::{Frame, envelope};
use cems_tests::process::{assert_books_hold, run};
use serde_json::Value;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

const OLD_KEY: &str = "0123456789abcdef";

/// A connection whose frames may be cipher text: only their length says where they end.
struct Wire(TcpStream);

impl Wire {
    async fn connect(town: &Town) -> Self {
        let stream = TcpStream::connect(town.daemon.hj212).await;
        Self(stream.expect("the port is open"))
    }

    async fn send(&mut self, frame: &[u8]) {
        self.0.write_all(frame).await.expect("sent");
    }

    /// The next frame of the centre.
    async fn next(&mut self) -> Vec<u8> {
        let read = async {
            let mut head = [0; 6];
            self.0.read_exact(&mut head).await?;
            let digits = std::str::from_utf8(&head[2..]).expect("digits");
            let length: usize = digits.parse().expect("a length");
            let mut rest = vec![0; length + 6];
            self.0.read_exact(&mut rest).await?;
            Ok::<_, std::io::Error>([&head[..], &rest].concat())
        };
        let frame = tokio::time::timeout(cems_tests::wait::SOON, read).await;
        frame.expect("a frame in time").expect("a frame")
    }

    async fn next_text(&mut self) -> String {
        String::from_utf8(self.next().await).expect("clear text")
    }
}

fn key(text: &str) -> Sm4Key {
    Sm4Key::from_text(text).expect("a key")
}

fn frame(cn: &str, cp: &str, under: &str) -> Vec<u8> {
    let clear = Frame {
        flag: Some(9),
        ..Frame::new(NEW_MN, cn, cp)
    };
    encipher(clear.text().as_bytes(), &key(under)).expect("a frame")
}

fn opened(frame: &[u8], under: &str) -> String {
    let mut framer = Framer::new(Limits::default());
    framer.push(frame);
    let Step::Frame(raw) = framer.next() else {
        panic!("no frame: {frame:?}");
    };
    let text = decipher(&raw, &key(under)).expect("cipher text");
    assert!(text.is_right(), "enciphered under another key");
    String::from_utf8(text.segment).expect("text")
}

fn minute(n: u32) -> String {
    format!("DataTime=202603161{n:02}000;a21026-Avg=2{n}.0,a21026-Flag=N")
}

fn key_command(town: &Town, arguments: &[&str], input: &str) -> String {
    let config = town.config.to_str().expect("a plain path");
    let all = [&["key", "--config", config], arguments].concat();
    let output = run(&all, input.as_bytes());
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    let error = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "cemsd key: {error}");
    assert!(
        input.is_empty() || !said.contains(input),
        "the key was printed"
    );
    said
}

#[tokio::test(flavor = "multi_thread")]
async fn enciphered_records_are_kept_readable_and_the_key_is_changed() {
    let city = City::empty().outlet(&Outlet::gas("jia-3", NEW_MN).text());
    let mut town = Town::start(&city).await;
    let mut wire = Wire::connect(&town).await;
    // Without a key nobody can tell what it says, so it is not acknowledged.
    wire.send(&frame("2051", &minute(1), OLD_KEY)).await;
    let quarantined = |list: &Value| {
        let found = rows(list).iter().any(|row| row["reason"] == "encrypted");
        found.then_some(())
    };
    let quarantine = "/api/v1/quarantine";
    town.api.until(quarantine, "quarantine", quarantined).await;

    // The daemon that runs sees the key at once.
    key_command(&town, &["import", "outlet/jia-3"], OLD_KEY);
    wire.send(&frame("2051", &minute(2), OLD_KEY)).await;
    assert!(wire.next_text().await.contains("CN=9014;"));

    // The logger asks for a new key; the centre confirms, then sets one under the old one.
    wire.send(&frame("1014", "SKCreateTime=20260101000000", OLD_KEY))
        .await;
    assert!(wire.next_text().await.contains("CN=9013;"));
    let set = opened(&wire.next().await, OLD_KEY);
    assert!(set.contains("CN=1014;"), "a request to set a key");
    let (qn, new_key) = (field(&set, "QN"), field(&set, "NewSK"));
    for (cn, result) in [("9011", "QnRtn=1"), ("9012", "ExeRtn=1")] {
        let head = format!("QN={qn};ST=91;CN={cn};PW=123456;MN={NEW_MN};Flag=8");
        wire.send(envelope(&format!("{head};CP=&&{result}&&")).as_bytes())
            .await;
    }
    let done = |list: &Value| (rows(list).first()?["state"] == "done").then_some(());
    town.api
        .until("/api/v1/exchanges?outlet=jia-3", "the key is set", done)
        .await;
    wire.send(&frame("2051", &minute(3), &new_key)).await;
    assert!(wire.next_text().await.contains("CN=9014;"));
    let listed = key_command(&town, &["list", "--json"], "");
    let listed: Value = serde_json::from_str(&listed).expect("JSON");
    assert_eq!(rows(&listed).len(), 2, "{listed:#}");
    assert_eq!(listed[0]["in_force"], true, "{listed:#}");

    assert!(town.daemon.stop().await.success());
    kept_without_keys(&town, &new_key);
    assert_books_hold(&town.data());
}

/// The journal says what the records say, and no key.
fn kept_without_keys(town: &Town, new_key: &str) {
    let events = events(&town.data());
    let mut clear = 0;
    for event in &events {
        let line = String::from_utf8(event.to_line()).expect("JSON");
        assert!(!line.contains(new_key) && !line.contains(OLD_KEY), "{line}");
        if let JournalEvent::Frame {
            clear: Some(text), ..
        } = event
        {
            assert!(String::from_utf8_lossy(&text.0).contains("a21026-Avg="));
            clear += 1;
        }
    }
    assert_eq!(clear, 2, "records opened");
    let changed =
        |e: &JournalEvent| matches!(e, JournalEvent::Audit { what, .. } if what == "key.changed");
    assert!(
        events.iter().any(changed),
        "the change of key is journalled"
    );
}
