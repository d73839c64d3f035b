//! Debian's mosquitto with TLS and a log-in: the last state of an alarm is retained, and a broker
//! that is killed and comes back without its memory loses nothing.

use super::peer::{Lines, Peer, certificates, free_port, listening, secret};
use super::{in_state, route, try_channel, write_city};
use crate::inside::Inside;
use cems_tests::city::SUPERVISOR_TOKEN;
use cems_tests::time::Moment;
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// Where mosquitto lies: Debian keeps it among the programs of the administrator.
const MOSQUITTO: &str = "/usr/sbin/mosquitto";

struct Broker {
    place: PathBuf,
    port: u16,
}

impl Broker {
    /// Files of a broker: certificates, users, settings. It keeps nothing over a restart.
    fn new(place: &Path) -> Self {
        certificates(place);
        let port = free_port();
        let text = format!(
            "listener {port} 127.0.0.1\ncertfile {0}/server.pem\nkeyfile {0}/server.key\n\
             allow_anonymous false\npassword_file {0}/users\npersistence false\nuser root\n",
            place.display()
        );
        std::fs::write(place.join("mosquitto.conf"), text).expect("written");
        Self {
            place: place.to_owned(),
            port,
        }
    }

    /// Who may log in.
    fn users(&self, users: &[(&str, &str)]) {
        let file = self.place.join("users");
        let text: String = users
            .iter()
            .map(|(user, word)| format!("{user}:{word}\n"))
            .collect();
        secret(&file, &text);
        let hashed = Command::new("mosquitto_passwd")
            .arg("-U")
            .arg(&file)
            .status();
        assert!(hashed.expect("tests/run installs mosquitto").success());
    }

    async fn start(&self) -> Peer {
        let mut command = Command::new(MOSQUITTO);
        command
            .arg("-c")
            .arg(self.place.join("mosquitto.conf"))
            .stdout(Stdio::null());
        let peer = Peer::start(&mut command);
        listening(self.port).await;
        peer
    }

    /// Somebody who listens: one line for each message, topic and payload.
    fn listen(&self, topic: &str) -> (Peer, Lines) {
        let mut command = Command::new("mosquitto_sub");
        command
            .args([
                "-h",
                "127.0.0.1",
                "-p",
                &self.port.to_string(),
                "-t",
                topic,
                "-q",
                "1",
            ])
            .args(["-u", "watcher", "-P", "watcher-word", "-F", "%t %r %p"])
            .arg("--cafile")
            .arg(self.place.join("ca.pem"))
            .stdout(Stdio::piped());
        let mut peer = Peer::start(&mut command);
        let lines = peer.lines();
        (peer, lines)
    }

    fn settings(&self) -> String {
        let port = self.port;
        let channel = format!(
            "[[channel]]\nid = \"broker\"\nkind = \"mqtt\"\nserver = \"127.0.0.1:{port}\"\n\
             prefix = \"city/cems\"\nusername = \"cems\"\npassword_file = \"mqtt-word\"\n\
             ca_file = \"ca.pem\"\n"
        );
        channel + &route("broker", "")
    }
}

const WATCHER: (&str, &str) = ("watcher", "watcher-word");
const OURS: (&str, &str) = ("cems", "mqtt-word");

/// A line of `mosquitto_sub`: topic, retained or not, payload.
fn parts(line: &str) -> (String, bool, Value) {
    let mut parts = line.splitn(3, ' ');
    let mut next = || parts.next().unwrap_or_default().to_owned();
    let (topic, retained, payload) = (next(), next() == "1", next());
    (
        topic,
        retained,
        serde_json::from_str(&payload).unwrap_or(json!(payload)),
    )
}

#[tokio::test(flavor = "multi_thread")]
async fn states_are_retained_and_a_killed_broker_loses_nothing() {
    const WHILE_AWAY: usize = 10;
    let directory = tempfile::tempdir().expect("a temporary directory");
    let broker = Broker::new(directory.path());
    broker.users(&[WATCHER, OURS]);
    let running = broker.start().await;
    write_city(directory.path(), &broker.settings());
    secret(&directory.path().join("mqtt-word"), OURS.1);
    let start = Moment::midnight(2026, 3, 16).plus_minutes(10 * 60 + 5);
    let mut inside = Inside::open(directory, start, 5).await;
    let alarm = super::exceed(&mut inside, start.floor_hour().plus_minutes(-4 * 60)).await;
    in_state(&inside.duty, "delivered", 1).await;
    retained(&broker, alarm).await;

    running.kill();
    let supervisor = inside.api(SUPERVISOR_TOKEN);
    for _ in 0..WHILE_AWAY {
        try_channel(&supervisor, "broker").await;
    }
    let waiting = in_state(&supervisor, "waiting", WHILE_AWAY).await;
    assert_eq!(waiting.len(), WHILE_AWAY);

    // It comes back knowing nothing; nobody but the listener may in until the listener listens.
    broker.users(&[WATCHER]);
    let running = broker.start().await;
    let (_listener, heard) = broker.listen("city/cems/#");
    listener_is_in(&broker, &heard).await;
    broker.users(&[WATCHER, OURS]);
    let reread = Command::new("kill")
        .args(["-HUP", &running.0.id().to_string()])
        .status();
    assert!(reread.expect("kill").success());
    let mut keys = BTreeSet::new();
    let mut state = None;
    while keys.len() < WHILE_AWAY || state.is_none() {
        let (topic, _, payload) = parts(&heard.next("what waited").await);
        if topic == "city/cems/messages" {
            assert_eq!(payload["reason"], "test", "{payload:#}");
            keys.insert(payload["key"].as_str().unwrap_or_default().to_owned());
        } else if topic.starts_with("city/cems/alarms/") {
            state = Some(payload);
        }
    }
    assert_eq!(state.expect("shown again")["id"], alarm);
    let delivered = in_state(&supervisor, "delivered", WHILE_AWAY + 1).await;
    assert_eq!(delivered.len(), WHILE_AWAY + 1);
    retained(&broker, alarm).await;
    // The certificate lies in this directory.
    let _directory = inside.close().await;
    let (_late, last) = broker.listen("city/cems/status");
    let (topic, retained, payload) = parts(&last.next("our leave").await);
    assert_eq!((topic.as_str(), retained), ("city/cems/status", true));
    assert_eq!(payload, "offline");
}

/// Whoever comes late finds the alarm as it stands.
async fn retained(broker: &Broker, alarm: u64) {
    let (_late, heard) = broker.listen("city/cems/alarms/#");
    let (topic, retained, state) = parts(&heard.next("a retained state").await);
    assert_eq!(
        (topic, retained),
        (format!("city/cems/alarms/{alarm}"), true)
    );
    assert_eq!(state["kind"], "exceedance.hour", "{state:#}");
    assert_eq!(state["active"], true);
    assert_eq!(
        state["link"],
        format!("https://cems.example/alarms/{alarm}")
    );
}

/// A message of our own comes through: the listener listens.
async fn listener_is_in(broker: &Broker, heard: &Lines) {
    for _ in 0..100 {
        let said = Command::new("mosquitto_pub")
            .args([
                "-h",
                "127.0.0.1",
                "-p",
                &broker.port.to_string(),
                "-t",
                "city/cems/hello",
            ])
            .args([
                "-u", WATCHER.0, "-P", WATCHER.1, "-m", "1", "-q", "1", "--cafile",
            ])
            .arg(broker.place.join("ca.pem"))
            .status();
        assert!(said.expect("tests/run installs it").success());
        tokio::time::sleep(std::time::Duration::from_millis(100)).await;
        if heard.any("city/cems/hello") {
            return;
        }
    }
    panic!("mosquitto_sub does not listen");
}
