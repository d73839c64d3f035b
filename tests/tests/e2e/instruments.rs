//! Instruments not written by us: slaves of pymodbus over TCP and over a serial line (a pair of
//! pseudo terminals by socat), read by `cemsd probe` and by a running daemon; and mbpoll, which is
//! libmodbus, reading ours.

use crate::Town;
use cems_tests::city::{City, GAS_MN, Outlet};
use cems_tests::process::{assert_books_hold, run};
use cems_tests::wait::until;
use serde_json::Value;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};

/// What `testdata/pymodbus_slave.py` holds. Oxygen comes last so that a test can scale it anew.
const MAP: &str = r#"id = "peer"
title_zh = "试验从站"
title_en = "peer of the tests"
source = "tests/testdata/pymodbus_slave.py"
certainty = "manual"
base = 0
table = "holding"
order = "ABCD"
[[point]]
name = "so2"
factor = "a21026"
address = 0
type = "f32"
unit = "mg/m3"
[[point]]
name = "status"
role = "state"
address = 3
type = "u16"
[[point]]
name = "serial"
role = "info"
address = 4
type = "u32"
order = "CDAB"
[[point]]
name = "channel"
role = "info"
table = "input"
address = 100
type = "u16"
[[rule]]
point = "status"
bits = [1]
flag = "C"
[[point]]
name = "o2"
factor = "a19001"
address = 2
type = "u16"
scale = 0.01
unit = "%"
"#;

/// A program of others; it ends with its owner.
struct Peer(Child);

impl Drop for Peer {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// A slave of pymodbus; its port, 0 on a serial line.
fn pymodbus(arguments: &[&str]) -> (Peer, u16) {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("testdata/pymodbus_slave.py");
    // The system's Python: that is where Debian's packages are.
    let mut child = Command::new("/usr/bin/python3")
        .arg(script)
        .args(arguments)
        .stdout(Stdio::piped())
        .spawn()
        .expect("python3 is there: tests/run installs it");
    let stdout = child.stdout.take().expect("piped");
    let peer = Peer(child);
    let mut line = String::new();
    BufReader::new(stdout)
        .read_line(&mut line)
        .expect("its first line");
    let port = line.strip_prefix("ready ").map(|port| port.trim().parse());
    match port {
        Some(Ok(port)) => (peer, port),
        _ => panic!("pymodbus did not start (tests/run installs python3-pymodbus): {line:?}"),
    }
}

/// Two ends of a serial line.
async fn serial_line(directory: &Path) -> (Peer, String, String) {
    let ends = ["instrument", "station"].map(|name| directory.join(name).display().to_string());
    let child = Command::new("socat")
        .args(
            ends.each_ref()
                .map(|end| format!("pty,raw,echo=0,link={end}")),
        )
        .spawn()
        .expect("socat is there: tests/run installs it");
    let peer = Peer(child);
    until("the serial line", async || {
        let there = ends.iter().all(|end| Path::new(end).exists());
        there.then_some(()).ok_or("no links yet")
    })
    .await;
    let [instrument, station] = ends;
    (peer, instrument, station)
}

/// `cemsd probe --once --json` on a map: its object.
fn probe(map: &Path, arguments: &[&str]) -> Value {
    let mut all = vec!["probe", "--once", "--json", "--timeout-ms", "5000", "--map"];
    all.push(map.to_str().expect("a plain name"));
    all.extend(arguments);
    let output = run(&all, b"");
    let text = String::from_utf8_lossy(&output.stdout);
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{text}\n{stderr}");
    serde_json::from_str(text.trim()).expect("one JSON object")
}

#[track_caller]
fn assert_points(object: &Value, so2: [&str; 3]) {
    assert_eq!(object["ok"], true, "{object:#}");
    let point = |name: &str| {
        let points = object["points"].as_array().expect("a list");
        let found = points.iter().find(|point| point["name"] == name);
        let found = found.unwrap_or_else(|| panic!("no {name} in {object:#}"));
        ["raw", "value", "flag"].map(|key| found[key].as_str().expect("a text").to_owned())
    };
    assert_eq!(point("so2"), so2);
    let [_, _, flag] = so2;
    assert_eq!(point("o2"), ["00CD", "2.05", flag]);
    assert_eq!(point("serial"), ["02D24996", "1234567890", ""]);
    assert_eq!(point("channel"), ["012C", "300", ""]);
}

#[tokio::test]
async fn pymodbus_over_tcp_is_read_by_probe() {
    let directory = tempfile::tempdir().expect("a directory");
    let map = directory.path().join("peer.toml");
    std::fs::write(&map, MAP).expect("written");
    let (_peer, port) = pymodbus(&["tcp"]);
    let address = format!("127.0.0.1:{port}");
    let object = probe(&map, &["--tcp", &address, "--unit", "1"]);
    assert_points(&object, ["41480000", "12.5", "N"]);
    let object = probe(&map, &["--tcp", &address, "--unit", "2"]);
    assert_points(&object, ["42150000", "37.25", "C"]);
}

#[tokio::test]
async fn pymodbus_on_a_serial_line_is_read_by_probe() {
    let directory = tempfile::tempdir().expect("a directory");
    let map = directory.path().join("peer.toml");
    std::fs::write(&map, MAP).expect("written");
    let (_line, instrument, station) = serial_line(directory.path()).await;
    let (_peer, _) = pymodbus(&["serial", &instrument]);
    let object = probe(&map, &["--serial", &station, "--unit", "2"]);
    assert_points(&object, ["42150000", "37.25", "C"]);
}

#[tokio::test]
async fn probe_names_the_line_of_a_mistake_in_a_map() {
    let directory = tempfile::tempdir().expect("a directory");
    let map = directory.path().join("peer.toml");
    std::fs::write(&map, MAP.replace("\"f32\"", "\"f33\"")).expect("written");
    let path = map.to_str().expect("a plain name");
    let arguments = ["probe", "--once", "--map", path, "--tcp", "127.0.0.1:1"];
    let output = run(&arguments, b"");
    assert!(!output.status.success());
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(stderr.contains("peer.toml:13"), "{stderr}");
    assert!(stderr.contains("f33"), "{stderr}");
}

/// Settings of a station with the slave of pymodbus on two lines.
fn station(port: u16, serial: &str) -> String {
    let city = City::empty()
        .outlet(&Outlet::gas("jia-1", GAS_MN).text())
        .outlet(&Outlet::gas("jia-2", "A00000000000000000000009").text())
        .outlet(&format!(
            r#"[[bus]]
id = "rack"
tcp = "127.0.0.1:{port}"
[[bus]]
id = "field"
serial = "{serial}"
baud = 9600
[[instrument]]
id = "gas-1"
outlet = "jia-1"
bus = "rack"
unit = 1
map = "peer"
every_ms = 1000
[[instrument]]
id = "gas-2"
outlet = "jia-2"
bus = "field"
unit = 2
map = "peer"
every_ms = 1000
"#
        ));
    format!("maps = [\"maps\"]\n{}", city.text())
}

/// The readings of an instrument, `factor=value flag` each, when it answers.
fn readings(status: &Value, id: &str) -> Option<Vec<String>> {
    let all = status["instruments"].as_array()?;
    let one = all.iter().find(|one| one["id"] == id)?;
    let readings = one["readings"].as_array()?.iter();
    let text = |reading: &Value| {
        let part = |key: &str| reading[key].as_str().unwrap_or("?").to_owned();
        format!("{}={} {}", part("factor"), part("value"), part("flag"))
    };
    Some(readings.map(text).collect())
}

#[tokio::test]
async fn a_station_polls_instruments_and_takes_a_new_map_while_it_runs() {
    let directory = tempfile::tempdir().expect("a directory");
    let (_line, instrument, serial) = serial_line(directory.path()).await;
    let (_field, _) = pymodbus(&["serial", &instrument]);
    let (rack, port) = pymodbus(&["tcp"]);
    let maps = directory.path().join("maps");
    std::fs::create_dir(&maps).expect("made");
    std::fs::write(maps.join("peer.toml"), MAP).expect("written");
    let config = directory.path().join("cemsd.toml");
    std::fs::write(&config, station(port, &serial)).expect("written");
    let mut town = Town::open(directory, config).await;

    let has = |id: &'static str, wanted: &'static [&'static str]| {
        move |status: &Value| readings(status, id).filter(|all| all == wanted)
    };
    let path = "/api/v1/station";
    let one = has("gas-1", &["a21026=12.5 N", "a19001=2.05 N"]);
    town.api.until(path, "the rack's instrument", one).await;
    let two = has("gas-2", &["a21026=37.25 C", "a19001=2.05 C"]);
    town.api.until(path, "the field's instrument", two).await;

    // Oxygen in tenths, said the manual after all.
    let anew = MAP.replace("scale = 0.01", "scale = 0.1");
    std::fs::write(town.directory.path().join("maps/peer.toml"), anew).expect("written");
    let id = town.daemon.id().to_string();
    let sent = Command::new("kill").args(["-HUP", &id]).status();
    assert!(sent.is_ok_and(|status| status.success()));
    let scaled = has("gas-1", &["a21026=12.5 N", "a19001=20.5 N"]);
    town.api.until(path, "the new map at work", scaled).await;
    let status = town.api.get(path).await;
    for instrument in status["instruments"].as_array().expect("a list") {
        assert_eq!(instrument["failures"], 0, "{instrument:#}");
    }

    // The rack's instrument goes: it says so, and its neighbour on the other line does not mind.
    drop(rack);
    let gone = has("gas-1", &["a21026= B", "a19001= B"]);
    town.api.until(path, "the silence of the rack", gone).await;
    let status = town.api.get(path).await;
    assert_eq!(status["instruments"][1]["failures"], 0, "{status:#}");
    town.daemon.stop().await;
    assert_books_hold(&town.data());
}

/// `cemsd simulate --instrument`, and the port it answers on.
fn simulated(map: &str) -> (Peer, String) {
    let mut child = Command::new(cems_tests::process::cemsd())
        .args(["simulate", "--instrument", map, "--tcp", "127.0.0.1:0"])
        .stdout(Stdio::piped())
        .spawn()
        .expect("cemsd starts");
    let stdout = child.stdout.take().expect("piped");
    let peer = Peer(child);
    let mut line = String::new();
    BufReader::new(stdout)
        .read_line(&mut line)
        .expect("its first line");
    let port = line.trim().rsplit(':').next().map(str::to_owned);
    (peer, port.expect("the address ends in a port"))
}

#[tokio::test]
async fn mbpoll_reads_our_simulated_analyser() {
    let (_analyser, port) = simulated("simulated");
    let ask = async |kind: &str, start: &str| {
        let mut command = Command::new("mbpoll");
        command
            .args(["-m", "tcp", "-p", &port, "-a", "1", "-0", "-B", "-1", "-q"])
            .args(["-t", kind, "-r", start, "-c", "1", "127.0.0.1"]);
        let output = tokio::task::spawn_blocking(move || command.output()).await;
        let output = output
            .expect("no panic")
            .expect("mbpoll: tests/run installs it");
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        let errors = String::from_utf8_lossy(&output.stderr).into_owned();
        (output.status.success(), text + &errors)
    };
    // Dust in hundredths of mg/m3, 32 bits: a coal boiler behind its filters has a few mg/m3.
    let (ok, text) = ask("3:int", "0").await;
    let value = text
        .lines()
        .find_map(|line| line.strip_prefix("[0]:")?.trim().parse::<i32>().ok());
    assert!(
        ok && value.is_some_and(|v| (1..2_000).contains(&v)),
        "{text}"
    );
    let (ok, text) = ask("3", "98").await;
    assert!(
        ok && text.contains("[98]: \t0"),
        "the state is normal: {text}"
    );
    let (ok, text) = ask("3", "9000").await;
    assert!(!ok && text.contains("Illegal data address"), "{text}");
}

#[test]
fn a_map_that_comes_along_reads_the_device_it_describes() {
    let (_analyser, port) = simulated("sick-marsic300");
    let map = Path::new("sick-marsic300");
    let object = probe(map, &["--tcp", &format!("127.0.0.1:{port}")]);
    let so2 = object["points"]
        .as_array()
        .expect("a list")
        .iter()
        .find(|point| point["name"] == "so2")
        .expect("of the map");
    assert_eq!((&so2["unit"], &so2["flag"]), (&"mg/m3".into(), &"N".into()));
    let value: f64 = so2["value"]
        .as_str()
        .expect("a text")
        .parse()
        .expect("a number");
    assert!((1.0..100.0).contains(&value), "{so2:#}");
}
