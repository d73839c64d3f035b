//! Data over Debian's mosquitto: readings that come in, records and events that go out.

mod again;
mod cause;
mod destination;
mod source;

use crate::notify::peer::{Lines, Peer, certificates, free_port, listening, secret};
use cems_tests::wait::until;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// Where mosquitto lies: Debian keeps it among the programs of the administrator.
const MOSQUITTO: &str = "/usr/sbin/mosquitto";
/// The daemon at the broker.
const OURS: (&str, &str) = ("cems", "mqtt-word");
/// Everybody else there.
const OTHERS: (&str, &str) = ("others", "others-word");

/// A broker with TLS and log-ins, that remembers nothing over a restart.
pub(crate) struct Broker {
    place: PathBuf,
    pub(crate) port: u16,
}

impl Broker {
    pub(crate) fn new(place: &Path) -> Self {
        certificates(place);
        let port = free_port();
        let text = format!(
            "listener {port} 127.0.0.1\ncertfile {0}/server.pem\nkeyfile {0}/server.key\n\
             allow_anonymous false\npassword_file {0}/users\npersistence false\nuser root\n\
             max_queued_messages 0\nmax_inflight_messages 0\n",
            place.display()
        );
        std::fs::write(place.join("mosquitto.conf"), text).expect("written");
        secret(&place.join("mqtt-word"), OURS.1);
        let broker = Self {
            place: place.to_owned(),
            port,
        };
        broker.users(&[OURS, OTHERS]);
        broker
    }

    /// Where its files lie.
    pub(crate) fn place(&self) -> &Path {
        &self.place
    }

    /// Who may log in.
    pub(crate) fn users(&self, users: &[(&str, &str)]) {
        let file = self.place.join("users");
        let lines = users.iter().map(|(user, word)| format!("{user}:{word}\n"));
        secret(&file, &lines.collect::<String>());
        let hashed = Command::new("mosquitto_passwd")
            .arg("-U")
            .arg(&file)
            .status();
        assert!(hashed.expect("tests/run installs mosquitto").success());
    }

    pub(crate) async fn start(&self) -> Peer {
        let mut command = Command::new(MOSQUITTO);
        command
            .arg("-c")
            .arg(self.place.join("mosquitto.conf"))
            .stdout(Stdio::null());
        let peer = Peer::start(&mut command);
        listening(self.port).await;
        peer
    }

    /// Has the broker read its users again.
    pub(crate) fn reread(&self, running: &Peer) {
        let told = Command::new("kill")
            .args(["-HUP", &running.0.id().to_string()])
            .status();
        assert!(told.expect("kill").success());
    }

    fn client(&self, program: &str, qos: &str) -> Command {
        let mut command = Command::new(program);
        command
            .args(["-h", "127.0.0.1", "-p", &self.port.to_string()])
            .args(["-q", qos, "-u", OTHERS.0, "-P", OTHERS.1, "--cafile"])
            .arg(self.place.join("ca.pem"));
        command
    }

    /// Publishes each line as a message, in order; waits for the broker's acknowledgements.
    pub(crate) fn publish(&self, topic: &str, lines: &[String]) {
        let mut command = self.client("mosquitto_pub", "1");
        command.args(["-t", topic, "-l"]).stdin(Stdio::piped());
        let mut child = command.spawn().expect("tests/run installs it");
        let mut stdin = child.stdin.take().expect("piped");
        for line in lines {
            writeln!(stdin, "{line}").expect("it reads");
        }
        drop(stdin);
        assert!(child.wait().expect("our own child").success());
    }

    /// Somebody who listens: one line for each message, with topic, retained or not, payload. The
    /// broker hands everything on at once and keeps nothing back.
    pub(crate) async fn listen(&self, topic: &str) -> (Peer, Lines) {
        let (peer, lines) = self.come_late(topic);
        until("a listener", async || {
            self.publish("hello", &["1".to_owned()]);
            lines.any("hello").then_some(()).ok_or("it does not listen")
        })
        .await;
        (peer, lines)
    }

    /// Somebody who wants to hear what the broker has kept.
    pub(crate) fn come_late(&self, topic: &str) -> (Peer, Lines) {
        let mut command = self.client("mosquitto_sub", "0");
        command
            .args(["-t", topic, "-t", "hello", "-F", "%t %r %p"])
            .stdout(Stdio::piped());
        let mut peer = Peer::start(&mut command);
        let lines = peer.lines();
        (peer, lines)
    }

    /// The settings that name this broker.
    pub(crate) fn reached(&self) -> String {
        format!(
            "server = \"127.0.0.1:{}\"\nusername = \"{}\"\npassword_file = \"mqtt-word\"\n\
             ca_file = \"ca.pem\"\n",
            self.port, OURS.0
        )
    }
}
