//! What data are sent to.

use cems_config::{DestinationMeans, Settings};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// How long a program may take until it listens.
const UP_WITHIN: Duration = Duration::from_secs(30);

/// One destination and the program behind it, which ends with it.
pub(crate) struct Peer {
    pub(crate) name: &'static str,
    pub(crate) id: &'static str,
    means: String,
    /// The program, and where its files lie.
    _program: Option<(Ended, tempfile::TempDir)>,
}

struct Ended(Child);

impl Drop for Ended {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

impl Peer {
    /// The server of this process.
    pub(crate) fn thrown_away(address: SocketAddr) -> Self {
        Self {
            name: "series, thrown away",
            id: "away",
            means: influx(address.port()),
            _program: None,
        }
    }

    pub(crate) fn victoria() -> Option<Self> {
        let port = free_port();
        let program = installed(&["/usr/bin/victoria-metrics"])?;
        let directory = tempfile::tempdir().unwrap();
        let mut command = Command::new(program);
        command
            .arg(format!("-storageDataPath={}", directory.path().display()))
            .arg(format!("-httpListenAddr=127.0.0.1:{port}"))
            .arg("-retentionPeriod=100y");
        Some(Self {
            name: "series, VictoriaMetrics",
            id: "victoria",
            means: influx(port),
            _program: Some((started(command, port), directory)),
        })
    }

    pub(crate) fn mosquitto() -> Option<Self> {
        let port = free_port();
        let program = installed(&["/usr/sbin/mosquitto", "/usr/bin/mosquitto"])?;
        let directory = tempfile::tempdir().unwrap();
        let settings = directory.path().join("mosquitto.conf");
        let text = format!("listener {port} 127.0.0.1\nallow_anonymous true\n");
        std::fs::write(&settings, text).unwrap();
        let mut command = Command::new(program);
        command.arg("-c").arg(&settings);
        Some(Self {
            name: "MQTT, mosquitto",
            id: "broker",
            means: format!(
                "kind = \"mqtt\"\nserver = \"127.0.0.1:{port}\"\ntls = false\n\
                 client_id = \"bench\"\n"
            ),
            _program: Some((started(command, port), directory)),
        })
    }

    /// Settings with this destination alone, of records only.
    pub(crate) fn settings(&self) -> Settings {
        let (id, means) = (self.id, &self.means);
        let text = format!(
            "[[destination]]\nid = \"{id}\"\nrecords = [\"minute\"]\naggregates = []\n\
             events = false\n{means}"
        );
        let checked = cems_config::load_str(&[("cemsd.toml", &text)])
            .unwrap_or_else(|problems| panic!("{problems}"));
        let is_kind = |means: &DestinationMeans| match means {
            DestinationMeans::Influx(_) => id != "broker",
            DestinationMeans::Mqtt(_) => id == "broker",
        };
        assert!(is_kind(&checked.settings.destinations[0].means));
        checked.settings
    }
}

fn influx(port: u16) -> String {
    format!("kind = \"influx\"\nurl = \"http://127.0.0.1:{port}\"\nbucket = \"cems\"\n")
}

fn installed(places: &[&'static str]) -> Option<&'static Path> {
    let mut places = places.iter().map(|place| Path::new(*place));
    places.find(|path| path.exists())
}

fn free_port() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    listener.local_addr().unwrap().port()
}

fn started(mut command: Command, port: u16) -> Ended {
    let quiet = command.stdout(Stdio::null()).stderr(Stdio::null());
    let child = Ended(quiet.spawn().unwrap());
    let began = Instant::now();
    while TcpStream::connect(("127.0.0.1", port)).is_err() {
        assert!(began.elapsed() < UP_WITHIN, "{command:?} does not listen");
        std::thread::sleep(Duration::from_millis(50));
    }
    child
}
